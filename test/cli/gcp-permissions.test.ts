import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBucket } from "../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { AUDIENCE, type Bench, edit, found, POOL, PROJECT, PROVIDER, startGcpBench } from "../support/gcp-bench.ts";

const ROLE = "roles/storage.objectViewer";
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;

/** A situation in which the command succeeds, and in which some of its permissions are needed. */
interface Situation {
  readonly arrange: () => void;
  readonly args: () => readonly string[];
}

interface Case {
  readonly name: string;
  /** What `permissions gcp` is asked for. */
  readonly ask: readonly string[];
  readonly situations: readonly Situation[];
}

let bench: Bench;
/** Nothing, and everything that the commands make. */
let empty: () => void;
let full: () => void;
/** What the operator may do from now on. */
let allow: (permissions: readonly string[]) => void;
let everything: readonly string[];
/** A config with a grant of each kind. */
let config: string;

beforeAll(async () => {
  bench = await startGcpBench({ allowPermissions: ["nothing"] });
  allow = (permissions) => {
    bench.state.allowPermissions?.clear();
    for (const permission of permissions) bench.state.allowPermissions?.add(permission);
  };
  bench.state.storage.buckets.set("data", newBucket({ name: "data", project: PROJECT, projectNumber: bench.state.project.number, at: new Date(0), uniform: true }));
  await bench.scene.file("token.jwt", bench.scene.sandbox.cluster.mintToken({ namespace: "demo", name: "app" }, { audiences: [AUDIENCE] }));
  everything = await printed([]);
  allow(everything);
  empty = bench.snapshot();
  await bench.succeed(publish());
  await bench.succeed(setup());
  for (const { account } of ACCESSES) bench.scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: account.slice("demo/".length) });
  const grants = ACCESSES.map(({ account, gcp }) => ({ serviceAccount: account, gcp }));
  config = await bench.scene.file("all.yaml", JSON.stringify({ apiVersion: "kubeassume.dev/v1", kind: "Federation", issuer: bench.scene.issuer, clouds: { gcp: { project: PROJECT, poolId: "prod" } }, grants }));
  await bench.succeed(["grant", "gcp", "--config", config]);
  full = bench.snapshot();
});

afterAll(() => bench.scene.close());

const DIRECT = ["--role", ROLE];
const BUCKET = ["--role", ROLE, "--on", "bucket:data"];
const BECOME = ["--impersonate", EMAIL];
const MADE = [...BECOME, "--create-service-account"];
const ACCESSES = [
  { account: "demo/app", flags: DIRECT, gcp: { roles: [ROLE] } },
  { account: "demo/reader", flags: BUCKET, gcp: { roles: [ROLE], on: "bucket:data" } },
  { account: "demo/batch", flags: BECOME, gcp: { impersonate: EMAIL, createServiceAccount: true } },
];

const setup = (...more: readonly string[]): readonly string[] => ["setup", "gcp", ...bench.place, "--pool-name", "Production", ...more];
const grant = (access: readonly string[]): readonly string[] => ["grant", "gcp", ...bench.place, "--service-account", "demo/app", ...access];
const publish = (): readonly string[] => ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...bench.issuer];

async function printed(ask: readonly string[]): Promise<readonly string[]> {
  const { exit, document } = await bench.run(["permissions", "gcp", ...ask]);
  expect(exit).toBe(0);
  const { permissions } = document.data as unknown as { readonly permissions: { readonly includedPermissions: readonly string[] } };
  expect(permissions.includedPermissions).not.toEqual([]);
  return permissions.includedPermissions;
}

const without = (map: Map<string, unknown>, ...keys: readonly string[]): void => keys.forEach((key) => map.delete(key));
/** A policy without our binding. */
const unbind = (key: string): void => edit(bench.state.policies, key, { versions: [{ policy: { version: 1, etag: "AA==", bindings: [] }, at: new Date(0) }] }) && undefined;

const CASES: readonly Case[] = [
  {
    name: "setup",
    ask: ["--for", "setup"],
    situations: [
      { arrange: () => empty(), args: setup },
      { arrange: () => (full(), edit(bench.state.pools, POOL, { displayName: "x" }), edit(bench.state.providers, PROVIDER, { attributeMapping: { "google.subject": "assertion.sub" } })), args: setup },
      { arrange: () => (full(), edit(bench.state.pools, POOL, { state: "DELETED", expireTime: new Date(Date.now() + 1e9) }), edit(bench.state.providers, PROVIDER, { state: "DELETED", expireTime: new Date(Date.now() + 1e9) })), args: setup },
    ],
  },
  { name: "grant on the project", ask: ["--for", "grant", "--on", "project"], situations: [{ arrange: () => (full(), unbind(`projects/${PROJECT}`)), args: () => grant(DIRECT) }] },
  { name: "grant on a bucket", ask: ["--for", "grant", "--on", "bucket:data"], situations: [{ arrange: () => (full(), (found(bench.state.storage.buckets, "data").policy = { version: 1, bindings: [] })), args: () => grant(BUCKET) }] },
  { name: "grant to become a service account", ask: ["--for", "grant", ...BECOME], situations: [{ arrange: () => (full(), unbind(`serviceAccounts/${EMAIL}`)), args: () => grant(BECOME) }] },
  { name: "grant that makes the service account", ask: ["--for", "grant", ...MADE], situations: [{ arrange: () => (full(), without(bench.state.serviceAccounts, EMAIL), without(bench.state.policies, `serviceAccounts/${EMAIL}`)), args: () => grant(MADE) }] },
  {
    name: "publish",
    ask: ["--for", "publish"],
    situations: [
      { arrange: () => empty(), args: publish },
      // Somebody else's bucket, in which an older document of ours lies.
      {
        arrange: () => {
          full();
          const bucket = found(bench.state.storage.buckets, "oidc");
          Object.assign(bucket, { labels: {}, uniform: false, policy: { version: 1, bindings: [] } });
          for (const [name, object] of bucket.objects) bucket.objects.set(name, { ...object, cacheControl: undefined });
        },
        args: publish,
      },
    ],
  },
  { name: "status", ask: ["--for", "status"], situations: [{ arrange: () => full(), args: () => ["status", "gcp", "--config", config, "--mint"] }] },
  { name: "verify", ask: ["--for", "verify"], situations: [...ACCESSES.map(({ account, flags }) => ({ arrange: () => full(), args: () => ["verify", "gcp", ...bench.place, "--service-account", account, ...flags] })), { arrange: () => full(), args: () => ["verify", "gcp", "--project", PROJECT, "--token-file", "token.jwt"] }] },
  {
    name: "teardown",
    ask: ["--for", "teardown"],
    situations: [
      { arrange: () => full(), args: () => ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--delete-bucket", "--yes"] },
      // Somebody else's bucket that nobody reads any more.
      { arrange: () => (full(), Object.assign(found(bench.state.storage.buckets, "oidc"), { labels: { "kubeassume-readers": "x" }, policy: { version: 1, bindings: [] } })), args: () => ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--yes"] },
      // An account that others made: our binding alone goes.
      { arrange: () => (full(), edit(bench.state.serviceAccounts, EMAIL, { description: "theirs" })), args: () => ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--grants-only", "--yes"] },
    ],
  },
];

describe("what permissions gcp prints", () => {
  it.each(CASES)("is enough for $name, and none of it too much", async ({ ask, situations }) => {
    const list = await printed(ask);
    for (const { arrange, args } of situations) {
      arrange();
      allow(list);
      const ran = await bench.run(args());
      expect(ran.exit, ran.stderr).toBe(0);
    }
    const idle: string[] = [];
    for (const permission of list) if (!(await isNeeded(permission, list, situations))) idle.push(permission);
    expect(idle, "succeeds without it").toEqual([]);
  });

  it("is a role that IAM takes, for one command or for all", async () => {
    const { document } = await bench.run(["permissions", "gcp", "--project", PROJECT]);
    expect(JSON.stringify(document)).toMatch(/"stage":\s*"GA"/);
    expect(new Set(everything).size).toBe(everything.length);
  });
});

/** Whether some situation fails without it, and says that it is this one. */
async function isNeeded(permission: string, list: readonly string[], situations: readonly Situation[]): Promise<boolean> {
  for (const { arrange, args } of situations) {
    arrange();
    allow(list.filter((one) => one !== permission));
    const { exit, stdout } = await bench.run(args());
    if (exit === 0) continue;
    expect(stdout).toContain(permission);
    return true;
  }
  return false;
}
