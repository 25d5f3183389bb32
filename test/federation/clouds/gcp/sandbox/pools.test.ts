import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, TestClock, TestGcp } from "./support/start.ts";

const POOLS = "/v1/projects/kubeassume-sandbox/locations/global/workloadIdentityPools";
const NAME = "projects/123456789012/locations/global/workloadIdentityPools";
const DAY = 86_400_000;
const START = new Date("2026-11-24T00:00:00.000Z");

const clock: TestClock = { now: START };
let gcp: TestGcp;

beforeAll(async () => {
  gcp = await startTestGcp({ clock });
});
afterAll(() => gcp.stop());

beforeEach(() => {
  gcp.state.pools.clear();
  gcp.state.operations.clear();
  clock.now = START;
});

const create = (id: string, body: unknown = {}): Promise<Answer> => gcp.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=${encodeURIComponent(id)}`, body);
const get = (id: string): Promise<Answer> => gcp.call("iam", "GET", `${POOLS}/${id}`);

describe("a pool", () => {
  it("is created by an operation that answers it, and has the project's number in its name", async () => {
    const { status, json } = await create("prod", { displayName: "Production", description: "of acme" });
    const pool = { name: `${NAME}/prod`, displayName: "Production", description: "of acme", state: "ACTIVE" };
    expect(status).toBe(200);
    expect(json).toMatchObject({ done: true, response: { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPool", ...pool } });
    expect(json["name"]).toMatch(new RegExp(`^${NAME}/prod/operations/[a-z0-9]+$`));
    expect((await get("prod")).json).toEqual(pool);
    expect((await gcp.call("iam", "GET", `/v1/${NAME}/prod`)).json).toEqual(pool);
  });

  it("needs an id of 4 to 32 of [a-z0-9-] that does not begin with gcp-", async () => {
    const ids = fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^[a-z0-9-]{1,40}$/), fc.constantFrom("gcp-prod", "gcpx", "abc", "abcd", "a".repeat(32), "a".repeat(33), "Prod"));
    await fc.assert(
      fc.asyncProperty(ids, async (id) => {
        gcp.state.pools.clear();
        const good = /^[a-z0-9-]{4,32}$/.test(id) && !id.startsWith("gcp-");
        expect((await create(id)).status, JSON.stringify(id)).toBe(good ? 200 : 400);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["a display name of 33 characters", { displayName: "x".repeat(33) }],
    ["a description of 257 characters", { description: "x".repeat(257) }],
    ["a member that pools do not have", { labels: {} }],
    ["a member of another type", { disabled: "yes" }],
  ])("is refused with %s", async (_, body) => {
    expect(refusalIn(await create("prod", body)).status).toBe("INVALID_ARGUMENT");
    expect(gcp.state.pools.size).toBe(0);
  });

  it("takes names and texts that are just short enough", async () => {
    expect((await create("prod", { displayName: "x".repeat(32), description: "ü".repeat(256) })).status).toBe(200);
  });

  it("exists once, also while it is deleted", async () => {
    await create("prod");
    expect(refusalIn(await create("prod"))).toMatchObject({ code: 409, status: "ALREADY_EXISTS" });
    await gcp.call("iam", "DELETE", `${POOLS}/prod`);
    expect(refusalIn(await create("prod")).status).toBe("ALREADY_EXISTS");
  });

  it("is still answered for thirty days after its deletion, then gone and free again", async () => {
    await create("prod");
    await gcp.call("iam", "DELETE", `${POOLS}/prod`);
    expect((await get("prod")).json).toMatchObject({ state: "DELETED", expireTime: "2026-12-24T00:00:00.000Z" });
    clock.now = new Date(START.getTime() + 30 * DAY - 1);
    renew();
    expect((await get("prod")).status).toBe(200);
    clock.now = new Date(START.getTime() + 30 * DAY);
    expect(refusalIn(await get("prod")).status).toBe("NOT_FOUND");
    expect((await create("prod")).status).toBe(200);
  });

  it("is undeleted as it was, and only when it is deleted", async () => {
    await create("prod", { description: "kept" });
    expect(refusalIn(await gcp.call("iam", "POST", `${POOLS}/prod:undelete`, {})).status).toBe("FAILED_PRECONDITION");
    await gcp.call("iam", "DELETE", `${POOLS}/prod`);
    expect(refusalIn(await gcp.call("iam", "PATCH", `${POOLS}/prod?updateMask=description`, { description: "x" })).status).toBe("FAILED_PRECONDITION");
    expect((await gcp.call("iam", "POST", `${POOLS}/prod:undelete`, {})).json).toMatchObject({ response: { state: "ACTIVE", description: "kept" } });
    expect((await get("prod")).json).toEqual({ name: `${NAME}/prod`, description: "kept", state: "ACTIVE" });
  });

  it("is changed in exactly the fields of the mask", async () => {
    await create("prod", { displayName: "Old", description: "old" });
    await gcp.call("iam", "PATCH", `${POOLS}/prod?updateMask=displayName,disabled`, { displayName: "New", description: "not named", disabled: true });
    expect((await get("prod")).json).toMatchObject({ displayName: "New", description: "old", disabled: true });
    await gcp.call("iam", "PATCH", `${POOLS}/prod?updateMask=display_name`, {});
    expect((await get("prod")).json).not.toHaveProperty("displayName");
  });

  it.each(["", "?updateMask=", "?updateMask=mode", "?updateMask=name", "?updateMask=nonsense"])("is not changed with the mask %j", async (mask) => {
    await create("prod", { description: "old" });
    expect(refusalIn(await gcp.call("iam", "PATCH", `${POOLS}/prod${mask}`, { description: "new", mode: "TRUST_DOMAIN" })).status).toBe("INVALID_ARGUMENT");
    expect((await get("prod")).json).toMatchObject({ description: "old" });
  });

  it("is not found when it never was", async () => {
    for (const [method, path] of [["GET", ""], ["DELETE", ""], ["POST", ":undelete"], ["PATCH", "?updateMask=description"], ["GET", "/operations/0123"]] as const) {
      expect(refusalIn(await gcp.call("iam", method, `${POOLS}/nowhere${path}`)).status, method).toBe("NOT_FOUND");
    }
  });
});

describe("the list of pools", () => {
  it("leaves out the deleted ones unless they are asked for, and comes in pages", async () => {
    for (const id of ["pool-a", "pool-b", "pool-c"]) await create(id);
    await gcp.call("iam", "DELETE", `${POOLS}/pool-b`);
    const names = (answer: Answer): unknown => (answer.json["workloadIdentityPools"] as { name: string }[]).map(({ name }) => name.slice(-1));
    expect(names(await gcp.call("iam", "GET", POOLS))).toEqual(["a", "c"]);
    const first = await gcp.call("iam", "GET", `${POOLS}?showDeleted=true&pageSize=2`);
    expect(names(first)).toEqual(["a", "b"]);
    const last = await gcp.call("iam", "GET", `${POOLS}?showDeleted=true&pageSize=2&pageToken=${String(first.json["nextPageToken"])}`);
    expect(names(last)).toEqual(["c"]);
    expect(last.json).not.toHaveProperty("nextPageToken");
  });

  it("answers nothing at all for none, and refuses page tokens and parameters of other APIs", async () => {
    expect((await gcp.call("iam", "GET", POOLS)).json).toEqual({});
    expect(refusalIn(await gcp.call("iam", "GET", `${POOLS}?pageToken=AAAA`)).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await gcp.call("iam", "GET", `${POOLS}?maxResults=5`)).status).toBe("INVALID_ARGUMENT");
  });
});

describe("operations that take their time", () => {
  let slow: TestGcp;
  const time: TestClock = { now: START };
  beforeAll(async () => {
    slow = await startTestGcp({ clock: time, operationMs: 5000 });
  });
  afterAll(() => slow.stop());

  it("show nothing before they are done, and everything afterwards", async () => {
    const started = await slow.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, {});
    expect(started.json).not.toHaveProperty("done");
    const operation = `/v1/${String(started.json["name"])}`;
    expect((await slow.call("iam", "GET", `${POOLS}/prod`)).status).toBe(404);
    expect((await slow.call("iam", "GET", operation)).json).toEqual(started.json);
    expect(refusalIn(await slow.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, {})).status).toBe("ALREADY_EXISTS");
    time.now = new Date(START.getTime() + 5000);
    expect((await slow.call("iam", "GET", operation)).json).toMatchObject({ done: true, response: { name: `${NAME}/prod` } });
    expect((await slow.call("iam", "GET", `${POOLS}/prod`)).status).toBe(200);
  });

  it("are one at a time on the same pool", async () => {
    const patch = (): Promise<Answer> => slow.call("iam", "PATCH", `${POOLS}/prod?updateMask=description`, { description: "x" });
    expect((await patch()).status).toBe(200);
    expect(refusalIn(await patch())).toMatchObject({ code: 409, status: "ABORTED" });
    time.now = new Date(time.now.getTime() + 5000);
    expect((await patch()).status).toBe(200);
  });

  itConforms(() => slow);
});

describe("quotas", () => {
  it("bound the pools of a project", async () => {
    const small = await startTestGcp({ quotas: { poolsPerProject: 1 } });
    await small.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, {});
    expect(refusalIn(await small.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=test`, {}))).toMatchObject({ code: 429, status: "RESOURCE_EXHAUSTED" });
    await small.stop();
  });
});

/** Tokens live an hour; the test's clock moves on by weeks. */
function renew(): void {
  for (const [token, known] of gcp.state.tokens) gcp.state.tokens.set(token, { ...known, expires: new Date(START.getTime() + 100 * DAY) });
}

itConforms(() => gcp);
