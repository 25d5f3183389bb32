import { afterEach, describe, expect, it } from "vitest";
import { gcpFault } from "../../../../../src/federation/clouds/gcp/sandbox/faults.ts";
import { startTestGcp, type TestGcp } from "../sandbox/support/start.ts";
import { asked, EMAIL, expectConformance, type Journey, type Planned, POOL, PROVIDER, startJourney, writes } from "./journey.ts";

let gcp: TestGcp;

afterEach(async () => {
  expectConformance(gcp);
  await gcp.stop();
});

/** Each step, and the same again while Google is still at it: what a run finds that follows one that was killed. */
async function performTwice({ connection }: Journey, { steps, codes }: Planned): Promise<void> {
  expect(codes).toEqual([]);
  for (const step of steps.filter(({ action }) => action !== "none")) await Promise.all([connection.perform(step), connection.perform(step)]);
}

describe("an operation that another run has begun", () => {
  it("is waited for: pool and provider are made, changed and restored once", async () => {
    gcp = await startTestGcp({ operationMs: 120 });
    const journey = await startJourney(gcp);
    await performTwice(journey, await journey.planSetup({ audience: ["vault"] }));
    expect(await journey.setup({ audience: ["vault"] })).toEqual(["none", "none"]);
    const changed = { audience: ["other"], poolName: "Production", keys: "upload" };
    await performTwice(journey, await journey.planSetup(changed));
    expect(await journey.setup(changed)).toEqual(["none", "none"]);
    await journey.teardown();
    await performTwice(journey, await journey.planSetup(changed));
    expect(await journey.setup(changed)).toEqual(["none", "none"]);
    expect(writes(asked(gcp)).filter((line) => line.endsWith(":undelete")).length).toBeGreaterThanOrEqual(4);
  });

  it("that deletes ends as if it were our own", async () => {
    gcp = await startTestGcp({ operationMs: 120 });
    const journey = await startJourney(gcp);
    await journey.setup();
    await Promise.all([journey.teardown(), journey.teardown()]);
    expect([gcp.state.pools.get(POOL)?.state, gcp.state.providers.get(PROVIDER)?.state]).toEqual(["DELETED", "DELETED"]);
    expect(await journey.teardown()).toEqual([]);
  });

  it("is no reason to wait when the name is somebody else's", async () => {
    gcp = await startTestGcp();
    const journey = await startJourney(gcp);
    const planned = await journey.planSetup();
    await gcp.call("iam", "POST", `/v1/${POOL.slice(0, POOL.lastIndexOf("/"))}?workloadIdentityPoolId=prod`, { description: "theirs" });
    await expect(journey.perform(planned)).rejects.toMatchObject({ code: "GCP_CONFLICT" });
  });
});

describe("reading a policy", () => {
  it.each([
    ["of a project", { serviceAccount: "payments/api", role: ["roles/viewer"] }],
    ["of a service account", { serviceAccount: "payments/api", impersonate: EMAIL, createServiceAccount: true }],
  ])("%s is tried again although it is a POST", async (_, flags) => {
    const failed = new Set<string>();
    gcp = await startTestGcp({
      faults: ({ service, url }) => {
        if (!url.includes(":getIamPolicy") || failed.has(url)) return null;
        failed.add(url);
        return gcpFault(service === "gcp.iam" ? "gcp.iam" : "gcp.cloudresourcemanager", "internal");
      },
    });
    const journey = await startJourney(gcp);
    await journey.setup();
    await journey.grant(flags);
    expect(failed.size).toBe(1);
  });
});
