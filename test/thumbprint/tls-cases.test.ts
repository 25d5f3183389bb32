import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judgeChain, readServedChain, thumbprintOf } from "../../src/thumbprint/index.ts";
import type { ChainVerdict, ServedChain } from "../../src/thumbprint/index.ts";
import { hasProgram } from "../support/programs.ts";
import { createSelfSigned, createTestPki, startProxy, startRawServer, startTlsServer } from "../support/tls-server.ts";
import type { TestPki, TlsServer } from "../support/tls-server.ts";

const now = new Date();
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);
const openssl = await hasProgram("openssl", ["version"]);
const timeoutMs = 10_000;
const names = ["localhost", "127.0.0.1"];

const open: TlsServer[] = [];
let pki: TestPki;
let ca: string[];

beforeAll(async () => {
  pki = await createTestPki(now);
  ca = [pki.root.certificatePem];
});
afterAll(async () => {
  await Promise.all(open.map((server) => server.close()));
});

async function serve(...parameters: Parameters<typeof startTlsServer>): Promise<TlsServer> {
  const server = await startTlsServer(...parameters);
  open.push(server);
  return server;
}

async function judge(server: TlsServer, caPem: readonly string[] = ca): Promise<{ served: ServedChain; verdict: ChainVerdict }> {
  const served = await readServedChain(server.address, { caPem, timeoutMs });
  return { served, verdict: judgeChain(served, now) };
}

const codesOf = (verdict: ChainVerdict): string[] => [...verdict.failures, ...verdict.warnings].map((problem) => problem.code);
const sha1 = (pem: string): string => new X509Certificate(pem).fingerprint.replaceAll(":", "").toLowerCase();

/** What the documented openssl recipe gives: the last certificate shown, SHA-1, without colons. */
async function opensslThumbprint(server: TlsServer): Promise<string> {
  const shown = await runOpenssl(["s_client", "-connect", `127.0.0.1:${server.port}`, "-servername", "localhost", "-showcerts"], "");
  const last = shown.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.at(-1) ?? "";
  const printed = await runOpenssl(["x509", "-noout", "-fingerprint", "-sha1"], last);
  return (printed.split("=")[1] ?? "").trim().replaceAll(":", "").toLowerCase();
}

function runOpenssl(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("openssl", args, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
    child.stdin?.end(input);
  });
}

describe("a chain that AWS can use", () => {
  it("gives the thumbprint of the last certificate served, not of the leaf and not of the root", async () => {
    const server = await serve(await pki.upper.issueServer({ names, now }));
    const { served, verdict } = await judge(server);
    expect(verdict.thumbprint).toBe(sha1(pki.upper.certificatePem));
    expect(served.certificates).toHaveLength(2);
    expect(verdict.chain.map((entry) => entry.role)).toEqual(["leaf", "intermediate"]);
    expect(verdict).toMatchObject({ publiclyTrusted: false, verified: true, usedByAws: true, failures: [], warnings: [] });
  });

  it("describes every certificate with subject, issuer, expiry and fingerprint", async () => {
    const leaf = await pki.upper.issueServer({ names, now: daysAgo(0.5), notBefore: new Date("2026-01-01T00:00:00Z"), days: 36_500 });
    const { verdict } = await judge(await serve(leaf));
    expect(verdict.chain[0]).toEqual({
      subject: "CN=localhost",
      issuer: "CN=upper intermediate",
      notAfter: "2125-12-08T00:00:00.000Z",
      sha1: sha1(leaf.certificatePem),
      role: "leaf",
    });
  });

  it.each(["ecdsa", "rsa"] as const)("reads %s chains of any length", async (algorithm) => {
    const own = await createTestPki(now, algorithm);
    const { verdict } = await judge(await serve(await own.lower.issueServer({ names, now, algorithm })), [own.root.certificatePem]);
    expect(verdict.thumbprint).toBe(sha1(own.upper.certificatePem));
    expect(verdict.chain).toHaveLength(3);
    expect(verdict.usedByAws).toBe(true);
  });

  it("is read from a server that speaks TLS 1.2 only", async () => {
    const { served, verdict } = await judge(await serve(await pki.upper.issueServer({ names, now }), { maxVersion: "TLSv1.2" }));
    expect(served.publicRoots.protocol).toBe("TLSv1.2");
    expect(codesOf(verdict)).toEqual([]);
  });

  it("is read of an IP address, for which no SNI is sent", async () => {
    const asked: string[] = [];
    const leaf = await pki.upper.issueServer({ names, now });
    const context = createSecureContext({ cert: leaf.chainPem, key: leaf.keyPem });
    const server = await serve(leaf, { SNICallback: (name, done) => (asked.push(name), done(null, context)) });
    const byAddress = await readServedChain({ host: "127.0.0.1", port: server.port }, { caPem: ca, timeoutMs });
    expect(asked).toEqual([]);
    expect(judgeChain(byAddress, now)).toMatchObject({ verified: true, failures: [], warnings: [] });
    await judge(server);
    expect(new Set(asked)).toEqual(new Set(["localhost"]));
  });

  it("never counts a private CA as public, however it is given", async () => {
    const server = await serve(await pki.upper.issueServer({ names, now }));
    const { verdict } = await judge(server, []);
    expect(verdict).toMatchObject({ publiclyTrusted: false, verified: false, usedByAws: false });
    expect(codesOf(verdict)).toEqual(["TLS_UNTRUSTED"]);
    expect(verdict.failures[0]?.message).toContain("CN=test root");
  });
});

describe("a chain that is badly put together", () => {
  it("warns of a leaf alone, and does not trust it", async () => {
    const { certificatePem, keyPem } = await pki.upper.issueServer({ names, now });
    const { verdict } = await judge(await serve({ chainPem: certificatePem, keyPem }));
    expect(verdict.thumbprint).toBe(sha1(certificatePem));
    expect(codesOf(verdict)).toEqual(["TLS_UNTRUSTED", "CHAIN_LEAF_ONLY"]);
    expect(verdict.usedByAws).toBe(false);
  });

  it("warns of a leaf that the root signed, whose thumbprint changes with each renewal", async () => {
    const { verdict } = await judge(await serve(await pki.root.issueServer({ names, now })));
    expect(codesOf(verdict)).toEqual(["CHAIN_LEAF_ONLY"]);
    expect(verdict.usedByAws).toBe(true);
  });

  it("warns of a root that is served, and tells the roles apart", async () => {
    const { chainPem, keyPem } = await pki.upper.issueServer({ names, now });
    const { verdict } = await judge(await serve({ chainPem: chainPem + pki.root.certificatePem, keyPem }));
    expect(verdict.chain.map((entry) => entry.role)).toEqual(["leaf", "intermediate", "root"]);
    expect(verdict.thumbprint).toBe(sha1(pki.root.certificatePem));
    expect(codesOf(verdict)).toEqual(["CHAIN_WITH_ROOT"]);
  });

  it("keeps the served order of a shuffled chain and names the right one", async () => {
    const { certificatePem, keyPem } = await pki.lower.issueServer({ names, now });
    const shuffled = certificatePem + pki.upper.certificatePem + pki.lower.certificatePem;
    const { served, verdict } = await judge(await serve({ chainPem: shuffled, keyPem }));
    expect(served.certificates.map((each) => each.subject)).toEqual(["CN=localhost", "CN=upper intermediate", "CN=lower intermediate"]);
    expect(verdict.thumbprint).toBe(sha1(pki.lower.certificatePem));
    expect(codesOf(verdict)).toEqual(["CHAIN_SHUFFLED"]);
    expect(verdict.warnings[0]?.details).toMatchObject({ expected: ["CN=localhost", "CN=lower intermediate", "CN=upper intermediate"] });
  });

  it.each([
    ["twice", () => pki.upper.certificatePem],
    ["without a part in it", () => pki.lower.certificatePem],
  ])("names a certificate that is sent %s", async (_words, stray) => {
    const { chainPem, keyPem } = await pki.upper.issueServer({ names, now });
    const { verdict } = await judge(await serve({ chainPem: chainPem + stray(), keyPem }));
    expect(codesOf(verdict)).toEqual(["CHAIN_UNRELATED"]);
  });

  it("warns of a self-signed certificate and calls it a leaf", async () => {
    const own = await createSelfSigned(names, { now });
    const server = await serve(own);
    const untrusted = await judge(server);
    expect(codesOf(untrusted.verdict)).toEqual(["TLS_UNTRUSTED", "CHAIN_SELF_SIGNED"]);
    const trusted = await judge(server, [own.certificatePem]);
    expect(codesOf(trusted.verdict)).toEqual(["CHAIN_SELF_SIGNED"]);
    expect(trusted.verdict).toMatchObject({ usedByAws: true, thumbprint: sha1(own.certificatePem), chain: [{ role: "leaf" }] });
  });
});

describe("dates and names", () => {
  it("does not verify an expired leaf", async () => {
    const { verdict } = await judge(await serve(await pki.upper.issueServer({ names, now, notBefore: daysAgo(9), days: 2 })));
    expect(codesOf(verdict)).toEqual(["TLS_CERT_EXPIRED"]);
    expect(verdict.failures[0]).toMatchObject({ details: { role: "leaf" } });
    expect(verdict.usedByAws).toBe(false);
  });

  it("does not verify an expired intermediate", async () => {
    const old = await pki.root.issueIntermediate({ name: "old intermediate", now, notBefore: daysAgo(9), days: 2 });
    const { verdict } = await judge(await serve(await old.issueServer({ names, now })));
    expect(codesOf(verdict)).toEqual(["TLS_CERT_EXPIRED"]);
    expect(verdict.failures[0]).toMatchObject({ details: { role: "intermediate", subject: "CN=old intermediate" } });
  });

  it("does not verify a certificate that starts in the future", async () => {
    const { verdict } = await judge(await serve(await pki.upper.issueServer({ names, now, notBefore: daysAgo(-2), days: 60 })));
    expect(codesOf(verdict)).toEqual(["TLS_CERT_NOT_YET_VALID"]);
    expect(verdict.verified).toBe(false);
  });

  it("warns of a certificate that expires within thirty days, and still verifies it", async () => {
    const { verdict } = await judge(await serve(await pki.upper.issueServer({ names, now, days: 29 })));
    expect(codesOf(verdict)).toEqual(["TLS_CERT_EXPIRES_SOON"]);
    expect(verdict.verified).toBe(true);
  });

  it("tells an untrusted and expired chain both ways", async () => {
    const { verdict } = await judge(await serve(await pki.upper.issueServer({ names, now, notBefore: daysAgo(9), days: 2 })), []);
    expect(codesOf(verdict)).toContain("TLS_CERT_EXPIRED");
    expect(verdict.verified).toBe(false);
  });

  it("does not verify a certificate for another name, and shows its names", async () => {
    const { verdict } = await judge(await serve(await pki.upper.issueServer({ names: ["other.example.test"], now })));
    expect(codesOf(verdict)).toEqual(["TLS_NAME_MISMATCH"]);
    expect(verdict.failures[0]?.message).toContain("other.example.test");
  });

  it("does not accept a name in the common name alone, which Node would", async () => {
    const { served, verdict } = await judge(await serve(await pki.upper.issueServer({ names, now, commonNameOnly: true })));
    expect(served.extraRoots?.trusted).toBe(true);
    expect(codesOf(verdict)).toEqual(["TLS_COMMON_NAME_ONLY"]);
    expect(verdict.usedByAws).toBe(false);
  });
});

describe("servers of their own kind", () => {
  it("warns of TLS 1.3 only, because the order is hidden", async () => {
    const { served, verdict } = await judge(await serve(await pki.lower.issueServer({ names, now }), { minVersion: "TLSv1.3" }));
    expect(served).toMatchObject({ orderObserved: false, publicRoots: { protocol: "TLSv1.3" } });
    expect(verdict.thumbprint).toBe(sha1(pki.upper.certificatePem));
    expect(codesOf(verdict)).toEqual(["TLS13_ONLY"]);
  });

  it("adds no root to a TLS 1.3 chain", async () => {
    const { verdict } = await judge(await serve(await pki.root.issueServer({ names, now }), { minVersion: "TLSv1.3" }));
    expect(verdict.chain).toHaveLength(1);
    expect(codesOf(verdict)).toEqual(["CHAIN_LEAF_ONLY", "TLS13_ONLY"]);
  });

  it("warns of a server that sends another chain without SNI", async () => {
    const named = await pki.upper.issueServer({ names, now });
    const fallback = await pki.upper.issueServer({ names: ["default.example.test"], now });
    const context = createSecureContext({ cert: named.chainPem, key: named.keyPem });
    const { served, verdict } = await judge(await serve(fallback, { SNICallback: (_name, done) => done(null, context) }));
    expect(served.withoutSni).toBe("different");
    expect(verdict.chain[0]?.sha1).toBe(sha1(named.certificatePem));
    expect(codesOf(verdict)).toEqual(["SNI_DEPENDENT"]);
  });

  it("says nothing about SNI of a public site", async () => {
    const { served } = await judge(await serve(await pki.upper.issueServer({ names, now })));
    const trusted = { trusted: true, reason: null, protocol: "TLSv1.3" };
    const verdict = judgeChain({ ...served, withoutSni: "different", publicRoots: trusted }, now);
    expect(verdict).toMatchObject({ publiclyTrusted: true, verified: true, usedByAws: false, failures: [], warnings: [] });
  });
});

describe.skipIf(!openssl)("the openssl recipe of AWS's documentation (skipped without the openssl program)", () => {
  it.each([
    ["leaf and intermediate", () => pki.upper.issueServer({ names, now })],
    ["leaf alone", () => pki.root.issueServer({ names, now })],
    ["an RSA leaf", () => pki.upper.issueServer({ names, now, algorithm: "rsa" as const })],
    ["an expired leaf", () => pki.upper.issueServer({ names, now, notBefore: daysAgo(9), days: 2 })],
    ["a self-signed certificate", () => createSelfSigned(names, { now })],
  ])("gives the same thumbprint for %s", async (_words, issue) => {
    const server = await serve(await issue());
    const { verdict } = await judge(server);
    expect(verdict.thumbprint).toBe(await opensslThumbprint(server));
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("gives the same thumbprint for three certificates and a root over %s", async (version) => {
    const { chainPem, keyPem } = await pki.lower.issueServer({ names, now });
    const server = await serve({ chainPem: chainPem + pki.root.certificatePem, keyPem }, { minVersion: version, maxVersion: version });
    expect((await judge(server)).verdict.thumbprint).toBe(await opensslThumbprint(server));
  });

  it("gives the same thumbprint for a shuffled chain", async () => {
    const { certificatePem, keyPem } = await pki.lower.issueServer({ names, now });
    const server = await serve({ chainPem: certificatePem + pki.upper.certificatePem + pki.lower.certificatePem, keyPem });
    expect((await judge(server)).verdict.thumbprint).toBe(await opensslThumbprint(server));
  });
});

describe("connections that fail", () => {
  it("says that nothing listens", async () => {
    const server = await startRawServer(() => undefined);
    await server.close();
    await expect(readServedChain(server.address, { timeoutMs })).rejects.toMatchObject({ code: "TLS_UNREACHABLE", exit: 4, details: { systemCode: "ECONNREFUSED" } });
  });

  it("says that a server which never answers is too slow", async () => {
    const server = await startRawServer(() => undefined);
    open.push(server);
    await expect(readServedChain(server.address, { timeoutMs: 150 })).rejects.toMatchObject({ code: "TLS_TIMEOUT", exit: 4 });
  });

  it("says that a server does not speak TLS", async () => {
    const server = await startRawServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    open.push(server);
    await expect(readServedChain(server.address, { timeoutMs })).rejects.toMatchObject({ code: "TLS_HANDSHAKE_FAILED" });
  });

  it("says that a server leaves in the middle of the handshake", async () => {
    const server = await startRawServer((socket) => socket.once("data", () => socket.destroy()));
    open.push(server);
    await expect(readServedChain(server.address, { timeoutMs })).rejects.toMatchObject({ code: "TLS_HANDSHAKE_FAILED" });
  });

  it("says that a server knows old versions only", async () => {
    const server = await startRawServer((socket) => socket.once("data", () => socket.end(Buffer.from([21, 3, 1, 0, 2, 2, 70]))));
    open.push(server);
    await expect(readServedChain(server.address, { timeoutMs })).rejects.toMatchObject({ code: "TLS_HANDSHAKE_FAILED" });
  });

  it("stops with the caller's own reason when it is interrupted", async () => {
    const server = await startRawServer(() => undefined);
    open.push(server);
    const stop = new AbortController();
    const reading = readServedChain(server.address, { timeoutMs, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
  });
});

describe("a proxy", () => {
  it("is tunnelled through by name, with its credentials, and leads to a warning", async () => {
    const proxy = await startProxy();
    open.push(proxy);
    const server = await serve(await pki.upper.issueServer({ names, now }));
    const url = proxy.proxyUrl.replace("//", "//user:p%40ss@");
    const served = await readServedChain(server.address, { caPem: ca, timeoutMs, proxy: url });
    expect(new Set(proxy.tunnels.map((tunnel) => tunnel.target))).toEqual(new Set([`localhost:${server.port}`]));
    expect(proxy.tunnels[0]?.authorization).toBe(`Basic ${Buffer.from("user:p@ss").toString("base64")}`);
    const verdict = judgeChain(served, now);
    expect(verdict.thumbprint).toBe(sha1(pki.upper.certificatePem));
    expect(codesOf(verdict)).toEqual(["TLS_THROUGH_PROXY"]);
    expect(verdict.warnings[0]?.message).toContain("not publicly trusted");
  });

  it("may speak TLS itself, under the given CA", async () => {
    const proxy = await startProxy(200, await pki.upper.issueServer({ names: ["127.0.0.1"], now }));
    open.push(proxy);
    const server = await serve(await pki.upper.issueServer({ names, now }));
    const served = await readServedChain(server.address, { caPem: ca, timeoutMs, proxy: proxy.proxyUrl });
    expect(judgeChain(served, now)).toMatchObject({ verified: true, thumbprint: sha1(pki.upper.certificatePem) });
    await expect(readServedChain(server.address, { timeoutMs, proxy: proxy.proxyUrl })).rejects.toMatchObject({ code: "TLS_UNREACHABLE" });
  });

  it("is named as the reason when it refuses, without its password", async () => {
    const proxy = await startProxy(407);
    open.push(proxy);
    const reading = readServedChain({ host: "issuer.example.test", port: 443 }, { timeoutMs, proxy: proxy.proxyUrl.replace("//", "//user:canary@") });
    const error: unknown = await reading.catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "TLS_UNREACHABLE", message: "issuer.example.test:443 cannot be reached through the proxy: the proxy answers 407" });
    expect(JSON.stringify(error) + String(error)).not.toContain("canary");
  });

  it("is refused when its URL is not one of HTTP", async () => {
    await expect(readServedChain({ host: "localhost", port: 443 }, { timeoutMs, proxy: "socks5://127.0.0.1:1" })).rejects.toMatchObject({ code: "TLS_UNREACHABLE" });
  });
});

it("takes no thumbprint of nothing", () => {
  expect(() => thumbprintOf([])).toThrow(TypeError);
});
