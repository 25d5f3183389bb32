import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttp, type HttpOptions } from "../../../src/federation/http/create-http.ts";
import { HttpFailure } from "../../../src/federation/http/http.ts";
import { createTestPki, type Proxy, startProxy, startTlsServer, type TestPki, type TlsServer } from "../../support/tls-server.ts";

let pki: TestPki;
let server: TlsServer;
let proxy: Proxy;
let denying: Proxy;

beforeAll(async () => {
  const now = new Date();
  pki = await createTestPki(now);
  server = await startTlsServer(await pki.root.issueServer({ names: ["localhost", "issuer.test"], now }), {}, (_, response) => void response.end("over TLS"));
  proxy = await startProxy();
  denying = await startProxy(407);
});
afterAll(() => Promise.all([server.close(), proxy.close(), denying.close()]));

function http(options: Partial<HttpOptions> = {}) {
  return createHttp({ caPem: [pki.root.certificatePem], env: {}, timeoutMs: 10_000, ...options });
}

async function failureOf(url: string, options: Partial<HttpOptions>): Promise<HttpFailure> {
  const failure: unknown = await http(options)({ url }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HttpFailure);
  return failure as HttpFailure;
}

describe("TLS", () => {
  it("trusts a private CA that was named", async () => {
    expect(await http()({ url: server.url })).toMatchObject({ status: 200, body: "over TLS" });
  });

  it("refuses a private CA that was not named", async () => {
    expect(await failureOf(server.url, { caPem: [] })).toMatchObject({ reason: "tls" });
  });

  it("refuses a server of another CA", async () => {
    const other = await createTestPki(new Date());
    expect(await failureOf(server.url, { caPem: [other.root.certificatePem] })).toMatchObject({ reason: "tls" });
  });

  it("refuses a certificate for another name", async () => {
    expect(await failureOf(server.url.replace("localhost", "127.0.0.1"), {})).toMatchObject({ reason: "tls", systemCode: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("refuses a certificate that has expired", async () => {
    const day = 86_400_000;
    const expired = await startTlsServer(await pki.root.issueServer({ names: ["localhost"], now: new Date(Date.now() - 9 * day), days: 1 }));
    expect(await failureOf(expired.url, {})).toMatchObject({ reason: "tls", systemCode: "CERT_HAS_EXPIRED" });
    await expired.close();
  });

  it("refuses a server that speaks no TLS", async () => {
    expect(await failureOf(proxy.proxyUrl.replace("http:", "https:"), {})).toMatchObject({ reason: "tls" });
  });
});

describe("proxies", () => {
  it.each(["HTTPS_PROXY", "https_proxy"])("goes through %s with CONNECT, and still verifies the server's own certificate", async (name) => {
    const before = proxy.tunnels.length;
    const env = { [name]: proxy.proxyUrl };
    expect((await http({ env })({ url: server.url.replace("localhost", "issuer.test") })).body).toBe("over TLS");
    expect(proxy.tunnels.slice(before).map((tunnel) => tunnel.target)).toEqual([`issuer.test:${server.port}`]);
    expect(await failureOf(server.url.replace("localhost", "wrong.test"), { env })).toMatchObject({ reason: "tls" });
  });

  it.each(["NO_PROXY", "no_proxy"])("goes straight to what %s names", async (name) => {
    const before = proxy.tunnels.length;
    await http({ env: { HTTPS_PROXY: proxy.proxyUrl, [name]: "localhost" } })({ url: server.url });
    expect(proxy.tunnels).toHaveLength(before);
  });

  it("knows only the proxies that it was given, not those of the process around it", async () => {
    const around = process.env["HTTPS_PROXY"];
    process.env["HTTPS_PROXY"] = denying.proxyUrl;
    try {
      expect((await http()({ url: server.url })).body).toBe("over TLS");
      expect(denying.tunnels).toEqual([]);
    } finally {
      if (around === undefined) delete process.env["HTTPS_PROXY"];
      else process.env["HTTPS_PROXY"] = around;
    }
  });

  it("sends the name and password of a proxy to the proxy and shows them nowhere", async () => {
    const env = { HTTPS_PROXY: proxy.proxyUrl.replace("://", "://someone:canary-word@") };
    await http({ env })({ url: server.url.replace("localhost", "issuer.test") });
    expect(proxy.tunnels.at(-1)?.authorization).toBe(`Basic ${Buffer.from("someone:canary-word").toString("base64")}`);
    const failure = await failureOf(server.url, { env: { HTTPS_PROXY: denying.proxyUrl.replace("://", "://someone:canary-word@") } });
    expect(failure.message).not.toContain("canary-word");
  });

  it("says so when it is the proxy that refuses", async () => {
    expect(await failureOf(server.url, { env: { HTTPS_PROXY: denying.proxyUrl } })).toMatchObject({ reason: "proxy" });
  });
});
