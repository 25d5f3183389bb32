import { generateKeyPairSync, sign } from "node:crypto";
import { toGrantSpecs } from "../../../../src/federation/clouds/gcp/input/grant-spec.ts";
import { toSetupSpec } from "../../../../src/federation/clouds/gcp/input/setup-spec.ts";
import type { Caller } from "../../../../src/federation/clouds/cloud.ts";
import type { FlagValues } from "../../../../src/federation/clouds/options.ts";
import type { LoadedConfig } from "../../../../src/federation/config/loaded-config.ts";
import type { KubeassumeError } from "../../../../src/federation/errors/error.ts";
import type { IssuerFacts } from "../../../../src/federation/oidc/read-issuer.ts";
import type { ObservedResource } from "../../../../src/federation/plan/plan-resources.ts";

export const ISSUER = "https://oidc.example.com/prod";
export const NOW = new Date("2026-11-23T12:00:00Z");
export const NUMBER = "123456789012";
export const CALLER: Caller = { name: "me@example.com", account: NUMBER };
export const POOL = `projects/${NUMBER}/locations/global/workloadIdentityPools/prod`;
export const PROVIDER = `${POOL}/providers/kubernetes`;
export const OWN_AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;
export const SUBJECT = "system:serviceaccount:payments:api";
export const MEMBER = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
export const EMAIL = "payments@acme-prod.iam.gserviceaccount.com";
export const MARK = `kubeassume.dev/managed-by=kubeassume kubeassume.dev/issuer=${ISSUER}`;
export const PLACE = { issuerUrl: ISSUER, project: "acme-prod", poolId: "prod" };

/** A public key as a cluster publishes it. */
export function rsaKey(kid: string) {
  return { ...PAIR.publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}

const PAIR = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const OTHER_RSA = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
export const JWKS = { keys: [rsaKey("one")] };

export function setup(flags: FlagValues = {}, config: LoadedConfig | null = null) {
  return toSetupSpec({ flags: { ...PLACE, ...flags }, config });
}

export function grants(flags: FlagValues = {}, config: LoadedConfig | null = null) {
  return toGrantSpecs({ flags: { ...PLACE, ...flags }, config });
}

export function configWith(config: Partial<LoadedConfig>): LoadedConfig {
  return { file: "kubeassume.yaml", publish: [], clouds: {}, grants: [], ...config };
}

export function facts(parts: Partial<IssuerFacts> = {}): IssuerFacts {
  const headers = { contentType: "application/json", cacheControl: "max-age=60" };
  const jwksUri = `${ISSUER}/openid/v1/jwks`;
  const lists = { response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] };
  return { issuer: ISSUER, discovery: { issuer: ISSUER, jwks_uri: jwksUri, ...lists }, jwksUri, jwks: JWKS, headers: { discovery: headers, jwks: headers }, chain: null, ...parts };
}

/** Every code that comes with an error: its own, or those of the problems that it stands for. */
export function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    const { code, details } = error as KubeassumeError;
    const problems = details["problems"] as readonly { readonly code: string }[] | undefined;
    return problems?.map((problem) => problem.code) ?? [code];
  }
}

export function messageOf(read: () => unknown): string {
  try {
    read();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

export function codesOf(problems: readonly { readonly code: string }[]): readonly string[] {
  return problems.map(({ code }) => code);
}

/** A token as the API server signs it. */
export function token(parts: { readonly audience?: string; readonly subject?: string; readonly kid?: string } = {}): string {
  const at = NOW.getTime() / 1000;
  const subject = parts.subject ?? SUBJECT;
  const [, , namespace = "", name = ""] = subject.split(":");
  const claims = { iss: ISSUER, sub: subject, aud: [parts.audience ?? OWN_AUDIENCE], iat: at, nbf: at, exp: at + 600, "kubernetes.io": { namespace, serviceaccount: { name, uid: "u" } } };
  const input = [{ alg: "RS256", kid: parts.kid ?? "one" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${input}.${sign("RSA-SHA256", Buffer.from(input), PAIR.privateKey).toString("base64url")}`;
}

/** The list with one resource changed in some fields, or without it. */
export function changed(observed: readonly ObservedResource[], id: string, change: Partial<ObservedResource> | null): ObservedResource[] {
  return observed.flatMap((resource) => (resource.id !== id ? [resource] : change === null ? [] : [{ ...resource, ...change, fields: { ...resource.fields, ...change.fields } }]));
}
