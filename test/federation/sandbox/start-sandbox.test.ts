import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { HttpFailure } from "../../../src/federation/http/http.ts";
import { startSandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import type { SandboxHost, StandIns } from "../../../src/federation/sandbox/stand-ins.ts";
import { countSequential } from "../../../src/federation/sandbox/traffic.ts";
import { openSandbox } from "./support.ts";
import type { TestSandbox } from "./support.ts";

let sandbox: TestSandbox | undefined;

afterEach(async () => {
  await sandbox?.end();
  sandbox = undefined;
});

/** A cloud that keeps what the sandbox gave it, and serves one endpoint in plain HTTP and one over TLS. */
function probe(): { readonly standIns: Pick<StandIns, "start">; readonly seen: { host?: SandboxHost; urls: string[]; closed: boolean } } {
  const seen: { host?: SandboxHost; urls: string[]; closed: boolean } = { urls: [], closed: false };
  const standIns: Pick<StandIns, "start"> = {
    async start(host) {
      seen.host = host;
      const handler = (): { status: number; body: string } => ({ status: 200, body: "from the cloud" });
      const plain = await host.serve({ service: "probe.plain", handler });
      const secure = await host.serve({ service: "probe.tls", handler, tls: true, names: ["sts.example.test"] });
      seen.urls = [plain.url, secure.url];
      return { env: { PROBE_URL: plain.url }, unset: ["PROBE_KEY", "PROBE_URL"], readPublished: async () => null, close: async () => void (seen.closed = true) };
    },
  };
  return { standIns, seen };
}

describe("the environment", () => {
  it("has everything that the contract promises, and what the clouds add", async () => {
    sandbox = await openSandbox({ clouds: { probe: probe().standIns } });
    const { env, dir } = sandbox;
    expect(env).toMatchObject({
      KUBECONFIG: join(dir, "kubeconfig"),
      KUBEASSUME_ISSUER_URL: sandbox.issuerUrl,
      KUBEASSUME_CA_FILE: join(dir, "ca.pem"),
      KUBEASSUME_SANDBOX_DIR: dir,
      NODE_EXTRA_CA_CERTS: join(dir, "ca.pem"),
      REQUESTS_CA_BUNDLE: join(dir, "ca-bundle.pem"),
      AWS_CA_BUNDLE: join(dir, "ca-bundle.pem"),
      PROBE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    });
    expect(sandbox.unset).toEqual(["PROBE_KEY"]);
    expect(sandbox.issuerUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/oidc$/);
  });

  it("keeps loopback out of a proxy, and only then speaks of proxies", async () => {
    sandbox = await openSandbox({ env: { https_proxy: "http://127.0.0.1:9", NO_PROXY: "corp.example" } });
    expect(sandbox.env).toMatchObject({ NO_PROXY: "corp.example,127.0.0.1,localhost", no_proxy: "corp.example,127.0.0.1,localhost" });
    await sandbox.end();
    sandbox = await openSandbox({ env: { NO_PROXY: "corp.example" } });
    expect(sandbox.env).not.toHaveProperty("NO_PROXY");
  });

  it("names no secret: the cluster's token is in the kubeconfig alone", async () => {
    sandbox = await openSandbox();
    const { adminToken } = sandbox.cluster;
    expect(JSON.stringify(sandbox.env)).not.toContain(adminToken);
    const texts = await Promise.all((await readdir(sandbox.dir)).map(async (name) => ({ name, text: await readFile(join(sandbox?.dir ?? "", name), "utf8") })));
    expect(texts.filter(({ text }) => text.includes(adminToken)).map(({ name }) => name)).toEqual(["kubeconfig"]);
    expect(texts.filter(({ text }) => text.includes("PRIVATE KEY"))).toEqual([]);
  });
});

describe("the files", () => {
  it("are for their owner only", async () => {
    sandbox = await openSandbox();
    const { dir } = sandbox;
    const modes = await Promise.all(["ca.pem", "ca-bundle.pem", "kubeconfig"].map(async (name) => (await stat(join(dir, name))).mode & 0o777));
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it("hold a kubeconfig that leads to the cluster, and the public roots beside the sandbox's", async () => {
    sandbox = await openSandbox();
    const config = parse(await readFile(join(sandbox.dir, "kubeconfig"), "utf8")) as { clusters: { cluster: Record<string, string> }[]; users: { user: Record<string, string> }[] };
    expect(config.clusters[0]?.cluster).toEqual({ server: sandbox.cluster.url, "certificate-authority-data": Buffer.from(sandbox.caPem).toString("base64") });
    expect(config.users[0]?.user).toEqual({ token: sandbox.cluster.adminToken });
    const bundle = await readFile(join(sandbox.dir, "ca-bundle.pem"), "utf8");
    expect(bundle.match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(rootCertificates.length + 1);
    expect(bundle).toContain(sandbox.caPem.trim());
  });
});

describe("a cloud", () => {
  it("can read the issuer as a relying party would, over TLS that it trusts", async () => {
    const { standIns, seen } = probe();
    sandbox = await openSandbox({ clouds: { probe: standIns } });
    const answer = await seen.host?.http({ url: `${sandbox.issuerUrl}/openid/v1/jwks` });
    expect(answer?.status).toBe(200);
  });

  // A busy machine may send the second request when the first is answered.
  it("serves under the sandbox's CA, its latency and its log, and is closed with it", { retry: 2 }, async () => {
    const { standIns, seen } = probe();
    sandbox = await openSandbox({ clouds: { probe: standIns }, latencyMs: 200 });
    const before = sandbox.requests.length;
    await Promise.all(seen.urls.map((url) => seen.host?.http({ url: `${url}/x` })));
    const own = sandbox.requests.slice(before);
    expect(own.map(({ service }) => service).toSorted()).toEqual(["probe.plain", "probe.tls"]);
    expect(countSequential(own)).toBe(1);
    expect(own.every(({ startedAt, endedAt }) => (endedAt ?? 0) - startedAt >= 199)).toBe(true);
    await sandbox.close();
    expect(seen.closed).toBe(true);
    await expect(seen.host?.http({ url: `${seen.urls[0]}/x` })).rejects.toBeInstanceOf(HttpFailure);
  });

  it("that cannot start closes everything that had started", async () => {
    const { standIns, seen } = probe();
    const broken: Pick<StandIns, "start"> = { start: () => Promise.reject(new Error("no port")) };
    const opened = await openSandbox();
    sandbox = opened;
    const dir = join(opened.dir, "second");
    await expect(startSandbox({ clouds: { probe: standIns, broken }, dir, now: () => new Date() })).rejects.toThrow("no port");
    expect(seen.closed).toBe(true);
    await expect(seen.host?.http({ url: `${seen.urls[0]}/x` })).rejects.toBeInstanceOf(HttpFailure);
    await rm(dir, { recursive: true });
  });

  it("meets the faults that a test asks for, in every service of the sandbox", async () => {
    const failing = new Set(["cluster", "issuer"]);
    sandbox = await openSandbox({ faults: ({ service }) => (failing.has(service) ? { kind: "status", when: "before", status: 500, body: "{}" } : null) });
    expect((await sandbox.read("/oidc/openid/v1/jwks")).status).toBe(500);
    expect((await sandbox.call("GET", "/version")).status).toBe(500);
    failing.clear();
    expect((await sandbox.call("GET", "/version")).status).toBe(200);
  });
});
