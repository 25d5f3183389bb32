import { beforeEach, describe, expect, it } from "vitest";
import { readPublished } from "../../../../../../src/federation/clouds/gcp/sandbox/storage/service.ts";
import { ask, type Asking, createStorageScene, itConforms, refusalOf, type StorageScene, WORKLOAD } from "./start.ts";

const scenes: StorageScene[] = [];
let scene: StorageScene;
beforeEach(() => {
  scene = createStorageScene();
  scenes.push(scene);
  scene.seed({ name: "acme-oidc", uniform: true });
});

const media = (name: string, body = "{}", more = "", asking: Asking = {}) =>
  ask(scene, `POST /upload/storage/v1/b/acme-oidc/o?uploadType=media&name=${encodeURIComponent(name)}${more}`, { body, headers: { "content-type": "application/json" }, ...asking });
const multipart = (resource: unknown, content: string, boundary = "b-1") =>
  ask(scene, "POST /upload/storage/v1/b/acme-oidc/o?uploadType=multipart", {
    headers: { "content-type": `multipart/related; boundary="${boundary}"` },
    body: [`--${boundary}`, "Content-Type: application/json; charset=UTF-8", "", JSON.stringify(resource), `--${boundary}`, "Content-Type: application/json", "", content, `--${boundary}--`, ""].join("\r\n"),
  });
const open = (role = "roles/storage.legacyObjectReader") => {
  const bucket = scene.state.buckets.get("acme-oidc") ?? expect.fail("no bucket");
  bucket.policy = { version: 1, bindings: [...bucket.policy.bindings, { role, members: ["allUsers"] }] };
};
const stranger = async (path: string) => ask(scene, `GET ${path}`, { token: null });

describe("objects of the stand-in for Cloud Storage", () => {
  it("are uploaded with what they are, to the byte", async () => {
    const content = '{\r\n "a": "é--b-2"\r\n}\r\n';
    const { status, json } = await multipart({ name: "prod/openid/v1/jwks", cacheControl: "public, max-age=60", metadata: { "kubeassume-issuer": "https://x" } }, content);
    expect(status).toBe(200);
    expect(json).toMatchObject({ kind: "storage#object", name: "prod/openid/v1/jwks", contentType: "application/json", cacheControl: "public, max-age=60", metageneration: "1", size: String(Buffer.byteLength(content)) });
    const path = "/storage/v1/b/acme-oidc/o/prod%2Fopenid%2Fv1%2Fjwks";
    expect((await ask(scene, `GET ${path}`)).json).toEqual(json);
    for (const line of [`GET ${path}?alt=media`, `GET /download${path}?alt=media`]) {
      const read = await ask(scene, line);
      expect([read.text, read.headers["x-goog-generation"], read.headers["content-type"]]).toEqual([content, json["generation"], "application/json"]);
    }
  });

  it("have Google's checksums, and refuse others", async () => {
    // The check value of CRC-32C (RFC 3720 B.4 has its bits; the number is the common one).
    expect((await media("x", "123456789")).json).toMatchObject({ crc32c: "4waSgw==", md5Hash: "JfnnlDI7RTiF9RgfG2JNCw==" });
    expect(refusalOf(await multipart({ name: "y", md5Hash: "AAAA" }, "1"))).toEqual([400, "invalid"]);
    expect(scene.state.buckets.get("acme-oidc")?.objects.has("y")).toBe(false);
  });

  it("are written only over the generation that is named", async () => {
    const first = await media("x", "1", "&ifGenerationMatch=0");
    expect(refusalOf(await media("x", "2", "&ifGenerationMatch=0"))).toEqual([412, "conditionNotMet"]);
    const second = await media("x", "2", `&ifGenerationMatch=${String(first.json["generation"])}`);
    expect(BigInt(String(second.json["generation"]))).toBeGreaterThan(BigInt(String(first.json["generation"])));
    expect(refusalOf(await media("x", "3", `&ifGenerationMatch=${String(first.json["generation"])}`))).toEqual([412, "conditionNotMet"]);
    expect(refusalOf(await media("new", "3", `&ifGenerationMatch=${String(first.json["generation"])}`))).toEqual([412, "conditionNotMet"]);
    expect(refusalOf(await media("x", "3", "&ifGenerationMatch=first"))).toEqual([400, "invalid"]);
  });

  it("take the right to delete when they are written over", async () => {
    await media("x");
    scene.denied.add("storage.objects.delete");
    expect((await media("y")).status).toBe(200);
    expect(refusalOf(await media("x"))).toEqual([403, "forbidden"]);
  });

  it("are read of one generation, and not again when it is known", async () => {
    const { generation } = (await media("x", "1")).json;
    const path = "/storage/v1/b/acme-oidc/o/x";
    expect((await ask(scene, `GET ${path}?ifGenerationNotMatch=${String(generation)}`)).status).toBe(304);
    expect((await ask(scene, `GET ${path}?generation=${String(generation)}`)).status).toBe(200);
    await media("x", "2");
    expect(refusalOf(await ask(scene, `GET ${path}?generation=${String(generation)}`))).toEqual([404, "notFound"]);
    expect(refusalOf(await ask(scene, `GET ${path}?ifGenerationMatch=${String(generation)}`))).toEqual([412, "conditionNotMet"]);
  });

  it("are patched and deleted", async () => {
    await media("x");
    const patched = await ask(scene, "PATCH /storage/v1/b/acme-oidc/o/x", { body: { metadata: { a: "1" }, cacheControl: "no-store" } });
    expect(patched.json).toMatchObject({ metageneration: "2", metadata: { a: "1" }, cacheControl: "no-store" });
    expect((await ask(scene, "DELETE /storage/v1/b/acme-oidc/o/x")).status).toBe(204);
    expect(refusalOf(await ask(scene, "DELETE /storage/v1/b/acme-oidc/o/x"))).toEqual([404, "notFound"]);
  });

  it("are listed by prefix, delimiter and glob, in pages", async () => {
    for (const name of ["a/.well-known/openid-configuration", "a/openid/v1/jwks", "b", ".well-known/openid-configuration"]) await media(name);
    const names = async (query: string) => ((await ask(scene, `GET /storage/v1/b/acme-oidc/o?${query}`)).json["items"] as { name: string }[] | undefined)?.map(({ name }) => name) ?? [];
    expect(await names("prefix=a/")).toEqual(["a/.well-known/openid-configuration", "a/openid/v1/jwks"]);
    expect(await names("delimiter=/")).toEqual(["b"]);
    expect(await names(`matchGlob=${encodeURIComponent("**.well-known/openid-configuration")}`)).toEqual([".well-known/openid-configuration", "a/.well-known/openid-configuration"]);
    const first = (await ask(scene, "GET /storage/v1/b/acme-oidc/o?maxResults=3")).json;
    expect(await names(`maxResults=3&pageToken=${String(first["nextPageToken"])}`)).toEqual(["b"]);
  });

  it("refuse metadata that could not be served as a header", async () => {
    expect(refusalOf(await multipart({ name: "x", metadata: { "kubeassume.dev/issuer": "x" } }, "1"))).toEqual([400, "invalid"]);
  });

  it("are not uploaded without a name, a second part or a form that is known", async () => {
    expect(refusalOf(await multipart({}, "1"))).toEqual([400, "required"]);
    expect(refusalOf(await ask(scene, "POST /upload/storage/v1/b/acme-oidc/o?uploadType=multipart&name=x", { body: "1", headers: { "content-type": "multipart/related; boundary=x" } }))).toEqual([400, "badContent"]);
    expect(refusalOf(await ask(scene, "POST /upload/storage/v1/b/gone/o?uploadType=media&name=x", { body: "1" }))).toEqual([404, "notFound"]);
  });
});

describe("what strangers read", () => {
  it("is nothing without a role for them, and no list with the one that reads", async () => {
    await media("prod/x");
    expect((await stranger("/acme-oidc/prod/x")).status).toBe(403);
    open();
    const read = await stranger("/acme-oidc/prod/x");
    expect([read.status, read.text]).toEqual([200, "{}"]);
    expect(refusalOf(await stranger("/storage/v1/b/acme-oidc/o"))).toEqual([401, "required"]);
    // Who may not list is not told whether an object exists.
    expect((await stranger("/acme-oidc/prod/y")).status).toBe(403);
    open("roles/storage.objectViewer");
    expect((await stranger("/acme-oidc/prod/y")).status).toBe(404);
    expect((await stranger("/storage/v1/b/acme-oidc/o")).status).toBe(200);
    expect((await stranger("/gone/prod/y")).status).toBe(404);
  });

  it("ends when public access is prevented, whatever the policy says", async () => {
    await media("x");
    open();
    scene.state.publicAccessPrevented = true;
    expect((await stranger("/acme-oidc/x")).status).toBe(403);
    expect((await ask(scene, "GET /acme-oidc/x")).status).toBe(200);
    expect((await ask(scene, "GET /acme-oidc/x", { token: WORKLOAD })).status).toBe(403);
  });

  it("is for everybody with credentials only where the policy says so and the caller is one of them", async () => {
    await media("x");
    const bucket = scene.state.buckets.get("acme-oidc") ?? expect.fail("no bucket");
    bucket.policy = { version: 1, bindings: [{ role: "roles/storage.objectViewer", members: ["allAuthenticatedUsers"] }] };
    // Federated identities are none of allAuthenticatedUsers.
    for (const token of [null, WORKLOAD]) expect((await ask(scene, "GET /acme-oidc/x", { token })).status).toBe(403);
  });

  it("ends when the condition of a binding says that its time is over", async () => {
    await media("x");
    const bucket = scene.state.buckets.get("acme-oidc") ?? expect.fail("no bucket");
    const until = (year: number) => ({ version: 3, bindings: [{ role: "roles/storage.objectViewer", members: ["allUsers"], condition: { expression: `request.time < timestamp('${year}-01-01T00:00:00Z')` } }] });
    bucket.policy = until(2999);
    expect((await ask(scene, "GET /acme-oidc/x", { token: WORKLOAD })).status).toBe(200);
    bucket.policy = until(2001);
    expect((await ask(scene, "GET /acme-oidc/x", { token: WORKLOAD })).status).toBe(403);
  });

  it("is kept for an hour by caches unless the writer said otherwise", async () => {
    open();
    await media("hour");
    await multipart({ name: "minute", cacheControl: "public, max-age=60", metadata: { "kubeassume-managed-by": "kubeassume" } }, "{}");
    expect((await stranger("/acme-oidc/hour")).headers["cache-control"]).toBe("public, max-age=3600");
    expect((await stranger("/acme-oidc/minute")).headers).toMatchObject({ "cache-control": "public, max-age=60", "content-type": "application/json", "x-goog-meta-kubeassume-managed-by": "kubeassume" });
  });

  it("is what the sandbox's front passes on", async () => {
    open();
    await media("x", "{}");
    expect(readPublished("acme-oidc", "x", scene.world)).toMatchObject({ status: 200, body: Buffer.from("{}") });
    expect(readPublished("acme-oidc", "y", scene.world)?.status).toBe(403);
    expect(readPublished("gone", "x", scene.world)).toBeNull();
  });
});

itConforms(() => scenes);
