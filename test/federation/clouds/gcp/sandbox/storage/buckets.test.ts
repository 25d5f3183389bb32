import { beforeEach, describe, expect, it } from "vitest";
import { ask, createStorageScene, itConforms, NUMBER, PROJECT, refusalOf, type StorageScene, WORKLOAD } from "./start.ts";

const scenes: StorageScene[] = [];
let scene: StorageScene;
beforeEach(() => {
  scene = createStorageScene();
  scenes.push(scene);
});

const make = (body: Readonly<Record<string, unknown>>, query = `project=${PROJECT}`) => ask(scene, `POST /storage/v1/b?${query}`, { body });
const UNIFORM = { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } };
const PREVENTED = { iamConfiguration: { publicAccessPrevention: "enforced" } };
const READERS = { role: "roles/storage.legacyObjectReader", members: ["allUsers"] };

describe("buckets of the stand-in for Cloud Storage", () => {
  it("are made with location, labels and access as asked, and Google's own basic policy", async () => {
    const { status, json } = await make({ name: "acme-oidc", location: "europe-west1", labels: { team: "a" }, ...UNIFORM });
    expect(status).toBe(200);
    expect(json).toMatchObject({ kind: "storage#bucket", name: "acme-oidc", projectNumber: NUMBER, location: "EUROPE-WEST1", labels: { team: "a" }, metageneration: "1", etag: "CAE=" });
    expect(json["iamConfiguration"]).toMatchObject({ uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "inherited" });
    const policy = (await ask(scene, "GET /storage/v1/b/acme-oidc/iam")).json;
    expect(policy).toMatchObject({ kind: "storage#policy", version: 1, etag: "CAE=", resourceId: "projects/_/buckets/acme-oidc" });
    expect((policy["bindings"] as { role: string }[]).map(({ role }) => role)).toEqual(["BucketOwner", "BucketReader", "ObjectOwner", "ObjectReader"].map((kind) => `roles/storage.legacy${kind}`));
  });

  it.each([
    ["a name that Google refuses", { name: "Acme" }, [400, "invalid"]],
    ["google in the name", { name: "my-google-bucket" }, [400, "invalid"]],
    ["a location that is none", { name: "acme-oidc", location: "moon" }, [400, "invalid"]],
    ["a label with a URL", { name: "acme-oidc", labels: { issuer: "https://oidc" } }, [400, "invalid"]],
  ])("are not made with %s", async (_, body, refusal) => {
    expect(refusalOf(await make(body))).toEqual(refusal);
    expect(scene.state.buckets.size).toBe(0);
  });

  it("need a project, and this one", async () => {
    expect(refusalOf(await make({ name: "acme-oidc" }, ""))).toEqual([400, "required"]);
    expect(refusalOf(await make({ name: "acme-oidc" }, "project=other-project"))).toEqual([403, "forbidden"]);
  });

  it("have names that are taken once, by whomever", async () => {
    await make({ name: "acme-oidc" });
    scene.seed({ name: "theirs", projectNumber: "999" });
    expect(refusalOf(await make({ name: "acme-oidc" }))).toEqual([409, "conflict"]);
    expect(refusalOf(await make({ name: "theirs" }))).toEqual([409, "conflict"]);
  });

  it("of another project are forbidden to the operator, and not listed", async () => {
    scene.seed({ name: "theirs", projectNumber: "999" });
    for (const line of ["GET /storage/v1/b/theirs", "GET /storage/v1/b/theirs/iam", "GET /storage/v1/b/theirs/o", "DELETE /storage/v1/b/theirs"]) {
      expect(refusalOf(await ask(scene, line))).toEqual([403, "forbidden"]);
    }
    expect((await ask(scene, `GET /storage/v1/b?project=${PROJECT}`)).json).toEqual({ kind: "storage#buckets" });
  });

  it("are listed by project and prefix, in pages", async () => {
    for (const name of ["b-2", "a-1", "b-1"]) scene.seed({ name });
    const first = (await ask(scene, `GET /storage/v1/b?project=${PROJECT}&prefix=b&maxResults=1`)).json;
    const second = (await ask(scene, `GET /storage/v1/b?project=${PROJECT}&prefix=b&maxResults=1&pageToken=${String(first["nextPageToken"])}`)).json;
    expect([first, second]).toMatchObject([{ items: [{ name: "b-1" }] }, { items: [{ name: "b-2" }] }]);
    expect(second["nextPageToken"]).toBeUndefined();
    expect(refusalOf(await ask(scene, "GET /storage/v1/b"))).toEqual([400, "required"]);
  });

  it("are patched member by member; null takes a label away", async () => {
    await make({ name: "acme-oidc", labels: { a: "1", b: "2" }, ...UNIFORM });
    const { json } = await ask(scene, "PATCH /storage/v1/b/acme-oidc", { body: { labels: { a: null, c: "3" }, ...PREVENTED } });
    expect(json).toMatchObject({ labels: { b: "2", c: "3" }, metageneration: "2", iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" } });
    expect(refusalOf(await ask(scene, "PATCH /storage/v1/b/acme-oidc?ifMetagenerationMatch=1", { body: {} }))).toEqual([412, "conditionNotMet"]);
  });

  it("go only when they are empty", async () => {
    await make({ name: "acme-oidc" });
    await ask(scene, "POST /upload/storage/v1/b/acme-oidc/o?uploadType=media&name=x", { body: "1", headers: { "content-type": "text/plain" } });
    expect(refusalOf(await ask(scene, "DELETE /storage/v1/b/acme-oidc"))).toEqual([409, "conflict"]);
    await ask(scene, "DELETE /storage/v1/b/acme-oidc/o/x");
    expect((await ask(scene, "DELETE /storage/v1/b/acme-oidc")).status).toBe(204);
    expect(refusalOf(await ask(scene, "GET /storage/v1/b/acme-oidc"))).toEqual([404, "notFound"]);
  });

  it("tell a stranger nothing, and say which permission a caller lacks", async () => {
    await make({ name: "acme-oidc" });
    expect(refusalOf(await ask(scene, "GET /storage/v1/b/acme-oidc", { token: null }))).toEqual([401, "required"]);
    expect(refusalOf(await ask(scene, "GET /storage/v1/b/acme-oidc", { token: "expired" }))).toEqual([401, "authError"]);
    scene.denied.add("storage.buckets.get");
    const refused = await ask(scene, "GET /storage/v1/b/acme-oidc");
    expect([refusalOf(refused), refused.text]).toEqual([[403, "forbidden"], expect.stringContaining("storage.buckets.get")]);
  });

  it("have a layout and no managed folders, which gcloud asks for", async () => {
    scene.seed({ name: "acme-oidc", location: "EU" });
    expect((await ask(scene, "GET /storage/v1/b/acme-oidc/storageLayout")).json).toMatchObject({ bucket: "acme-oidc", location: "EU", locationType: "multi-region" });
    expect((await ask(scene, "GET /storage/v1/b/acme-oidc/managedFolders?pageSize=1000")).json["items"]).toEqual([]);
  });

  it("have no access control lists under uniform access", async () => {
    await make({ name: "acme-oidc", ...UNIFORM });
    expect(refusalOf(await ask(scene, "GET /storage/v1/b/acme-oidc/acl"))).toEqual([400, "invalid"]);
    expect(refusalOf(await ask(scene, "POST /upload/storage/v1/b/acme-oidc/o?uploadType=media&name=x&predefinedAcl=publicRead", { body: "1" }))).toEqual([400, "invalid"]);
  });
});

describe("policies of the stand-in for Cloud Storage", () => {
  const read = async (version = 3) => (await ask(scene, `GET /storage/v1/b/acme-oidc/iam?optionsRequestedPolicyVersion=${version}`)).json as { etag: string; bindings: readonly unknown[] };
  const write = (body: unknown) => ask(scene, "PUT /storage/v1/b/acme-oidc/iam", { body });
  beforeEach(async () => void (await make({ name: "acme-oidc", ...UNIFORM })));

  it("are written over what was read, and over nothing else", async () => {
    const policy = await read();
    expect((await write({ ...policy, bindings: [...policy.bindings, READERS] })).status).toBe(200);
    expect(refusalOf(await write(policy))).toEqual([412, "conditionNotMet"]);
    expect((await write({ bindings: policy.bindings })).status).toBe(200);
  });

  it("let in those that their bindings name, beside the project's own", async () => {
    const one = async (token: string | null) => (await ask(scene, "GET /storage/v1/b/acme-oidc", { token })).status;
    expect(await one(WORKLOAD)).toBe(403);
    const member = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/system:serviceaccount:a:b";
    await write({ ...(await read()), bindings: [{ role: "roles/storage.legacyBucketReader", members: [member] }] });
    expect(await one(WORKLOAD)).toBe(200);
    const tested = await ask(scene, "GET /storage/v1/b/acme-oidc/iam/testPermissions?permissions=storage.buckets.get&permissions=storage.objects.get", { token: WORKLOAD });
    expect(tested.json["permissions"]).toEqual(["storage.buckets.get"]);
  });

  it("refuse the public while that is prevented, with the reason of a lost race", async () => {
    for (const prevent of [() => ask(scene, "PATCH /storage/v1/b/acme-oidc", { body: PREVENTED }), () => (scene.state.publicAccessPrevented = true)]) {
      await prevent();
      const policy = await read();
      expect(refusalOf(await write({ ...policy, bindings: [...policy.bindings, READERS] }))).toEqual([412, "conditionNotMet"]);
      expect((await read()).etag).toBe(policy.etag);
      await ask(scene, "PATCH /storage/v1/b/acme-oidc", { body: { iamConfiguration: { publicAccessPrevention: "inherited" } } });
    }
    scene.state.publicAccessPrevented = false;
    expect((await write({ ...(await read()), bindings: [READERS] })).status).toBe(200);
  });

  it.each([
    ["a role of another service", { bindings: [{ role: "roles/pubsub.viewer", members: ["allUsers"] }] }],
    ["a member that is none", { bindings: [{ role: READERS.role, members: ["everybody"] }] }],
    ["a condition for the public", { version: 3, bindings: [{ ...READERS, condition: { expression: "true" } }] }],
    ["a condition in version 1", { version: 1, bindings: [{ role: READERS.role, members: ["user:a@b.c"], condition: { expression: "true" } }] }],
  ])("refuse %s", async (_, body) => {
    expect(refusalOf(await write(body))).toEqual([400, "invalid"]);
  });

  it("with conditions are read as version 3 or not at all", async () => {
    const conditional = { role: READERS.role, members: ["user:a@b.c"], condition: { title: "t", expression: "true" } };
    await write({ version: 3, bindings: [conditional] });
    expect(await read()).toMatchObject({ version: 3, bindings: [conditional] });
    expect(refusalOf(await ask(scene, "GET /storage/v1/b/acme-oidc/iam"))).toEqual([400, "invalid"]);
  });
});

itConforms(() => scenes);
