import { sign } from "node:crypto";
import { expect } from "vitest";
import { judgeGcp } from "../../../../../src/federation/clouds/gcp/judge/judge.ts";
import type { GcpJudgeInput, GcpVerdict } from "../../../../../src/federation/clouds/gcp/judge/judge.ts";
import type { ProviderRecord } from "../../../../../src/federation/clouds/gcp/judge/trust-file.ts";
import type { Check } from "../../../../../src/federation/errors/checks.ts";
import { ecKey, rsaKey } from "../../../oidc/keys.ts";
import type { TestKey } from "../../../oidc/keys.ts";

export const issuer = "https://oidc.example.com/prod";
export const subject = "system:serviceaccount:payments:api";
export const poolName = "projects/123456789012/locations/global/workloadIdentityPools/prod";
export const providerName = `${poolName}/providers/kubernetes`;
export const audience = `https://iam.googleapis.com/${providerName}`;
export const member = `principal://iam.googleapis.com/${poolName}/subject/${subject}`;
export const memberSet = `principalSet://iam.googleapis.com/${poolName}`;
export const email = "payments-api@acme-prod.iam.gserviceaccount.com";
/** 2026-11-23T12:00:00Z */
export const now = 1_795_435_200;
export const at = new Date(now * 1000);

export const rsa = rsaKey("rsa-1");
export const otherRsa = rsaKey("rsa-2");
export const ec256 = ecKey("ec-256", "P-256");
export const ec384 = ecKey("ec-384", "P-384");

/** As the API server mints them: aud is a list even for one value. */
export const claims: Readonly<Record<string, unknown>> = {
  iss: issuer,
  sub: subject,
  aud: [audience],
  iat: now - 60,
  nbf: now - 60,
  exp: now + 3540,
  jti: "1b6e6c1e-32f0-4d3f-9f0a-2f6a4a1d8c55",
  "kubernetes.io": { namespace: "payments", serviceaccount: { name: "api", uid: "u" } },
};

export interface TokenOptions {
  readonly claims?: Record<string, unknown>;
  /** Exact text of the payload, for what JSON.stringify cannot write. */
  readonly payload?: string;
  readonly header?: Record<string, unknown>;
  readonly key?: TestKey;
  readonly algorithm?: string;
}

/** A truly signed token; RSASSA-PKCS1-v1_5 or ECDSA by the key. */
export function token(options: TokenOptions = {}): string {
  const key = options.key ?? rsa;
  const algorithm = options.algorithm ?? String(key.jwk.alg);
  const header = options.header ?? { alg: algorithm, kid: key.jwk.kid };
  const payload = options.payload ?? JSON.stringify({ ...claims, ...options.claims });
  const input = [JSON.stringify(header), payload].map((text) => Buffer.from(text).toString("base64url")).join(".");
  const signature = sign(`sha${algorithm.slice(2)}`, Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

export const discovery = {
  issuer,
  jwks_uri: `${issuer}/openid/v1/jwks`,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256", "ES256"],
};

export const pool = { name: poolName, state: "ACTIVE" };

/** What setup writes. */
export const mapping = {
  "google.subject": "assertion.sub",
  "attribute.namespace": "assertion['kubernetes.io']['namespace']",
  "attribute.service_account_name": "assertion['kubernetes.io']['serviceaccount']['name']",
  "attribute.cluster": "assertion.iss",
};
export const provider = { name: providerName, state: "ACTIVE", attributeMapping: mapping, oidc: { issuerUri: issuer } };

export const serviceAccountPolicy = { version: 1, etag: "BwWWja0YfJA=", bindings: [{ role: "roles/iam.workloadIdentityUser", members: [member] }] };
export const projectPolicy = { version: 1, etag: "BwWWja0YfJA=", bindings: [{ role: "roles/storage.objectViewer", members: [member] }] };

export const impersonation = { serviceAccount: email, serviceAccountPolicy };

/** Input of an exchange that Google accepts and whose identity has a role on the project, with some parts replaced. */
export function input(parts: Partial<GcpJudgeInput> = {}): GcpJudgeInput {
  return { token: token(), discovery, jwks: { keys: [rsa.jwk, ec256.jwk] }, pool, provider, projectPolicy, at, ...parts };
}

export function judge(parts: Partial<GcpJudgeInput> = {}): GcpVerdict {
  return judgeGcp(input(parts));
}

export function judgeClaims(changed: Record<string, unknown>, removed: readonly string[] = [], parts: Partial<GcpJudgeInput> = {}): GcpVerdict {
  const kept = Object.entries({ ...claims, ...changed }).filter(([name]) => !removed.includes(name));
  return judge({ token: token({ payload: JSON.stringify(Object.fromEntries(kept)) }), ...parts });
}

/** The provider with some members replaced, and members of its oidc part. */
export function judgeProvider(members: Partial<ProviderRecord>, oidc: Partial<NonNullable<ProviderRecord["oidc"]>> = {}, parts: Partial<GcpJudgeInput> = {}): GcpVerdict {
  return judge({ provider: { ...provider, oidc: { ...provider.oidc, ...oidc }, ...members }, ...parts });
}

export function uploaded(...keys: unknown[]): Partial<NonNullable<ProviderRecord["oidc"]>> {
  return { jwksJson: JSON.stringify({ keys }) };
}

export function checkOf(verdict: GcpVerdict, id: string): Check {
  const found = verdict.checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

/** Google's words for what it says most often. */
export const words = {
  target: 'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
  issuer: "Error connecting to the given credential's issuer.",
  signature: "Unable to verify the ID Token signature.",
  condition: "The given credential is rejected by the attribute condition.",
  noSubject: "Could not obtain a value for google.subject from the given credential.",
  impersonation: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
} as const;

export const staleWords = (issuedAt: number | string): string => `ID Token issued at ${issuedAt} is stale to sign-in.`;

/** Refused by that rule, with Google's code, words and status. */
export function expectRefusal(verdict: GcpVerdict, refusedBy: string, code: string, cloudMessage: string | RegExp, httpStatus = 400): void {
  expect(verdict).toMatchObject({ accepted: false, refusedBy, code, httpStatus, session: null });
  if (typeof cloudMessage === "string") expect(verdict.cloudMessage).toBe(cloudMessage);
  else expect(verdict.cloudMessage).toMatch(cloudMessage);
  expect(checkOf(verdict, refusedBy).status).toBe("fail");
}
