import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { createHttp, type HttpOptions } from "../../../src/federation/http/create-http.ts";
import { HttpFailure, type HttpRequest } from "../../../src/federation/http/http.ts";
import { startRawServer } from "../../support/tls-server.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serveRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const server = await startRawServer((socket) => {
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  closers.push(server.close);
  return `http://127.0.0.1:${server.port}`;
}

function http(options: Partial<HttpOptions> = {}) {
  return createHttp({ caPem: [], env: {}, timeoutMs: 10_000, ...options });
}

async function failureOf(request: HttpRequest, options: Partial<HttpOptions> = {}): Promise<HttpFailure> {
  const failure: unknown = await http(options)(request).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HttpFailure);
  return failure as HttpFailure;
}

describe("createHttp", () => {
  it("sends method, headers and body, and answers with status, lower-case headers and text", async () => {
    const url = await serve(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.writeHead(418, { "X-Method": request.method, "X-Seen": request.headers["x-own"], "Set-Cookie": ["a=1", "b=2"] });
      response.end(`${request.headers["user-agent"]}: ${Buffer.concat(chunks).toString()} ü`);
    });
    const answer = await http()({ url, method: "POST", headers: { "x-own": "yes" }, body: "hello" });
    expect(answer).toMatchObject({ status: 418, body: "kubeassume: hello ü", headers: { "x-method": "POST", "x-seen": "yes", "set-cookie": "a=1, b=2" } });
  });

  it("does not follow a redirect", async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    expect(await http()({ url })).toMatchObject({ status: 302, headers: { location: "/elsewhere" } });
    expect(requests).toBe(1);
  });

  it("asks for no compression, and does not unpack what comes compressed all the same", async () => {
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers["accept-encoding"]);
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("{}"));
    });
    expect((await http()({ url })).body).not.toBe("{}");
    expect(asked).toEqual([undefined]);
  });

  it("is interrupted by the signal of its owner", async () => {
    const interruption = new AbortController();
    const url = await serve(() => interruption.abort());
    expect(await failureOf({ url }, { signal: interruption.signal })).toMatchObject({ reason: "aborted" });
  });

  it("names the host and no path or query in its words", async () => {
    const url = await serveRaw((socket) => socket.resetAndDestroy());
    const { message } = await failureOf({ url: `${url}/secret-path?token=abc` });
    expect(message).toContain(new URL(url).host);
    expect(message).not.toMatch(/secret-path|abc/);
  });
});

const HEAD = "HTTP/1.1 200 OK\r\n";

describe("what goes wrong on the way", () => {
  it.each<readonly [string, (socket: Socket) => void, string]>([
    ["a reset before the answer", (socket) => socket.resetAndDestroy(), "reset"],
    ["a connection closed without a word", (socket) => socket.end(), "reset"],
    ["an answer that is no HTTP", (socket) => socket.end("SSH-2.0-OpenSSH\r\n"), "not-http"],
    ["a body shorter than announced", (socket) => socket.end(`${HEAD}content-length: 100\r\n\r\nhalf`), "truncated"],
    ["chunks that end in the middle", (socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhel`), "truncated"],
    ["a reset within the body", (socket) => void socket.write(`${HEAD}content-length: 100\r\n\r\nhalf`, () => socket.resetAndDestroy()), "truncated"],
  ])("calls %s by its name", async (_, behave, reason) => {
    const url = await serveRaw((socket) => void socket.once("data", () => behave(socket)));
    const failure = await failureOf({ url });
    expect([failure.reason, failure.systemCode]).toEqual([reason, expect.any(String)]);
  });

  it("calls a port where nobody listens refused", async () => {
    const url = await serve(() => undefined);
    await Promise.all(closers.splice(0).map((close) => close()));
    expect(await failureOf({ url })).toMatchObject({ reason: "refused", systemCode: "ECONNREFUSED" });
  });

  it("calls a name that does not exist dns", async () => {
    expect(await failureOf({ url: "http://does-not-exist.invalid/" })).toMatchObject({ reason: "dns" });
  });

  it.each<readonly [string, (socket: Socket) => void]>([
    ["before the headers", () => undefined],
    ["within the headers", (socket) => void socket.write(HEAD)],
    ["within the body", (socket) => void socket.write(`${HEAD}content-length: 100\r\n\r\nhalf`)],
  ])("gives up in time on a server that stalls %s", async (_, behave) => {
    const url = await serveRaw((socket) => void socket.once("data", () => behave(socket)));
    expect(await failureOf({ url, timeoutMs: 200 })).toMatchObject({ reason: "timeout" });
  });

  it("gives up on a body that trickles for ever", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write("."), 10);
      response.on("close", () => clearInterval(drip));
    });
    expect(await failureOf({ url, timeoutMs: 200 })).toMatchObject({ reason: "timeout" });
  });
});

describe("the size of an answer", () => {
  it.each([
    ["announced", true],
    ["not announced", false],
  ])("is bounded when it is %s", async (_, announced) => {
    const url = await serve((request, response) => {
      const bytes = Number(request.url?.slice(1));
      response.writeHead(200, announced ? { "content-length": bytes } : {}).end(Buffer.alloc(bytes, "x"));
    });
    expect((await http()({ url: `${url}/1048576` })).body).toHaveLength(1_048_576);
    expect(await failureOf({ url: `${url}/1048577` })).toMatchObject({ reason: "too-large" });
    expect(await failureOf({ url: `${url}/11`, maxBytes: 10 })).toMatchObject({ reason: "too-large" });
  });

  it("is bounded when it has no end", async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const chunk = Buffer.alloc(65_536, "x");
      const pour = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on("drain", pour);
      pour();
    });
    expect(await failureOf({ url })).toMatchObject({ reason: "too-large" });
    expect(sent).toBeLessThan(64 * 1_048_576);
  });
});
