import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newBucket } from "../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { runHere } from "../support/run-here.ts";
import { type Bench, edit, found, memberOf, membersOf, policyOf, pool, POOL, PROJECT, PROVIDER, provider, setPolicy, startGcpBench, type Steps } from "../support/gcp-bench.ts";

const VIEWER = "roles/storage.objectViewer";
const USER = "roles/iam.workloadIdentityUser";
const OURS = `made-by-us@${PROJECT}.iam.gserviceaccount.com`;
const THEIRS = `theirs@${PROJECT}.iam.gserviceaccount.com`;
const OTHER_ISSUER = "https://oidc.example.com/other";
const MARK = "kubeassume.dev/managed-by=kubeassume";
const BASIC = { role: "roles/owner", members: ["user:root@example.com"] };
const CONDITIONAL = { role: VIEWER, members: [memberOf("demo/app")], condition: { title: "by hand", expression: "true" } };
const SET = { role: "roles/viewer", members: [`principalSet://iam.googleapis.com/${POOL}/attribute.namespace/demo`] };

interface Removed extends Steps {
  readonly leftBehind: readonly string[];
}

let bench: Bench;
let restore: () => void;

/** Everything is there: bucket with both documents, trust, and grants of each kind beside what somebody else wrote. */
beforeAll(async () => {
  bench = await startGcpBench();
  const { state, place } = bench;
  state.storage.buckets.set("data", newBucket({ name: "data", project: PROJECT, projectNumber: state.project.number, at: new Date(0), uniform: true }));
  state.serviceAccounts.set(THEIRS, { email: THEIRS, uniqueId: "1".repeat(21), displayName: "", description: "by hand", disabled: false, since: new Date(0) });
  setPolicy(state, { version: 1, bindings: [BASIC, { role: VIEWER, members: ["user:bob@example.com"] }] });
  setPolicy(state, { version: 1, bindings: [{ role: USER, members: ["user:bob@example.com"] }] }, `serviceAccounts/${THEIRS}`);
  await bench.succeed(["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...bench.issuer]);
  await bench.succeed(["setup", "gcp", ...place]);
  const grant = ["grant", "gcp", ...place, "--service-account"];
  await bench.succeed([...grant, "demo/app", "--role", VIEWER, "--role", "roles/logging.logWriter"]);
  await bench.succeed([...grant, "demo/reader", "--role", VIEWER, "--on", "bucket:data"]);
  await bench.succeed([...grant, "demo/one", "--impersonate", OURS, "--create-service-account"]);
  await bench.succeed([...grant, "demo/two", "--impersonate", THEIRS]);
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

const teardownArgs = (...args: readonly string[]): readonly string[] => ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--yes", ...args];
const teardown = (...args: readonly string[]) => bench.succeed<Removed>(teardownArgs(...args));

/** Whatever somebody else wrote, as it was before kubeassume came. */
function expectOthersUntouched(): void {
  expect(policyOf(bench.state).bindings).toEqual([BASIC, { role: VIEWER, members: ["user:bob@example.com"] }]);
  expect(policyOf(bench.state, `serviceAccounts/${THEIRS}`).bindings).toEqual([{ role: USER, members: ["user:bob@example.com"] }]);
  expect(found(bench.state.serviceAccounts, THEIRS).description).toBe("by hand");
  expect(found(bench.state.storage.buckets, "data").policy.bindings.filter(({ role }) => role === VIEWER)).toEqual([]);
}

describe("teardown", () => {
  it("removes our bindings from every policy, what we made, the trust, documents and bucket, and leaves the rest", async () => {
    const { data } = await teardown("--delete-bucket");
    expect(data.leftBehind).toEqual([]);
    expectOthersUntouched();
    expect([...bench.state.serviceAccounts.keys()]).toEqual([THEIRS]);
    expect([pool(bench.state).state, bench.state.storage.buckets.has("oidc")]).toEqual(["DELETED", false]);
    expect((await teardown("--delete-bucket")).data.steps).toEqual([]);
  });

  it("says that pool and provider can be brought back for 30 days, and that their ids are taken until then", async () => {
    const { data } = await bench.succeed<Steps>(["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--dry-run"]);
    const trust = data.steps.filter(({ target }) => target.includes("workloadIdentityPools/prod") && !target.includes("policy"));
    expect(trust.filter(({ action }) => action === "delete").map(({ reason }) => reason.includes("30 days"))).not.toContain(false);
    expect(trust).not.toEqual([]);
    expect(bench.scene.writes()).toEqual([]);
    const { stderr } = await bench.scene.run(["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--dry-run"]);
    expect(stderr, "people read it too").toContain("30 days");
  });

  it("removes the grants and nothing else with --grants-only", async () => {
    await teardown("--grants-only");
    expectOthersUntouched();
    expect([...bench.state.serviceAccounts.keys()]).toEqual([THEIRS]);
    expect([pool(bench.state).state, provider(bench.state).state, bench.state.storage.buckets.get("oidc")?.objects.size]).toEqual(["ACTIVE", "ACTIVE", 2]);
  });

  it("keeps the documents with --keep-documents, and the emptied bucket without --delete-bucket", async () => {
    await teardown("--keep-documents");
    expect([pool(bench.state).state, bench.state.storage.buckets.get("oidc")?.objects.size]).toEqual(["DELETED", 2]);
    await teardown();
    expect(bench.state.storage.buckets.get("oidc")?.objects.size).toBe(0);
  });

  it("says of a policy that our part of it is gone, and of nothing else", async () => {
    const { exit, stdout } = await runHere(bench.scene, teardownArgs("--grants-only"));
    expect(exit).toBe(0);
    expect(stdout.trim().split("\n").sort()).toEqual([`removed ${OURS}`, "removed our part of buckets/data", `removed our part of projects/${PROJECT}`, `removed our part of serviceAccounts/${THEIRS}`]);
  });

  it("needs --yes without a terminal, and writes nothing without it", async () => {
    const { error } = await bench.fail(6, ["teardown", "gcp", ...bench.issuer, "--project", PROJECT]);
    expect(error.code).toBe("DECLINED");
    expect(bench.scene.writes()).toEqual([]);
  });

  it("needs to be told the project", async () => {
    const { error } = await bench.fail(2, ["teardown", "gcp", ...bench.issuer, "--yes"]);
    expect(error).toMatchObject({ code: "FLAG_MISSING", hint: expect.stringContaining("--project") as string });
    expect(bench.scene.writes()).toEqual([]);
  });
});

describe("what is not ours stays and is listed", () => {
  it("bindings that somebody made for our pool: with a condition, or for a set of principals", async () => {
    const current = policyOf(bench.state);
    setPolicy(bench.state, { version: 3, bindings: [...current.bindings, CONDITIONAL, SET] });
    const { data, error } = await bench.fail<Removed>(5, teardownArgs());
    expect(error.code).toBe("LEFT_BEHIND");
    expect(data.leftBehind.join("\n")).toMatch(/by hand|condition/);
    expect(data.leftBehind.join("\n")).toContain("principalSet://");
    expect(policyOf(bench.state).bindings).toEqual([BASIC, { role: VIEWER, members: ["user:bob@example.com"] }, CONDITIONAL, SET]);
  });

  it("a pool in which another cluster has a provider: ours goes, the pool stays", async () => {
    const other = `${POOL}/providers/other`;
    bench.state.providers.set(other, { ...provider(bench.state), name: other, description: `${MARK} kubeassume.dev/issuer=${OTHER_ISSUER}`, attributeMapping: { "google.subject": "'other:' + assertion.sub" }, oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } });
    const theirs = memberOf("demo/app", { prefix: "other:" });
    setPolicy(bench.state, { version: 1, bindings: policyOf(bench.state).bindings.map((binding) => (binding.role === VIEWER ? { ...binding, members: [...binding.members, theirs] } : binding)) });
    const { exit, document } = await bench.run(teardownArgs());
    expect([0, 5], document.error?.message).toContain(exit);
    expect([pool(bench.state).state, provider(bench.state).state, provider(bench.state, other).state]).toEqual(["ACTIVE", "DELETED", "ACTIVE"]);
    expect(membersOf(policyOf(bench.state), VIEWER), "the other cluster's workloads keep their access").toEqual(["user:bob@example.com", theirs]);
  });

  it("a pool and a provider that carry another issuer's mark", async () => {
    for (const [map, name] of [[bench.state.pools, POOL], [bench.state.providers, PROVIDER]] as const) edit(map as Map<string, { readonly description: string }>, name, { description: `${MARK} kubeassume.dev/issuer=${OTHER_ISSUER}` });
    await bench.run(teardownArgs());
    expect([pool(bench.state).state, provider(bench.state).state]).toEqual(["ACTIVE", "ACTIVE"]);
    expect(membersOf(policyOf(bench.state), VIEWER)).toContain(memberOf("demo/app"));
  });

  it("a service account that we made and somebody else uses too", async () => {
    const key = `serviceAccounts/${OURS}`;
    setPolicy(bench.state, { version: 1, bindings: [{ role: USER, members: [memberOf("demo/one"), "user:eve@example.com"] }] }, key);
    const { data, error } = await bench.fail<Removed>(5, teardownArgs("--grants-only"));
    expect(error.code).toBe("LEFT_BEHIND");
    expect(data.leftBehind.join()).toContain(OURS);
    expect(bench.state.serviceAccounts.has(OURS)).toBe(true);
    expect(policyOf(bench.state, key).bindings).toContainEqual({ role: USER, members: ["user:eve@example.com"] });
  });

  it("an object in the bucket", async () => {
    const objects = found(bench.state.storage.buckets, "oidc").objects;
    const [document] = objects.values();
    if (document === undefined) throw new Error("no document");
    objects.set("theirs.txt", { ...document, name: "theirs.txt", metadata: {} });
    const { data } = await bench.fail<Removed>(5, teardownArgs("--delete-bucket"));
    expect(data.leftBehind).toEqual([expect.stringMatching(/^gs:\/\/oidc stays: .*theirs\.txt/)]);
    expect([...objects.keys()]).toEqual(["theirs.txt"]);
  });
});

describe("a teardown that is cut short", () => {
  it("in the middle reports what is done, failed and untouched, and is finished by the next run", async () => {
    bench.scene.breakWith(({ method, url }) => (method === "DELETE" && /workloadIdentityPools\/prod(\/providers\/kubernetes)?$/.test(url) ? { kind: "reset", when: "before" } : null));
    const { data, error } = await bench.fail<Removed>(5, teardownArgs("--delete-bucket"));
    expect(error.code).toBe("PARTLY_APPLIED");
    expect(error.details["resume"]).toContain("kubeassume teardown gcp");
    const statuses = new Set(data.steps.map(({ status }) => status));
    expect(statuses).toEqual(new Set(["done", "failed", "skipped"]));
    expect(data.leftBehind).toEqual(expect.arrayContaining(["gs://oidc"]));
    // While the provider trusts the issuer, nobody else may get its bucket.
    expect(found(bench.state.storage.buckets, "oidc").objects.size).toBe(2);
    expectOthersUntouched();
    bench.scene.breakWith(null);
    expect((await teardown("--delete-bucket")).data.leftBehind).toEqual([]);
    expect([pool(bench.state).state, bench.state.storage.buckets.has("oidc"), bench.state.serviceAccounts.size]).toEqual(["DELETED", false, 1]);
  });

  it("at the grants leaves trust and documents as they are", async () => {
    const denied = { error: { code: 403, status: "PERMISSION_DENIED", message: "no" } };
    bench.scene.breakWith(({ url }) => (url.endsWith(`projects/${PROJECT}:setIamPolicy`) ? { kind: "status", when: "before", status: 403, headers: { "content-type": "application/json" }, body: JSON.stringify(denied) } : null));
    const { data } = await bench.fail<Removed>(5, teardownArgs("--delete-bucket"));
    expect(data.steps.filter(({ status }) => status !== "done").map(({ id, status }) => [id, status]).slice(0, 3)).toEqual([[`gcp.policy/projects/${PROJECT}`, "failed"], ["gcp.provider", "skipped"], ["gcp.pool", "skipped"]]);
    expect([pool(bench.state).state, provider(bench.state).state, found(bench.state.storage.buckets, "oidc").objects.size]).toEqual(["ACTIVE", "ACTIVE", 2]);
  });

  it("at its last answer has nothing left to do the next time", async () => {
    bench.scene.breakWith(({ method, url }) => (method === "DELETE" && url.endsWith("/b/oidc") ? { kind: "reset", when: "after" } : null));
    await bench.run(teardownArgs("--delete-bucket"));
    bench.scene.breakWith(null);
    expect((await teardown("--delete-bucket")).data.steps).toEqual([]);
  });

  it("loses a race for a policy and reads again", async () => {
    bench.state.policyRaces.add(`projects/${PROJECT}`);
    await teardown();
    expectOthersUntouched();
  });
});
