import { generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Answer, TestGcp } from "./start.ts";

export const POOLS = "/v1/projects/kubeassume-sandbox/locations/global/workloadIdentityPools";
export const PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/prod/providers/kubernetes";
export const AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;
export const MEMBER = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/prod/subject/system:serviceaccount:payments:api";
export const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** A cluster's signing key, and the issuer that publishes it under the sandbox's CA. */
export interface TestIssuer {
  readonly url: string;
  readonly jwks: { readonly keys: readonly unknown[] };
  /** What is answered for each document, and how often they were read. */
  readonly documents: { discovery: number; jwks: number; reads: number };
  /** A token as the API server makes them; `null` takes a claim away. */
  mint(now: Date, claims?: Readonly<Record<string, unknown>>): string;
}

export async function startIssuer(gcp: TestGcp): Promise<TestIssuer> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: "jwk" });
  const jwks = { keys: [{ kty: "RSA", alg: "RS256", use: "sig", kid: "key-1", n, e }] };
  const documents = { discovery: 200, jwks: 200, reads: 0 };
  const own = { url: "" };
  const server = await gcp.host.serve({
    service: "issuer",
    tls: true,
    handler: ({ path }) => {
      documents.reads += 1;
      const discovery = { issuer: own.url, jwks_uri: `${own.url}/jwks`, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] };
      if (path === "/.well-known/openid-configuration") return { status: documents.discovery, headers: { "content-type": "application/json" }, body: JSON.stringify(discovery) };
      return { status: documents.jwks, headers: { "content-type": "application/json" }, body: JSON.stringify(jwks) };
    },
  });
  own.url = server.url;
  return { url: server.url, jwks, documents, mint: (now, claims = {}) => mint(privateKey, server.url, now, claims) };
}

function mint(key: KeyObject, issuer: string, now: Date, claims: Readonly<Record<string, unknown>>): string {
  const at = Math.floor(now.getTime() / 1000);
  const kubernetes = { namespace: "payments", serviceaccount: { name: "api", uid: "c0ffee" } };
  const payload = { iss: issuer, sub: "system:serviceaccount:payments:api", aud: [AUDIENCE], iat: at, nbf: at, exp: at + 600, "kubernetes.io": kubernetes, ...claims };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg: "RS256", kid: "key-1" })}.${encode(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}

/** A pool `prod` with a provider `kubernetes` for the issuer. */
export async function trust(gcp: TestGcp, issuer: TestIssuer, more: Readonly<Record<string, unknown>> = {}, oidc: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await gcp.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, {});
  const attributeMapping = { "google.subject": "assertion.sub", "attribute.namespace": "assertion['kubernetes.io']['namespace']" };
  await gcp.call("iam", "POST", `${POOLS}/prod/providers?workloadIdentityPoolProviderId=kubernetes`, { attributeMapping, oidc: { issuerUri: issuer.url, ...oidc }, ...more });
}

/** The form that every client library posts. */
export function exchangeForm(token: string, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/${PROVIDER}`,
    scope: SCOPE,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: token,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    ...more,
  };
}

/** Gives the workload a role on the project, or on a service account. */
export async function bind(gcp: TestGcp, role: string, on: "project" | string, members: readonly string[] = [MEMBER], condition?: unknown): Promise<Answer> {
  const policy = { version: 3, bindings: [{ role, members, ...(condition === undefined ? {} : { condition }) }] };
  if (on === "project") return gcp.call("cloudresourcemanager", "POST", "/v3/projects/kubeassume-sandbox:setIamPolicy", { policy });
  return gcp.call("iam", "POST", `/v1/projects/kubeassume-sandbox/serviceAccounts/${on}:setIamPolicy`, { policy });
}
