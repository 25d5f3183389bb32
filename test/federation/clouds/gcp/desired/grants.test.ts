import { describe, expect, it } from "vitest";
import { desiredGrants } from "../../../../../src/federation/clouds/gcp/desired/grants.ts";
import { desiredSetup } from "../../../../../src/federation/clouds/gcp/desired/setup.ts";
import { policyId, POOL_ID, PRINCIPALS_FIELD, PROVIDER_ID, serviceAccountId } from "../../../../../src/federation/clouds/gcp/ids.ts";
import { toGrantSpecs } from "../../../../../src/federation/clouds/gcp/input/grant-spec.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import { type ObservedResource, planResources } from "../../../../../src/federation/plan/plan-resources.ts";
import { CALLER, changed, codesOf, configWith, EMAIL, facts, grants, MARK, MEMBER, PLACE, setup } from "../scene.ts";

const ROLE = "roles/storage.objectViewer";
const DIRECT = { serviceAccount: ["payments/api"], role: [ROLE] };
const IMPERSONATE = { serviceAccount: ["payments/api"], impersonate: EMAIL };
const PROJECT_POLICY = policyId("projects/acme-prod");

const TRUST: readonly ObservedResource[] = desiredSetup(setup(), facts(), CALLER, []).resources.map(({ id, fields }) => ({ id, marked: true, fields }));
const ACCOUNT: ObservedResource = { id: serviceAccountId(EMAIL), marked: false, fields: { email: EMAIL, disabled: false } };

function want(flags: FlagValues, observed: readonly ObservedResource[] = TRUST) {
  return desiredGrants(grants(flags), CALLER, observed);
}

function judged(flags: FlagValues, observed: readonly ObservedResource[]) {
  const { problems, warnings } = want(flags, observed);
  return [codesOf(problems), codesOf(warnings)];
}

describe("desired grants", () => {
  it("give the account's subject its roles in one step for the policy", () => {
    const { resources, problems, warnings } = want({ ...DIRECT, role: [ROLE, "roles/viewer"], serviceAccount: ["payments/api", "payments/worker"] });
    const members = [MEMBER, MEMBER.replace(":api", ":worker")];
    expect([problems, warnings]).toEqual([[], []]);
    expect(resources).toEqual([{ id: PROJECT_POLICY, kind: "gcp.policy", cloud: "gcp", target: "projects/acme-prod", fields: { [ROLE]: members, "roles/viewer": members }, needs: [], sets: [ROLE, "roles/viewer"], part: true }]);
  });

  it("bind on a bucket alone when one is named", () => {
    expect(want({ ...DIRECT, on: "bucket:acme-invoices" }).resources).toMatchObject([{ target: "buckets/acme-invoices", fields: { [ROLE]: [MEMBER] } }]);
  });

  it("let the account impersonate a service account that exists", () => {
    const { resources, problems } = want(IMPERSONATE, [...TRUST, ACCOUNT]);
    expect(problems).toEqual([]);
    expect(resources).toMatchObject([{ target: `serviceAccounts/${EMAIL}`, fields: { "roles/iam.workloadIdentityUser": [MEMBER] }, needs: [] }]);
  });

  it("make the service account first where asked to, and use one that is there as it is", () => {
    const create = { ...IMPERSONATE, createServiceAccount: true };
    expect(want(create).resources).toMatchObject([
      { id: serviceAccountId(EMAIL), target: EMAIL, fields: { displayName: "payments (kubeassume)", description: MARK } },
      { target: `serviceAccounts/${EMAIL}`, needs: [serviceAccountId(EMAIL)] },
    ]);
    const { resources } = want(create, [...TRUST, ACCOUNT]);
    const { plan, refusals } = planResources(resources, [...TRUST, ACCOUNT], { adopt: false });
    expect([plan.steps[0]?.action, refusals]).toEqual(["none", []]);
  });

  it("change nothing when every member is there, and only what is missing otherwise", () => {
    const observed = (members: readonly string[]): ObservedResource => ({ id: PROJECT_POLICY, marked: true, fields: { [ROLE]: members, [PRINCIPALS_FIELD]: 7 } });
    const action = (members: readonly string[]) => planResources(want(DIRECT).resources, [observed(members)], { adopt: false }).plan.steps[0]?.action;
    expect([action([MEMBER]), action([])]).toEqual(["none", "update"]);
  });

  it("put the prefix in front of the subject", () => {
    const trust = desiredSetup(setup({ subjectPrefix: "edge:" }), facts(), CALLER, []).resources.map(({ id, fields }) => ({ id, marked: true, fields }));
    expect(want({ ...DIRECT, subjectPrefix: "edge:" }, trust).resources[0]?.fields).toEqual({ [ROLE]: [MEMBER.replace("/subject/", "/subject/edge:")] });
  });

  it.each([
    ["a service account that does not exist", IMPERSONATE, TRUST, [["GCP_SERVICE_ACCOUNT_MISSING"], []]],
    ["a disabled service account", IMPERSONATE, [...TRUST, { ...ACCOUNT, fields: { disabled: true } }], [["GCP_SERVICE_ACCOUNT_DISABLED"], []]],
    ["a provider that maps other subjects", { ...DIRECT, subjectPrefix: "edge:" }, TRUST, [["GCP_SUBJECT_DIFFERS"], []]],
    ["a provider for another issuer", DIRECT, changed(TRUST, PROVIDER_ID, { fields: { issuerUri: "https://other.example" } }), [["GCP_PROVIDER_OTHER_ISSUER"], []]],
    ["a condition that rejects every grant", DIRECT, changed(TRUST, PROVIDER_ID, { fields: { attributeCondition: "attribute.namespace == 'shop'" } }), [["GCP_CONDITION_REJECTS_GRANTS"], []]],
    ["a condition that rejects one of them", { ...DIRECT, serviceAccount: ["payments/api", "shop/web"] }, changed(TRUST, PROVIDER_ID, { fields: { attributeCondition: "attribute.namespace == 'shop'" } }), [[], ["GCP_CONDITION_REJECTS_SOME"]]],
    ["no pool yet", DIRECT, [], [[], ["GCP_PROVIDER_MISSING"]]],
    ["a deleted provider", DIRECT, changed(TRUST, PROVIDER_ID, { fields: { state: "DELETED" } }), [[], ["GCP_PROVIDER_MISSING"]]],
    ["a disabled pool", DIRECT, changed(TRUST, POOL_ID, { fields: { disabled: true } }), [[], ["GCP_PROVIDER_OFF"]]],
    ["an audience that is not accepted", { ...DIRECT, audience: ["mine"] }, TRUST, [[], ["GCP_AUDIENCE_NOT_REGISTERED"]]],
    ["a service account of another project", { ...IMPERSONATE, impersonate: "payments@other-project.iam.gserviceaccount.com" }, [...TRUST, { ...ACCOUNT, id: serviceAccountId("payments@other-project.iam.gserviceaccount.com") }], [[], ["GCP_SERVICE_ACCOUNT_ELSEWHERE"]]],
  ])("say so about %s", (_, flags, observed, expected) => {
    expect(judged(flags, observed)).toEqual(expected);
  });

  it("refuse a policy that would name more than 1,500 principals, counting only what is new", () => {
    const policy = (principals: number, members: readonly string[] = []): ObservedResource => ({ id: PROJECT_POLICY, marked: true, fields: { [ROLE]: members, [PRINCIPALS_FIELD]: principals } });
    expect(judged(DIRECT, [...TRUST, policy(1499)])[0]).toEqual([]);
    expect(judged(DIRECT, [...TRUST, policy(1500)])[0]).toEqual(["GCP_POLICY_TOO_LARGE"]);
    expect(judged(DIRECT, [...TRUST, policy(1500, [MEMBER])])[0]).toEqual([]);
  });

  it("stay quick for a thousand grants, in one step per policy", () => {
    const config = configWith({ issuer: PLACE.issuerUrl, clouds: { gcp: { project: "acme-prod", poolId: "prod" } }, grants: Array.from({ length: 1000 }, (_, index) => ({ serviceAccount: `ns-${index}/api`, gcp: { roles: [ROLE] } })) });
    const { resources } = desiredGrants(toGrantSpecs({ flags: {}, config }), CALLER, changed(TRUST, PROVIDER_ID, { fields: { attributeCondition: "assertion.sub != ''" } }));
    expect(resources).toHaveLength(1);
  });
});
