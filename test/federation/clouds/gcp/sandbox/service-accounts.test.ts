import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, TestGcp } from "./support/start.ts";

const ACCOUNTS = "/v1/projects/kubeassume-sandbox/serviceAccounts";
const EMAIL = "demo-app@kubeassume-sandbox.iam.gserviceaccount.com";

let gcp: TestGcp;

beforeAll(async () => {
  gcp = await startTestGcp({ quotas: { serviceAccountsPerProject: 30 } });
});
afterAll(() => gcp.stop());
beforeEach(() => gcp.state.serviceAccounts.clear());

const create = (accountId: string, serviceAccount: unknown = {}): Promise<Answer> => gcp.call("iam", "POST", ACCOUNTS, { accountId, serviceAccount });

describe("a service account", () => {
  it("is created with an e-mail and a unique id, and found by both, with and without the project", async () => {
    const { json } = await create("demo-app", { displayName: "Demo", description: "d" });
    expect(json).toMatchObject({ email: EMAIL, name: `projects/kubeassume-sandbox/serviceAccounts/${EMAIL}`, projectId: "kubeassume-sandbox", displayName: "Demo", description: "d" });
    expect(json["uniqueId"]).toMatch(/^\d{21}$/);
    for (const path of [`${ACCOUNTS}/${EMAIL}`, `${ACCOUNTS}/${String(json["uniqueId"])}`, `/v1/projects/-/serviceAccounts/${EMAIL}`, `${ACCOUNTS}/${encodeURIComponent(EMAIL)}`]) {
      expect((await gcp.call("iam", "GET", path)).json, path).toEqual(json);
    }
  });

  it.each(["short", "a".repeat(31), "Capital", "1digits", "ends-with-", ""])("is not created under the id %j", async (id) => {
    expect(refusalIn(await create(id)).status).toBe("INVALID_ARGUMENT");
  });

  it("has texts bounded in bytes", async () => {
    expect(refusalIn(await create("demo-app", { displayName: "ü".repeat(51) })).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await create("demo-app", { description: "x".repeat(257) })).status).toBe("INVALID_ARGUMENT");
    expect((await create("demo-app", { displayName: "ü".repeat(50), description: "x".repeat(256) })).status).toBe(200);
  });

  it("exists once, and is somebody else when it is made again", async () => {
    const first = await create("demo-app");
    expect(refusalIn(await create("demo-app")).status).toBe("ALREADY_EXISTS");
    expect((await gcp.call("iam", "DELETE", `${ACCOUNTS}/${EMAIL}`)).json).toEqual({});
    expect((await create("demo-app")).json["uniqueId"]).not.toBe(first.json["uniqueId"]);
  });

  it("is changed in exactly the fields of the mask", async () => {
    await create("demo-app", { displayName: "Old", description: "old" });
    const patch = (updateMask: string): Promise<Answer> => gcp.call("iam", "PATCH", `${ACCOUNTS}/${EMAIL}`, { serviceAccount: { displayName: "New", description: "new" }, updateMask });
    expect((await patch("description")).json).toMatchObject({ displayName: "Old", description: "new" });
    for (const mask of ["", "email", "disabled"]) expect(refusalIn(await patch(mask)).status, mask).toBe("INVALID_ARGUMENT");
  });

  it("is not found when it never was, and forbidden when the project is not named", async () => {
    expect(refusalIn(await gcp.call("iam", "GET", `${ACCOUNTS}/nobody@kubeassume-sandbox.iam.gserviceaccount.com`)).status).toBe("NOT_FOUND");
    expect(refusalIn(await gcp.call("iam", "GET", "/v1/projects/-/serviceAccounts/nobody@kubeassume-sandbox.iam.gserviceaccount.com")).status).toBe("PERMISSION_DENIED");
    expect(refusalIn(await gcp.call("iam", "GET", "/v1/projects/other-project/serviceAccounts/nobody@other-project.iam.gserviceaccount.com")).status).toBe("PERMISSION_DENIED");
  });

  it("is listed in pages of twenty, up to the project's quota", async () => {
    for (let index = 10; index < 40; index++) await create(`demo-app-${index}`);
    expect(refusalIn(await create("one-too-many")).status).toBe("RESOURCE_EXHAUSTED");
    const first = await gcp.call("iam", "GET", ACCOUNTS);
    expect(first.json["accounts"]).toHaveLength(20);
    const last = await gcp.call("iam", "GET", `${ACCOUNTS}?pageToken=${String(first.json["nextPageToken"])}`);
    expect(last.json["accounts"]).toHaveLength(10);
  });

  it("can be disabled and enabled", async () => {
    await create("demo-app");
    await gcp.call("iam", "POST", `${ACCOUNTS}/${EMAIL}:disable`, {});
    expect((await gcp.call("iam", "GET", `${ACCOUNTS}/${EMAIL}`)).json).toMatchObject({ disabled: true });
    await gcp.call("iam", "POST", `${ACCOUNTS}/${EMAIL}:enable`, {});
    expect((await gcp.call("iam", "GET", `${ACCOUNTS}/${EMAIL}`)).json).not.toHaveProperty("disabled");
  });

  it("stays in policies as deleted when it is gone", async () => {
    const { json } = await create("demo-app");
    const project = "/v3/projects/kubeassume-sandbox";
    const bindings = [{ role: "roles/storage.admin", members: [`serviceAccount:${EMAIL}`] }];
    await gcp.call("cloudresourcemanager", "POST", `${project}:setIamPolicy`, { policy: { version: 1, bindings } });
    await gcp.call("iam", "DELETE", `${ACCOUNTS}/${EMAIL}`);
    const policy = await gcp.call("cloudresourcemanager", "POST", `${project}:getIamPolicy`, {});
    expect(policy.json["bindings"]).toEqual([{ role: "roles/storage.admin", members: [`deleted:serviceAccount:${EMAIL}?uid=${String(json["uniqueId"])}`] }]);
  });
});

itConforms(() => gcp);
