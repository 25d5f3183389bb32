import { isJsonObject } from "../../../../oidc/json.ts";
import type { StandInAnswer, StandInRequest } from "../../../../sandbox/http-core.ts";
import { bearerOf } from "../../../../sandbox/bearer.ts";
import { tokenOf } from "../authenticate.ts";
import { renderGoogleError, renderJson, serviceDisabled } from "../errors.ts";
import { settle } from "../operations.ts";
import type { GcpWorld } from "../world.ts";
import { exchange, invalidRequest, StsError } from "./exchange.ts";
import type { ExchangeRequest } from "./exchange.ts";

/** STS v1: the exchange of tokens, and what gcloud asks about the ones it got. Neither needs to be authorized. */
export async function answerSts(request: StandInRequest, world: GcpWorld): Promise<StandInAnswer | null> {
  settle(world);
  if (request.method !== "POST" || (request.query.get("alt") ?? "json") !== "json") return null;
  const { state } = world;
  if (state.disabledApis.has("sts.googleapis.com")) return renderGoogleError(serviceDisabled("sts.googleapis.com", "Security Token Service API", state.project.number));
  if (request.path === "/v1/introspect") return introspect(request, world);
  if (request.path !== "/v1/token") return null;
  try {
    return renderJson(200, await exchange(readRequest(request), world));
  } catch (error) {
    if (!(error instanceof StsError)) throw error;
    return renderJson(error.httpStatus, { error: error.code, error_description: error.message });
  }
}

const MEMBERS = ["audience", "grantType", "options", "requestedTokenType", "scope", "subjectToken", "subjectTokenType"] as const;

/** JSON as the API has it, or the form of RFC 8693, which every client library sends. */
function readRequest(request: StandInRequest): ExchangeRequest {
  // Google's own words: using the header can cause the request to fail. What libraries send there is their client's.
  if (bearerOf(request.headers) !== null) throw invalidRequest("Request must not have an access token in the Authorization header.");
  const text = request.body.toString("utf8");
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const given = isForm ? fromForm(text) : fromJson(text);
  return Object.fromEntries(MEMBERS.map((name) => [name, given.get(name) ?? ""])) as unknown as ExchangeRequest;
}

/** Parameters that are not known are ignored (RFC 6749 section 3.2). */
function fromForm(text: string): ReadonlyMap<string, string> {
  return new Map([...new URLSearchParams(text)].map(([name, value]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]));
}

function fromJson(text: string): ReadonlyMap<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalidRequest("Invalid JSON payload received.");
  }
  if (!isJsonObject(json)) throw invalidRequest("Invalid JSON payload received.");
  const members = new Set<string>(MEMBERS);
  return new Map(
    Object.entries(json).map(([name, value]) => {
      if (!members.has(name)) throw invalidRequest(`Invalid JSON payload received. Unknown name "${name}": Cannot find field.`);
      if (typeof value !== "string") throw invalidRequest(`Invalid value at '${name}' (TYPE_STRING)`);
      return [name, value];
    }),
  );
}

/** RFC 7662. It is no part of the API's description, but gcloud asks it for the name of the account. */
function introspect(request: StandInRequest, world: GcpWorld): StandInAnswer {
  const known = tokenOf(new URLSearchParams(request.body.toString("utf8")).get("token") ?? "", world);
  if (known === null) return renderJson(200, { active: false });
  const { principal, scopes, expires } = known;
  const username = principal.kind === "service-account" ? principal.email : principal.name;
  return renderJson(200, { active: true, username, scope: scopes.join(" "), iss: "https://sts.googleapis.com/", exp: Math.floor(expires.getTime() / 1000), token_type: "access_token" });
}
