import { describe, expect, it, onTestFinished } from "vitest";
import { parseEndpoints } from "../../../src/federation/cluster/key-sets.ts";
import { serve } from "../../../src/federation/sandbox/http-core.ts";
import { createAuthority } from "../../../src/federation/sandbox/pki.ts";
import type { Sandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import { createTraffic } from "../../../src/federation/sandbox/traffic.ts";
import { connect, startClusterSandbox, writeKubeconfig } from "./start.ts";

const OTHER_SET = '{"keys":[{"kid":"other"}]}';

/** One more API server of the sandbox's cluster, with a key set of its own; its certificate is for `names`. */
async function startServer(sandbox: Sandbox, names: readonly string[], authority = sandbox.authority): Promise<{ readonly host: string; readonly port: number }> {
  const tls = await authority.issueServer({ names, now: new Date() });
  const handler = () => ({ status: 200, headers: { "content-type": "application/jwk-set+json" }, body: OTHER_SET });
  const server = await serve({ service: "second", handler, traffic: createTraffic(), tls });
  onTestFinished(() => server.close());
  return { host: "127.0.0.1", port: server.port };
}

const portOf = (sandbox: Sandbox) => Number(new URL(sandbox.cluster.url).port);

describe("readKeySets", () => {
  it("reads the server's set once when the only endpoint says the same", async () => {
    const sandbox = await startClusterSandbox();
    const { sets, warnings } = await (await connect(sandbox)).readKeySets();
    expect(sets).toHaveLength(1);
    expect(JSON.parse(sets[0] ?? "")).toEqual({ keys: sandbox.cluster.keys.jwks });
    expect(warnings).toEqual([]);
  });

  it("asks every endpoint of the kubernetes service, past the load balancer", async () => {
    const sandbox = await startClusterSandbox();
    const second = await startServer(sandbox, ["127.0.0.1"]);
    sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port: portOf(sandbox) }, second]);
    const { sets, warnings } = await (await connect(sandbox)).readKeySets();
    expect(sets).toHaveLength(2);
    expect(sets[1]).toBe(OTHER_SET);
    expect(warnings).toEqual([]);
  });

  it.each([["the service", "kubernetes.default.svc"], ["its own address", "127.0.0.1"], ["the name of the load balancer", "localhost"]])("takes an endpoint whose certificate is for %s", async (_, name) => {
    const sandbox = await startClusterSandbox();
    const kubeconfig = await writeKubeconfig(sandbox, { cluster: { server: `https://localhost:${portOf(sandbox)}` } });
    sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port: portOf(sandbox) }, await startServer(sandbox, [name])]);
    expect((await (await connect(sandbox, { kubeconfig })).readKeySets()).sets).toContain(OTHER_SET);
  });

  it("does not warn about an only endpoint that cannot be reached: the server's own answer stands for it", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port: 1 }]);
    expect(await (await connect(sandbox)).readKeySets()).toMatchObject({ sets: [expect.any(String)], warnings: [] });
  });

  it("takes no key from an endpoint with another name or under another CA, and warns", async () => {
    const sandbox = await startClusterSandbox();
    const foreign = await createAuthority({ name: "foreign", now: new Date() });
    const servers = [await startServer(sandbox, ["evil.example.com"]), await startServer(sandbox, ["127.0.0.1"], foreign)];
    sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port: portOf(sandbox) }, ...servers]);
    const { sets, warnings } = await (await connect(sandbox)).readKeySets();
    expect(sets).toHaveLength(1);
    expect(warnings).toMatchObject([{ code: "CLUSTER_ONE_SERVER_SEEN", message: expect.stringMatching(/^2 of 3 API servers/) }]);
  });

  it("warns, and goes on, when endpoints cannot be reached", async () => {
    const sandbox = await startClusterSandbox();
    const gone = await startServer(sandbox, ["127.0.0.1"]);
    // Port 1 is closed on every machine that runs tests.
    sandbox.cluster.setEndpoints([gone, { host: "127.0.0.1", port: 1 }]);
    const { sets, warnings } = await (await connect(sandbox)).readKeySets();
    expect(sets).toHaveLength(2);
    expect(warnings).toMatchObject([{ code: "CLUSTER_ONE_SERVER_SEEN", details: { endpoints: [{ endpoint: "127.0.0.1:1" }], total: 2 } }]);
  });

  it("warns when it may not list the endpoints", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.forbid((access) => "resource" in access && access.resource.plural === "endpointslices");
    const { sets, warnings } = await (await connect(sandbox)).readKeySets();
    expect(sets).toHaveLength(1);
    expect(warnings).toMatchObject([{ code: "CLUSTER_ONE_SERVER_SEEN", hint: expect.stringContaining("list endpointslices.discovery.k8s.io") }]);
  });

  it("fails when the server itself may not be asked", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.forbid((access) => "path" in access);
    await expect((await connect(sandbox)).readKeySets()).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN", message: "the cluster does not allow you to get the path /openid/v1/jwks" });
  });

  it("says that a cluster without issuer discovery serves no keys", async () => {
    const sandbox = await startClusterSandbox({ faults: ({ url }) => (url.endsWith("/openid/v1/jwks") ? { kind: "status", when: "before", status: 404, body: "" } : null) });
    await expect((await connect(sandbox)).readKeySets()).rejects.toMatchObject({ code: "CLUSTER_KEYS_UNAVAILABLE" });
  });
});

describe("parseEndpoints", () => {
  it("reads IPv4 and IPv6 addresses, each once, with the https port", () => {
    const ports = [{ name: "https", port: 6443 }, { name: "metrics", port: 1 }];
    const items = [
      { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }, { addresses: ["10.0.0.2", "10.0.0.1"] }], ports },
      { addressType: "IPv6", endpoints: [{ addresses: ["fd00::1"] }], ports: [{ port: 6443 }] },
    ];
    expect(parseEndpoints({ items }).map(String)).toEqual(["https://10.0.0.1:6443/", "https://10.0.0.2:6443/", "https://[fd00::1]:6443/"]);
  });

  it.each([[{}], [{ items: null }], [{ items: [null, 1, { endpoints: [{}], ports: [{}] }, { endpoints: [{ addresses: ["a b"] }], ports: [{ port: 1 }] }] }]])("leaves malformed entries out: %j", (list) => {
    expect(parseEndpoints(list)).toEqual([]);
  });
});
