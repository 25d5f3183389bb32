import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Agent, request } from "undici";
import { serve } from "../../../src/federation/sandbox/http-core.ts";
import type { Handler, RunningServer } from "../../../src/federation/sandbox/http-core.ts";
import { createAuthority } from "../../../src/federation/sandbox/pki.ts";
import { createTraffic } from "../../../src/federation/sandbox/traffic.ts";
import type { Fault, Traffic } from "../../../src/federation/sandbox/traffic.ts";

const BODY = JSON.stringify({ message: "a body that is long enough to be cut" });
let server: RunningServer;
let agent = new Agent();
let effects = 0;

const handler: Handler = ({ method, path, body }) => {
  if (path === "/echo") return { status: 200, body };
  if (path === "/broken") throw new Error("on purpose");
  if (path !== "/") return null;
  if (method === "POST") effects += 1;
  return { status: 201, headers: { "content-type": "application/json", "x-own": "yes" }, body: BODY };
};

async function start(traffic: Traffic, more: Partial<Parameters<typeof serve>[0]> = {}): Promise<void> {
  effects = 0;
  agent = new Agent();
  server = await serve({ service: "test", handler, traffic, ...more });
}

async function ask(path = "/", method: "GET" | "POST" | "HEAD" = "POST", body: string | null = null): Promise<{ status: number; text: string; length: string }> {
  const answer = await request(`${server.url}${path}`, { dispatcher: agent, method, body });
  return { status: answer.statusCode, text: await answer.body.text(), length: String(answer.headers["content-length"]) };
}

afterEach(async () => {
  await agent.destroy();
  await server.close();
});

it("logs each request with its service, times and status", async () => {
  const traffic = createTraffic();
  await start(traffic);
  await ask("/?x=1");
  await ask("/", "GET");
  expect(traffic.requests).toMatchObject([
    { service: "test", method: "POST", url: `${server.url}/?x=1`, status: 201, unmatched: false, defect: null },
    { method: "GET", url: `${server.url}/`, status: 201 },
  ]);
  const [first, second] = traffic.requests;
  expect(first?.endedAt).toBeGreaterThanOrEqual(first?.startedAt ?? Number.NaN);
  expect(second?.startedAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.NaN);
});

it("answers 404 in words, and marks the request, when the stand-in does not know it", async () => {
  const traffic = createTraffic();
  await start(traffic);
  expect(await ask("/other", "GET")).toMatchObject({ status: 404, text: "the sandbox's test does not know GET /other\n" });
  expect(traffic.requests).toMatchObject([{ unmatched: true }]);
});

it("keeps what a stand-in threw in the log", async () => {
  const traffic = createTraffic();
  await start(traffic);
  expect((await ask("/broken", "GET")).status).toBe(500);
  expect(traffic.requests[0]?.defect).toEqual(new Error("on purpose"));
});

it("adds the latency to every request", async () => {
  const traffic = createTraffic({ latencyMs: 40 });
  await start(traffic);
  await ask();
  const [entry] = traffic.requests;
  expect((entry?.endedAt ?? 0) - (entry?.startedAt ?? 0)).toBeGreaterThanOrEqual(39);
});

it("answers HEAD with the headers of GET and no body", async () => {
  await start(createTraffic());
  expect(await ask("/", "HEAD")).toEqual({ status: 201, text: "", length: String(BODY.length) });
});

it("refuses a body above its bound with 413, and takes one at the bound", async () => {
  const traffic = createTraffic();
  await start(traffic, { maxBodyBytes: 1000 });
  expect((await ask("/echo", "POST", "x".repeat(1000))).text).toHaveLength(1000);
  expect((await ask("/echo", "POST", "x".repeat(1001))).status).toBe(413);
});

it("serves TLS under a certificate of an authority", async () => {
  const authority = await createAuthority({ name: "test", now: new Date() });
  await start(createTraffic(), { tls: await authority.issueServer({ names: ["127.0.0.1"], now: new Date() }) });
  agent = new Agent({ connect: { ca: authority.certificatePem } });
  expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect((await ask()).status).toBe(201);
});

it("closes in spite of an idle connection and of one that never finishes its request", async () => {
  await start(createTraffic());
  await ask();
  const socket = connect(server.port, "127.0.0.1");
  await new Promise((resolve) => socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n", resolve));
  socket.on("error", () => undefined);
  await server.close();
  await expect(ask()).rejects.toThrow();
});

describe.each(["before", "after"] as const)("a fault %s the effect", (when) => {
  const expected = when === "before" ? 0 : 1;
  const faulty = async (fault: Fault, once = true): Promise<Traffic> => {
    let left = once ? 1 : Number.POSITIVE_INFINITY;
    const traffic = createTraffic({ faults: () => (left-- > 0 ? fault : null) });
    await start(traffic);
    return traffic;
  };

  it("resets the connection", async () => {
    const traffic = await faulty({ kind: "reset", when });
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) as string });
    expect(effects).toBe(expected);
    expect(traffic.requests[0]?.status).toBe(0);
    expect((await ask()).status).toBe(201);
  });

  it("stalls until the client gives up", async () => {
    await faulty({ kind: "stall", when });
    await expect(request(server.url, { dispatcher: agent, method: "POST", signal: AbortSignal.timeout(150) })).rejects.toMatchObject({ name: "TimeoutError" });
    expect(effects).toBe(expected);
  });

  it("answers another status", async () => {
    const traffic = await faulty({ kind: "status", when, status: 429, headers: { "retry-after": "1" }, body: "slow down" });
    expect(await ask()).toMatchObject({ status: 429, text: "slow down" });
    expect(effects).toBe(expected);
    expect(traffic.requests[0]?.status).toBe(429);
  });

  it("cuts the answer off", async () => {
    await faulty({ kind: "truncate", when });
    await expect(ask()).rejects.toThrow();
    expect(effects).toBe(expected);
  });
});

it("shows the fault hook the request with its body, once", async () => {
  const seen: string[] = [];
  await start(createTraffic({ faults: ({ service, method, url, body }) => (seen.push(`${service} ${method} ${new URL(url).pathname} ${Buffer.from(body).toString()}`), null) }));
  await ask("/echo", "POST", "hello");
  expect(seen).toEqual(["test POST /echo hello"]);
});
