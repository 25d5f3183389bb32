import type { GcpService } from "../../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import type { StandInAnswer, StandInRequest } from "../../../../../../src/federation/sandbox/http-core.ts";
import { checkAnswer, checkRequest } from "../../support/google-spec.ts";
import type { SpecService } from "../../support/google-spec.ts";

/** google/rpc/code.proto with the HTTP status of each. */
const STATUSES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

/** What gcloud asks beyond the descriptions: Resource Manager v1, and RFC 7662. */
const UNDESCRIBED = /^\/v1\/(?:projects\/[^/]+(?::\w+)?|introspect)$/;
/** The reading method of what operations answer with. */
const READERS: Readonly<Record<string, string>> = {
  "type.googleapis.com/google.iam.v1.WorkloadIdentityPool": "iam.projects.locations.workloadIdentityPools.get",
  "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolProvider": "iam.projects.locations.workloadIdentityPools.providers.get",
};

/** What Google's description says against a request and its answer; empty when nothing. Requests that were refused may be wrong. */
export function googleProblems(service: GcpService, request: StandInRequest, answer: StandInAnswer): string[] {
  const api = service.slice("gcp.".length) as SpecService;
  const name = `${request.method} ${request.path}`;
  const json: unknown = JSON.parse(String(answer.body));
  if (answer.headers?.["content-type"] !== "application/json; charset=UTF-8") return [`${name}: the answer is ${answer.headers?.["content-type"]}`];
  if (answer.status !== 200) return errorProblems(api, answer.status, json).map((problem) => `${name}: ${problem}`);
  if ((api === "cloudresourcemanager" || api === "sts") && UNDESCRIBED.test(request.path)) return [];
  const checked = checkRequest(api, { method: request.method, url: withCamelMask(request.target), body: bodyOf(request) });
  if (checked.method === null) return [...checked.problems];
  return [...checked.problems.filter((problem) => !isSentBack(problem)), ...checkAnswer(api, checked.method, json), ...responseProblems(api, json)];
}

/** gcloud sends whole resources back, output-only members included, which Google ignores. */
function isSentBack(problem: string): boolean {
  return problem.endsWith("is read-only");
}

/** Masks may come in the case of Google's own definitions too (protobuf.dev, ProtoJSON); the descriptions have one spelling. */
function withCamelMask(target: string): string {
  return target.replace(/(?<=[?&]updateMask=)[^&]*/, (mask) => mask.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
}

function bodyOf(request: StandInRequest): unknown {
  const text = request.body.toString("utf8");
  if (text === "") return undefined;
  if (!(request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")) return JSON.parse(text);
  return Object.fromEntries([...new URLSearchParams(text)].map(([name, value]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]));
}

/** The `response` of an operation is of any type for the description; its `@type` says which. */
function responseProblems(api: SpecService, json: unknown): readonly string[] {
  const { response } = json as { readonly response?: Readonly<Record<string, unknown>> };
  if (response === undefined) return [];
  const { "@type": type, ...resource } = response;
  const reader = READERS[String(type)];
  return reader === undefined ? [`an operation answers ${String(type)}`] : checkAnswer(api, reader, resource);
}

function errorProblems(api: SpecService, status: number, json: unknown): string[] {
  const { error, ...rest } = json as { readonly error: unknown };
  if (api === "storage" && isStorageError(error, status)) return [];
  if (api === "sts" && typeof error === "string") return Object.keys(rest).join() === "error_description" ? [] : [`error has ${Object.keys(rest).join(", ")}`];
  if (typeof error !== "object" || error === null || Object.keys(rest).length > 0) return ["the error is no google.rpc.Status"];
  const { code, message, status: name, details = [], ...more } = error as { readonly code: unknown; readonly message: unknown; readonly status: unknown; readonly details?: readonly Readonly<Record<string, unknown>>[] };
  const problems = Object.keys(more).map((member) => `error has ${member}`);
  if (code !== status || STATUSES[String(name)] !== status) problems.push(`error ${String(name)} has code ${String(code)} and status ${status}`);
  if (typeof message !== "string" || message === "") problems.push("error has no message");
  return [...problems, ...details.flatMap((detail) => (/^type\.googleapis\.com\/google\.rpc\.[A-Z]\w+$/.test(String(detail["@type"])) ? [] : ["a detail has no @type"]))];
}

/** The older shape, which the store has kept: cloud.google.com/storage/docs/json_api/v1/status-codes. */
function isStorageError(error: unknown, status: number): boolean {
  const { code, errors } = error as { readonly code: unknown; readonly errors?: readonly Readonly<Record<string, unknown>>[] };
  return code === status && errors !== undefined && errors.length > 0 && errors.every(({ domain, reason, message }) => [domain, reason, message].every((text) => typeof text === "string"));
}
