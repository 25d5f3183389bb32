import { X509Certificate } from "node:crypto";
import type { RequestListener } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttp } from "../../src/federation/http/create-http.ts";
import { readDocument } from "../../src/federation/oidc/read-issuer.ts";
import type { Http } from "../../src/federation/http/http.ts";
import { readChainFacts, readThumbprint } from "../../src/thumbprint/index.ts";
import type { ReadThumbprintOptions } from "../../src/thumbprint/index.ts";
import { createTestPki, startProxy, startTlsServer } from "../support/tls-server.ts";
import type { TestPki, TlsServer } from "../support/tls-server.ts";

const now = new Date();
const open: TlsServer[] = [];
let pki: TestPki;
let http: Http;
let options: ReadThumbprintOptions;

beforeAll(async () => {
  pki = await createTestPki(now);
  const caPem = [pki.root.certificatePem];
  http = createHttp({ caPem, env: {}, timeoutMs: 10_000 });
  options = { http, caPem, timeoutMs: 10_000, now };
});
afterAll(async () => {
  await Promise.all(open.map((server) => server.close()));
});

async function serve(respond: RequestListener, names = ["localhost", "127.0.0.1"]): Promise<TlsServer> {
  const server = await startTlsServer(await pki.upper.issueServer({ names, now }), {}, respond);
  open.push(server);
  return server;
}

const json =
  (body: object): RequestListener =>
  (_request, response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));

const sha1 = (pem: string): string => new X509Certificate(pem).fingerprint.replaceAll(":", "").toLowerCase();

describe("the thumbprint of an issuer", () => {
  it("follows discovery, and answers as the contract says", async () => {
    const asked: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      asked.push(request.url);
      json({ jwks_uri: `${server.url}/prod/keys` })(request, response);
    });
    const { data, verified, warnings } = await readThumbprint(`${server.url}/prod`, options);
    expect(asked).toEqual(["/prod/.well-known/openid-configuration"]);
    expect(data).toMatchObject({ url: `${server.url}/prod`, jwksUri: `${server.url}/prod/keys`, publiclyTrusted: false, usedByAws: true });
    expect(Object.keys(data)).toEqual(["url", "jwksUri", "chain", "thumbprint", "publiclyTrusted", "usedByAws"]);
    expect(data.thumbprint).toBe(sha1(pki.upper.certificatePem));
    expect({ verified, warnings }).toEqual({ verified: true, warnings: [] });
  });

  it.each(["/prod/", "/prod/.well-known/openid-configuration"])("asks for the same discovery document when given %s", async (path) => {
    const asked: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      asked.push(request.url);
      json({ jwks_uri: `${server.url}/keys` })(request, response);
    });
    await readThumbprint(server.url + path, options);
    expect(asked).toEqual(["/prod/.well-known/openid-configuration"]);
  });

  it("is that of the host of the JWKS, and names the other one too", async () => {
    const keys = await startTlsServer(await pki.lower.issueServer({ names: ["127.0.0.1"], now }));
    open.push(keys);
    const issuer = await serve(json({ jwks_uri: `https://127.0.0.1:${keys.port}/keys` }));
    const { data, warnings } = await readThumbprint(issuer.url, options);
    expect(data.chain).toHaveLength(3);
    expect(warnings).toMatchObject([{ code: "JWKS_ON_ANOTHER_HOST", details: { issuerThumbprint: sha1(pki.upper.certificatePem), jwksHost: `127.0.0.1:${keys.port}` } }]);
  });

  it("is that of its own host when there is no discovery document, with a warning", async () => {
    const server = await serve((_request, response) => void response.writeHead(404).end());
    const { data, warnings } = await readThumbprint(server.url, options);
    expect(data).toMatchObject({ jwksUri: null, thumbprint: sha1(pki.upper.certificatePem), usedByAws: true });
    expect(warnings.map((each) => each.code)).toEqual(["DISCOVERY_ABSENT"]);
    await expect(readThumbprint(server.url, { ...options, jwks: true })).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE" });
  });

  it("is shown but not to be used when the chain does not verify", async () => {
    const server = await serve(json({ jwks_uri: "https://elsewhere.example.test/keys" }));
    const stranger = { ...options, caPem: [], http: createHttp({ caPem: [], env: {}, timeoutMs: 10_000 }) };
    const { data, verified, warnings } = await readThumbprint(server.url, stranger);
    expect(data).toMatchObject({ jwksUri: null, usedByAws: false });
    expect(verified).toBe(false);
    expect(warnings.map((each) => each.code)).toEqual(["TLS_UNTRUSTED", "DISCOVERY_NOT_READ"]);
  });

  it("is read through the proxy of the environment, except for hosts in NO_PROXY", async () => {
    const proxy = await startProxy();
    open.push(proxy);
    const server = await serve(json({ jwks_uri: "https://127.0.0.1:1/never-read" }), ["localhost"]);
    const env = { HTTPS_PROXY: proxy.proxyUrl };
    const facts = await readChainFacts(`${server.url}/keys`, server.url, { ...options, env });
    expect(facts.warnings.map((each) => each.code)).toEqual(["TLS_THROUGH_PROXY"]);
    const tunnels = proxy.tunnels.length;
    const direct = await readChainFacts(`${server.url}/keys`, server.url, { ...options, env: { ...env, NO_PROXY: "localhost" } });
    expect(direct.warnings).toEqual([]);
    expect(proxy.tunnels).toHaveLength(tunnels);
  });
});

describe("an issuer that answers wrongly", () => {
  it("is refused when it redirects to another host", async () => {
    const server = await serve((_request, response) => void response.writeHead(302, { location: "https://login.example.test/?token=canary" }).end());
    const error: unknown = await readThumbprint(server.url, options).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "ISSUER_REDIRECTS", exit: 2, details: { sameHost: false } });
    expect(String(error)).toContain("login.example.test");
    expect(String(error)).not.toContain("canary");
  });

  it("is refused when it answers with a web page and status 200", async () => {
    const server = await serve((_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><h1>Welcome</h1>"));
    await expect(readThumbprint(server.url, options)).rejects.toMatchObject({ code: "ISSUER_NOT_JSON", message: expect.stringContaining("a web page") as string });
  });

  it.each([{}, { jwks_uri: 7 }, { jwks_uri: "http://plain.example.test/keys" }, { jwks_uri: "keys" }])("is refused when its document is %j", async (document) => {
    const server = await serve(json(document));
    await expect(readThumbprint(server.url, options)).rejects.toMatchObject({ code: "DISCOVERY_INCOMPLETE" });
  });

  it("is refused when its document never ends", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        while (!response.destroyed && response.write(" ".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    await expect(readThumbprint(server.url, options)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", details: { reason: "too-large" } });
    await expect(readDocument(http, `${server.url}/keys`)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", details: { reason: "too-large" } });
  });

  it("is refused when its answer is cut off", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"jwks_uri":', () => response.destroy());
    });
    await expect(readThumbprint(server.url, options)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE" });
  });

  it("is refused when it stalls in the middle of its answer", async () => {
    const server = await serve((_request, response) => void response.writeHead(200, { "content-type": "application/json" }).write('{"jwks_uri":'));
    // The document's own bound is five seconds, as AWS waits; the client here has a shorter one.
    const hasty: Http = (request) => http({ ...request, timeoutMs: 150 });
    await expect(readThumbprint(server.url, { ...options, http: hasty })).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", details: { reason: "timeout" } });
  });
});

describe("the facts that setup uses", () => {
  it("list the JWKS host first and each chain's earliest expiry", async () => {
    const leaf = await pki.lower.issueServer({ names: ["127.0.0.1"], now, days: 40 });
    const keys = await startTlsServer(leaf);
    open.push(keys);
    const issuer = await serve(json({}));
    const facts = await readChainFacts(`https://127.0.0.1:${keys.port}/keys`, issuer.url, options);
    expect(facts.thumbprints.map((each) => each.host)).toEqual([`127.0.0.1:${keys.port}`, `localhost:${issuer.port}`]);
    expect(facts.thumbprints[0]?.notAfter).toBe(new Date(new X509Certificate(leaf.certificatePem).validTo).toISOString());
    expect(facts.publiclyTrusted).toBe(false);
  });

  it("are refused for a chain that does not verify, with every reason", async () => {
    const server = await serve(json({}), ["other.example.test"]);
    await expect(readChainFacts(server.url, server.url, options)).rejects.toMatchObject({ code: "TLS_NAME_MISMATCH", exit: 4 });
    const both = readChainFacts(server.url, server.url, { ...options, caPem: [] });
    await expect(both).rejects.toMatchObject({ code: "SEVERAL_PROBLEMS", details: { problems: [{ code: "TLS_UNTRUSTED" }, { code: "TLS_NAME_MISMATCH" }] } });
  });
});

it.each(["http://issuer.example.test", "issuer.example.test", "https://user:canary@issuer.example.test", "https://canary@issuer.example.test", "https://", ""])("refuses %j before any connection", async (url) => {
  const error: unknown = await readThumbprint(url, options).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "THUMBPRINT_URL_INVALID", exit: 2 });
  expect(JSON.stringify(error) + String(error)).not.toContain("canary");
});
