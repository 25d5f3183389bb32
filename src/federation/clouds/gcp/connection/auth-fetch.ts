import type { CloudWorld } from "../../cloud.ts";
import { type CodeDefinition, KubeassumeError } from "../../../errors/error.ts";
import { type HttpAnswer, HttpFailure } from "../../../http/http.ts";
import { gcpErrorCodes } from "../codes.ts";
import { withAttempts } from "../../../http/attempts.ts";
import { type Asked, toGcpError, toUnreachable } from "./errors.ts";
import { withoutSecrets } from "../../../http/answers.ts";
import { type GoogleFacts, parseGoogleError } from "./google-answer.ts";

/** What a token endpoint says when a login is over (RFC 6749, 5.2; `invalid_rapt` when the session length is). */
const EXPIRED: ReadonlySet<string> = new Set(["invalid_grant", "invalid_rapt"]);
const SECRET_MEMBERS = /(?:^|[&{,])"?(?:subject_token|refresh_token|assertion|client_secret|subjectToken)"?[=:]"?([^&"]+)/g;

/**
 * What Google's library calls instead of fetch: kubeassume's HTTP, up to 3 attempts within what one remote call may
 * take. Answers of 400 and more are thrown as KubeassumeError, which comes through the library as a cause:
 * GCP_CREDENTIALS_EXPIRED, GCP_CREDENTIALS_INVALID, and what every call may throw.
 */
export function createAuthFetch(world: CloudWorld): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const body = bodyOf(init?.body);
    const headers = Object.fromEntries([...new Headers(init?.headers)].filter(([name]) => name !== "content-length" && name !== "host"));
    const withType = init?.body instanceof URLSearchParams && headers["content-type"] === undefined ? { ...headers, "content-type": "application/x-www-form-urlencoded" } : headers;
    const asked = { action: "the token", resource: new URL(url).host };
    const answer = await send(world, asked, { url, method: init?.method ?? "GET", headers: withType, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 400) throw toAuthError(parseGoogleError(answer.status, withoutSecrets(answer.body, secretsOf(headers, body))), asked);
    // 204 and the like must have no body at all.
    return new Response(answer.body === "" ? null : answer.body, { status: answer.status, headers: { "content-type": answer.headers["content-type"] ?? "application/json" } });
  };
}

async function send(world: CloudWorld, asked: Asked, request: { readonly url: string; readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string }): Promise<HttpAnswer> {
  try {
    return await withAttempts({ timeoutMs: world.timeoutMs, signal: world.signal, repeatable: true }, (timeoutMs) => world.http({ ...request, timeoutMs }));
  } catch (error) {
    if (error instanceof HttpFailure) throw toUnreachable(error, asked);
    throw error;
  }
}

function toAuthError(facts: GoogleFacts, asked: Asked): KubeassumeError {
  const definition = definitionOf(facts);
  if (definition === null) return toGcpError(facts, asked);
  const said = [facts.status, facts.words].filter((text) => text !== "").join(": ");
  const message = `${asked.resource} gives no token for the credentials (status ${facts.http})${said === "" ? "" : `: ${said}`}`;
  return new KubeassumeError(definition, { message, details: { ...asked, status: facts.http, googleStatus: facts.status } });
}

/** Null for trouble that says nothing about the credentials. */
function definitionOf({ http, status }: GoogleFacts): CodeDefinition | null {
  if (http === 429 || http >= 500) return null;
  return EXPIRED.has(status) ? gcpErrorCodes.GCP_CREDENTIALS_EXPIRED : gcpErrorCodes.GCP_CREDENTIALS_INVALID;
}

function bodyOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string" || body instanceof URLSearchParams) return String(body);
  throw new TypeError("Google's library handed over a body that is no text");
}

function secretsOf(headers: Readonly<Record<string, string>>, body: string | undefined): readonly string[] {
  const authorization = headers["authorization"] ?? "";
  const members = [...(body ?? "").matchAll(SECRET_MEMBERS)].flatMap(([, value = ""]) => [value, decoded(value)]);
  return [authorization, authorization.replace(/^\S+\s+/, ""), ...members].filter((secret) => secret !== "");
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return value;
  }
}
