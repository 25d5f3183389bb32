import { describe, expect, it } from "vitest";
import { gcpChecks } from "../../../../../src/federation/clouds/gcp/checks.ts";
import { desiredGrants } from "../../../../../src/federation/clouds/gcp/desired/grants.ts";
import { desiredSetup } from "../../../../../src/federation/clouds/gcp/desired/setup.ts";
import { policyId, POOL_ID, POOL_PROVIDERS_ID, PROVIDER_ID, serviceAccountId } from "../../../../../src/federation/clouds/gcp/ids.ts";
import { judgeChecks } from "../../../../../src/federation/clouds/gcp/judge/checks.ts";
import { judgeStatus } from "../../../../../src/federation/clouds/gcp/status/judge-status.ts";
import type { StatusInput } from "../../../../../src/federation/clouds/cloud.ts";
import type { GcpGrantSpec } from "../../../../../src/federation/clouds/gcp/input/grant-spec.ts";
import type { GcpSetupSpec } from "../../../../../src/federation/clouds/gcp/input/setup-spec.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { Check } from "../../../../../src/federation/errors/checks.ts";
import type { ObservedResource } from "../../../../../src/federation/plan/plan-resources.ts";
import { CALLER, changed, EMAIL, facts, grants, JWKS, NOW, OTHER_RSA, rsaKey, setup, token } from "../scene.ts";

const ROLE = "roles/storage.objectViewer";
const DIRECT: FlagValues = { serviceAccount: ["payments/api"], role: [ROLE] };
const IMPERSONATE: FlagValues = { serviceAccount: ["payments/api"], impersonate: EMAIL };
const POLICY = policyId("projects/acme-prod");
const ACCOUNT: ObservedResource = { id: serviceAccountId(EMAIL), marked: false, fields: { email: EMAIL, disabled: false } };

interface Scene {
  readonly setup?: FlagValues;
  readonly grant?: FlagValues;
  readonly observed?: (settled: readonly ObservedResource[]) => readonly ObservedResource[];
  readonly status?: Partial<StatusInput<GcpSetupSpec, GcpGrantSpec>>;
}

/** Everything as it would be read back after setup and grant, then as the scene says. */
function checksOf({ setup: flags = {}, grant = DIRECT, observed = (settled) => settled, status = {} }: Scene = {}): readonly Check[] {
  const spec = setup(flags);
  const specs = grants(grant);
  const trust = desiredSetup(spec, facts(), CALLER, []).resources;
  const granted = desiredGrants(specs, CALLER, []).resources;
  const settled = [...trust, ...granted].map(({ id, fields }) => ({ id, marked: true, fields: { mode: "FEDERATION_ONLY", disabled: false, ...fields } }));
  const checks = judgeStatus({
    spec,
    grants: specs,
    facts: facts(),
    caller: CALLER,
    observed: observed([...settled, ...(grant["impersonate"] === undefined ? [] : [ACCOUNT])]),
    tokens: new Map([["payments/api", token()]]),
    tokenJwks: JWKS,
    minted: true,
    clusterJwks: JWKS,
    now: NOW,
    ...status,
  });
  for (const check of checks) {
    expect([...Object.keys(gcpChecks), ...Object.keys(judgeChecks)]).toContain(check.id);
    expect(check.hint === "").toBe(check.status === "pass" || check.status === "skip");
    expect(JSON.stringify(check)).not.toContain("eyJ");
  }
  return checks;
}

function statuses(scene: Scene = {}): Record<string, string> {
  return Object.fromEntries(checksOf(scene).map(({ id, status }) => [id, status]));
}

function change(id: string, parts: Partial<ObservedResource> | null): Scene["observed"] {
  return (settled) => changed(settled, id, parts);
}

const GOOD = {
  "gcp-pool": "pass",
  "gcp-pool-shared": "pass",
  "gcp-provider": "pass",
  "gcp-provider-issuer": "pass",
  "gcp-provider-keys": "pass",
  "gcp-provider-audiences": "pass",
  "gcp-provider-mapping": "pass",
  "gcp-provider-condition": "pass",
  "gcp-grant-binding": "pass",
  "gcp-grant-token": "pass",
  "gcp-propagation": "skip",
};

describe("status gcp", () => {
  it("passes everything after setup and grant, direct and impersonated, with keys discovered and uploaded", () => {
    expect(statuses()).toEqual(GOOD);
    expect(statuses({ grant: IMPERSONATE })).toEqual({ ...GOOD, "gcp-grant-service-account": "pass" });
    expect(statuses({ setup: { keys: "upload" }, status: { facts: null } })).toEqual(GOOD);
    expect(statuses({ setup: { audience: ["a"], subjectPrefix: "p:" }, grant: { ...DIRECT, audience: ["a"], subjectPrefix: "p:" }, status: { tokens: new Map([["payments/api", token({ audience: "a" })]]) } })).toEqual(GOOD);
  });

  it.each([
    ["the pool is missing", change(POOL_ID, null), { "gcp-pool": "fail", "gcp-grant-token": "fail" }],
    ["the pool is deleted", change(POOL_ID, { fields: { state: "DELETED" } }), { "gcp-pool": "fail", "gcp-grant-token": "fail" }],
    ["the pool is disabled", change(POOL_ID, { fields: { disabled: true } }), { "gcp-pool": "fail", "gcp-grant-token": "fail" }],
    ["the pool is not ours", change(POOL_ID, { marked: false }), { "gcp-pool": "warn" }],
    ["the provider is deleted", change(PROVIDER_ID, { fields: { state: "DELETED" } }), { "gcp-provider": "fail", "gcp-grant-token": "fail" }],
    ["the provider is disabled", change(PROVIDER_ID, { fields: { disabled: true } }), { "gcp-provider": "fail", "gcp-grant-token": "fail" }],
    ["the provider is marked for another issuer", change(PROVIDER_ID, { fields: { description: "kubeassume.dev/managed-by=kubeassume kubeassume.dev/issuer=https://other.example" } }), { "gcp-provider": "warn" }],
    ["the issuer has a slash", change(PROVIDER_ID, { fields: { issuerUri: "https://oidc.example.com/prod/" } }), { "gcp-provider-issuer": "fail", "gcp-grant-token": "fail" }],
    ["another audience is accepted instead", change(PROVIDER_ID, { fields: { allowedAudiences: ["x"] } }), { "gcp-provider-audiences": "fail", "gcp-grant-token": "fail" }],
    ["another mapping", change(PROVIDER_ID, { fields: { attributeMapping: { "google.subject": "'p:' + assertion.sub" } } }), { "gcp-provider-mapping": "fail", "gcp-grant-token": "fail" }],
    ["an attribute is not mapped", change(PROVIDER_ID, { fields: { attributeMapping: { "google.subject": "assertion.sub" } } }), { "gcp-provider-mapping": "warn" }],
    ["a condition that rejects the account", change(PROVIDER_ID, { fields: { attributeCondition: "attribute.namespace == 'shop'" } }), { "gcp-provider-condition": "fail", "gcp-grant-token": "fail" }],
    ["the binding is gone", change(POLICY, { fields: { [ROLE]: [] } }), { "gcp-grant-binding": "fail", "gcp-grant-token": "fail" }],
    ["the policy was never written", change(POLICY, null), { "gcp-grant-binding": "fail", "gcp-grant-token": "fail" }],
  ])("says it when %s", (_, observed, expected) => {
    expect(statuses(observed === undefined ? {} : { observed })).toEqual({ ...GOOD, ...expected });
  });

  it("looks at nothing of a provider that does not exist", () => {
    expect(statuses({ observed: change(PROVIDER_ID, null) ?? ((settled) => settled) })).toEqual({ "gcp-pool": "pass", "gcp-provider": "fail", "gcp-grant-binding": "pass", "gcp-grant-token": "fail", "gcp-propagation": "skip" });
  });

  it("warns of an audience too many, and of a pool whose other providers produce the same subjects", () => {
    expect(statuses({ setup: { audience: ["a"] }, grant: { ...DIRECT, audience: ["a"] }, observed: change(PROVIDER_ID, { fields: { allowedAudiences: ["a", "b"] } }) ?? ((settled) => settled), status: { tokens: new Map() } })).toMatchObject({ "gcp-provider-audiences": "warn", "gcp-grant-token": "skip" });
    const others = [{ name: "other", issuerUri: "https://other.example", attributeMapping: { "google.subject": "assertion.sub" }, state: "ACTIVE" }];
    expect(statuses({ observed: (settled) => [...settled, { id: POOL_PROVIDERS_ID, marked: true, fields: { others } }] })).toMatchObject({ "gcp-pool-shared": "fail" });
  });

  describe("of the keys", () => {
    const upload = (keys: readonly object[], parts: Scene = {}) => checksOf({ setup: { keys: "upload" }, ...parts, observed: (settled) => changed(settled, PROVIDER_ID, { fields: { keys: keys as never } }) }).find(({ id }) => id === "gcp-provider-keys");

    it("fails when the cluster signs with a key that is not stored, by kid or by its numbers", () => {
      expect(upload([rsaKey("old")])).toMatchObject({ status: "fail", message: "the cluster signs with keys that it does not store: one", hint: expect.stringContaining("--keys upload") });
      expect(upload([{ ...rsaKey("one"), n: OTHER_RSA.n }])).toMatchObject({ status: "fail" });
    });

    it("passes with more keys than the cluster has, and skips when the cluster was not asked", () => {
      expect(upload([rsaKey("one"), rsaKey("old")])).toMatchObject({ status: "pass", message: "it stores the one key of the cluster, and 1 more" });
      expect(upload([rsaKey("one")], { status: { clusterJwks: null } })).toMatchObject({ status: "skip" });
      expect(upload([])).toMatchObject({ status: "fail", message: "it stores no keys, so Google reads the issuer" });
    });

    it("fails when stored keys hide those of the issuer, where discovery was asked for", () => {
      expect(upload([rsaKey("one")], { setup: { keys: "discovery" } })).toMatchObject({ status: "fail", hint: expect.stringContaining("--keys discovery") });
      expect(upload([rsaKey("one")], { setup: {} })).toMatchObject({ status: "pass" });
    });
  });

  it("judges tokens that stand for the cluster's by their own key, whatever the provider stores", () => {
    const stored = (settled: readonly ObservedResource[]) => changed(settled, PROVIDER_ID, { fields: { keys: [{ ...rsaKey("other"), n: OTHER_RSA.n ?? "" }] as never } });
    expect(statuses({ setup: { keys: "upload" }, observed: stored, status: { minted: false, clusterJwks: null } })).toMatchObject({ "gcp-grant-token": "pass" });
    expect(statuses({ setup: { keys: "upload" }, observed: stored, status: { minted: true, clusterJwks: null } })).toMatchObject({ "gcp-grant-token": "fail" });
  });

  it.each([
    ["is missing", null, "fail", "--create-service-account"],
    ["is disabled", { fields: { disabled: true } }, "fail", "gcloud iam service-accounts enable"],
  ])("says it when the impersonated service account %s", (_, parts, status, hint) => {
    const checks = checksOf({ grant: IMPERSONATE, observed: change(serviceAccountId(EMAIL), parts) ?? ((settled) => settled) });
    expect(checks.find(({ id }) => id === "gcp-grant-service-account")).toMatchObject({ status, hint: expect.stringContaining(hint) });
  });

  it("names the command that mends a binding, with every flag it needs", () => {
    const check = checksOf({ observed: change(POLICY, null) ?? ((settled) => settled) }).find(({ id }) => id === "gcp-grant-binding");
    expect(check?.hint).toBe(`run kubeassume grant gcp --issuer-url https://oidc.example.com/prod --project acme-prod --pool-id prod --service-account payments/api --role ${ROLE}`);
  });
});
