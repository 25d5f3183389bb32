import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Binding } from "../../../../../src/federation/clouds/gcp/sandbox/state.ts";
import { newBucket } from "../../../../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { startTestGcp, type TestGcp } from "../sandbox/support/start.ts";
import { API, EMAIL, expectConformance, ISSUER, type Journey, member, NUMBER, POOL, PROJECT, PROVIDER, startJourney } from "./journey.ts";
import { failureOf } from "./scripted-google.ts";

const VIEWER = { serviceAccount: "payments/api", role: ["roles/storage.objectViewer"] };
const THEIRS: Binding = { role: "roles/storage.objectViewer", members: ["user:ann@example.com"] };

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

async function changeBindings(change: (bindings: readonly Binding[]) => readonly Binding[]): Promise<void> {
  const { json } = await gcp.call("cloudresourcemanager", "POST", `/v3/projects/${PROJECT}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } });
  const all = (json["bindings"] ?? []) as readonly Binding[];
  const { status } = await gcp.call("cloudresourcemanager", "POST", `/v3/projects/${PROJECT}:setIamPolicy`, { policy: { ...json, version: 3, bindings: [...all.filter(isOperators), ...change(all.filter((one) => !isOperators(one)))] } });
  expect(status).toBe(200);
}

async function bindings(): Promise<readonly Binding[]> {
  const { json } = await gcp.call("cloudresourcemanager", "POST", `/v3/projects/${PROJECT}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } });
  return ((json["bindings"] ?? []) as readonly Binding[]).filter((one) => !isOperators(one));
}

/** What lets the operator of the sandbox in is not the test's business. */
function isOperators({ members }: Binding): boolean {
  return members.some((one) => one.includes("workforcePools"));
}

async function find() {
  return journey.connection.findMarked(ISSUER, await journey.connection.identify());
}

describe("teardown gcp", () => {
  it("finds everything without being told what was granted, and removes it", async () => {
    gcp.state.storage.buckets.set("acme-invoices", newBucket({ name: "acme-invoices", project: PROJECT, projectNumber: NUMBER, at: new Date(), uniform: true }));
    const before = gcp.state.storage.buckets.get("acme-invoices")?.policy.bindings;
    await journey.grant(VIEWER);
    await journey.grant({ ...VIEWER, on: "bucket:acme-invoices" });
    await journey.grant({ serviceAccount: "payments/worker", impersonate: EMAIL, createServiceAccount: true });
    await changeBindings((existing) => [...existing.map((one) => ({ ...one, members: ["user:ann@example.com", ...one.members] })), { role: "roles/viewer", members: ["user:zoe@example.com"] }]);
    const marked = await journey.teardown();
    expect(marked.map(({ id, keep }) => [id, keep])).toEqual([
      [`gcp.policy/projects/${PROJECT}`, undefined],
      ["gcp.policy/buckets/acme-invoices", undefined],
      [`gcp.service-account/${EMAIL}`, undefined],
      ["gcp.provider", undefined],
      ["gcp.pool", undefined],
    ]);
    expect(await bindings()).toEqual([THEIRS, { role: "roles/viewer", members: ["user:zoe@example.com"] }]);
    expect(gcp.state.storage.buckets.get("acme-invoices")?.policy.bindings).toEqual(before);
    expect(gcp.state.serviceAccounts.has(EMAIL)).toBe(false);
    expect([gcp.state.pools.get(POOL)?.state, gcp.state.providers.get(PROVIDER)?.state]).toEqual(["DELETED", "DELETED"]);
    expect(await find()).toEqual([]);
  });

  it("says what stays for 30 days", async () => {
    expect((await find()).map(({ note }) => note)).toEqual([expect.stringContaining("30 days"), expect.stringContaining("30 days")]);
  });

  it("removes the provider before the pool", async () => {
    expect((await find()).map(({ id, needs }) => [id, needs])).toEqual([["gcp.provider", []], ["gcp.pool", ["gcp.provider"]]]);
  });

  it("lists what somebody else gave to the pool, conditions included, and leaves it", async () => {
    const everybody = `principalSet://iam.googleapis.com/${POOL}/*`;
    const condition = { title: "until", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" };
    await journey.grant(VIEWER);
    await changeBindings((existing) => [...existing, { role: "roles/logging.logWriter", members: [everybody] }, { role: "roles/logging.viewer", members: [API], condition }]);
    const marked = await journey.teardown();
    expect(marked.flatMap(({ keep, target }) => (keep === undefined ? [] : [target]))).toEqual([
      `roles/logging.logWriter for ${everybody} in the policy of projects/${PROJECT}`,
      `roles/logging.viewer for ${API} in the policy of projects/${PROJECT}`,
    ]);
    expect(await bindings()).toEqual([{ role: "roles/logging.logWriter", members: [everybody] }, { role: "roles/logging.viewer", members: [API], condition }]);
  });

  it("keeps a service account that others may use, and takes only our member from its policy", async () => {
    await journey.grant({ serviceAccount: "payments/api", impersonate: EMAIL, createServiceAccount: true });
    const path = `/v1/projects/${PROJECT}/serviceAccounts/${EMAIL}`;
    const policy = { bindings: [{ role: "roles/iam.workloadIdentityUser", members: [API, "user:ann@example.com"] }] };
    await gcp.call("iam", "POST", `${path}:setIamPolicy`, { policy });
    const marked = await journey.teardown();
    expect(marked.find(({ target }) => target === EMAIL)?.keep).toContain("user:ann@example.com");
    const { json } = await gcp.call("iam", "POST", `${path}:getIamPolicy?options.requestedPolicyVersion=3`);
    expect(json["bindings"]).toEqual([{ role: "roles/iam.workloadIdentityUser", members: ["user:ann@example.com"] }]);
  });

  it("takes away only this cluster's subjects from a pool that another cluster uses too", async () => {
    const other = await startJourney(gcp, { issuerUrl: "https://other.example", project: PROJECT, poolId: "prod", providerId: "other", subjectPrefix: "other:" });
    await other.connection.identify();
    const providers = gcp.state.providers;
    const own = providers.get(PROVIDER);
    if (own === undefined) throw new Error("no provider");
    const description = own.description.replace(ISSUER, "https://other.example");
    providers.set(`${POOL}/providers/other`, { ...own, name: `${POOL}/providers/other`, description, attributeMapping: { "google.subject": "'other:' + assertion.sub" }, oidc: { ...own.oidc, issuerUri: "https://other.example" } });
    await journey.grant(VIEWER);
    const theirs = member("other:system:serviceaccount:payments:api");
    await changeBindings((existing) => existing.map((one) => ({ ...one, members: [...one.members, theirs] })));
    const marked = await journey.teardown();
    expect(marked.find(({ id }) => id === "gcp.pool")?.keep).toContain("other");
    expect(await bindings()).toEqual([{ role: "roles/storage.objectViewer", members: [theirs] }]);
    expect(gcp.state.pools.get(POOL)?.state).toBe("ACTIVE");
    expect(providers.get(PROVIDER)?.state).toBe("DELETED");
  });

  it("finds nothing of what others made", async () => {
    await journey.teardown();
    await gcp.call("iam", "POST", `/v1/projects/${PROJECT}/serviceAccounts`, { accountId: "theirs" });
    await gcp.call("iam", "POST", `/v1/projects/${PROJECT}/locations/global/workloadIdentityPools?workloadIdentityPoolId=theirs`, {});
    expect(await find()).toEqual([]);
  });

  it("deletes nothing whose mark was taken away since", async () => {
    await journey.grant({ serviceAccount: "payments/api", impersonate: EMAIL, createServiceAccount: true });
    const [account, provider, pool] = (await find()).filter(({ remains }) => remains === undefined);
    for (const [name, record] of gcp.state.pools) gcp.state.pools.set(name, { ...record, description: "" });
    for (const [name, record] of gcp.state.providers) gcp.state.providers.set(name, { ...record, description: "" });
    for (const [name, record] of gcp.state.serviceAccounts) gcp.state.serviceAccounts.set(name, { ...record, description: "" });
    for (const one of [account, provider, pool]) {
      if (one === undefined) throw new Error("nothing found");
      const step = { id: one.id, kind: one.kind, cloud: "gcp", action: "delete", target: one.target, reason: "", before: one.fields, after: null, needs: [] } as const;
      expect((await failureOf(journey.connection.perform(step))).code).toBe("GCP_CONFLICT");
    }
  });

  it("may be repeated: what is gone is gone", async () => {
    await journey.grant({ serviceAccount: "payments/api", impersonate: EMAIL, createServiceAccount: true });
    const marked = await find();
    for (const round of [1, 2]) {
      for (const { id, kind, target, fields, remains } of marked) {
        await journey.connection.perform({ id, kind, cloud: "gcp", action: remains === undefined ? "delete" : "update", target, reason: String(round), before: fields, after: remains ?? null, needs: [] });
      }
    }
    expect(await find()).toEqual([]);
  });

  it("needs no Cloud Storage", async () => {
    await gcp.stop();
    gcp = await startTestGcp({ disabledApis: ["storage.googleapis.com"] });
    journey = await startJourney(gcp);
    await journey.setup();
    await expect(find()).resolves.toHaveLength(2);
  });
});
