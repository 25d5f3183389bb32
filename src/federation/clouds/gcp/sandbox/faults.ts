import type { Fault, FaultTime } from "../../../sandbox/traffic.ts";
import { errorInfo, GoogleError, renderGoogleError, renderJson } from "./errors.ts";
import { renderJsonError, StorageError } from "./storage/errors.ts";

/** As in the request log. */
export type GcpService = "gcp.iam" | "gcp.cloudresourcemanager" | "gcp.sts" | "gcp.iamcredentials" | "gcp.storage";

/** Refusals that come from load or failure and not from a request; for the fault hook of the sandbox. */
const KINDS = {
  throttling: {
    api: { status: "RESOURCE_EXHAUSTED", message: "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'." },
    storage: { status: 429, reason: "rateLimitExceeded" },
    sts: { status: 429, error: "quota_exceeded" },
  },
  internal: {
    api: { status: "INTERNAL", message: "Internal error encountered." },
    storage: { status: 500, reason: "backendError" },
    sts: { status: 500, error: "internal_failure" },
  },
  unavailable: {
    api: { status: "UNAVAILABLE", message: "The service is currently unavailable." },
    storage: { status: 503, reason: "backendError" },
    sts: { status: 503, error: "temporarily_unavailable" },
  },
} as const;

export type GcpFaultKind = keyof typeof KINDS;

/** The fault that answers a request as the service itself does when it is overloaded or broken. */
export function gcpFault(service: GcpService, kind: GcpFaultKind, when: FaultTime = "before"): Fault {
  const { status, headers = {}, body = "" } = answerOf(service, kind);
  return { kind: "status", when, status, headers, body: typeof body === "string" ? body : Buffer.from(body).toString("utf8") };
}

function answerOf(service: GcpService, kind: GcpFaultKind): ReturnType<typeof renderJson> {
  const { api, storage, sts } = KINDS[kind];
  if (service === "gcp.storage") return renderJsonError(new StorageError(storage.status, storage.reason, api.message));
  if (service === "gcp.sts") return renderJson(sts.status, { error: sts.error, error_description: api.message });
  const host = `${service.slice("gcp.".length)}.googleapis.com`;
  const details = kind === "throttling" ? [errorInfo("RATE_LIMIT_EXCEEDED", "googleapis.com", { service: host, quota_metric: `${host}/requests`, quota_limit: "RequestsPerMinutePerProject" })] : [];
  return renderGoogleError(new GoogleError(api.status, api.message, details));
}
