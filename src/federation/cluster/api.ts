import { KubeassumeError } from "../errors/error.ts";
import { type Http, type HttpAnswer, HttpFailure } from "../http/http.ts";
import type { Access } from "./access.ts";
import { clusterCodes } from "./codes.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";

export interface ApiRequest {
  /** Default GET. */
  readonly method?: string;
  /** From the root, with its query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: object;
  /** Milliseconds; by default those of the client. */
  readonly timeoutMs?: number;
  /** What is asked in RBAC's words, for messages: `create serviceaccounts/token in namespace "payments"`. */
  readonly asks: string;
}

/** Statuses that the caller has words for (2xx, 400, 404, 409, 422); everything else is thrown. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** Kubernetes' own account of a refusal. */
  readonly failure: StatusObject | null;
}

/** The part of a `Status` object that is read (kubernetes.io/docs/reference/using-api/api-concepts). */
export interface StatusObject {
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly { readonly reason: string; readonly message: string; readonly field: string }[];
}

/** Throws CLUSTER_UNREACHABLE, _TLS, _UNAUTHORIZED, _FORBIDDEN, _THROTTLED, _FAILED, and what reading credentials throws. */
export type Api = (request: ApiRequest) => Promise<ApiAnswer>;

export interface ClusterApi {
  readonly server: Api;
  /** One API server behind the load balancer, by its own address. */
  endpoint(url: URL): Api;
}

/** The Kubernetes API of one cluster. A refused plugin credential is asked for anew, once. */
export function createApi(access: Access, source: CredentialSource): ClusterApi {
  const serverClient = byCertificate(access.toServer);
  return {
    server: (request) => sendTwice(access.server, serverClient, source, request),
    endpoint: (url) => {
      const client = byCertificate((credentials) => access.toEndpoint(url, credentials));
      return (request) => sendTwice(url, client, source, request);
    },
  };
}

/** One client, and its open connections, as long as the client certificate stays the same. */
function byCertificate(make: (credentials: Credentials) => Http): (credentials: Credentials) => Http {
  let last: { readonly certPem: string | null; readonly http: Http } | null = null;
  return (credentials) => {
    if (last === null || last.certPem !== credentials.certPem) last = { certPem: credentials.certPem, http: make(credentials) };
    return last.http;
  };
}

async function sendTwice(base: URL, client: (credentials: Credentials) => Http, source: CredentialSource, request: ApiRequest): Promise<ApiAnswer> {
  const first = await send(base, client, await source.read(), request);
  const answer = first.status === 401 && source.forget() ? await send(base, client, await source.read(), request) : first;
  return judgeAnswer(answer, base, request);
}

async function send(base: URL, client: (credentials: Credentials) => Http, credentials: Credentials, request: ApiRequest): Promise<HttpAnswer> {
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  const contentType = request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" };
  try {
    return await client(credentials)({
      url: `${base.href.replace(/\/$/, "")}${request.path}`,
      method: request.method ?? "GET",
      // The key set is served as application/jwk-set+json only: to JSON alone an API server answers it with 406.
      headers: { accept: "application/json, */*;q=0.1", ...contentType, ...credentials.headers },
      ...body,
      ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
      maxBytes: 4 * 1024 * 1024,
    });
  } catch (cause) {
    if (!(cause instanceof HttpFailure)) throw cause;
    const definition = cause.reason === "tls" ? clusterCodes.CLUSTER_TLS : clusterCodes.CLUSTER_UNREACHABLE;
    throw new KubeassumeError(definition, { message: `API server ${cause.message}`, details: { server: base.origin, reason: cause.reason, systemCode: cause.systemCode }, cause });
  }
}

/** Pure: turns an answer that no caller has words for into an error. */
export function judgeAnswer(answer: HttpAnswer, base: URL, request: ApiRequest): ApiAnswer {
  const failure = answer.status >= 400 ? parseStatus(answer.body) : null;
  const details = { server: base.origin, status: answer.status };
  if (answer.status === 401) throw new KubeassumeError(clusterCodes.CLUSTER_UNAUTHORIZED, { message: `API server ${base.host} does not accept the credentials of the kubeconfig`, details });
  if (answer.status === 403) throw new KubeassumeError(clusterCodes.CLUSTER_FORBIDDEN, { message: `the cluster does not allow you to ${request.asks}`, details: { ...details, asks: request.asks } });
  if (answer.status === 429) throw new KubeassumeError(clusterCodes.CLUSTER_THROTTLED, { message: `API server ${base.host} asks to send fewer requests (429)`, details: { ...details, retryAfter: answer.headers["retry-after"] ?? null } });
  if (answer.status >= 500 || answer.status < 200 || (answer.status >= 300 && answer.status < 400)) {
    throw new KubeassumeError(clusterCodes.CLUSTER_FAILED, { message: `API server ${base.host} answers ${answer.status} to ${request.asks}`, details });
  }
  return { status: answer.status, text: answer.body, failure };
}

function parseStatus(text: string): StatusObject | null {
  const value = parseJson(text) as { kind?: unknown; reason?: unknown; message?: unknown; details?: { causes?: unknown } | null } | null;
  if (typeof value !== "object" || value === null || value.kind !== "Status") return null;
  const causes: readonly unknown[] = Array.isArray(value.details?.causes) ? value.details.causes : [];
  return {
    reason: words(value.reason),
    message: words(value.message),
    causes: causes.slice(0, 100).map((cause) => {
      const { reason, message, field } = (cause ?? {}) as Readonly<Record<string, unknown>>;
      return { reason: words(reason), message: words(message), field: words(field) };
    }),
  };
}

function words(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 1000) : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** The JSON object that an answer of 2xx must be. Throws CLUSTER_FAILED. */
export function toObject(answer: ApiAnswer, asks: string): Readonly<Record<string, unknown>> {
  const value = parseJson(answer.text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new KubeassumeError(clusterCodes.CLUSTER_FAILED, { message: `the API server answers with something that is no Kubernetes object to ${asks}`, details: { status: answer.status } });
}

/** An answer of 400, 404, 409 or 422 that has no better name. */
export function toRefusal(answer: ApiAnswer, asks: string): KubeassumeError {
  const reason = answer.failure?.message || `status ${answer.status}`;
  return new KubeassumeError(clusterCodes.CLUSTER_REFUSED, { message: `the cluster refuses to ${asks}: ${reason}`, details: { status: answer.status, reason: answer.failure?.reason ?? "" } });
}
