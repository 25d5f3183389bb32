import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { gcsStore } from "../../src/federation/clouds/gcp/gcs/store.ts";
import { createHttp } from "../../src/federation/http/create-http.ts";
import { type RunningServer, serve } from "../../src/federation/sandbox/http-core.ts";
import { createTraffic } from "../../src/federation/sandbox/traffic.ts";
import { createStorageScene, OPERATOR, PROJECT, type StorageScene } from "../federation/clouds/gcp/sandbox/storage/start.ts";
import { call } from "./support/http.ts";
import { runCommand } from "./support/command.ts";
import { describeGcloud } from "./support/gcp-gcloud.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { makeTemporaryFolder, type TemporaryFolder } from "./support/temporary.ts";

const NAME = "prod/openid/v1/jwks";

/** Google's own client takes our stand-in for Cloud Storage: what it makes is what we read, and what we write it reads. */
describeGcloud("the real gcloud storage, on the stand-in for Cloud Storage", () => {
  const running = stoppedAfterAll();
  let scene: StorageScene;
  let server: RunningServer;
  let folder: TemporaryFolder;
  let env: Readonly<Record<string, string>>;

  const run = (...args: readonly string[]) => runCommand("gcloud", ["storage", ...args], { env });
  const done = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  const stranger = async () => call(`${server.url}/acme-oidc/${NAME}`);
  const connect = () => {
    const http = createHttp({ caPem: [], env: {}, timeoutMs: 10_000 });
    const world = { env, http, caPem: [], now: () => new Date(), signal: new AbortController().signal, timeoutMs: 10_000, notify: () => undefined };
    const flags = { project: PROJECT, bucket: "acme-oidc", issuerUrl: "https://oidc.example.com/prod" };
    return gcsStore.connect(world, gcsStore.toSpec({ flags, entry: {}, config: null, cwd: "/", env }));
  };

  beforeAll(async () => {
    scene = createStorageScene();
    folder = await makeTemporaryFolder("gcs-gcloud");
    server = await serve({ service: "gcp.storage", traffic: createTraffic(), handler: scene.handler });
    await running(Promise.resolve({ stop: async () => void (await Promise.all([server.close(), folder.remove()])) }));
    await Promise.all([writeFile(join(folder.directory, "token"), OPERATOR), writeFile(join(folder.directory, "jwks.json"), '{"keys":[]}')]);
    env = {
      CLOUDSDK_CONFIG: join(folder.directory, "gcloud"),
      CLOUDSDK_CORE_PROJECT: PROJECT,
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(folder.directory, "token"),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${server.url}/storage/v1/`,
    };
  });

  it("makes, lists and describes a bucket", async () => {
    await done("buckets", "create", "gs://acme-oidc", "--location=europe-west1", "--uniform-bucket-level-access", "--no-public-access-prevention");
    expect((await done("buckets", "list", "--format=value(name)")).trim()).toBe("acme-oidc");
    expect(JSON.parse(await done("buckets", "describe", "gs://acme-oidc", "--format=json"))).toMatchObject({ location: "EUROPE-WEST1", uniform_bucket_level_access: true, public_access_prevention: "inherited" });
  });

  it("uploads an object that kubeassume reads, and reads what kubeassume writes over it", async () => {
    await done("cp", join(folder.directory, "jwks.json"), `gs://acme-oidc/${NAME}`, "--cache-control=no-store");
    const store = await connect();
    const found = (await store.readDocument(NAME)) ?? expect.fail("nothing was uploaded");
    expect(found).toMatchObject({ body: '{"keys":[]}', contentType: "application/json", cacheControl: "no-store", marked: false });
    const write = { name: NAME, body: '{"keys":["é"]}\n', contentType: "application/json", cacheControl: "public, max-age=60", replaces: found.version };
    expect(await store.writeDocument(write)).toBe("written");
    expect(await store.writeDocument(write)).toBe("conflict");
    expect(await done("cat", `gs://acme-oidc/${NAME}`)).toBe(write.body);
    expect(JSON.parse(await done("objects", "describe", `gs://acme-oidc/${NAME}`, "--format=json"))).toMatchObject({ cache_control: "public, max-age=60", custom_fields: { "kubeassume-managed-by": "kubeassume", "kubeassume-issuer": "https://oidc.example.com/prod" } });
  });

  it("lets strangers read and not list, which kubeassume then finds done", async () => {
    await done("buckets", "add-iam-policy-binding", "gs://acme-oidc", "--member=allUsers", "--role=roles/storage.legacyObjectReader");
    expect(await stranger()).toMatchObject({ status: 200, headers: { "cache-control": "public, max-age=60" } });
    expect((await call(`${server.url}/storage/v1/b/acme-oidc/o`)).status).toBe(401);
    const { place } = await (await connect()).observe();
    expect(place.find(({ id }) => id === "gcs.policy/acme-oidc")?.fields).toMatchObject({ "roles/storage.legacyObjectReader": ["allUsers"], others: 0 });
  });

  it("is told that public access is prevented with the 412 that a lost race has too", async () => {
    await done("buckets", "update", "gs://acme-oidc", "--public-access-prevention");
    expect((await stranger()).status).toBe(403);
    const { code, stderr } = await run("buckets", "add-iam-policy-binding", "gs://acme-oidc", "--member=allUsers", "--role=roles/storage.objectViewer");
    expect([code, stderr]).toEqual([1, expect.stringContaining("412")]);
  });

  it("removes the bucket with everything in it", async () => {
    await done("rm", "--recursive", "gs://acme-oidc");
    expect(scene.state.buckets.size).toBe(0);
  });
});
