import { describe, expect, it } from "vitest";
import { desiredSetup } from "../../../../../src/federation/clouds/gcp/desired/setup.ts";
import { POOL_ID, POOL_PROVIDERS_ID, PROVIDER_ID } from "../../../../../src/federation/clouds/gcp/ids.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { IssuerFacts } from "../../../../../src/federation/oidc/read-issuer.ts";
import { type ObservedResource, planResources } from "../../../../../src/federation/plan/plan-resources.ts";
import type { Json } from "../../../../../src/federation/plan/step.ts";
import { CALLER, changed, codesOf, configWith, facts, ISSUER, JWKS, MARK, OTHER_RSA, OWN_AUDIENCE, POOL, PROVIDER, rsaKey, setup } from "../scene.ts";

const UPLOAD: IssuerFacts = facts({ discovery: null, jwksUri: null });

function want(flags: FlagValues = {}, observed: readonly ObservedResource[] = [], read = facts()) {
  return desiredSetup(setup(flags), read, CALLER, observed);
}

/** What would be read back after the setup. */
function settled(flags: FlagValues = {}, read = facts()): ObservedResource[] {
  return want(flags, [], read).resources.map(({ id, fields }) => ({ id, marked: true, fields: { mode: "FEDERATION_ONLY", disabled: false, attributeCondition: "", ...fields } }));
}

/** Actions by id. */
function actions(flags: FlagValues, observed: readonly ObservedResource[], read = facts()) {
  const { resources } = want(flags, observed, read);
  const { plan } = planResources(resources, observed, { adopt: flags["adopt"] === true });
  return Object.fromEntries(plan.steps.map(({ id, action, reason }) => [id, `${action}: ${reason}`]));
}

function problems(flags: FlagValues, observed: readonly ObservedResource[], read = facts()) {
  return codesOf(want(flags, observed, read).problems);
}

function foreign(fields: Readonly<Record<string, Json>>): ObservedResource[] {
  const own = settled().map((resource) => ({ ...resource, marked: false, fields: { ...resource.fields, description: "" } }));
  return changed(own, PROVIDER_ID, { fields });
}

describe("the desired pool and provider", () => {
  it("are active, marked, and name the project by its number", () => {
    const { resources, problems: none, warnings } = want();
    expect(none).toEqual([]);
    expect(warnings).toEqual([]);
    expect(resources).toMatchObject([
      { id: POOL_ID, target: POOL, fields: { state: "ACTIVE", description: MARK } },
      {
        id: PROVIDER_ID,
        target: PROVIDER,
        needs: [POOL_ID],
        fields: {
          state: "ACTIVE",
          description: MARK,
          issuerUri: ISSUER,
          allowedAudiences: [],
          keys: [],
          attributeMapping: {
            "google.subject": "assertion.sub",
            "attribute.namespace": "assertion['kubernetes.io']['namespace']",
            "attribute.service_account_name": "assertion['kubernetes.io']['serviceaccount']['name']",
            "attribute.cluster": "assertion.iss",
          },
        },
      },
    ]);
    expect(resources[0]?.fields).not.toHaveProperty("displayName");
    expect(resources[1]?.fields).not.toHaveProperty("attributeCondition");
  });

  it("are left alone the second time, whatever was asked for", () => {
    for (const flags of [{}, { poolName: "Prod", audience: ["b", "a"], attributeCondition: "true", subjectPrefix: "prod:" }]) {
      expect(actions(flags, settled(flags))).toEqual({ [POOL_ID]: "none: as it should be", [PROVIDER_ID]: "none: as it should be" });
    }
  });

  it("are undeleted and repaired after a soft delete", () => {
    const deleted = settled().map((resource) => ({ ...resource, fields: { ...resource.fields, state: "DELETED" } }));
    expect(actions({}, deleted)).toEqual({ [POOL_ID]: "update: differs in state", [PROVIDER_ID]: "update: differs in state" });
  });

  it("keep what others mapped, wrote and named, and repair what is ours", () => {
    const mapping = { "google.subject": "assertion.email", "attribute.pod": "assertion['kubernetes.io']['pod']['name']" };
    const seen = changed(changed(settled(), PROVIDER_ID, { fields: { attributeMapping: mapping, description: `Prod. ${MARK} Ask Kim.` } }), POOL_ID, { fields: { displayName: "by hand" } });
    const [, provider] = want({}, seen).resources;
    expect(provider?.fields).toMatchObject({ description: `Prod. ${MARK} Ask Kim.`, attributeMapping: { "google.subject": "assertion.sub", "attribute.pod": mapping["attribute.pod"], "attribute.cluster": "assertion.iss" } });
    expect(actions({}, seen)).toEqual({ [POOL_ID]: "none: as it should be", [PROVIDER_ID]: "update: differs in attributeMapping" });
  });

  it("leave a condition alone unless one is given, and remove it on request", () => {
    const seen = changed(settled(), PROVIDER_ID, { fields: { attributeCondition: "assertion.sub != ''" } });
    expect(actions({}, seen)[PROVIDER_ID]).toBe("none: as it should be");
    expect(actions({ attributeCondition: "" }, seen)[PROVIDER_ID]).toBe("update: differs in attributeCondition");
  });

  it("are marked behind the operator's own words when they are taken over", () => {
    const seen = foreign({ description: "Made by Kim." });
    const [pool, provider] = want({ adopt: true }, seen).resources;
    expect([pool?.fields["description"], provider?.fields["description"]]).toEqual([MARK, `Made by Kim. ${MARK}`]);
    expect(actions({ adopt: true }, seen)).toEqual({ [POOL_ID]: "adopt: exists without a mark, differs in description", [PROVIDER_ID]: "adopt: exists without a mark, differs in description" });
    expect(problems({ adopt: true }, seen)).toEqual([]);
  });

  it.each([
    ["is disabled", POOL_ID, { disabled: true }, "GCP_POOL_DISABLED"],
    ["is for trust domains", POOL_ID, { mode: "TRUST_DOMAIN" }, "GCP_POOL_MODE"],
    ["is disabled", PROVIDER_ID, { disabled: true }, "GCP_PROVIDER_DISABLED"],
    ["is for AWS accounts", PROVIDER_ID, { issuerUri: "" }, "GCP_PROVIDER_OTHER_KIND"],
    ["is marked for another issuer", PROVIDER_ID, { description: "kubeassume.dev/managed-by=kubeassume kubeassume.dev/issuer=https://other.example" }, "GCP_PROVIDER_OTHER_ISSUER"],
    ["has a description without room", POOL_ID, { description: "x".repeat(250) }, "GCP_DESCRIPTION_TOO_LONG"],
  ])("is not touched when it %s (%s)", (_, id, fields, code) => {
    expect(problems({}, changed(settled(), id, { fields }))).toEqual([code]);
  });

  it.each(["", "MODE_UNSPECIFIED", "FEDERATION_ONLY"])("take mode %j for federation", (mode) => {
    expect(problems({}, changed(settled(), POOL_ID, { fields: { mode } }))).toEqual([]);
  });

  it("repair an issuer that somebody changed in a provider of ours, and refuse a stranger's provider for another one", () => {
    const fields = { issuerUri: `${ISSUER}/` };
    expect(actions({}, changed(settled(), PROVIDER_ID, { fields }))[PROVIDER_ID]).toBe("update: differs in issuerUri");
    expect(problems({ adopt: true }, foreign(fields))).toEqual(["GCP_PROVIDER_OTHER_ISSUER"]);
  });

  it.each([
    [{}, { allowedAudiences: ["theirs"] }, ["GCP_ADOPTION_REMOVES_AUDIENCES"]],
    [{ audience: ["theirs", "ours"] }, { allowedAudiences: ["theirs"] }, []],
    [{ audience: ["ours"] }, { allowedAudiences: [] }, ["GCP_ADOPTION_REMOVES_AUDIENCES"]],
    [{ audience: [OWN_AUDIENCE] }, { allowedAudiences: [] }, []],
    [{}, { allowedAudiences: [OWN_AUDIENCE] }, []],
    [{}, { attributeMapping: { "google.subject": "assertion.email" } }, ["GCP_ADOPTION_CHANGES_SUBJECTS"]],
    [{}, { attributeMapping: { "google.subject": "'prod:' + assertion.sub" } }, ["GCP_ADOPTION_CHANGES_SUBJECTS"]],
    [{ subjectPrefix: "prod:" }, { attributeMapping: { "google.subject": "\"prod:\"+assertion['sub']" } }, []],
  ])("with %j never take away what the stranger's provider has: %j", (flags, fields, codes) => {
    expect(problems({ ...flags, adopt: true }, foreign(fields))).toEqual(codes);
  });

  it("name in the hint what would keep the stranger's audiences", () => {
    const [problem] = want({ adopt: true }, foreign({ allowedAudiences: ["theirs"] })).problems;
    expect(problem?.hint).toBe(`to keep them add --audience theirs --audience ${OWN_AUDIENCE}`);
  });
});

describe("the uploaded keys", () => {
  const upload = { keys: "upload" };
  const stored = (...kids: readonly string[]): Json[] => kids.map((kid) => ({ kty: "RSA", alg: "RS256", use: "sig", kid, n: rsaKey(kid).n ?? "", e: rsaKey(kid).e ?? "" }));

  it("are the cluster's, as Google takes them", () => {
    const read = facts({ discovery: null, jwksUri: null, jwks: { keys: [{ ...rsaKey("one"), x5c: ["c"] }, { ...rsaKey("two"), alg: "RS512" }] } });
    expect(want(upload, [], read).resources[1]?.fields["keys"]).toEqual(stored("one"));
  });

  it("stay beside new ones when the cluster rotates, until they are pruned", () => {
    const seen = changed(settled(upload, UPLOAD), PROVIDER_ID, { fields: { keys: stored("old") } });
    expect(want(upload, seen, UPLOAD).resources[1]?.fields["keys"]).toEqual(stored("old", "one"));
    expect(want({ ...upload, pruneKeys: true }, seen, UPLOAD).resources[1]?.fields["keys"]).toEqual(stored("one"));
  });

  it("are none the second time, in whatever order they come back", () => {
    const read = facts({ jwks: { keys: [rsaKey("two"), rsaKey("one")] } });
    const seen = changed(settled(upload, read), PROVIDER_ID, { fields: { keys: stored("two", "one") } });
    expect(actions(upload, seen, read)[PROVIDER_ID]).toBe("none: as it should be");
  });

  it("are refused when another key has the kid, and replaced on request", () => {
    const seen = changed(settled(upload, UPLOAD), PROVIDER_ID, { fields: { keys: [{ ...stored("one")[0] as object, n: OTHER_RSA.n ?? "" }] } });
    expect(problems(upload, seen, UPLOAD)).toEqual(["GCP_KEY_CONFLICT"]);
    expect(problems({ ...upload, pruneKeys: true }, seen, UPLOAD)).toEqual([]);
  });

  it("are not removed unless somebody says --keys discovery", () => {
    const seen = changed(settled(), PROVIDER_ID, { fields: { keys: stored("one") } });
    expect(problems({}, seen)).toEqual(["GCP_KEYS_UPLOADED"]);
    const removed = want({ keys: "discovery" }, seen);
    expect([codesOf(removed.problems), codesOf(removed.warnings)]).toEqual([[], ["GCP_UPLOADED_KEYS_REMOVED"]]);
    expect(actions({ keys: "discovery" }, seen)[PROVIDER_ID]).toBe("update: differs in keys");
  });

  it("are warned of when there are more than a runbook says Google takes", () => {
    const keys = Array.from({ length: 9 }, (_, index) => rsaKey(`k${index}`));
    expect(codesOf(want(upload, [], facts({ jwks: { keys } })).warnings)).toEqual(["GCP_MANY_KEYS"]);
  });
});

describe("a pool with other providers", () => {
  const other = (fields: Readonly<Record<string, Json>>): ObservedResource[] => [
    ...settled(),
    { id: POOL_PROVIDERS_ID, marked: true, fields: { others: [{ name: `${POOL}/providers/other`, issuerUri: "https://other.example", attributeMapping: { "google.subject": "assertion.sub" }, attributeCondition: "", state: "ACTIVE", disabled: false, ...fields }] } },
  ];

  it.each([
    ["another cluster with the same subjects", {}, {}, ["GCP_POOL_SHARED"], []],
    ["one that is disabled: a click enables it", { disabled: true }, {}, ["GCP_POOL_SHARED"], []],
    ["one that is deleted", { state: "DELETED" }, {}, [], []],
    ["a second provider of this issuer", { issuerUri: ISSUER }, {}, [], []],
    ["a cluster with a prefix", { attributeMapping: { "google.subject": "'edge:' + assertion.sub" } }, {}, [], []],
    ["a cluster with the prefix that is ours", { attributeMapping: { "google.subject": "'edge:' + assertion.sub" } }, { subjectPrefix: "edge:" }, ["GCP_POOL_SHARED"], []],
    ["a cluster without a prefix, when ours has one", {}, { subjectPrefix: "edge:" }, [], []],
    ["a mapping that cannot be told", { attributeMapping: { "google.subject": "assertion.arn" }, issuerUri: "" }, {}, [], ["GCP_POOL_SUBJECTS_UNCLEAR"]],
  ])("has %s", (_, fields, flags, codes, warnings) => {
    const seen = other(fields);
    const wanted = want(flags, seen);
    expect([codesOf(wanted.problems), codesOf(wanted.warnings)]).toEqual([codes, warnings]);
  });
});

describe("the attribute condition of a setup", () => {
  const config = configWith({ grants: [{ serviceAccount: "payments/api", gcp: {} }, { serviceAccount: "shop/web", gcp: {} }] });
  const judge = (attributeCondition: string) => {
    const { problems: found, warnings } = desiredSetup(setup({ attributeCondition }, config), facts({ jwks: JWKS }), CALLER, []);
    return { codes: [...codesOf(found), ...codesOf(warnings)], words: [...found, ...warnings].map(({ message }) => message).join() };
  };

  it.each([
    ["assertion.sub.startsWith('system:serviceaccount:')", []],
    ["attribute.namespace in ['payments', 'shop'] && google.subject == assertion.sub", []],
    ["assertion.iss == 'https://other.example'", ["GCP_CONDITION_REJECTS_GRANTS"]],
    ["assertion.email == 'x'", ["GCP_CONDITION_REJECTS_GRANTS"]],
    ["attribute.namespace == 'shop'", ["GCP_CONDITION_REJECTS_SOME"]],
    ["assertion['kubernetes.io']['pod']['name'].startsWith('api-')", ["GCP_CONDITION_UNJUDGED"]],
  ])("%s", (condition, codes) => {
    expect(judge(condition).codes).toEqual(codes);
  });

  it("names who is shut out", () => {
    expect(judge("false").words).toContain("rejects payments/api, shop/web");
    expect(judge("attribute.namespace == 'shop'").words).toContain("rejects payments/api");
  });

  it("that stands in the provider already is judged too", () => {
    const seen = changed(settled(), PROVIDER_ID, { fields: { attributeCondition: "false" } });
    expect(codesOf(desiredSetup(setup({}, config), facts(), CALLER, seen).problems)).toEqual(["GCP_CONDITION_REJECTS_GRANTS"]);
  });
});
