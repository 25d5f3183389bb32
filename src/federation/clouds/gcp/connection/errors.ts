import { type CodeDefinition, KubeassumeError } from "../../../errors/error.ts";
import type { HttpFailure } from "../../../http/http.ts";
import { gcpErrorCodes as codes } from "../codes.ts";
import type { GoogleFacts } from "./google-answer.ts";

/** What was asked, for messages: the permission, `iam.workloadIdentityPools.get`, and on what. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
}

/** By `reason` of google.rpc.ErrorInfo (googleapis, google/api/error_reason.proto), which says more than the status. */
const BY_REASON: Readonly<Record<string, CodeDefinition>> = {
  SERVICE_DISABLED: codes.GCP_API_DISABLED,
  accessNotConfigured: codes.GCP_API_DISABLED,
  USER_PROJECT_DENIED: codes.GCP_QUOTA_PROJECT_INVALID,
  CONSUMER_INVALID: codes.GCP_QUOTA_PROJECT_INVALID,
  IAM_PERMISSION_DENIED: codes.GCP_ACCESS_DENIED,
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: codes.GCP_ACCESS_DENIED,
  ACCESS_TOKEN_EXPIRED: codes.GCP_CREDENTIALS_EXPIRED,
  ACCESS_TOKEN_TYPE_UNSUPPORTED: codes.GCP_CREDENTIALS_INVALID,
  ACCOUNT_STATE_INVALID: codes.GCP_CREDENTIALS_INVALID,
  CREDENTIALS_MISSING: codes.GCP_CREDENTIALS_INVALID,
  RATE_LIMIT_EXCEEDED: codes.GCP_THROTTLED,
  RESOURCE_QUOTA_EXCEEDED: codes.GCP_LIMIT_EXCEEDED,
  RESOURCE_USAGE_RESTRICTION_VIOLATED: codes.GCP_ORG_POLICY,
  ORG_RESTRICTION_VIOLATION: codes.GCP_ORG_POLICY,
  CUSTOM_ORG_POLICY_VIOLATION: codes.GCP_ORG_POLICY,
};

/** By `error.status` (google.rpc.Code), and the reasons of storage's older form. */
const BY_STATUS: Readonly<Record<string, CodeDefinition>> = {
  UNAUTHENTICATED: codes.GCP_CREDENTIALS_INVALID,
  authError: codes.GCP_CREDENTIALS_INVALID,
  PERMISSION_DENIED: codes.GCP_ACCESS_DENIED,
  forbidden: codes.GCP_ACCESS_DENIED,
  NOT_FOUND: codes.GCP_NOT_FOUND,
  notFound: codes.GCP_NOT_FOUND,
  ALREADY_EXISTS: codes.GCP_CONFLICT,
  ABORTED: codes.GCP_CONFLICT,
  conflict: codes.GCP_CONFLICT,
  conditionNotMet: codes.GCP_CONFLICT,
  RESOURCE_EXHAUSTED: codes.GCP_THROTTLED,
  rateLimitExceeded: codes.GCP_THROTTLED,
  userRateLimitExceeded: codes.GCP_THROTTLED,
  accessNotConfigured: codes.GCP_API_DISABLED,
  UNAVAILABLE: codes.GCP_UNAVAILABLE,
  INTERNAL: codes.GCP_UNAVAILABLE,
  UNKNOWN: codes.GCP_UNAVAILABLE,
  DEADLINE_EXCEEDED: codes.GCP_UNAVAILABLE,
};

const BY_HTTP: Readonly<Record<number, CodeDefinition>> = {
  401: codes.GCP_CREDENTIALS_INVALID,
  403: codes.GCP_ACCESS_DENIED,
  404: codes.GCP_NOT_FOUND,
  409: codes.GCP_CONFLICT,
  412: codes.GCP_CONFLICT,
  429: codes.GCP_THROTTLED,
};

/** Codes whose words may repeat the credentials. */
const SILENT: ReadonlySet<CodeDefinition> = new Set([codes.GCP_CREDENTIALS_EXPIRED, codes.GCP_CREDENTIALS_INVALID]);

/**
 * An error answer as a KubeassumeError, by Google's reason and status, never by its words. `details` has `action`,
 * `resource`, `status` (HTTP's), `googleStatus`, and as far as Google says: `reason`, `permission`, `api`, `project`,
 * `constraint`, `googleMessage`.
 */
export function toGcpError(facts: GoogleFacts, asked: Asked): KubeassumeError {
  const definition = definitionOf(facts);
  const { permission, service } = facts.metadata;
  const constraint = constraintOf(facts);
  const project = projectOf(facts);
  const details = {
    ...only(asked),
    status: facts.http,
    googleStatus: facts.status,
    ...(facts.reason === "" ? {} : { reason: facts.reason }),
    ...(permission === undefined ? {} : { permission }),
    ...(service === undefined ? {} : { api: service }),
    ...(project === null ? {} : { project }),
    ...(constraint === null ? {} : { constraint }),
    ...(facts.words === "" || SILENT.has(definition) ? {} : { googleMessage: facts.words }),
  };
  const hint = hintFor(definition, facts);
  return new KubeassumeError(definition, { message: wordsFor(definition, facts, asked), details, ...(hint === null ? {} : { hint }) });
}

/** No usable answer. `details.reason` is HTTP's own. */
export function toUnreachable(failure: HttpFailure, asked: Asked): KubeassumeError {
  const message = `${asked.action} of ${asked.resource} has no answer: ${failure.message}`;
  return new KubeassumeError(codes.GCP_UNREACHABLE, { message, details: { ...only(asked), reason: failure.reason }, cause: failure });
}

/** An answer with a good status that is not what the API describes: a proxy's page, a cut document. */
export function toUnreadable(asked: Asked, status: number): KubeassumeError {
  return new KubeassumeError(codes.GCP_UNREACHABLE, { message: `${asked.action} of ${asked.resource} has an answer that cannot be read`, details: { ...only(asked), status } });
}

/** Requests are handed over as they are, and have more members than may be seen. */
function only({ action, resource }: Asked): Asked {
  return { action, resource };
}

/** Whether an error is Google's answer with one of these HTTP statuses. */
export function isAnswered(error: unknown, ...statuses: readonly number[]): error is KubeassumeError {
  return error instanceof KubeassumeError && statuses.some((status) => error.details["status"] === status);
}

function definitionOf(facts: GoogleFacts): CodeDefinition {
  const byReason = BY_REASON[facts.reason];
  if (byReason !== undefined) return byReason;
  if (constraintOf(facts) !== null) return codes.GCP_ORG_POLICY;
  if (facts.isQuotaFailure) return codes.GCP_LIMIT_EXCEEDED;
  const byStatus = BY_STATUS[facts.status] ?? BY_HTTP[facts.http];
  if (byStatus !== undefined) return byStatus;
  return facts.http >= 500 ? codes.GCP_UNAVAILABLE : codes.GCP_REFUSED;
}

/** An organization policy says which it is in the violation's type or subject. */
function constraintOf({ violations, metadata }: GoogleFacts): string | null {
  const texts = [...violations.flatMap(({ type, subject }) => [type, subject]), metadata["constraint"] ?? "", metadata["customConstraints"] ?? ""];
  return texts.map((text) => /(?:custom)?constraints\/[\w.-]+/.exec(text)?.[0]).find((found) => found !== undefined) ?? null;
}

/** `projects/123` of ErrorInfo's consumer: the project in which something is off or counted. */
function projectOf({ metadata }: GoogleFacts): string | null {
  return /^projects\/([\w:.-]+)$/.exec(metadata["consumer"] ?? "")?.[1] ?? null;
}

function wordsFor(definition: CodeDefinition, facts: GoogleFacts, asked: Asked): string {
  const what = `${asked.action} of ${asked.resource}`;
  const { permission, service } = facts.metadata;
  if (definition === codes.GCP_API_DISABLED) return `${what} needs the API ${service ?? `of ${asked.action.split(".")[0]}`}, which is not enabled in project ${projectOf(facts) ?? "of the request"}`;
  const code = facts.reason || facts.status || `status ${facts.http}`;
  const whose = definition === codes.GCP_ACCESS_DENIED && permission !== undefined && permission !== asked.action ? ` for want of ${permission}` : "";
  const verdict = `${what} ${verdictOf(definition)}${whose} (${code})`;
  return SILENT.has(definition) || facts.words === "" ? verdict : `${verdict}: ${facts.words}`;
}

function verdictOf(definition: CodeDefinition): string {
  switch (definition) {
    case codes.GCP_ACCESS_DENIED:
      return "is denied";
    case codes.GCP_THROTTLED:
      return "is throttled";
    case codes.GCP_UNAVAILABLE:
      return "failed";
    case codes.GCP_ORG_POLICY:
      return "is forbidden by an organization policy";
    case codes.GCP_NOT_FOUND:
      return "finds nothing";
    default:
      return "is refused";
  }
}

function hintFor(definition: CodeDefinition, facts: GoogleFacts): string | null {
  const { permission, service } = facts.metadata;
  if (definition === codes.GCP_API_DISABLED && service !== undefined && /^[a-z0-9.-]+$/.test(service)) {
    return `gcloud services enable ${service} --project ${projectOf(facts) ?? "PROJECT"}; it takes effect after a minute or two`;
  }
  if (definition === codes.GCP_ACCESS_DENIED && permission !== undefined) {
    return `have ${permission} granted to the caller; kubeassume permissions gcp prints the least role for each command`;
  }
  const constraint = constraintOf(facts);
  return definition === codes.GCP_ORG_POLICY && constraint !== null ? `have ${constraint} allow it` : null;
}
