import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gcpProvider } from "../../../../../src/federation/clouds/gcp/provider.ts";
import { gcpFault } from "../../../../../src/federation/clouds/gcp/sandbox/faults.ts";
import type { Pool, Provider } from "../../../../../src/federation/clouds/gcp/sandbox/state.ts";
import { codes } from "../../../../../src/federation/errors/codes.ts";
import { KubeassumeError } from "../../../../../src/federation/errors/error.ts";
import { startTestGcp, type TestGcp } from "../sandbox/support/start.ts";
import { asked, CLUSTER_KEY, expectConformance, ISSUER, type Journey, PLACE, POOL, PROJECT, PROVIDER, startJourney, writes } from "./journey.ts";
import { failureOf } from "./scripted-google.ts";

let gcp: TestGcp;
let journey: Journey;

beforeEach(async () => {
  gcp = await startTestGcp();
  journey = await startJourney(gcp);
});

afterEach(async () => {
  expectConformance(gcp);
  await gcp.stop();
});

function changePool(changes: Partial<Pool>): void {
  const pool = gcp.state.pools.get(POOL);
  if (pool === undefined) throw new Error("no pool");
  gcp.state.pools.set(POOL, { ...pool, ...changes });
}

function changeProvider(changes: Partial<Provider>): void {
  const provider = gcp.state.providers.get(PROVIDER);
  if (provider === undefined) throw new Error("no provider");
  gcp.state.providers.set(PROVIDER, { ...provider, ...changes });
}

function masks(from: number): readonly (string | null)[] {
  return gcp.exchanges.slice(from).filter(({ request }) => request.method === "PATCH").map(({ request }) => new URL(request.target, "http://host").searchParams.get("updateMask"));
}

describe("setup gcp", () => {
  it("looks up the project beside pool and provider, writes both, and finds them as they should be", async () => {
    const before = gcp.exchanges.length;
    expect(await journey.setup()).toEqual(["create", "create"]);
    expect(writes(asked(gcp, before))).toEqual([
      `iam POST /v1/projects/123456789012/locations/global/workloadIdentityPools`,
      `iam POST /v1/${POOL}/providers`,
    ]);
    expect(gcp.state.pools.get(POOL)).toMatchObject({ state: "ACTIVE", description: expect.stringContaining(`kubeassume.dev/issuer=${ISSUER}`) as string });
    expect(gcp.state.providers.get(PROVIDER)).toMatchObject({ attributeMapping: { "google.subject": "assertion.sub" }, oidc: { issuerUri: ISSUER } });
    const again = gcp.exchanges.length;
    expect(await journey.setup()).toEqual(["none", "none"]);
    expect(writes(asked(gcp, again))).toEqual([]);
  });

  it("says once that Google takes its time", async () => {
    await journey.setup();
    expect(journey.said.filter((words) => words.includes("2 minutes"))).toHaveLength(1);
  });

  it("reads by the project's ID, so that nothing waits for its number", async () => {
    const before = gcp.exchanges.length;
    await journey.planSetup();
    const lines = asked(gcp, before);
    expect(lines).toHaveLength(4);
    expect(lines.filter((line) => line.includes(`/projects/${PROJECT}`))).toHaveLength(4);
  });

  it("waits for long-running operations", async () => {
    await gcp.stop();
    gcp = await startTestGcp({ operationMs: 300 });
    journey = await startJourney(gcp);
    expect(await journey.setup()).toEqual(["create", "create"]);
    const polls = asked(gcp).filter((line) => line.includes("/operations/")).length;
    expect(polls).toBeGreaterThanOrEqual(2);
    expect(polls).toBeLessThanOrEqual(6);
    expect(await journey.setup()).toEqual(["none", "none"]);
  });

  it("gives up on an operation that never ends, and says which", async () => {
    await gcp.stop();
    gcp = await startTestGcp({ operationMs: 3_600_000 });
    journey = await startJourney(gcp, PLACE, { timeoutMs: 200 });
    const failure = await failureOf(journey.setup());
    expect(failure).toMatchObject({ code: "GCP_OPERATION_TIMEOUT", exit: 4 });
    expect(String(failure.details["operation"])).toContain("/operations/");
  });

  it("ends at once when interrupted while an operation is under way", async () => {
    await gcp.stop();
    gcp = await startTestGcp({ operationMs: 3_600_000 });
    const stop = new AbortController();
    journey = await startJourney(gcp, PLACE, { signal: stop.signal });
    const planned = await journey.planSetup();
    const work = failureOf(journey.perform(planned));
    setTimeout(() => stop.abort(), 50);
    expect((await work).code).toBe("GCP_UNREACHABLE");
  });

  it("restores what was deleted, and repairs it", async () => {
    await journey.setup();
    await journey.teardown();
    expect([gcp.state.pools.get(POOL)?.state, gcp.state.providers.get(PROVIDER)?.state]).toEqual(["DELETED", "DELETED"]);
    const actions = await journey.setup({ audience: ["vault"] });
    expect(actions).not.toContain("none");
    expect([gcp.state.pools.get(POOL)?.state, gcp.state.providers.get(PROVIDER)?.state]).toEqual(["ACTIVE", "ACTIVE"]);
    expect(gcp.state.providers.get(PROVIDER)?.oidc.allowedAudiences).toEqual(["vault"]);
    expect(await journey.setup({ audience: ["vault"] })).toEqual(["none", "none"]);
  });

  it("changes exactly the fields that differ", async () => {
    await journey.setup({ poolName: "Production", audience: ["vault"], attributeCondition: "assertion.sub != ''" });
    changePool({ displayName: "Somebody's" });
    changeProvider({ attributeMapping: { "google.subject": "assertion.sub", "attribute.theirs": "assertion.jti" } });
    const before = gcp.exchanges.length;
    expect(await journey.setup({ poolName: "Production", audience: ["vault"], attributeCondition: "" })).toEqual(["update", "update"]);
    expect(masks(before)).toEqual(["displayName", "attributeMapping,attributeCondition"]);
    expect(gcp.state.providers.get(PROVIDER)).toMatchObject({ attributeCondition: "", attributeMapping: { "attribute.theirs": "assertion.jti", "attribute.cluster": "assertion.iss" }, oidc: { allowedAudiences: ["vault"] } });
  });

  it("takes over what somebody else made only with --adopt, and keeps their words", async () => {
    await journey.setup();
    changePool({ description: "made by hand" });
    changeProvider({ description: "made by hand" });
    expect((await journey.planSetup()).codes).toEqual(["NOT_OURS", "NOT_OURS"]);
    expect(await journey.setup({ adopt: true })).toEqual(["adopt", "adopt"]);
    expect(gcp.state.pools.get(POOL)?.description).toMatch(/^made by hand kubeassume\.dev/);
    expect(await journey.setup()).toEqual(["none", "none"]);
  });

  it("reports what is disabled, of another mode, or shared", async () => {
    await journey.setup();
    changePool({ disabled: true });
    changeProvider({ disabled: true });
    const other = gcp.state.providers.get(PROVIDER);
    if (other === undefined) throw new Error("no provider");
    gcp.state.providers.set(`${POOL}/providers/other`, { ...other, name: `${POOL}/providers/other`, oidc: { ...other.oidc, issuerUri: "https://other.example" } });
    expect([...(await journey.planSetup()).codes].sort()).toEqual(["GCP_POOL_DISABLED", "GCP_POOL_SHARED", "GCP_PROVIDER_DISABLED"]);
    changePool({ disabled: false, mode: "TRUST_DOMAIN" });
    expect((await journey.planSetup()).codes).toContain("GCP_POOL_MODE");
  });
});

describe("setup gcp --keys upload", () => {
  it("stores the cluster's keys, finds them again however Google formats them, and adds new ones", async () => {
    expect(await journey.setup({ keys: "upload" })).toEqual(["create", "create"]);
    const stored = gcp.state.providers.get(PROVIDER)?.oidc.jwksJson ?? "";
    expect(JSON.parse(stored)).toEqual({ keys: [expect.objectContaining({ kid: "cluster-1", n: CLUSTER_KEY.n }) as object] });
    expect(await journey.setup({ keys: "upload" })).toEqual(["none", "none"]);
    changeProvider({ oidc: { issuerUri: ISSUER, allowedAudiences: [], jwksJson: stored.replace("cluster-1", "earlier") } });
    const before = gcp.exchanges.length;
    expect(await journey.setup({ keys: "upload" })).toEqual(["none", "update"]);
    expect(masks(before)).toEqual(["oidc.jwksJson"]);
    const kids = (JSON.parse(gcp.state.providers.get(PROVIDER)?.oidc.jwksJson ?? "") as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    expect(kids.sort()).toEqual(["cluster-1", "earlier"]);
  });

  it("returns to discovery when asked to", async () => {
    await journey.setup({ keys: "upload" });
    expect(await journey.setup({ keys: "discovery" })).toEqual(["none", "update"]);
    expect(gcp.state.providers.get(PROVIDER)?.oidc.jwksJson).toBe("");
  });

  it("writes over no key that somebody added since the plan was made", async () => {
    await journey.setup({ keys: "upload" });
    const stored = gcp.state.providers.get(PROVIDER)?.oidc.jwksJson ?? "";
    changeProvider({ oidc: { issuerUri: ISSUER, allowedAudiences: [], jwksJson: stored.replace("cluster-1", "earlier") } });
    const planned = await journey.planSetup({ keys: "upload" });
    changeProvider({ oidc: { issuerUri: ISSUER, allowedAudiences: [], jwksJson: stored.replace("cluster-1", "latest") } });
    expect((await failureOf(journey.perform(planned))).code).toBe("GCP_CONFLICT");
    expect(gcp.state.providers.get(PROVIDER)?.oidc.jwksJson).toContain("latest");
  });
});

describe("setup gcp, interrupted or raced", () => {
  it("is finished when the answers to the creations were lost", async () => {
    const planned = await journey.planSetup({ audience: ["vault"] });
    await journey.perform(planned);
    changeProvider({ oidc: { issuerUri: ISSUER, allowedAudiences: [], jwksJson: "" } });
    await journey.perform(planned);
    expect(gcp.state.providers.get(PROVIDER)?.oidc.allowedAudiences).toEqual(["vault"]);
  });

  it("is a conflict when somebody else made the pool in between", async () => {
    const planned = await journey.planSetup();
    await journey.perform(planned);
    changePool({ description: "made by hand" });
    expect((await failureOf(journey.perform(planned))).code).toBe("GCP_CONFLICT");
  });

  it("undeletes what is active already without a complaint", async () => {
    await journey.setup();
    await journey.teardown();
    const planned = await journey.planSetup();
    await journey.perform(planned);
    await journey.perform(planned);
    expect(await journey.setup()).toEqual(["none", "none"]);
  });

  it("goes on after answers that were lost and services that failed for a moment", async () => {
    await gcp.stop();
    let left = 3;
    gcp = await startTestGcp({ faults: ({ service, method }) => (service === "gcp.iam" && method === "POST" && left-- > 1 ? gcpFault("gcp.iam", "unavailable", left === 2 ? "after" : "before") : null) });
    journey = await startJourney(gcp);
    expect(await journey.setup()).toEqual(["create", "create"]);
    expect(await journey.setup()).toEqual(["none", "none"]);
  });

  it("says that the project is not there, rather than what follows from it", async () => {
    const elsewhere = await startJourney(gcp, { ...PLACE, project: "acme-nowhere" });
    const failure = await failureOf(elsewhere.planSetup());
    expect(failure).toMatchObject({ code: "GCP_PROJECT_NOT_FOUND", exit: 2 });
    expect(failure.message).toContain("acme-nowhere");
  });

  it("says who cannot be told, whatever else fails because of it", async () => {
    const spec = gcpProvider.toSetupSpec({ flags: { ...PLACE, project: "acme-nowhere" }, config: null });
    const unknown = Promise.reject(new KubeassumeError(codes.FLAG_MISSING, { message: "who" }));
    expect((await failureOf(journey.connection.observeSetup(spec, unknown))).code).toBe("FLAG_MISSING");
  });

  it("names the API that is not enabled", async () => {
    await gcp.stop();
    gcp = await startTestGcp({ disabledApis: ["cloudresourcemanager.googleapis.com"] });
    const failure = await failureOf((await startJourney(gcp)).planSetup());
    expect(failure.code).toBe("GCP_API_DISABLED");
    expect(failure.hint).toContain("gcloud services enable cloudresourcemanager.googleapis.com");
  });

  it("names the permission that is missing", async () => {
    await gcp.stop();
    gcp = await startTestGcp({ denyPermissions: ["iam.workloadIdentityPools.create"] });
    const failure = await failureOf((await startJourney(gcp)).setup());
    expect([failure.code, failure.details["permission"] ?? failure.details["action"]]).toEqual(["GCP_ACCESS_DENIED", "iam.workloadIdentityPools.create"]);
  });

  it("tells who calls and in which project", async () => {
    await expect(journey.connection.identify()).resolves.toMatchObject({ account: "123456789012", name: expect.stringContaining("operator") as string });
  });
});
