import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { awsChecks } from "../../../../../src/federation/clouds/aws/checks.ts";
import { desiredSetup } from "../../../../../src/federation/clouds/aws/desired/provider.ts";
import { desiredGrants } from "../../../../../src/federation/clouds/aws/desired/role.ts";
import { toGrantSpecs } from "../../../../../src/federation/clouds/aws/input/grant-spec.ts";
import { toSetupSpec } from "../../../../../src/federation/clouds/aws/input/setup-spec.ts";
import { judgeStatus } from "../../../../../src/federation/clouds/aws/status/judge-status.ts";
import type { Caller } from "../../../../../src/federation/clouds/cloud.ts";
import type { IssuerFacts } from "../../../../../src/federation/oidc/read-issuer.ts";
import type { ObservedResource } from "../../../../../src/federation/plan/plan-resources.ts";

const ISSUER = "https://oidc.example.com/prod";
const NOW = new Date("2026-11-23T12:00:00Z");
const CALLER: Caller = { name: "arn:aws:iam::123456789012:user/me", account: "123456789012" };
const FLAGS = { issuerUrl: ISSUER, serviceAccount: ["payments/api"], roleName: "payments", policyArn: ["arn:aws:iam::aws:policy/X"] };
const PAIR = generateKeyPairSync("rsa", { modulusLength: 2048 });
const JWKS = { keys: [{ ...PAIR.publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "RS256" }] };
const THUMBPRINT = "0123456789abcdef0123456789abcdef01234567";

const spec = toSetupSpec({ flags: FLAGS, config: null });
const grants = toGrantSpecs({ flags: FLAGS, config: null });

function facts(publiclyTrusted: boolean): IssuerFacts {
  const headers = { contentType: "application/json", cacheControl: "" };
  const lists = { response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] };
  const jwksUri = `${ISSUER}/openid/v1/jwks`;
  const chain = { publiclyTrusted, thumbprints: [{ host: "oidc.example.com", thumbprint: THUMBPRINT, notAfter: "2030-01-01T00:00:00Z" }], warnings: [] };
  return { issuer: ISSUER, discovery: { issuer: ISSUER, jwks_uri: jwksUri, ...lists }, jwksUri, jwks: JWKS, headers: { discovery: headers, jwks: headers }, chain };
}

function token(audience = "sts.amazonaws.com", subject = "system:serviceaccount:payments:api"): string {
  const at = NOW.getTime() / 1000;
  const claims = { iss: ISSUER, sub: subject, aud: [audience], iat: at, nbf: at, exp: at + 600 };
  const input = [{ alg: "RS256", kid: "k" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${input}.${sign("RSA-SHA256", Buffer.from(input), PAIR.privateKey).toString("base64url")}`;
}

/** Everything as it should be, as it would be read back. */
function settled(publiclyTrusted = true): ObservedResource[] {
  const createdAt = "2026-11-01T00:00:00.000Z";
  const wanted = [...desiredSetup(spec, facts(publiclyTrusted), CALLER, []).resources, ...desiredGrants(grants, CALLER, []).resources];
  return wanted.map(({ id, target, fields }) => ({ id, marked: true, fields: { ...fields, createdAt, arn: target } }));
}

function changed(observed: readonly ObservedResource[], id: string, change: Partial<ObservedResource> | null): ObservedResource[] {
  return observed.flatMap((resource) => (resource.id !== id ? [resource] : change === null ? [] : [{ ...resource, ...change, fields: { ...resource.fields, ...change.fields } }]));
}

function statuses(observed: readonly ObservedResource[], parts: { readonly tokens?: ReadonlyMap<string, string>; readonly trusted?: boolean } = {}): Record<string, string> {
  const tokens = parts.tokens ?? new Map([["payments/api", token()]]);
  const checks = judgeStatus({ spec, grants, facts: facts(parts.trusted ?? true), caller: CALLER, observed, tokens, tokenJwks: JWKS, now: NOW });
  for (const check of checks) {
    expect(Object.keys(awsChecks)).toContain(check.id);
    expect(check.hint === "").toBe(check.status === "pass" || check.status === "skip");
    expect(JSON.stringify(check)).not.toContain("eyJ");
  }
  return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
}

describe("status aws", () => {
  it("passes every check when everything is as it should be", () => {
    expect(statuses(settled())).toEqual({
      "aws-oidc-provider": "pass",
      "aws-oidc-provider-mark": "pass",
      "aws-oidc-provider-audiences": "pass",
      "aws-oidc-provider-thumbprint": "pass",
      "aws-grant-role": "pass",
      "aws-grant-drift": "pass",
      "aws-grant-policies": "pass",
      "aws-grant-trust": "pass",
      "aws-propagation": "pass",
    });
  });

  it.each<readonly [string, string, Partial<ObservedResource> | null, Record<string, string>]>([
    ["no provider", "aws.provider", null, { "aws-oidc-provider": "fail", "aws-grant-trust": "fail" }],
    ["a provider without mark", "aws.provider", { marked: false }, { "aws-oidc-provider-mark": "warn" }],
    ["a missing audience", "aws.provider", { fields: { audiences: ["other"] } }, { "aws-oidc-provider-audiences": "fail", "aws-grant-trust": "fail" }],
    ["an audience too many", "aws.provider", { fields: { audiences: ["sts.amazonaws.com", "other"] } }, { "aws-oidc-provider-audiences": "warn", "aws-grant-trust": "pass" }],
    ["no role", "aws.role/payments", null, { "aws-grant-role": "fail" }],
    ["a role of another path", "aws.role/payments", { fields: { arn: "arn:aws:iam::123456789012:role/payments" } }, { "aws-grant-role": "fail" }],
    ["a role without mark", "aws.role/payments", { marked: false }, { "aws-grant-role": "warn" }],
    ["another trust policy", "aws.role/payments", { fields: { trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: "Deny", Principal: "*", Action: "sts:*" }] } } }, { "aws-grant-drift": "fail", "aws-grant-trust": "fail" }],
    ["a trust policy that cannot be read", "aws.role/payments", { fields: { trustPolicy: "?" } }, { "aws-grant-drift": "fail", "aws-grant-trust": "fail" }],
    ["a policy that is not attached", "aws.role/payments/policy/arn:aws:iam::aws:policy/X", null, { "aws-grant-policies": "fail" }],
    ["a role made moments ago", "aws.role/payments", { fields: { createdAt: "2026-11-23T11:59:55.000Z" } }, { "aws-propagation": "warn" }],
  ])("says %s", (_, id, change, expected) => {
    expect(statuses(changed(settled(), id, change))).toMatchObject(expected);
  });

  it("compares the thumbprint where the chain is private, and only there", () => {
    expect(statuses(settled(false), { trusted: false })["aws-oidc-provider-thumbprint"]).toBe("pass");
    expect(statuses(changed(settled(false), "aws.provider", { fields: { thumbprints: ["f".repeat(40)] } }), { trusted: false })["aws-oidc-provider-thumbprint"]).toBe("fail");
    expect(statuses(changed(settled(), "aws.provider", { fields: { thumbprints: ["f".repeat(40)] } }))["aws-oidc-provider-thumbprint"]).toBe("pass");
  });

  it("says that AWS uses no thumbprint for a publicly trusted chain", () => {
    const checks = judgeStatus({ spec, grants, facts: facts(true), caller: CALLER, observed: settled(), tokens: new Map(), tokenJwks: JWKS, now: NOW });
    expect(checks.find(({ id }) => id === "aws-oidc-provider-thumbprint")?.message).toContain("publicly trusted");
  });

  it("judges the token that the service account really has", () => {
    expect(statuses(settled(), { tokens: new Map([["payments/api", token("wrong")]]) })["aws-grant-trust"]).toBe("fail");
    expect(statuses(settled(), { tokens: new Map([["payments/api", token(undefined, "system:serviceaccount:payments:other")]]) })["aws-grant-trust"]).toBe("fail");
    expect(statuses(settled(), { tokens: new Map() })["aws-grant-trust"]).toBe("skip");
  });
});
