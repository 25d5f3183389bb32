import { describe, expect, it } from "vitest";
import { toSetupSpec } from "../../../../../src/federation/clouds/gcp/input/setup-spec.ts";
import { configWith, ISSUER, messageOf, problemsOf, setup } from "../scene.ts";

describe("the spec of setup gcp", () => {
  it("has the provider kubernetes, discovery and the provider's own audience when nobody says otherwise", () => {
    expect(setup()).toEqual({
      issuer: ISSUER,
      project: "acme-prod",
      poolId: "prod",
      providerId: "kubernetes",
      subjectPrefix: "",
      audiences: [],
      poolName: null,
      keySource: "discovery",
      keySourceGiven: false,
      pruneKeys: false,
      attributeCondition: null,
      grantedAccounts: [],
      adopt: false,
    });
  });

  it("takes the config's values and lets flags win", () => {
    const gcp = { project: "from-config", poolId: "edge", poolName: "Edge", audiences: ["a"], keys: "upload", attributeCondition: "true", subjectPrefix: "edge:" };
    const config = configWith({ issuer: "https://config.example.com", clouds: { gcp }, grants: [{ serviceAccount: "payments/api", gcp: { roles: ["roles/viewer"] } }, { serviceAccount: "not one", gcp: {} }, { serviceAccount: "other/cloud", aws: {} }] });
    expect(toSetupSpec({ flags: {}, config })).toMatchObject({
      issuer: "https://config.example.com",
      project: "from-config",
      poolId: "edge",
      poolName: "Edge",
      audiences: ["a"],
      keySource: "upload",
      keySourceGiven: true,
      attributeCondition: "true",
      subjectPrefix: "edge:",
      grantedAccounts: [{ namespace: "payments", name: "api" }],
    });
    expect(setup({ audience: ["b", "b"], keys: "discovery", attributeCondition: "", subjectPrefix: "", providerId: "mine" }, config)).toMatchObject({
      issuer: ISSUER,
      project: "acme-prod",
      poolId: "prod",
      providerId: "mine",
      audiences: ["b"],
      keySource: "discovery",
      attributeCondition: "",
      subjectPrefix: "",
    });
  });

  it.each([
    [{ issuerUrl: undefined, project: undefined, poolId: undefined }, ["FLAG_MISSING", "FLAG_MISSING", "FLAG_MISSING"]],
    [{ issuerUrl: "http://oidc.example.com/" }, ["ISSUER_NOT_HTTPS", "ISSUER_TRAILING_SLASH"]],
    [{ project: "123456789012" }, ["GCP_PROJECT_INVALID"]],
    [{ project: "Acme" }, ["GCP_PROJECT_INVALID"]],
    [{ poolId: "gcp-prod", providerId: "abc" }, ["GCP_ID_INVALID", "GCP_ID_INVALID"]],
    [{ poolId: "Prod" }, ["GCP_ID_INVALID"]],
    [{ poolName: "n".repeat(33) }, ["GCP_NAME_TOO_LONG"]],
    [{ audience: [""] }, ["GCP_AUDIENCE_INVALID"]],
    [{ audience: ["x".repeat(257), "a b"] }, ["GCP_AUDIENCE_INVALID", "GCP_AUDIENCE_INVALID"]],
    [{ audience: Array.from({ length: 11 }, (_, index) => `a${index}`) }, ["GCP_TOO_MANY_AUDIENCES"]],
    [{ keys: "both" }, ["GCP_KEY_SOURCE_INVALID"]],
    [{ jwksFile: "jwks.json" }, ["FLAGS_CONFLICT"]],
    [{ keys: "discovery", pruneKeys: true }, ["FLAGS_CONFLICT"]],
    [{ keys: "upload", jwksFile: "jwks.json", publicKeyFile: ["sa.pub"] }, ["FLAGS_CONFLICT"]],
    [{ subjectPrefix: "a'b" }, ["GCP_SUBJECT_PREFIX_INVALID"]],
    [{ subjectPrefix: "x".repeat(61) }, ["GCP_SUBJECT_PREFIX_INVALID"]],
    [{ attributeCondition: "assertion.sub ==" }, ["GCP_CONDITION_INVALID"]],
    [{ attributeCondition: "x".repeat(4097) }, ["GCP_CONDITION_INVALID"]],
    [{ attributeCondition: "'text'" }, ["GCP_CONDITION_INVALID"]],
  ])("refuses %j", (flags, codes) => {
    expect(problemsOf(() => setup(flags))).toEqual(codes);
  });

  it("shows all problems at once", () => {
    const flags = { issuerUrl: "http://x", project: "1", poolId: "gcp-", audience: [""], keys: "x", attributeCondition: "(", subjectPrefix: " " };
    expect(problemsOf(() => setup(flags))).toEqual(["ISSUER_NOT_HTTPS", "GCP_PROJECT_INVALID", "GCP_ID_INVALID", "GCP_SUBJECT_PREFIX_INVALID", "GCP_AUDIENCE_INVALID", "GCP_KEY_SOURCE_INVALID", "GCP_CONDITION_INVALID"]);
  });

  it("says that a number is no project ID", () => {
    expect(messageOf(() => setup({ project: "123456789012" }))).toBe('project "123456789012" is a number: the project\'s ID is needed');
  });

  it("shows where a condition stops to make sense, on its own line", () => {
    const message = messageOf(() => setup({ attributeCondition: "true &&\n  assertion.sub === 'x'" }));
    expect(message).toContain("line 2, column ");
    expect(message).toMatch(/assertion\.sub ==>>>|assertion\.sub >>>==/);
  });

  it("takes an upload with files or the cluster's keys", () => {
    expect(setup({ keys: "upload", jwksFile: "jwks.json", pruneKeys: true })).toMatchObject({ keySource: "upload", keySourceGiven: true, pruneKeys: true });
    expect(setup({ keys: "upload", publicKeyFile: ["a.pub", "b.pub"] })).toMatchObject({ keySource: "upload", pruneKeys: false });
  });
});
