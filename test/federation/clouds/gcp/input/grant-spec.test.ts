import { describe, expect, it } from "vitest";
import { configWith, EMAIL, grants, messageOf, problemsOf } from "../scene.ts";
import { toGrantSpecs } from "../../../../../src/federation/clouds/gcp/input/grant-spec.ts";

const ROLE = "roles/storage.objectViewer";
const API = ["payments/api"];
const CLOUDS = { gcp: { project: "acme-prod", poolId: "prod" } };

function fromConfig(...gcp: readonly (readonly [string, Readonly<Record<string, unknown>>])[]) {
  return configWith({ issuer: "https://oidc.example.com/prod", clouds: CLOUDS, grants: gcp.map(([serviceAccount, members]) => ({ serviceAccount, gcp: members })) });
}

describe("the specs of grant gcp", () => {
  it("is one identity per service account for direct access, on the project unless a bucket is named", () => {
    const specs = grants({ serviceAccount: ["payments/api", "payments/worker", "payments/api"], role: [ROLE, ROLE] });
    expect(specs.map(({ serviceAccounts, access }) => ({ serviceAccounts, access }))).toEqual([
      { serviceAccounts: [{ namespace: "payments", name: "api" }], access: { kind: "direct", roles: [ROLE], on: { kind: "project" } } },
      { serviceAccounts: [{ namespace: "payments", name: "worker" }], access: { kind: "direct", roles: [ROLE], on: { kind: "project" } } },
    ]);
    expect(grants({ serviceAccount: API, role: [ROLE], on: "bucket:acme-invoices" })[0]?.access).toMatchObject({ on: { kind: "bucket", name: "acme-invoices" } });
  });

  it("is one identity per e-mail for impersonation", () => {
    const specs = grants({ serviceAccount: ["payments/api", "payments/worker"], impersonate: EMAIL, createServiceAccount: true });
    expect(specs).toHaveLength(1);
    expect(specs[0]).toMatchObject({ serviceAccounts: [{ name: "api" }, { name: "worker" }], access: { kind: "impersonate", email: EMAIL, create: true } });
  });

  it("takes every grant of the config, merged by identity and place", () => {
    const config = fromConfig(["a/a", { roles: ["roles/viewer"] }], ["a/a", { roles: [ROLE], on: "project" }], ["a/a", { roles: [ROLE], on: "bucket:acme-x" }], ["b/b", { impersonate: EMAIL }], ["c/c", { impersonate: EMAIL, createServiceAccount: true }]);
    const specs = toGrantSpecs({ flags: {}, config });
    expect(specs.map(({ access }) => access)).toEqual([
      { kind: "direct", roles: ["roles/viewer", ROLE], on: { kind: "project" } },
      { kind: "direct", roles: [ROLE], on: { kind: "bucket", name: "acme-x" } },
      { kind: "impersonate", email: EMAIL, create: true },
    ]);
    expect(specs[2]?.serviceAccounts).toEqual([{ namespace: "b", name: "b" }, { namespace: "c", name: "c" }]);
  });

  it("takes the config's grants of the accounts that flags name, and only flags where they say what access", () => {
    const config = fromConfig(["a/a", { roles: ["roles/viewer"] }], ["b/b", { impersonate: EMAIL }]);
    expect(toGrantSpecs({ flags: { serviceAccount: ["a/a"] }, config }).map(({ access }) => access.kind)).toEqual(["direct"]);
    expect(toGrantSpecs({ flags: { serviceAccount: ["b/b"], role: [ROLE] }, config })).toMatchObject([{ access: { kind: "direct", roles: [ROLE] } }]);
    expect(problemsOf(() => toGrantSpecs({ flags: { serviceAccount: ["a/a", "c/c"] }, config }))).toEqual(["FLAG_MISSING"]);
    expect(problemsOf(() => toGrantSpecs({ flags: { role: [ROLE] }, config }))).toEqual(["FLAG_MISSING"]);
  });

  it.each([
    [{ role: [ROLE] }, ["FLAG_MISSING"]],
    [{ role: ["viewer"], on: "x" }, ["FLAG_MISSING", "GCP_ROLE_INVALID", "GCP_TARGET_INVALID"]],
    [{ serviceAccount: API }, ["FLAG_MISSING"]],
    [{ serviceAccount: ["payments"], role: [ROLE] }, ["SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: API, role: ["viewer"] }, ["GCP_ROLE_INVALID"]],
    [{ serviceAccount: API, role: [ROLE], on: "folder:1" }, ["GCP_TARGET_INVALID"]],
    [{ serviceAccount: API, role: [ROLE], on: "bucket:A" }, ["GCP_TARGET_INVALID"]],
    [{ serviceAccount: API, on: "bucket:acme-x" }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: API, role: [ROLE], impersonate: EMAIL }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: API, on: "project", impersonate: EMAIL }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: API, createServiceAccount: true }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: API, role: [ROLE], createServiceAccount: true }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: API, impersonate: "me@example.com" }, ["GCP_SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: API, impersonate: "acme-prod@appspot.gserviceaccount.com", createServiceAccount: true }, ["GCP_SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: API, impersonate: "pay@acme-prod.iam.gserviceaccount.com", createServiceAccount: true }, ["GCP_SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: API, impersonate: "payments@other-project.iam.gserviceaccount.com", createServiceAccount: true }, ["GCP_SERVICE_ACCOUNT_OTHER_PROJECT"]],
    [{ serviceAccount: [`payments/${"a".repeat(98)}`], role: [ROLE] }, ["GCP_SUBJECT_TOO_LONG"]],
    [{ serviceAccount: [`payments/${"a".repeat(93)}`], role: [ROLE], subjectPrefix: "prod:" }, ["GCP_SUBJECT_TOO_LONG"]],
    [{ serviceAccount: API, role: ["x"], on: "y", project: "1", poolId: "p", audience: [""] }, ["GCP_PROJECT_INVALID", "GCP_ID_INVALID", "GCP_AUDIENCE_INVALID", "GCP_ROLE_INVALID", "GCP_TARGET_INVALID"]],
  ])("refuses %j", (flags, codes) => {
    expect(problemsOf(() => grants(flags))).toEqual(codes);
  });

  it("takes a subject of exactly 127 bytes", () => {
    expect(problemsOf(() => grants({ serviceAccount: [`payments/${"a".repeat(96)}`], role: [ROLE] }))).toEqual([]);
    expect(messageOf(() => grants({ serviceAccount: [`payments/${"a".repeat(97)}`], role: [ROLE] }))).toContain("has 128 bytes, more than 127");
  });

  it("takes a service account of another project that exists: pools often have a project of their own", () => {
    expect(grants({ serviceAccount: API, impersonate: "payments@other-project.iam.gserviceaccount.com" })).toHaveLength(1);
  });

  it.each([
    [["a/a", { roles: ["roles/viewer"] }], ["a/a", { impersonate: EMAIL }]],
    [["a/a", { impersonate: EMAIL }], ["a/a", { impersonate: "other1@acme-prod.iam.gserviceaccount.com" }]],
  ] as const)("refuses two identities for one service account: it has one credential file", (one, other) => {
    expect(problemsOf(() => toGrantSpecs({ flags: {}, config: fromConfig(one, other) }))).toEqual(["GCP_GRANTS_CONFLICT"]);
  });

  it("reads five thousand grants in a moment", () => {
    const many = Array.from({ length: 5000 }, (_, index) => [`ns-${index}/api`, index % 2 === 0 ? { roles: [ROLE] } : { impersonate: EMAIL }] as const);
    expect(toGrantSpecs({ flags: {}, config: fromConfig(...many) })).toHaveLength(2501);
  });
});
