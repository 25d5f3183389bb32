import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OPERATOR_NAME } from "../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, Json, TestGcp } from "./support/start.ts";

const PROJECT = "/v3/projects/kubeassume-sandbox";
const EMAIL = "demo-app@kubeassume-sandbox.iam.gserviceaccount.com";
const ACCOUNT = `/v1/projects/kubeassume-sandbox/serviceAccounts/${EMAIL}`;
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/prod";
const MEMBER = `principal://iam.googleapis.com/${POOL}/subject/system:serviceaccount:payments:api`;
const OWNER = { role: "roles/owner", members: [OPERATOR_NAME] };
const VIEWER = { role: "roles/storage.objectViewer", members: [MEMBER] };
const CONDITIONAL = { role: "roles/pubsub.viewer", members: ["user:jo@example.com"], condition: { title: "until", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" } };

let gcp: TestGcp;
beforeAll(async () => {
  gcp = await startTestGcp();
});
afterAll(() => gcp.stop());

const read = (version?: number): Promise<Answer> => gcp.call("cloudresourcemanager", "POST", `${PROJECT}:getIamPolicy`, version === undefined ? {} : { options: { requestedPolicyVersion: version } });
const write = (policy: unknown, more: unknown = {}): Promise<Answer> => gcp.call("cloudresourcemanager", "POST", `${PROJECT}:setIamPolicy`, { policy, ...(more as object) });

beforeEach(async () => {
  gcp.state.pools.clear();
  await gcp.call("iam", "POST", "/v1/projects/kubeassume-sandbox/locations/global/workloadIdentityPools?workloadIdentityPoolId=prod", {});
  await write({ version: 3, bindings: [OWNER] });
});

describe("a project's policy", () => {
  it("is replaced under its etag, and gets a new one", async () => {
    const before = (await read()).json;
    const { status, json } = await write({ ...before, bindings: [OWNER, VIEWER] });
    expect(status).toBe(200);
    expect(json).toEqual({ version: 1, etag: expect.any(String) as string, bindings: [OWNER, VIEWER] });
    expect(json["etag"]).not.toBe(before["etag"]);
    expect((await read(3)).json).toEqual(json);
  });

  it("is not replaced under an old etag", async () => {
    const before = (await read()).json;
    await write({ ...before, bindings: [OWNER, VIEWER] });
    expect(refusalIn(await write({ ...before, bindings: [OWNER] }))).toMatchObject({ code: 409, status: "ABORTED" });
    expect((await read()).json["bindings"]).toEqual([OWNER, VIEWER]);
  });

  it("loses a race that a test asks for, once", async () => {
    const before = (await read()).json;
    gcp.state.policyRaces.add("projects/kubeassume-sandbox");
    expect(refusalIn(await write({ ...before, bindings: [OWNER, VIEWER] })).status).toBe("ABORTED");
    expect((await write({ ...(await read()).json, bindings: [OWNER, VIEWER] })).status).toBe(200);
  });

  it("has one binding for each role and condition, and each member once", async () => {
    await write({ version: 3, bindings: [OWNER, VIEWER, { role: VIEWER.role, members: ["user:jo@example.com", MEMBER] }, { ...CONDITIONAL, role: VIEWER.role }, { role: "roles/viewer", members: [] }] });
    expect((await read(3)).json["bindings"]).toEqual([OWNER, { role: VIEWER.role, members: [MEMBER, "user:jo@example.com"] }, { ...CONDITIONAL, role: VIEWER.role }]);
  });

  it("keeps conditions from those who do not know of them", async () => {
    expect(refusalIn(await write({ version: 1, bindings: [OWNER, CONDITIONAL] })).status).toBe("INVALID_ARGUMENT");
    const stored = (await write({ version: 3, bindings: [OWNER, CONDITIONAL] })).json;
    expect(stored).toMatchObject({ version: 3, bindings: [OWNER, CONDITIONAL] });
    expect(refusalIn(await write({ version: 1, etag: stored["etag"], bindings: [OWNER] })).status).toBe("INVALID_ARGUMENT");
    const [, shown] = (await read(1)).json["bindings"] as readonly Json[];
    expect(shown).toEqual({ role: expect.stringMatching(/^roles\/pubsub\.viewer_withcond_[0-9a-f]{20}$/) as string, members: CONDITIONAL.members });
    expect((await read(1)).json).toMatchObject({ version: 1 });
    expect((await read(3)).json).toEqual(stored);
  });

  it("loses its conditions to somebody who sends no etag", async () => {
    await write({ version: 3, bindings: [OWNER, CONDITIONAL] });
    expect((await write({ version: 1, bindings: [OWNER] })).json).toMatchObject({ version: 1, bindings: [OWNER] });
  });

  it.each([2, 4, -1])("has no version %i", async (version) => {
    expect(refusalIn(await read(version)).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await write({ version, bindings: [OWNER] })).status).toBe("INVALID_ARGUMENT");
  });

  it.each(["roles/storage.objectViewr", "roles/nothing", "storage.objectViewer", "projects/kubeassume-sandbox/roles/custom", ""])("does not take the role %j", async (role) => {
    const { status, message } = refusalIn(await write({ version: 3, bindings: [OWNER, { role, members: [MEMBER] }] }));
    expect([status, message]).toEqual(["INVALID_ARGUMENT", `Role ${role} is not supported for this resource.`]);
  });

  it("takes a custom role that exists, and no condition on a basic one", async () => {
    gcp.state.customRoles.set("projects/kubeassume-sandbox/roles/reader", ["storage.objects.get"]);
    expect((await write({ version: 3, bindings: [OWNER, { role: "projects/kubeassume-sandbox/roles/reader", members: [MEMBER] }] })).status).toBe(200);
    expect(refusalIn(await write({ version: 3, bindings: [{ ...CONDITIONAL, role: "roles/viewer" }] })).status).toBe("INVALID_ARGUMENT");
  });

  it.each([
    ["the project's ID where the number belongs", MEMBER.replace("123456789012", "kubeassume-sandbox"), /^Identity Pool does not exist \(projects\/kubeassume-sandbox\//],
    ["a pool that does not exist", MEMBER.replace("/prod/", "/test/"), /^Identity Pool does not exist/],
    ["a provider instead of a pool", MEMBER.replace("/subject/", "/providers/kubernetes/subject/"), /^Invalid principal/],
    ["a set without principalSet", MEMBER.replace("subject/system:serviceaccount:payments:api", "*"), /^Invalid principal/],
    ["a subject in a principalSet", MEMBER.replace("principal:", "principalSet:"), /^Invalid principal/],
    ["a service account that does not exist", "serviceAccount:nobody@kubeassume-sandbox.iam.gserviceaccount.com", /does not exist\.$/],
    ["a service account without an address", "serviceAccount:nobody", /^Invalid service account/],
    ["a kind that does not exist", "robot:r2d2", /is of an unknown type/],
    ["no kind", "jo@example.com", /is of an unknown type/],
    ["a user without an address", "user:jo", /^Invalid email/],
  ])("does not take %s as a member", async (_, member, words) => {
    const { status, message } = refusalIn(await write({ version: 3, bindings: [OWNER, { role: "roles/viewer", members: [member] }] }));
    expect(status).toBe("INVALID_ARGUMENT");
    expect(message).toMatch(words);
  });

  it.each([
    "allUsers",
    "allAuthenticatedUsers",
    "group:team@example.com",
    "domain:example.com",
    "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
    "deleted:user:jo@example.com?uid=123",
    `principalSet://iam.googleapis.com/${POOL}/*`,
    `principalSet://iam.googleapis.com/${POOL}/attribute.namespace/payments`,
    `principalSet://iam.googleapis.com/${POOL}/group/admins`,
    "principalSet://iam.googleapis.com/locations/global/workforcePools/acme/group/admins",
  ])("takes %s as a member", async (member) => {
    expect((await write({ version: 3, bindings: [OWNER, { role: "roles/viewer", members: [member] }] })).status).toBe(200);
  });

  it("keeps members that stand in it already, though nothing of their name exists any more", async () => {
    const { json } = await write({ version: 3, bindings: [OWNER, VIEWER] });
    gcp.state.pools.clear();
    expect((await write(json)).status).toBe(200);
  });

  it("changes only what the mask names", async () => {
    const auditConfigs = [{ service: "allServices", auditLogConfigs: [{ logType: "DATA_READ" }] }];
    await write({ version: 3, bindings: [OWNER], auditConfigs }, { updateMask: "auditConfigs" });
    expect((await write({ version: 3, bindings: [OWNER, VIEWER] })).json).toMatchObject({ bindings: [OWNER, VIEWER], auditConfigs });
    expect(refusalIn(await write({ bindings: [] }, { updateMask: "roles" })).status).toBe("INVALID_ARGUMENT");
  });

  it("is refused with members that policies do not have", async () => {
    expect(refusalIn(await write({ bindings: [{ ...OWNER, members: "allUsers" }] })).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await write({ bindings: [{ ...OWNER, conditions: [] }] })).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await write({ version: "3", bindings: [OWNER] })).status).toBe("INVALID_ARGUMENT");
  });

  it("is the same for gcloud, which asks the old version of the API", async () => {
    expect((await gcp.call("cloudresourcemanager", "POST", "/v1/projects/kubeassume-sandbox:getIamPolicy", {})).json).toEqual((await read()).json);
  });
});

describe("a service account's policy", () => {
  beforeEach(async () => {
    gcp.state.serviceAccounts.clear();
    gcp.state.policies.delete(`serviceAccounts/${EMAIL}`);
    await gcp.call("iam", "POST", "/v1/projects/kubeassume-sandbox/serviceAccounts", { accountId: "demo-app" });
  });
  const set = (role: string): Promise<Answer> => gcp.call("iam", "POST", `${ACCOUNT}:setIamPolicy`, { policy: { etag: "ACAB", bindings: [{ role, members: [MEMBER] }] } });

  it("is empty at first, and then what was set", async () => {
    expect((await gcp.call("iam", "POST", `${ACCOUNT}:getIamPolicy?options.requestedPolicyVersion=3`)).json).toEqual({ etag: "ACAB" });
    expect((await set("roles/iam.workloadIdentityUser")).json).toMatchObject({ version: 1, bindings: [{ role: "roles/iam.workloadIdentityUser", members: [MEMBER] }] });
    expect(refusalIn(await set("roles/iam.workloadIdentityUser")).status).toBe("ABORTED");
  });

  it("takes roles of service accounts only", async () => {
    expect(refusalIn(await set("roles/storage.objectViewer")).message).toBe("Role roles/storage.objectViewer is not supported for this resource.");
  });

  it("goes with the account", async () => {
    await set("roles/iam.workloadIdentityUser");
    await gcp.call("iam", "DELETE", ACCOUNT);
    expect(refusalIn(await gcp.call("iam", "POST", `${ACCOUNT}:getIamPolicy`)).status).toBe("NOT_FOUND");
    await gcp.call("iam", "POST", "/v1/projects/kubeassume-sandbox/serviceAccounts", { accountId: "demo-app" });
    expect((await gcp.call("iam", "POST", `${ACCOUNT}:getIamPolicy`)).json).toEqual({ etag: "ACAB" });
  });
});

itConforms(() => gcp);
