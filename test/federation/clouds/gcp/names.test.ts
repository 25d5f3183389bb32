import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  defaultAudience,
  isBucketName,
  isPoolOrProviderId,
  isProjectId,
  isProjectNumber,
  isRoleName,
  parsePrincipal,
  parseProviderName,
  parseServiceAccountEmail,
  parseSubjectMember,
  poolName,
  providerName,
  stsAudience,
  subjectMember,
} from "../../../../src/federation/clouds/gcp/names.ts";
import { parsePolicyTarget, policyTarget } from "../../../../src/federation/clouds/gcp/ids.ts";

const PLACE = { project: "123456789012", poolId: "prod", providerId: "kubernetes" };
const NAME = "projects/123456789012/locations/global/workloadIdentityPools/prod/providers/kubernetes";

describe("names at Google", () => {
  it.each(["acme-prod", "a12345", "example.com:acme-prod", "a".repeat(30)])("takes %s as a project ID", (id) => expect(isProjectId(id)).toBe(true));

  it.each(["123456789012", "Acme-prod", "acme", "a".repeat(31), "acme-", "1acme-prod", "acme_prod", "", "acme prod", "acme-prod\n"])("refuses %j as a project ID", (id) => expect(isProjectId(id)).toBe(false));

  it("takes digits alone as a project number", () => {
    expect(["123456789012", "1"].map(isProjectNumber)).toEqual([true, true]);
    expect(["", "012", "12a", "acme-prod", "-1", "1".repeat(21)].map(isProjectNumber)).toEqual([false, false, false, false, false, false]);
  });

  it.each([["prod", true], ["a-1-", true], ["p".repeat(32), true], ["abc", false], ["p".repeat(33), false], ["gcp-prod", false], ["Prod", false], ["pro_d", false], ["", false]])("judges the pool id %j: %s", (id, good) => expect(isPoolOrProviderId(id)).toBe(good));

  it.each([
    ["roles/storage.objectViewer", true],
    ["roles/viewer", true],
    ["projects/acme-prod/roles/reader", true],
    ["projects/example.com:acme-prod/roles/reader_2.x", true],
    ["organizations/1234/roles/reader", true],
    ["storage.objectViewer", false],
    ["roles/", false],
    ["roles/a b", false],
    ["roles/a/b", false],
    ["organizations/acme/roles/reader", false],
  ])("judges the role %s: %s", (role, good) => expect(isRoleName(role)).toBe(good));

  it.each([["acme-oidc", true], ["acme.example.com", true], ["a_b", true], ["ab", false], ["Acme", false], ["-acme", false], ["a..b", false], ["a/b", false]])("judges the bucket %s: %s", (bucket, good) => expect(isBucketName(bucket)).toBe(good));

  it("builds the provider's name and both audiences from its place, and reads the name back", () => {
    expect(providerName(PLACE)).toBe(NAME);
    expect(parseProviderName(NAME)).toEqual(PLACE);
    expect(parseProviderName(poolName(PLACE))).toBeNull();
    expect(stsAudience(NAME)).toBe(`//iam.googleapis.com/${NAME}`);
    expect(defaultAudience(NAME)).toBe(`https://iam.googleapis.com/${NAME}`);
  });

  it("reads the subject out of its member again, whatever stands in it", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }).filter((text) => !/[\n\r\u2028\u2029]/.test(text)), (subject) => {
        expect(parseSubjectMember(subjectMember(poolName(PLACE), subject))).toEqual({ pool: poolName(PLACE), subject });
      }),
    );
  });

  it.each(["principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/attribute.namespace/x", "principal://iam.googleapis.com/locations/global/workforcePools/p/subject/x", "user:me@example.com", "allUsers", ""])("takes %j for no subject of a workload pool", (member) => expect(parseSubjectMember(member)).toBeNull());

  it.each([
    ["payments@acme-prod.iam.gserviceaccount.com", { name: "payments", project: "acme-prod", kind: "user" }],
    ["payments@acme-prod.example.com.iam.gserviceaccount.com", { name: "payments", project: "example.com:acme-prod", kind: "user" }],
    ["acme-prod@appspot.gserviceaccount.com", { name: "acme-prod", project: "acme-prod", kind: "default" }],
    ["123456789012-compute@developer.gserviceaccount.com", { name: "123456789012-compute", project: "123456789012", kind: "default" }],
  ])("reads the e-mail %s", (email, expected) => expect(parseServiceAccountEmail(email)).toEqual({ email, ...expected }));

  it.each(["payments", "me@example.com", "payments@acme-prod.iam.gserviceaccount.com.evil.example", "Payments@acme-prod.iam.gserviceaccount.com", "@acme-prod.iam.gserviceaccount.com", "a/b@acme-prod.iam.gserviceaccount.com"])("takes %s for no service account", (email) => expect(parseServiceAccountEmail(email)).toBeNull());

  it("knows a principal from a member and from an e-mail alone", () => {
    const email = "payments@acme-prod.iam.gserviceaccount.com";
    expect(parsePrincipal(email)).toEqual({ kind: "impersonate", email });
    expect(parsePrincipal(`serviceAccount:${email}`)).toEqual({ kind: "impersonate", email });
    expect(parsePrincipal(subjectMember(poolName(PLACE), "s"))).toEqual({ kind: "direct", pool: poolName(PLACE), subject: "s" });
    expect(parsePrincipal("user:me@example.com")).toBeNull();
  });

  it("reads the owner of a policy out of its target again", () => {
    for (const owner of [{ kind: "project", project: "example.com:acme" }, { kind: "bucket", name: "acme" }, { kind: "serviceAccount", email: "a@b" }] as const) {
      expect(parsePolicyTarget(policyTarget(owner))).toEqual(owner);
    }
    expect(parsePolicyTarget("folders/1")).toBeNull();
  });
});
