import { randomUUID } from "node:crypto";
import type { ServiceAccountName } from "../../oidc/subject.ts";
import { subjectOf } from "../../oidc/subject.ts";
import type { StoredObject } from "./object-store.ts";
import { toTime } from "./object-store.ts";
import { isRecord } from "./resources.ts";
import type { JsonRecord } from "./resources.ts";
import { badRequest, ClusterRefusal, invalid, invalidValue, notFound } from "./status.ts";

const GROUP = "authentication.k8s.io";
const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

export interface TokenSpec {
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
}

/**
 * Validates a TokenRequest for an account as the API server does (kubernetes, registry/core/serviceaccount/storage).
 * Without audiences, the token is for the API itself, whose audience is the issuer.
 *
 * @throws ClusterRefusal
 */
export function parseTokenRequest(body: JsonRecord, account: ServiceAccountName, uid: string, issuer: string): TokenSpec {
  const metadata = isRecord(body["metadata"]) ? body["metadata"] : {};
  const name = metadata["name"] ?? "";
  if (name !== "" && name !== account.name) {
    throw invalid("TokenRequest", GROUP, account.name, [invalidValue("metadata.name", name, "must match the service account name if specified")]);
  }
  if (metadata["uid"] && metadata["uid"] !== uid) {
    const words = `the UID in the token request (${String(metadata["uid"])}) does not match the UID of the service account (${uid})`;
    throw new ClusterRefusal(409, "Conflict", `Operation cannot be fulfilled on TokenRequest.${GROUP} "${account.name}": ${words}`, { name: account.name, group: GROUP, kind: "TokenRequest" });
  }
  const spec = toSpec(isRecord(body["spec"]) ? body["spec"] : {}, issuer);
  refuseLifetime(spec.expirationSeconds);
  refuseBinding(isRecord(body["spec"]) ? body["spec"]["boundObjectRef"] : undefined);
  return spec;
}

function toSpec(spec: JsonRecord, issuer: string): TokenSpec {
  const audiences = spec["audiences"] ?? [];
  if (!Array.isArray(audiences)) throw cannotDecode(audiences, "spec.audiences", "[]string");
  const odd = audiences.find((audience) => typeof audience !== "string") as unknown;
  if (odd !== undefined) throw cannotDecode(odd, "spec.audiences", "string");
  const seconds = spec["expirationSeconds"] ?? DEFAULT_SECONDS;
  if (typeof seconds !== "number" || !Number.isInteger(seconds)) throw cannotDecode(seconds, "spec.expirationSeconds", "int64");
  return { audiences: audiences.length === 0 ? [issuer] : (audiences as string[]), expirationSeconds: seconds };
}

function cannotDecode(value: unknown, field: string, type: string): ClusterRefusal {
  const got = typeof value === "number" ? `number ${value}` : Array.isArray(value) ? "array" : value === true || value === false ? "bool" : typeof value;
  return badRequest(`TokenRequest in version "v1" cannot be handled as a TokenRequest: json: cannot unmarshal ${got} into Go struct field TokenRequestSpec.${field} of type ${type}`);
}

function refuseLifetime(seconds: number): void {
  const problem = seconds < MIN_SECONDS ? "may not specify a duration less than 10 minutes" : seconds > MAX_SECONDS ? "may not specify a duration larger than 2^32 seconds" : null;
  if (problem !== null) throw invalid("TokenRequest", GROUP, "", [invalidValue("spec.expirationSeconds", seconds, problem)]);
}

/** Nothing that a token could be bound to exists in the sandbox: no pods, no nodes, no secrets. */
function refuseBinding(reference: unknown): void {
  if (!isRecord(reference)) return;
  const { kind = "", apiVersion = "", name = "" } = reference as { kind?: string; apiVersion?: string; name?: string };
  const plural = apiVersion === "v1" && ["Pod", "Node", "Secret"].includes(kind) ? `${kind.toLowerCase()}s` : null;
  if (plural !== null) throw notFound(plural, "", name);
  throw badRequest(`cannot bind token to object of type ${apiVersion}, Kind=${kind}`);
}

/** The claims of a service account token (kubernetes, pkg/serviceaccount/claims.go). Times are whole seconds. */
export function toClaims(account: ServiceAccountName, uid: string, spec: TokenSpec, issuer: string, at: Date): Readonly<Record<string, unknown>> {
  const issuedAt = Math.floor(at.getTime() / 1000);
  return {
    aud: [...spec.audiences],
    exp: issuedAt + spec.expirationSeconds,
    iat: issuedAt,
    iss: issuer,
    jti: randomUUID(),
    "kubernetes.io": { namespace: account.namespace, serviceaccount: { name: account.name, uid } },
    nbf: issuedAt,
    sub: subjectOf(account),
  };
}

/** The answer to a TokenRequest. */
export function toTokenResponse(account: StoredObject, spec: TokenSpec, token: string, at: Date): JsonRecord {
  const { name, namespace, uid } = account.metadata;
  return {
    kind: "TokenRequest",
    apiVersion: `${GROUP}/v1`,
    metadata: { name, namespace, uid, creationTimestamp: toTime(at) },
    spec: { audiences: spec.audiences, expirationSeconds: spec.expirationSeconds, boundObjectRef: null },
    status: { token, expirationTimestamp: toTime(new Date(at.getTime() + spec.expirationSeconds * 1000)) },
  };
}
