import { createPublicKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyIdOf } from "../../src/federation/oidc/pem.ts";
import { cannotRun } from "./support/cache.ts";
import { type FakeGcsServer, startFakeGcsServer } from "./support/fake-gcs-server.ts";
import { actionsOf, runDone, runJson, type StepsData } from "./support/front-door.ts";
import { call } from "./support/http.ts";
import { startIssuer, type TestIssuer } from "./support/issuer.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { makeTemporaryFolder, type TemporaryFolder } from "./support/temporary.ts";

const BUCKET = "acme-oidc";
const DISCOVERY = "prod/.well-known/openid-configuration";
const JWKS = "prod/openid/v1/jwks";

interface PublishData extends StepsData {
  readonly keys: readonly { readonly kid: string; readonly status: string }[];
}

/**
 * fake-gcs-server is real about objects: generations, conditions under one lock, metadata, headers, anonymous reads. It
 * has no policies and no access settings, labels no bucket, ignores the project and asks for no credentials; what is
 * refused there is held to our stand-in (test/federation/clouds/gcp). Its words for a bucket that is not empty are 412.
 */
describe.skipIf(await cannotRun("fake-gcs-server"))("publish gcs, kept by fake-gcs-server", () => {
  const running = stoppedAfterAll();
  let server: FakeGcsServer;
  let issuer: TestIssuer;
  let folder: TemporaryFolder;
  let env: Readonly<Record<string, string>>;
  const keys = Array.from({ length: 17 }, () => createServiceAccountKey("ec").publicKeyPem);
  const kids = keys.map((pem) => keyIdOf(createPublicKey(pem)));
  const [first = ""] = kids;

  const args = (key: number, ...more: readonly string[]) => ["publish", "gcs", "--project", "acme-prod", "--bucket", BUCKET, "--issuer-url", issuer.url, "--public-key-file", join(folder.directory, `${key}.pem`), ...more];
  const stranger = (name: string) => call(`${server.url}/${BUCKET}/${name}`);
  const servedKids = async () => (await stranger(JWKS)).json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid);

  /** Who loses the race five times in a row is told to run the same command again. */
  const publishAtLast = async (key: number, tries = 5): Promise<void> => {
    const { exit, document } = await runJson("PublishResult", args(key), { env });
    if (exit === 0) return;
    expect({ code: document.error?.code, tries: tries > 1 }).toEqual({ code: "PUBLISH_CONFLICT", tries: true });
    await publishAtLast(key, tries - 1);
  };

  beforeAll(async () => {
    [server, folder] = await Promise.all([running(startFakeGcsServer()), makeTemporaryFolder("gcs")]);
    issuer = await running(startIssuer({ upstream: `${server.url}/${BUCKET}`, path: "/prod" }));
    env = { ...server.env, KUBEASSUME_CA_FILE: issuer.caFile };
    await Promise.all(keys.map((pem, index) => writeFile(join(folder.directory, `${index}.pem`), pem)));
  });
  afterAll(() => folder.remove());

  it("refuses a bucket that does not exist unless it is told to make it", async () => {
    const { exit, document } = await runJson("PublishResult", args(0), { env });
    expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code: "GCS_BUCKET_MISSING" });
  });

  it("makes the bucket and writes both documents, which strangers read with their headers", async () => {
    const data = await runDone<PublishData>("PublishResult", args(0, "--create-bucket"), { env });
    expect(data.keys).toEqual([{ kid: first, status: "added" }]);
    const discovery = await stranger(DISCOVERY);
    expect(discovery.json()).toMatchObject({ issuer: issuer.url, jwks_uri: `${issuer.url}/openid/v1/jwks` });
    for (const { headers } of [discovery, await stranger(JWKS)]) {
      expect(headers).toMatchObject({ "content-type": "application/json", "cache-control": "public, max-age=60", "x-goog-meta-kubeassume-managed-by": "kubeassume", "x-goog-meta-kubeassume-issuer": issuer.url });
    }
  });

  it("changes nothing the second time, and says which settings the server does not have", async () => {
    const before = (await stranger(JWKS)).headers["x-goog-generation"];
    const { exit, data, document } = await runJson<PublishData>("PublishResult", args(0), { env });
    expect(exit).toBe(0);
    expect(new Set(Object.values(actionsOf(data)))).toEqual(new Set(["none"]));
    expect(document.warnings.filter(({ code }) => code === "GCS_SETTING_UNSUPPORTED").map(({ details }) => details["setting"])).toEqual(["uniform-access", "public-access", "policy"]);
    expect((await stranger(JWKS)).headers["x-goog-generation"]).toBe(before);
  });

  it("loses no key when sixteen publish at the same time", { timeout: 120_000 }, async () => {
    await Promise.all(kids.slice(1).map((_, index) => publishAtLast(index + 1)));
    expect([...(await servedKids())].sort()).toEqual([...kids].sort());
    expect((await stranger(DISCOVERY)).json()).toMatchObject({ issuer: issuer.url, id_token_signing_alg_values_supported: ["ES256"] });
  });

  it("removes the keys that sign no more when it is told to", async () => {
    const data = await runDone<PublishData>("PublishResult", args(0, "--prune-keys"), { env });
    expect(data.keys.filter(({ status }) => status === "removed")).toHaveLength(16);
    expect(await servedKids()).toEqual([first]);
  });

  it("goes on from a document that somebody else wrote over, and refuses what is none of this issuer's", async () => {
    const put = (name: string, text: string) => call(`${server.url}/upload/storage/v1/b/${BUCKET}/o?uploadType=media&name=${encodeURIComponent(name)}`, { method: "POST", text });
    await put(JWKS, "");
    await runDone("PublishResult", args(0), { env });
    expect(await servedKids()).toEqual([first]);
    await put(DISCOVERY, JSON.stringify({ issuer: "https://elsewhere.example.com" }));
    const { exit, document } = await runJson("PublishResult", args(0), { env });
    expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code: "PUBLISHED_DOCUMENT_FOREIGN" });
  });
});
