import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect as connectSocket } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { parseJwt } from "../../../src/federation/oidc/jwt.ts";
import type { Fault } from "../../../src/federation/sandbox/traffic.ts";
import { connect, shareClusterSandbox, startClusterSandbox, writeKubeconfig } from "./start.ts";

/** What goes wrong with every request of the test. */
const faults: { current: Fault | null } = { current: null };
const shared = shareClusterSandbox({ faults: () => faults.current });
afterEach(() => {
  faults.current = null;
});

const API = { namespace: "payments", name: "api" };

describe("mintToken", () => {
  it("mints a token with exactly one audience", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(API);
    const token = await (await connect(sandbox)).mintToken(API, "sts.amazonaws.com", 600);
    const { claims } = parseJwt(token);
    expect(claims).toMatchObject({ aud: ["sts.amazonaws.com"], sub: "system:serviceaccount:payments:api", iss: sandbox.cluster.issuer });
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(600);
  });

  it("mints one for the API server itself when no audience is asked for", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(API);
    const token = await (await connect(sandbox)).mintToken(API, null, 600);
    expect(parseJwt(token).claims["aud"]).toEqual([sandbox.cluster.issuer]);
  });

  it("names a service account that does not exist", async () => {
    const cluster = await connect(await startClusterSandbox());
    await expect(cluster.mintToken(API, "a", 600)).rejects.toMatchObject({ code: "SERVICE_ACCOUNT_MISSING", message: "the cluster has no service account payments/api", exit: 2 });
  });

  it("passes on why the cluster refuses a lifetime below 600 seconds", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(API);
    await expect((await connect(sandbox)).mintToken(API, "a", 60)).rejects.toMatchObject({ code: "CLUSTER_REFUSED", message: expect.stringContaining("expirationSeconds") });
  });

  it("names verb, resource and namespace of a missing permission", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(API);
    sandbox.cluster.forbid((access) => "subresource" in access && access.subresource === "token");
    const refused = (await connect(sandbox)).mintToken(API, "a", 600);
    await expect(refused).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN", message: 'the cluster does not allow you to create serviceaccounts/token in namespace "payments"', exit: 4 });
  });
});

describe("readIssuer", () => {
  it("answers the issuer of the cluster's own discovery document", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.setIssuer("https://old.example.com");
    expect(await (await connect(sandbox)).readIssuer()).toBe("https://old.example.com");
  });

  it("answers null when the cluster serves none", async () => {
    const notFound: Fault = { kind: "status", when: "before", status: 404, body: "404 page not found" };
    faults.current = notFound;
    expect(await (await connect(shared())).readIssuer()).toBeNull();
  });
});

describe("a cluster that does not answer as it should", () => {
  const table: readonly (readonly [string, Fault, string])[] = [
    ["a closed connection", { kind: "reset", when: "before" }, "CLUSTER_UNREACHABLE"],
    ["half an answer", { kind: "truncate", when: "before" }, "CLUSTER_UNREACHABLE"],
    ["429", { kind: "status", when: "before", status: 429, headers: { "retry-after": "1" }, body: "" }, "CLUSTER_THROTTLED"],
    ["500", { kind: "status", when: "before", status: 500, body: "etcd is away" }, "CLUSTER_FAILED"],
    ["a redirect to a login page", { kind: "status", when: "before", status: 302, headers: { location: "https://login.example.com" }, body: "" }, "CLUSTER_FAILED"],
    ["a web page with 200", { kind: "status", when: "before", status: 200, headers: { "content-type": "text/html" }, body: "<html>" }, "CLUSTER_FAILED"],
    ["401", { kind: "status", when: "before", status: 401, body: "" }, "CLUSTER_UNAUTHORIZED"],
  ];

  it.each(table)("gives %s its own code", async (_, fault, code) => {
    faults.current = fault;
    await expect((await connect(shared())).readIssuer()).rejects.toMatchObject({ code, exit: 4 });
  });

  it("gives up on a stalled one after the time that a request may take", async () => {
    faults.current = { kind: "stall", when: "before" };
    await expect((await connect(shared(), { timeoutMs: 100 })).readIssuer()).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE", details: { reason: "timeout" } });
  });

  it("says that nothing listens there", async () => {
    const sandbox = await startClusterSandbox();
    const cluster = await connect(sandbox);
    await sandbox.close();
    await expect(cluster.readIssuer()).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE", message: expect.stringContaining("ECONNREFUSED") });
  });
});

describe("TLS", () => {
  it("refuses a server under another CA than the kubeconfig's", async () => {
    const [sandbox, other] = [shared(), await startClusterSandbox()];
    const kubeconfig = await writeKubeconfig(sandbox, { cluster: { "certificate-authority-data": Buffer.from(other.caPem).toString("base64") } });
    await expect((await connect(sandbox, { kubeconfig })).readIssuer()).rejects.toMatchObject({ code: "CLUSTER_TLS" });
  });

  it("refuses it too when the kubeconfig names no CA, and takes it with --ca-file", async () => {
    const sandbox = shared();
    const kubeconfig = await writeKubeconfig(sandbox, { cluster: { "certificate-authority-data": "" } });
    await expect((await connect(sandbox, { kubeconfig })).readIssuer()).rejects.toMatchObject({ code: "CLUSTER_TLS" });
    expect(await (await connect(sandbox, { kubeconfig, caPem: [sandbox.caPem] })).readIssuer()).toBe(sandbox.cluster.issuer);
  });

  it("checks the name that tls-server-name gives instead of the address", async () => {
    const sandbox = shared();
    const good = await writeKubeconfig(sandbox, { cluster: { "tls-server-name": "kubernetes.default.svc" } });
    expect(await (await connect(sandbox, { kubeconfig: good })).readIssuer()).toBe(sandbox.cluster.issuer);
    const bad = await writeKubeconfig(sandbox, { cluster: { "tls-server-name": "other.example.com" } });
    await expect((await connect(sandbox, { kubeconfig: bad })).readIssuer()).rejects.toMatchObject({ code: "CLUSTER_TLS", details: { systemCode: "ERR_TLS_CERT_ALTNAME_INVALID" } });
  });
});

describe("credentials", () => {
  it("says when the API server does not take the token, and shows none of it", async () => {
    const sandbox = shared();
    const kubeconfig = await writeKubeconfig(sandbox, { user: { token: "canary-token" } });
    const problem: unknown = await (await connect(sandbox, { kubeconfig })).readIssuer().catch((error: unknown) => error);
    expect(problem).toMatchObject({ code: "CLUSTER_UNAUTHORIZED" });
    expect(JSON.stringify(problem) + String(problem)).not.toContain("canary");
  });

  it("reads a token file beside the kubeconfig anew for every request", async () => {
    const sandbox = shared();
    const kubeconfig = await writeKubeconfig(sandbox, { user: { tokenFile: "token", token: "stale" } });
    await writeFile(join(dirname(kubeconfig), "token"), "expired\n");
    const cluster = await connect(sandbox, { kubeconfig });
    await expect(cluster.readIssuer()).rejects.toMatchObject({ code: "CLUSTER_UNAUTHORIZED" });
    await writeFile(join(dirname(kubeconfig), "token"), `${sandbox.cluster.adminToken}\n`);
    expect(await cluster.readIssuer()).toBe(sandbox.cluster.issuer);
  });

  it("works in a pod, with the service account's own files", async () => {
    const sandbox = shared();
    const podDirectory = dirname(await writeKubeconfig(sandbox));
    await Promise.all([writeFile(join(podDirectory, "token"), sandbox.cluster.adminToken), writeFile(join(podDirectory, "ca.crt"), sandbox.caPem)]);
    const { hostname, port } = new URL(sandbox.cluster.url);
    const options = { env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, podDirectory };
    const cluster = await connect(sandbox, options);
    expect(cluster.name).toBe(`in-cluster (${sandbox.cluster.url})`);
    expect(await cluster.readIssuer()).toBe(sandbox.cluster.issuer);
  });
});

describe("a proxy", () => {
  /** An HTTP proxy that tunnels; it answers which hosts it was asked for. */
  async function startProxy(): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, client, head) => {
      asked.push(request.url ?? "");
      const [host, port] = (request.url ?? "").split(":");
      const server = connectSocket(Number(port), host, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        server.write(head);
        client.pipe(server).pipe(client);
      });
      for (const socket of [client, server]) socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void proxy.close());
    return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
  }

  it("of the kubeconfig stands between, and the cluster is verified through it", async () => {
    const [sandbox, proxy] = [shared(), await startProxy()];
    const kubeconfig = await writeKubeconfig(sandbox, { cluster: { "proxy-url": proxy.url } });
    expect(await (await connect(sandbox, { kubeconfig })).readIssuer()).toBe(sandbox.cluster.issuer);
    const foreign = await writeKubeconfig(sandbox, { cluster: { "proxy-url": proxy.url, "tls-server-name": "other.example.com" } });
    await expect((await connect(sandbox, { kubeconfig: foreign })).readIssuer()).rejects.toMatchObject({ code: "CLUSTER_TLS" });
    expect(proxy.asked).toEqual([new URL(sandbox.cluster.url).host, new URL(sandbox.cluster.url).host]);
  });

  it("of the environment is used, but for what NO_PROXY names", async () => {
    const [sandbox, proxy] = [shared(), await startProxy()];
    const env = { KUBECONFIG: sandbox.env["KUBECONFIG"], HTTPS_PROXY: proxy.url };
    expect(await (await connect(sandbox, { env })).readIssuer()).toBe(sandbox.cluster.issuer);
    expect(await (await connect(sandbox, { env: { ...env, NO_PROXY: "127.0.0.1" } })).readIssuer()).toBe(sandbox.cluster.issuer);
    expect(proxy.asked).toHaveLength(1);
  });
});
