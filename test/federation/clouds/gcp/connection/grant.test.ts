import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Binding } from "../../../../../src/federation/clouds/gcp/sandbox/state.ts";
import { newBucket } from "../../../../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { startTestGcp, type TestGcp } from "../sandbox/support/start.ts";
import { API, asked, EMAIL, expectConformance, type Journey, member, NUMBER, PROJECT, startJourney, writes } from "./journey.ts";
import { failureOf } from "./scripted-google.ts";

const PROJECT_POLICY = `/v3/projects/${PROJECT}`;
const ACCOUNT = { serviceAccount: "payments/api" };
const VIEWER = { ...ACCOUNT, role: ["roles/storage.objectViewer"] };
const CONDITION = { title: "until", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" };
const FOREIGN: readonly Binding[] = [
  { role: "roles/storage.objectViewer", members: ["user:ann@example.com", API], condition: CONDITION },
  { role: "roles/storage.objectViewer", members: ["group:all@example.com", "user:ann@example.com"] },
  { role: "roles/owner", members: ["user:zoe@example.com", "user:bob@example.com"] },
];

let gcp: TestGcp;
let journey: Journey;

beforeEach(async () => {
  gcp = await startTestGcp();
  journey = await startJourney(gcp);
  await journey.setup();
});

afterEach(async () => {
  expectConformance(gcp);
  await gcp.stop();
});

async function writePolicy(bindings: readonly Binding[]): Promise<void> {
  const { status } = await gcp.call("cloudresourcemanager", "POST", `${PROJECT_POLICY}:setIamPolicy`, { policy: { version: 3, bindings } });
  expect(status).toBe(200);
}

async function bindingsOf(path = PROJECT_POLICY): Promise<readonly Binding[]> {
  const { json } = await gcp.call("cloudresourcemanager", "POST", `${path}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } });
  return (json["bindings"] ?? []) as readonly Binding[];
}

async function accountBindings(email = EMAIL): Promise<readonly Binding[]> {
  const { json } = await gcp.call("iam", "POST", `/v1/projects/${PROJECT}/serviceAccounts/${email}:getIamPolicy?options.requestedPolicyVersion=3`);
  return (json["bindings"] ?? []) as readonly Binding[];
}

function addBucket(name: string, bindings: readonly Binding[] = []): void {
  const bucket = newBucket({ name, project: PROJECT, projectNumber: NUMBER, at: new Date(), uniform: true });
  gcp.state.storage.buckets.set(name, { ...bucket, policy: { version: 3, bindings: bindings as typeof bucket.policy.bindings } });
}

describe("grant gcp, direct access", () => {
  it("adds the member to the unconditional binding, and changes nothing else of the policy", async () => {
    await writePolicy(FOREIGN);
    const before = await bindingsOf();
    expect(await journey.grant(VIEWER)).toEqual(["update"]);
    const after = await bindingsOf();
    expect(after).toEqual(before.map((binding) => (binding.role === "roles/storage.objectViewer" && binding.condition === undefined ? { ...binding, members: [...binding.members, API] } : binding)));
    const again = gcp.exchanges.length;
    expect(await journey.grant(VIEWER)).toEqual(["none"]);
    expect(writes(asked(gcp, again))).toEqual([]);
  });

  it("reads and writes one policy once, however many grants", async () => {
    const before = gcp.exchanges.length;
    expect(await journey.grant({ serviceAccount: ["payments/api", "payments/worker", "web/front"], role: ["roles/storage.objectViewer", "roles/logging.logWriter"] })).toEqual(["update"]);
    const lines = asked(gcp, before);
    expect(lines.filter((line) => line.includes("getIamPolicy"))).toHaveLength(2);
    expect(writes(lines)).toEqual([`cloudresourcemanager POST ${PROJECT_POLICY}:setIamPolicy`]);
    expect((await bindingsOf()).filter(({ role }) => role !== "roles/owner").map(({ role, members }) => [role, members.length])).toEqual([["roles/storage.objectViewer", 3], ["roles/logging.logWriter", 3]]);
  });

  it("on a bucket is written to the bucket's own policy", async () => {
    addBucket("acme-invoices", [{ role: "roles/storage.admin", members: ["user:ann@example.com"] }]);
    expect(await journey.grant({ ...VIEWER, on: "bucket:acme-invoices" })).toEqual(["update"]);
    expect(gcp.state.storage.buckets.get("acme-invoices")?.policy.bindings).toEqual([
      { role: "roles/storage.admin", members: ["user:ann@example.com"] },
      { role: "roles/storage.objectViewer", members: [API] },
    ]);
    expect(await journey.grant({ ...VIEWER, on: "bucket:acme-invoices" })).toEqual(["none"]);
  });

  it("on a bucket that does not exist is refused before anything is written", async () => {
    const failure = await failureOf(journey.planGrant({ ...VIEWER, on: "bucket:acme-nothing" }));
    expect(failure).toMatchObject({ code: "GCP_BUCKET_MISSING", exit: 2 });
    expect(failure.message).toContain("acme-nothing");
  });

  it("reads again when somebody else writes in between, and loses nothing", async () => {
    const planned = await journey.planGrant(VIEWER);
    await writePolicy(FOREIGN);
    gcp.state.policyRaces.add(`projects/${PROJECT}`);
    const before = gcp.exchanges.length;
    await journey.perform(planned);
    expect(writes(asked(gcp, before))).toHaveLength(2);
    const members = (await bindingsOf()).flatMap((binding) => binding.members);
    expect(members).toContain("user:zoe@example.com");
    expect(members.filter((one) => one === API)).toHaveLength(2);
  });

  it("gives up on a race that never ends, and says so", async () => {
    const planned = await journey.planGrant(VIEWER);
    const races = setInterval(() => gcp.state.policyRaces.add(`projects/${PROJECT}`), 1);
    gcp.state.policyRaces.add(`projects/${PROJECT}`);
    const failure = await failureOf(journey.perform(planned)).finally(() => clearInterval(races));
    expect(failure.code).toBe("GCP_CONFLICT");
  });

  it("repeated after a lost answer finds everything done", async () => {
    const planned = await journey.planGrant(VIEWER);
    await journey.perform(planned);
    const before = gcp.exchanges.length;
    await journey.perform(planned);
    expect(writes(asked(gcp, before))).toEqual([]);
  });

  it("warns where pool and provider are missing", async () => {
    const elsewhere = await startJourney(gcp, { issuerUrl: "https://oidc.example.com/prod", project: PROJECT, poolId: "nowhere" });
    expect((await elsewhere.planGrant(VIEWER)).warnings).toContain("GCP_PROVIDER_MISSING");
  });
});

describe("grant gcp --impersonate", () => {
  const CREATE = { ...ACCOUNT, impersonate: EMAIL, createServiceAccount: true };

  it("makes the service account with our mark, and lets the workload become it", async () => {
    expect(await journey.grant(CREATE)).toEqual(["create", "create"]);
    expect(gcp.state.serviceAccounts.get(EMAIL)?.description).toContain("kubeassume.dev/managed-by=kubeassume");
    expect(await accountBindings()).toEqual([{ role: "roles/iam.workloadIdentityUser", members: [API] }]);
    expect(await journey.grant(CREATE)).toEqual(["none", "none"]);
    expect(await journey.grant({ ...ACCOUNT, impersonate: EMAIL })).toEqual(["none"]);
  });

  it("of one that nobody made is refused, unless it is to be made", async () => {
    expect((await journey.planGrant({ ...ACCOUNT, impersonate: EMAIL })).codes).toEqual(["GCP_SERVICE_ACCOUNT_MISSING"]);
  });

  it("uses one that exists as it is", async () => {
    await gcp.call("iam", "POST", `/v1/projects/${PROJECT}/serviceAccounts`, { accountId: "payments", serviceAccount: { displayName: "Theirs" } });
    expect(await journey.grant(CREATE)).toEqual(["none", "update"]);
    expect(gcp.state.serviceAccounts.get(EMAIL)).toMatchObject({ displayName: "Theirs", description: "" });
  });

  it("goes on when the account was made by a request whose answer was lost", async () => {
    const planned = await journey.planGrant(CREATE);
    await gcp.call("iam", "POST", `/v1/projects/${PROJECT}/serviceAccounts`, { accountId: "payments" });
    expect(await journey.perform(planned)).toEqual(["create", "create"]);
    expect(await accountBindings()).toEqual([{ role: "roles/iam.workloadIdentityUser", members: [API] }]);
  });

  it("takes several accounts of the cluster with one write", async () => {
    const before = gcp.exchanges.length;
    expect(await journey.grant({ ...CREATE, serviceAccount: ["payments/api", "payments/worker"] })).toEqual(["create", "create"]);
    expect(writes(asked(gcp, before)).filter((line) => line.includes("setIamPolicy"))).toHaveLength(1);
    expect((await accountBindings())[0]?.members).toEqual([API, member("system:serviceaccount:payments:worker")]);
  });
});
