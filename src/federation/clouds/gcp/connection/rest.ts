import type { CloudWorld } from "../../cloud.ts";
import { isJsonObject, type JsonObject } from "../../../oidc/json.ts";
import { type HttpAnswer, HttpFailure } from "../../../http/http.ts";
import { withAttempts } from "../../../http/attempts.ts";
import { type Credentials, loadCredentials } from "./credentials.ts";
import { chooseUniverse, endpointOf, isEmulator, type Service } from "./endpoints.ts";
import { type Asked, isAnswered, toGcpError, toUnreachable, toUnreadable } from "./errors.ts";
import { parseJson, withoutSecrets } from "../../../http/answers.ts";
import { parseGoogleError } from "./google-answer.ts";

/** One call of a REST API. */
export interface RestRequest extends Asked {
  readonly service: Service;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the version on, each part escaped: `v1/projects/p/locations/global/workloadIdentityPools`, `storage/v1/b/BUCKET`. */
  readonly path: string;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** JSON, or a text with the content type that `headers` names. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether sending it twice is harmless. Default: for everything but POST. */
  readonly repeatable?: boolean;
  /** Whether the caller's credentials go along. Default true. */
  readonly authenticated?: boolean;
  /** What of the request must not come back in an error: a subject token. */
  readonly secrets?: readonly string[];
  /** Milliseconds for all attempts together. Default: what one remote call may take. */
  readonly timeoutMs?: number;
  /** Default 16 MiB. */
  readonly maxBytes?: number;
}

export interface RestAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's document; an empty object for an empty answer and for one that is no object. */
  readonly json: JsonObject;
  /** The answer as it came: the content of an object. */
  readonly text: string;
}

/**
 * Google's REST APIs with kubeassume's HTTP (proxies, private CAs, bounds, interruption), the caller's credentials,
 * and up to 3 attempts. Throws KubeassumeError for everything but a status of 200 to 299: GCP_* by Google's own
 * reason and status.
 */
export interface Rest {
  (request: RestRequest): Promise<RestAnswer>;
  /** Who calls, as far as the credentials say; asks for the first token. Throws GCP_CREDENTIALS_*. */
  readonly credentials: Credentials;
  /** Where a service answers, ending with a slash: for links that are written down. */
  readonly endpointOf: (service: Service) => string;
  /** Whose services they are: `googleapis.com`, or the domain of a Google cloud of its own. */
  readonly universe: string;
}

/** Enough for the largest policies and pages. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Reads the credential file when there is one, and touches no network. Throws FLAG_INVALID for an endpoint that is none. */
export async function createRest(world: CloudWorld): Promise<Rest> {
  const credentials = await loadCredentials(world);
  const universe = chooseUniverse(world.env, credentials.universe);
  const endpoint = (service: Service) => endpointOf(world.env, service, universe);
  const rest = async (request: RestRequest) => send(world, endpoint(request.service), credentials, request);
  return Object.assign(rest, { credentials, endpointOf: endpoint, universe });
}

/** The same for something that may not exist: null when Google answers that it does not. */
export async function restIfExists(rest: Rest, request: RestRequest): Promise<RestAnswer | null> {
  return orNull(rest(request), 404);
}

/** The same for a creation: null when it exists already, which a lost answer may have caused. */
export async function restUnlessExists(rest: Rest, request: RestRequest): Promise<RestAnswer | null> {
  return orNull(rest(request), 409);
}

async function orNull(answer: Promise<RestAnswer>, status: number): Promise<RestAnswer | null> {
  try {
    return await answer;
  } catch (error) {
    if (isAnswered(error, status)) return null;
    throw error;
  }
}

/** The pages of a list one after the other, until Google names no next one. `items` is the member that holds them. Throws for a parent that does not exist. */
export async function restPages(rest: Rest, request: RestRequest, items: string): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  let pageToken: string | undefined;
  do {
    const { json } = await rest({ ...request, query: { ...request.query, pageToken } });
    const page = json[items];
    if (Array.isArray(page)) found.push(...page.filter(isJsonObject));
    const next = json["nextPageToken"];
    pageToken = typeof next === "string" && next !== "" && next !== pageToken ? next : undefined;
  } while (pageToken !== undefined);
  return found;
}

async function send(world: CloudWorld, endpoint: string, credentials: Credentials, request: RestRequest): Promise<RestAnswer> {
  const authHeaders = request.authenticated === false ? {} : await headersFor(world, credentials, request);
  const answer = await attempt(world, endpoint, authHeaders, request);
  if (answer.status < 200 || answer.status > 299) {
    const secrets = [...(request.secrets ?? []), ...secretsOf(authHeaders)];
    throw toGcpError(parseGoogleError(answer.status, withoutSecrets(answer.body, secrets)), request);
  }
  const json = parseJson(answer.body);
  // Objects of a bucket are no answers of the API: whoever reads those wants the text.
  if (!isJsonObject(json) && answer.body !== "" && request.query?.["alt"] !== "media") throw toUnreadable(request, answer.status);
  return { status: answer.status, headers: answer.headers, json: isJsonObject(json) ? json : {}, text: answer.body };
}

async function attempt(world: CloudWorld, endpoint: string, authHeaders: Readonly<Record<string, string>>, request: RestRequest): Promise<HttpAnswer> {
  const url = `${endpoint}${request.path}${searchOf(request.query ?? {})}`;
  const headers = { accept: "application/json", ...(typeof request.body === "object" ? { "content-type": "application/json" } : {}), ...request.headers, ...authHeaders };
  const body = typeof request.body === "object" ? JSON.stringify(request.body) : request.body;
  const attempts = { timeoutMs: request.timeoutMs ?? world.timeoutMs, signal: world.signal, repeatable: request.repeatable ?? request.method !== "POST" };
  const once = (timeoutMs: number) => world.http({ url, method: request.method, headers, ...(body === undefined ? {} : { body }), timeoutMs, maxBytes: request.maxBytes ?? MAX_ANSWER_BYTES });
  try {
    return await withAttempts(attempts, once);
  } catch (error) {
    if (error instanceof HttpFailure) throw toUnreachable(error, request);
    throw error;
  }
}

/** An emulator gets what there is, and nothing when there is nothing. */
async function headersFor(world: CloudWorld, credentials: Credentials, request: RestRequest): Promise<Readonly<Record<string, string>>> {
  if (isEmulator(world.env, request.service) && !credentials.isNamed) return {};
  return credentials.headers(request);
}

function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const authorization = headers["authorization"] ?? "";
  return [authorization, authorization.replace(/^\S+\s+/, "")].filter((secret) => secret !== "");
}

function searchOf(query: NonNullable<RestRequest["query"]>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`]));
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
