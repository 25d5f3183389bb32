import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bench, edit, found, pool, POOL, PROJECT, provider, PROVIDER, setPolicy, startGcpBench, type Steps } from "../support/gcp-bench.ts";

const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const ROLE = "roles/storage.objectViewer";

let bench: Bench;
let commands: Readonly<Record<string, readonly string[]>>;

beforeAll(async () => {
  bench = await startGcpBench();
  commands = {
    publish: ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...bench.issuer],
    setup: ["setup", "gcp", ...bench.place, "--boilerplate-configmap", "demo/gcp-trust"],
    upload: ["setup", "gcp", ...bench.place, "--keys", "upload"],
    grant: ["grant", "gcp", ...bench.place, "--service-account", "demo/app", "--role", ROLE, "--apply-manifests"],
    impersonate: ["grant", "gcp", ...bench.place, "--service-account", "demo/batch", "--impersonate", EMAIL, "--create-service-account"],
    teardown: ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--delete-bucket"],
  };
});

afterAll(() => bench.scene.close());

beforeEach(() => bench.forget());

const argsOf = (name: string): readonly string[] => found(new Map(Object.entries(commands)), name);

async function plan(args: readonly string[]): Promise<Steps["steps"]> {
  const { data } = await bench.succeed([...args, "--dry-run"]);
  expect(data.steps.every(({ status }) => status === "planned")).toBe(true);
  return data.steps;
}

const actionsOf = (steps: Steps["steps"]): readonly string[] => [...new Set(steps.map(({ action }) => action))];

/** Each test stands on those before it. */
describe("--dry-run sends no write", () => {
  it.each([["publish", ["create"]], ["setup", ["create"]], ["upload", ["create"]], ["grant", ["update", "create"]], ["impersonate", ["create"]]] as const)("of %s when everything is new", async (name, actions) => {
    expect(actionsOf(await plan(argsOf(name)))).toEqual(actions);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("when everything has drifted, is deleted or is somebody else's, and shows what would be done", async () => {
    for (const name of ["publish", "setup", "grant", "impersonate"]) await bench.succeed(argsOf(name));
    edit(bench.state.pools, POOL, { description: "" });
    edit(bench.state.providers, PROVIDER, { state: "DELETED", expireTime: new Date(Date.now() + 1e9), attributeMapping: { "google.subject": "assertion.sub" } });
    setPolicy(bench.state, { version: 1, bindings: [] });
    setPolicy(bench.state, { version: 1, bindings: [] }, `serviceAccounts/${EMAIL}`);
    found(bench.state.storage.buckets, "oidc").uniform = false;
    bench.forget();
    const [published, setUp, granted, impersonated] = await Promise.all([plan(argsOf("publish")), plan([...argsOf("setup"), "--adopt"]), plan(argsOf("grant")), plan(argsOf("impersonate"))]);
    expect(published.filter(({ action }) => action !== "none").map(({ id }) => id)).toEqual(["gcs.uniform-access/oidc"]);
    expect(setUp.map(({ action, reason }) => [action, reason]).slice(0, 2)).toEqual([["adopt", "exists without a mark, differs in description"], ["update", "differs in state, attributeMapping"]]);
    expect(granted.find(({ id }) => id.startsWith("gcp.policy"))).toMatchObject({ action: "update", reason: `differs in ${ROLE}` });
    expect(impersonated.map(({ action }) => action)).toEqual(["none", "update"]);
    expect([pool(bench.state).description, provider(bench.state).state]).toEqual(["", "DELETED"]);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("of teardown, which then needs no --yes", async () => {
    await bench.succeed([...argsOf("setup"), "--adopt"]);
    for (const name of ["publish", "grant", "impersonate"]) await bench.succeed(argsOf(name));
    bench.forget();
    const steps = await plan(argsOf("teardown"));
    expect(steps.filter(({ action }) => action === "delete").map(({ id }) => id)).toEqual(expect.arrayContaining([`gcp.service-account/${EMAIL}`, "gcp.provider", "gcp.pool", "gcs.bucket/oidc"]));
    expect(steps.find(({ id }) => id === `gcp.policy/projects/${PROJECT}`)).toMatchObject({ action: "update", reason: expect.stringContaining("only our part") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("as text, with the plan for people on stderr and nothing on stdout", async () => {
    const ran = await bench.scene.run([...argsOf("teardown"), "--dry-run"]);
    expect([ran.exit, ran.stdout]).toEqual([0, ""]);
    expect(ran.stderr).toMatch(/delete .*workloadIdentityPools\/prod/);
    expect(bench.scene.writes()).toEqual([]);
  });

  it.each([["status", "gcp"], ["verify", "gcp"], ["trust-policy", "gcp"], ["permissions", "gcp"]])("of %s %s is refused instead of ignored", async (...args) => {
    const { exit, document } = await bench.run([...args, "--dry-run"]);
    expect([exit, document.error?.code]).toEqual([2, "USAGE"]);
  });
});
