import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { stringify } from "yaml";
import type { Cluster } from "../../../src/federation/cluster/cluster.ts";
import { type ClusterOptions, connectCluster } from "../../../src/federation/cluster/connect.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../../src/federation/sandbox/start-sandbox.ts";

/** A folder that goes with the test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A sandbox with a cluster and no cloud, that goes with the test. */
export async function startClusterSandbox(options: Pick<SandboxOptions, "faults"> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ clouds: {}, dir: await makeFolder(), now: () => new Date(), ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

/** One sandbox for all tests of a file that change nothing in it: making its keys is what takes time. Call it at the top of the file. */
export function shareClusterSandbox(options: Pick<SandboxOptions, "faults"> = {}): () => Sandbox {
  let shared: { readonly sandbox: Sandbox; readonly folder: string } | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
    shared = { folder, sandbox: await startSandbox({ clouds: {}, dir: folder, now: () => new Date(), ...options }) };
  });
  afterAll(async () => {
    await shared?.sandbox.close();
    if (shared !== undefined) await rm(shared.folder, { recursive: true, force: true });
  });
  return () => {
    if (shared === undefined) throw new TypeError("the sandbox has not started");
    return shared.sandbox;
  };
}

export type Connect = Partial<ClusterOptions>;

/** Connects with the sandbox's own kubeconfig, unless told otherwise. */
export function connect(sandbox: Pick<Sandbox, "env">, options: Connect = {}): Promise<Cluster> {
  return connectCluster({ env: sandbox.env, caPem: [], timeoutMs: 5000, signal: AbortSignal.timeout(30_000), now: () => new Date(), ...options });
}

export interface KubeconfigParts {
  readonly cluster?: object;
  readonly user?: object;
}

/** Writes a kubeconfig with the sandbox's cluster and admin, changed by `parts`. */
export async function writeKubeconfig(sandbox: Sandbox, parts: KubeconfigParts = {}): Promise<string> {
  const file = join(await makeFolder(), "config");
  const cluster = { server: sandbox.cluster.url, "certificate-authority-data": Buffer.from(sandbox.caPem).toString("base64"), ...parts.cluster };
  const user = parts.user ?? { token: sandbox.cluster.adminToken };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "test", context: { cluster: "c", user: "u" } }],
    "current-context": "test",
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}
