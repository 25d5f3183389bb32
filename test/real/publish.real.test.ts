import { DeleteObjectCommand, GetBucketOwnershipControlsCommand, GetBucketPolicyCommand, GetBucketTaggingCommand, GetPublicAccessBlockCommand, PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { createPublicKey } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { keyIdOf } from "../../src/federation/oidc/pem.ts";
import { toAwsClients } from "./support/aws-clients.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import { actionsOf, runDone, runJson } from "./support/front-door.ts";
import type { StepsData } from "./support/front-door.ts";
import { call } from "./support/http.ts";
import { startIssuer } from "./support/issuer.ts";
import type { TestIssuer } from "./support/issuer.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startMoto } from "./support/moto.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import type { ServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { startVersityGw } from "./support/versitygw.ts";

const BUCKET = "acme-oidc";

interface PublishData extends StepsData {
  readonly keys: readonly { readonly kid: string; readonly status: string }[];
}

/** In the middle of a rotation: the old API server knows its key alone, the new one a new key alone. */
describe.skipIf(await cannotRun("etcd", "kube-apiserver", "moto", "versitygw"))("publish, with the keys of a real cluster", () => {
  const running = stoppedAfterAll();
  const keys = { old: createServiceAccountKey("rsa"), new: createServiceAccountKey("rsa") };
  const [oldKid, newKid] = [kidOf(keys.old), kidOf(keys.new)];
  let oldServer: KubeApiserver;
  let newServer: KubeApiserver;

  const statuses = ({ keys: changes }: PublishData): unknown => Object.fromEntries(changes.map(({ kid, status }) => [kid, status]));
  const servedKids = async (issuer: TestIssuer): Promise<readonly string[]> => {
    const answer = await call(`${issuer.url}/openid/v1/jwks`, { caPem: issuer.caPem });
    return answer.json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid);
  };

  beforeAll(async () => {
    const etcd = await running(startEtcd());
    // Addresses of loopback are refused in EndpointSlices, so both listen on all of them.
    const common = { etcd, issuers: ["https://oidc.example.com/prod"], extraFlags: ["--bind-address=0.0.0.0"] };
    oldServer = await running(startKubeApiserver({ ...common, keys: [keys.old] }));
    newServer = await running(startKubeApiserver({ ...common, keys: [keys.new], joins: oldServer }));
  });

  /** The store first, on the way of the new API server alone. */
  describe.each([
    ["moto", async () => {
      const moto = await running(startMoto());
      return { url: moto.url, env: moto.env, s3: toAwsClients({ endpoint: moto.url }).s3 };
    }],
    ["versitygw", async () => {
      // versitygw has no STS; moto's says whose account it is.
      const [gateway, moto] = await Promise.all([running(startVersityGw()), running(startMoto())]);
      const { url, region, credentials, env } = gateway;
      return { url, env: { ...env, AWS_ENDPOINT_URL_STS: moto.url }, s3: toAwsClients({ endpoint: url, region, credentials }).s3 };
    }],
  ])("s3, kept by %s", (store, start) => {
    let issuer: TestIssuer;
    let s3: S3Client;
    let url: string;
    let env: Readonly<Record<string, string>>;
    const args = (...more: readonly string[]) => ["publish", "s3", "--bucket", BUCKET, "--issuer-url", issuer.url, ...more];

    beforeAll(async () => {
      const place = await start();
      ({ s3, url } = place);
      issuer = await running(startIssuer({ upstream: `${url}/${BUCKET}`, path: "/prod" }));
      env = { ...place.env, KUBECONFIG: newServer.kubeconfigFile, KUBEASSUME_CA_FILE: issuer.caFile };
    });

    it("refuses a bucket that does not exist unless it is told to make it", async () => {
      const { exit, document } = await runJson("PublishResult", args(), { env });
      expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code: "BUCKET_MISSING" });
    });

    it("makes bucket, settings, policy and documents, and reads them back through the gateway", async () => {
      const data = await runDone<PublishData>("PublishResult", args("--create-bucket"), { env });
      expect(statuses(data)).toEqual({ [newKid]: "added" });
      expect(await servedKids(issuer)).toEqual([newKid]);
      const discovery = await call(`${issuer.url}/.well-known/openid-configuration`, { caPem: issuer.caPem });
      expect(discovery.json()).toMatchObject({ issuer: issuer.url, jwks_uri: `${issuer.url}/openid/v1/jwks` });
      expect(discovery.headers).toMatchObject({ "content-type": "application/json", "cache-control": "public, max-age=60" });
    });

    it("sets ownership and marks the bucket", async () => {
      const ownership = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket: BUCKET }));
      expect(ownership.OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
      const tags = await s3.send(new GetBucketTaggingCommand({ Bucket: BUCKET }));
      expect(tags.TagSet).toEqual(expect.arrayContaining([{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }, { Key: "kubeassume.dev/issuer", Value: issuer.url }]));
    });

    // versitygw knows no such block.
    if (store === "moto") it("lifts exactly the two blocks that hide policies", async () => {
      const block = await s3.send(new GetPublicAccessBlockCommand({ Bucket: BUCKET }));
      expect(block.PublicAccessBlockConfiguration).toEqual({ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false });
    });

    it("changes nothing the second time", async () => {
      const data = await runDone<PublishData>("PublishResult", args("--create-bucket"), { env });
      expect(new Set(Object.values(actionsOf(data)))).toEqual(new Set(["none"]));
      expect(statuses(data)).toEqual({ [newKid]: "kept" });
    });

    it("keeps the key of the API server that signed before, until it is told to prune", async () => {
      const withOld = { ...env, KUBECONFIG: oldServer.kubeconfigFile };
      expect(statuses(await runDone<PublishData>("PublishResult", args(), { env: withOld }))).toEqual({ [newKid]: "kept", [oldKid]: "added" });
      expect(statuses(await runDone<PublishData>("PublishResult", args(), { env }))).toEqual({ [newKid]: "kept", [oldKid]: "kept" });
      expect(statuses(await runDone<PublishData>("PublishResult", args("--prune-keys"), { env }))).toEqual({ [newKid]: "kept", [oldKid]: "removed" });
      expect(await servedKids(issuer)).toEqual([newKid]);
    });

    it("shares the bucket with another cluster, whose statement and documents stay", async () => {
      const other = await running(startIssuer({ upstream: `${url}/${BUCKET}`, path: "/stage" }));
      const stage = { ...env, KUBECONFIG: oldServer.kubeconfigFile, KUBEASSUME_CA_FILE: other.caFile };
      await runDone("PublishResult", ["publish", "s3", "--bucket", BUCKET, "--issuer-url", other.url], { env: stage });
      expect([await servedKids(issuer), await servedKids(other)]).toEqual([[newKid], [oldKid]]);
      const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
      expect(JSON.parse(Policy ?? "{}")).toMatchObject({ Statement: [{ Resource: toArns("prod") }, { Resource: toArns("stage") }] });
      const again = await runDone("PublishResult", args(), { env });
      expect(new Set(Object.values(actionsOf(again)))).toEqual(new Set(["none"]));
    });

    it("repairs what somebody took away: the policy, and a document", async () => {
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Sid: "Team", Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/team/*` }] });
      await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
      await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "prod/.well-known/openid-configuration" }));
      const actions = Object.values(actionsOf(await runDone("PublishResult", args(), { env })));
      expect(actions.filter((action) => action !== "none")).toHaveLength(2);
      expect(await servedKids(issuer)).toEqual([newKid]);
      const written = JSON.parse((await s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }))).Policy ?? "{}") as { Statement: unknown[] };
      expect(written.Statement).toMatchObject([{ Sid: "Team" }, { Resource: toArns("prod") }]);
    });

    // moto's judgement of strangers is not AWS's (moto.real.test.ts); versitygw's is.
    if (store === "versitygw") it("lets strangers read the two documents and nothing else", async () => {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "prod/openid/v1/private.json", Body: "{}" }));
      const stranger = async (method: string, key: string): Promise<number> => (await call(`${url}/${BUCKET}/${key}`, { method })).status;
      for (const key of ["prod/.well-known/openid-configuration", "prod/openid/v1/jwks"]) expect(await stranger("GET", key)).toBe(200);
      expect(await stranger("GET", "prod/openid/v1/private.json")).toBe(403);
      expect(await stranger("GET", "")).toBe(403);
    });
  });

  /** Last, since it ends the old API server. */
  describe("dir, on the way of every API server of the kubernetes service", () => {
    let issuer: TestIssuer;
    const publish = (cluster: KubeApiserver, ...more: readonly string[]) => {
      const args = ["publish", "dir", "--path", join(issuer.directory, "prod"), "--issuer-url", issuer.url, ...more];
      return runJson<PublishData>("PublishResult", args, { env: { KUBECONFIG: cluster.kubeconfigFile, KUBEASSUME_CA_FILE: issuer.caFile } });
    };

    beforeAll(async () => {
      issuer = await running(startIssuer({ path: "/prod" }));
      for (const [name, server] of [["old", oldServer], ["new", newServer]] as const) await announce(newServer, name, server);
    });

    it("publishes the union of their keys, whichever of them the kubeconfig names", async () => {
      const { exit, document, data } = await publish(oldServer);
      expect({ exit, warnings: codesOf(document) }).toEqual({ exit: 0, warnings: ["ISSUER_PORT"] });
      expect(statuses(data)).toEqual({ [oldKid]: "added", [newKid]: "added" });
      expect([...(await servedKids(issuer))].sort()).toEqual([oldKid, newKid].sort());
    });

    it("writes no file the second time", async () => {
      const files = ["prod/openid/v1/jwks", "prod/.well-known/openid-configuration"].map((name) => join(issuer.directory, name));
      const read = () => Promise.all(files.map(async (file) => ({ text: await readFile(file, "utf8"), inode: (await stat(file)).ino })));
      const before = await read();
      const { data } = await publish(newServer);
      expect(new Set(Object.values(actionsOf(data)))).toEqual(new Set(["none"]));
      expect(await read()).toEqual(before);
    });

    it("keeps every key and refuses to prune while one of them does not answer", async () => {
      await oldServer.stop();
      const { exit, document, data } = await publish(newServer);
      expect({ exit, warnings: codesOf(document) }).toEqual({ exit: 0, warnings: ["ISSUER_PORT", "CLUSTER_ONE_SERVER_SEEN"] });
      expect(statuses(data)).toEqual({ [oldKid]: "kept", [newKid]: "kept" });
      const pruning = await publish(newServer, "--prune-keys");
      expect({ exit: pruning.exit, code: pruning.document.error?.code }).toEqual({ exit: 4, code: "PRUNE_UNSAFE" });
      expect(await servedKids(issuer)).toHaveLength(2);
    });

    it("removes the old key, by its id, once the old API server is gone from the service", async () => {
      await newServer.admin.request("DELETE", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes-old");
      const { exit, data } = await publish(newServer, "--prune-keys");
      expect({ exit, keys: statuses(data) }).toEqual({ exit: 0, keys: { [oldKid]: "removed", [newKid]: "kept" } });
      expect(await servedKids(issuer)).toEqual([newKid]);
    });
  });
});

function kidOf({ publicKeyPem }: ServiceAccountKey): string {
  return keyIdOf(createPublicKey(publicKeyPem));
}

function codesOf({ warnings }: { readonly warnings: readonly { readonly code: string }[] }): readonly string[] {
  return warnings.map(({ code }) => code);
}

function toArns(prefix: string): readonly string[] {
  return [".well-known/openid-configuration", "openid/v1/jwks"].map((name) => `arn:aws:s3:::${BUCKET}/${prefix}/${name}`);
}

/** Enters an API server into the `kubernetes` service, as the endpoint reconciler does in a cluster. */
async function announce(cluster: KubeApiserver, name: string, server: KubeApiserver): Promise<void> {
  const address = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  if (address === undefined) throw new Error("this machine has no address but loopback, which EndpointSlices do not take");
  await cluster.admin.create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `kubernetes-${name}`, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port: Number(new URL(server.url).port), protocol: "TCP" }],
  });
}
