import type { StandInAnswer } from "../../../sandbox/http-core.ts";

/** google.rpc.Code names with their HTTP status and number (google/rpc/code.proto). */
const STATUSES = {
  INVALID_ARGUMENT: [400, 3],
  FAILED_PRECONDITION: [400, 9],
  UNAUTHENTICATED: [401, 16],
  PERMISSION_DENIED: [403, 7],
  NOT_FOUND: [404, 5],
  ALREADY_EXISTS: [409, 6],
  ABORTED: [409, 10],
  RESOURCE_EXHAUSTED: [429, 8],
  INTERNAL: [500, 13],
  UNAVAILABLE: [503, 14],
} as const;

export type GoogleStatus = keyof typeof STATUSES;

type Detail = Readonly<Record<string, unknown>>;

/** An answer that refuses, in Google's own status and words. */
export class GoogleError extends Error {
  readonly status: GoogleStatus;
  /** HTTP status. */
  readonly code: number;
  /** Members of google.rpc.Status details, each with its `@type`. */
  readonly details: readonly Detail[];

  constructor(status: GoogleStatus, message: string, details: readonly Detail[] = []) {
    super(message);
    this.name = "GoogleError";
    this.status = status;
    this.code = STATUSES[status][0];
    this.details = details;
  }
}

/** Source: cloud.google.com/apis/design/errors#http_mapping. */
export function renderGoogleError(error: GoogleError): StandInAnswer {
  const { code, message, status, details } = error;
  const headers: Record<string, string> = code === 401 ? { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' } : {};
  return renderJson(code, { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } }, headers);
}

/** Google's JSON: two spaces, a line at the end. */
export function renderJson(status: number, json: unknown, headers: Readonly<Record<string, string>> = {}): StandInAnswer {
  return { status, headers: { "content-type": "application/json; charset=UTF-8", ...headers }, body: `${JSON.stringify(json, null, 2)}\n` };
}

export function errorInfo(reason: string, domain: string, metadata: Readonly<Record<string, string>>): Detail {
  return { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain, metadata };
}

export function invalidArgument(message: string): GoogleError {
  return new GoogleError("INVALID_ARGUMENT", message);
}

/** With the field that is wrong, as Google's JSON parser says it. */
export function badField(field: string, description: string): GoogleError {
  const violation = field === "" ? { description } : { field, description };
  return new GoogleError("INVALID_ARGUMENT", description, [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [violation] }]);
}

export function notFound(message = "Requested entity was not found."): GoogleError {
  return new GoogleError("NOT_FOUND", message);
}

export function alreadyExists(message = "Requested entity already exists"): GoogleError {
  return new GoogleError("ALREADY_EXISTS", message);
}

export function failedPrecondition(message: string): GoogleError {
  return new GoogleError("FAILED_PRECONDITION", message);
}

/** A bound on how much there may be, which waiting does not mend: google.rpc.QuotaFailure says so. */
export function quotaExceeded(subject: string, description: string): GoogleError {
  return new GoogleError("RESOURCE_EXHAUSTED", description, [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ subject, description }] }]);
}

/** What is forbidden and what does not exist look the same to somebody who may not know. */
export function permissionDenied(service: string, permission: string, resource: string): GoogleError {
  const message = `Permission '${permission}' denied on resource '//${service}/${resource}' (or it may not exist).`;
  return new GoogleError("PERMISSION_DENIED", message, [errorInfo("IAM_PERMISSION_DENIED", "iam.googleapis.com", { permission, resource })]);
}

/** `service` as in the API's host name: `iam.googleapis.com`. Source: cloud.google.com/apis/docs/troubleshooting, SERVICE_DISABLED. */
export function serviceDisabled(service: string, title: string, number: string): GoogleError {
  const url = `https://console.developers.google.com/apis/api/${service}/overview?project=${number}`;
  const message = `${title} has not been used in project ${number} before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
  return new GoogleError("PERMISSION_DENIED", message, [
    errorInfo("SERVICE_DISABLED", "googleapis.com", { service, consumer: `projects/${number}`, serviceTitle: title, containerInfo: number, activationUrl: url }),
    { "@type": "type.googleapis.com/google.rpc.Help", links: [{ description: "Google developers console API activation", url }] },
  ]);
}

const SIGN_IN = "Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";

/** No credential at all, or one that nobody handed out or that has expired. */
export function unauthenticated(service: string, given: boolean): GoogleError {
  const message = `${given ? "Request had invalid authentication credentials." : "Request is missing required authentication credential."} ${SIGN_IN}`;
  return new GoogleError("UNAUTHENTICATED", message, [errorInfo(given ? "ACCESS_TOKEN_EXPIRED" : "CREDENTIALS_MISSING", "googleapis.com", { service })]);
}
