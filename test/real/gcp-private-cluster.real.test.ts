import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { keyIdOf } from "../../src/federation/oidc/pem.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import type { Etcd } from "./support/etcd.ts";
import { actionsOf, runDone, runJson } from "./support/front-door.ts";
import type { StepsData } from "./support/front-door.ts";
import { startGoogleHosts } from "./support/gcp-hosts.ts";
import type { GoogleHosts } from "./support/gcp-hosts.ts";
import { PROJECT, providerOf, toGcpOperator } from "./support/gcp-project.ts";
import type { GcpOperator } from "./support/gcp-project.ts";
import { placeWorkload } from "./support/gcp-workload.ts";
import type { GrantData, Told } from "./support/gcp-workload.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startSandboxCommand } from "./support/sandbox.ts";
import type { SandboxCommand } from "./support/sandbox.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import type { ServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

/** What kubeadm and others configure when nobody says otherwise: a name that exists in the cluster alone. */
const ISSUER = "https://kubernetes.default.svc.cluster.local";
const OBJECT = "https://storage.googleapis.com/storage/v1/b/acme-invoices/o/2026%2F11.txt?alt=media";
const READ: Told = { status: 200, body: "eleven" };
const REFUSED: Told = { error: expect.stringContaining("invalid_grant") };

interface StatusData {
  readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string; readonly hint: string }[];
}

/** One journey, its tests in order: a real API server whose issuer nobody can read, and a rotation of its signing key. */
describe.skipIf(await cannotRun("etcd", "kube-apiserver"))("a private cluster, with its keys uploaded to Google", () => {
  const running = stoppedAfterAll();
  const [oldKey, newKey] = [createServiceAccountKey(), createServiceAccountKey("ec")];
  const [oldKid, newKid] = [kidOf(oldKey), kidOf(newKey)];
  let sandbox: SandboxCommand;
  let google: GoogleHosts;
  let operator: GcpOperator;
  let etcd: Etcd;
  let before: KubeApiserver;
  let during: KubeApiserver;
  let after: KubeApiserver;
  let granted: GrantData;
  let audience: string;

  const pool = ["--issuer-url", ISSUER, "--project", PROJECT, "--pool-id", "edge"];
  const envOf = (cluster: KubeApiserver) => ({ env: { ...sandbox.env, KUBECONFIG: cluster.kubeconfigFile } });
  const setup = (cluster: KubeApiserver, ...more: readonly string[]) =>
    runDone<StepsData & { audiences: readonly [string] }>("SetupResult", ["setup", "gcp", ...pool, "--keys", "upload", ...more], envOf(cluster));
  const status = async (cluster: KubeApiserver) => {
    const args = ["status", "gcp", ...pool, "--keys", "upload", "--service-account", "default/api", "--role", "roles/storage.objectViewer", "--on", "bucket:acme-invoices", "--mint"];
    const { exit, data } = await runJson<StatusData>("StatusReport", args, envOf(cluster));
    return { exit, failed: data.checks.filter((check) => check.status === "fail"), keys: data.checks.find(({ id }) => id === "gcp-provider-keys") };
  };
  const mint = (cluster: KubeApiserver): Promise<string> => cluster.admin.mintToken({ serviceAccount: "api", audiences: [audience] });
  /** What a pod gets with a token of this API server. */
  const read = async (token: string): Promise<Told> => {
    const pod = await placeWorkload(join(sandbox.directory, "pod"), granted, google);
    await pod.putToken(token);
    return pod.read("Node", OBJECT);
  };
  const storedKids = async (): Promise<readonly string[]> => {
    const { oidc } = (await operator.request("iam", "GET", `/v1/${providerOf("edge")}`)).json<{ oidc: { jwksJson: string } }>();
    return (JSON.parse(oidc.jwksJson) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid).toSorted();
  };

  beforeAll(async () => {
    sandbox = await running(startSandboxCommand("gcp"));
    google = await running(startGoogleHosts(sandbox));
    operator = await toGcpOperator(sandbox.env);
    await operator.makeBucket("acme-invoices", { "2026/11.txt": "eleven" });
    etcd = await running(startEtcd());
    before = await running(startKubeApiserver({ etcd, issuers: [ISSUER], keys: [oldKey] }));
    await before.admin.createServiceAccount("api");
  });

  it("cannot be set up by discovery: Google would not find its issuer", async () => {
    const { exit, document } = await runJson("SetupResult", ["setup", "gcp", ...pool], envOf(before));
    expect({ exit, code: document.error?.code }).toEqual({ exit: 4, code: "ISSUER_UNREACHABLE" });
  });

  it("is set up with the keys of its API server, and its tokens are accepted", async () => {
    ({ audiences: [audience] } = await setup(before));
    granted = await runDone<GrantData>("GrantResult", ["grant", "gcp", ...pool, "--service-account", "default/api", "--role", "roles/storage.objectViewer", "--on", "bucket:acme-invoices"], envOf(before));
    expect(await storedKids()).toEqual([oldKid]);
    expect(await read(await mint(before))).toEqual(READ);
    expect(Object.values(actionsOf(await setup(before)))).toEqual(["none", "none"]);
    expect(await status(before)).toMatchObject({ exit: 0, failed: [] });
  });

  it("is judged by `verify` as Google answers", async () => {
    const verify = ["verify", "gcp", ...pool, "--service-account", "default/api", "--role", "roles/storage.objectViewer", "--on", "bucket:acme-invoices", "--exchange"];
    const data = await runDone<{ accepted: boolean; exchange: { principal: string } }>("VerifyReport", verify, envOf(before));
    expect(data).toMatchObject({ accepted: true, exchange: { principal: granted.principal } });
  });

  it("signs with a new key before it is uploaded: refused, and `status` names the key", async () => {
    during = await running(startKubeApiserver({ etcd, joins: before, issuers: [ISSUER], keys: [newKey, oldKey] }));
    expect([await read(await mint(during)), await read(await mint(before))]).toEqual([REFUSED, READ]);
    const found = await status(during);
    expect(found).toMatchObject({ exit: 3, keys: { status: "fail", message: expect.stringContaining(newKid), hint: expect.stringContaining("--keys upload") } });
    expect(found.keys?.message).not.toContain(oldKid);
  });

  it("is accepted again after another setup, whichever key signed", async () => {
    const { steps } = await setup(during);
    expect(steps.map(({ action }) => action)).toEqual(["none", "update"]);
    expect(await storedKids()).toEqual([oldKid, newKid].toSorted());
    expect([await read(await mint(during)), await read(await mint(before))]).toEqual([READ, READ]);
    expect(await status(during)).toMatchObject({ exit: 0, failed: [] });
  });

  it("keeps the old key when the API server has forgotten it, because live tokens were signed with it", async () => {
    after = await running(startKubeApiserver({ etcd, joins: before, issuers: [ISSUER], keys: [newKey] }));
    expect(Object.values(actionsOf(await setup(after)))).toEqual(["none", "none"]);
    expect(await storedKids()).toEqual([oldKid, newKid].toSorted());
    expect([await read(await mint(after)), await read(await mint(before))]).toEqual([READ, READ]);
    expect(await status(after)).toMatchObject({ exit: 0, keys: { status: "pass", message: expect.stringContaining("1 more") } });
  });

  it("removes it with --prune-keys, and tokens of it are refused from then on", async () => {
    const { steps } = await setup(after, "--prune-keys");
    expect(steps.map(({ action }) => action)).toEqual(["none", "update"]);
    expect(await storedKids()).toEqual([newKid]);
    expect([await read(await mint(after)), await read(await mint(before))]).toEqual([READ, REFUSED]);
  });
});

function kidOf(key: ServiceAccountKey): string {
  return keyIdOf(createPublicKey(key.publicKeyPem)) ?? "";
}
