import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Sandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import { connect, makeFolder, shareClusterSandbox, writeKubeconfig } from "./start.ts";

const shared = shareClusterSandbox();

const V1 = "client.authentication.k8s.io/v1";

/** A kubeconfig whose user runs a plugin: a script in Node that has `here`, its own folder, and writes what `code` says. */
async function withPlugin(sandbox: Sandbox, code: string, exec: object = {}): Promise<string> {
  const here = await makeFolder();
  const script = join(here, "plugin.mjs");
  await writeFile(script, `import { readFileSync, writeFileSync, existsSync } from "node:fs";\nconst here = ${JSON.stringify(here)};\n${code}\n`);
  return writeKubeconfig(sandbox, { user: { exec: { apiVersion: V1, command: process.execPath, args: [script], ...exec } } });
}

const print = (status: string, version = V1) => `console.log(JSON.stringify({ apiVersion: ${JSON.stringify(version)}, kind: "ExecCredential", status: ${status} }));`;

describe("a credential plugin", () => {
  it("gives the token, and is asked once for several requests", async () => {
    const sandbox = shared();
    const log = join(await makeFolder(), "log");
    const kubeconfig = await withPlugin(sandbox, `writeFileSync(${JSON.stringify(log)}, "x", { flag: "a" });${print(`{ token: ${JSON.stringify(sandbox.cluster.adminToken)} }`)}`);
    const cluster = await connect(sandbox, { kubeconfig });
    expect(await Promise.all([cluster.readIssuer(), cluster.readIssuer()])).toEqual([sandbox.cluster.issuer, sandbox.cluster.issuer]);
    expect(await readFile(log, "utf8")).toBe("x");
  });

  it("is asked again when its credential has expired or is refused", async () => {
    const sandbox = shared();
    const log = join(await makeFolder(), "log");
    const { adminToken } = sandbox.cluster;
    const code = `const file = ${JSON.stringify(log)}; const n = existsSync(file) ? readFileSync(file, "utf8").length : 0; writeFileSync(file, "x", { flag: "a" });
      ${print(`n === 0 ? { token: "refused" } : { token: ${JSON.stringify(adminToken)}, expirationTimestamp: "2020-01-01T00:00:00Z" }`)}`;
    const cluster = await connect(sandbox, { kubeconfig: await withPlugin(sandbox, code) });
    expect(await cluster.readIssuer()).toBe(sandbox.cluster.issuer);
    expect(await readFile(log, "utf8")).toBe("xx");
    expect(await cluster.readIssuer()).toBe(sandbox.cluster.issuer);
    expect(await readFile(log, "utf8")).toBe("xxx");
  });

  it("learns the cluster and that nobody can answer it, in its own environment", async () => {
    const sandbox = shared();
    const seen = join(await makeFolder(), "seen");
    const code = `writeFileSync(${JSON.stringify(seen)}, JSON.stringify([process.env.KUBERNETES_EXEC_INFO, process.env.PROFILE]));${print(`{ token: "t" }`)}`;
    const kubeconfig = await withPlugin(sandbox, code, { provideClusterInfo: true, env: [{ name: "PROFILE", value: "dev" }] });
    await (await connect(sandbox, { kubeconfig })).readIssuer().catch(() => null);
    const [info, profile] = JSON.parse(await readFile(seen, "utf8")) as [string, string];
    expect(profile).toBe("dev");
    expect(JSON.parse(info)).toEqual({ apiVersion: V1, kind: "ExecCredential", spec: { interactive: false, cluster: { server: sandbox.cluster.url, "certificate-authority-data": Buffer.from(sandbox.caPem).toString("base64") } } });
  });

  it("is found beside the kubeconfig when its command is a relative path", async () => {
    const sandbox = shared();
    const kubeconfig = await writeKubeconfig(sandbox, { user: { exec: { apiVersion: V1, command: "./plugin.sh" } } });
    const answer = JSON.stringify({ apiVersion: V1, kind: "ExecCredential", status: { token: sandbox.cluster.adminToken } });
    await writeFile(join(dirname(kubeconfig), "plugin.sh"), `#!/bin/sh\necho '${answer}'\n`, { mode: 0o700 });
    expect(await (await connect(sandbox, { kubeconfig })).readIssuer()).toBe(sandbox.cluster.issuer);
  });

  it.each([
    ["fails", "console.error('canary'); console.log('canary'); process.exit(3)", /ended with status 3/],
    ["prints no JSON", "console.log('canary')", /no ExecCredential/],
    ["prints another kind", "console.log('{\"kind\":\"Pod\",\"token\":\"canary\"}')", /no ExecCredential/],
    ["answers in another version", print('{ token: "canary" }', "client.authentication.k8s.io/v1beta1"), /another version/],
    ["gives half a certificate", print('{ clientCertificateData: "canary" }'), /half of a client certificate/],
    ["gives nothing", print("{}"), /neither a token nor a client certificate/],
    ["names no time", print('{ token: "canary", expirationTimestamp: "soon" }'), /no time/],
    ["prints without end", "const s = 'canary'.repeat(1e5); const go = () => { while (process.stdout.write(s)); }; process.stdout.on('drain', go); go();", /more than 1 MiB/],
  ])("that %s is named, and nothing of what it printed is shown", async (_, code, message) => {
    const sandbox = shared();
    const cluster = await connect(sandbox, { kubeconfig: await withPlugin(sandbox, code) });
    const problem: unknown = await cluster.readIssuer().catch((error: unknown) => error);
    expect(problem).toMatchObject({ code: "CLUSTER_CREDENTIAL_PLUGIN", message: expect.stringMatching(message) });
    expect(JSON.stringify(problem) + String(problem)).not.toContain("canary");
  });

  it("that is not installed, or that never ends, is named", async () => {
    const sandbox = shared();
    const missing = await withPlugin(sandbox, "", { command: "kubeassume-no-such-plugin" });
    await expect((await connect(sandbox, { kubeconfig: missing })).readIssuer()).rejects.toMatchObject({ message: "the credential plugin kubeassume-no-such-plugin is not installed" });
    const endless = await withPlugin(sandbox, "setInterval(() => 0, 1000)");
    await expect((await connect(sandbox, { kubeconfig: endless, timeoutMs: 500 })).readIssuer()).rejects.toMatchObject({ code: "CLUSTER_CREDENTIAL_PLUGIN", message: expect.stringContaining("did not end") });
  });

  it("that insists on a terminal is refused where there is none", async () => {
    const sandbox = shared();
    const kubeconfig = await withPlugin(sandbox, print('{ token: "t" }'), { interactiveMode: "Always" });
    await expect((await connect(sandbox, { kubeconfig })).readIssuer()).rejects.toMatchObject({ code: "KUBECONFIG_UNSUPPORTED" });
  });
});

describe("a client certificate", () => {
  it("is shown to the server, from data, from files and from a plugin", async () => {
    const sandbox = shared();
    const [server, client] = await Promise.all([sandbox.authority.issueServer({ names: ["127.0.0.1"], now: new Date() }), sandbox.authority.issueServer({ names: ["admin"], now: new Date() })]);
    // The sandbox's CA makes server certificates only, so this server looks at what is shown without judging its purpose.
    const listener = createServer({ cert: server.chainPem, key: server.keyPem, ca: sandbox.caPem, requestCert: true, rejectUnauthorized: false }, (request, response) => {
      response.end(JSON.stringify({ issuer: `https://${String((request.socket as TLSSocket).getPeerCertificate().subject.CN)}` }));
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void listener.close());
    const cluster = { server: `https://127.0.0.1:${(listener.address() as AddressInfo).port}` };
    const encode = (text: string) => Buffer.from(text).toString("base64");
    const data = await writeKubeconfig(sandbox, { cluster, user: { "client-certificate-data": encode(client.chainPem), "client-key-data": encode(client.keyPem) } });
    const files = await writeKubeconfig(sandbox, { cluster, user: { "client-certificate": "c.pem", "client-key": "k.pem" } });
    await Promise.all([writeFile(join(dirname(files), "c.pem"), client.chainPem), writeFile(join(dirname(files), "k.pem"), client.keyPem)]);
    const answer = JSON.stringify({ apiVersion: V1, kind: "ExecCredential", status: { clientCertificateData: client.chainPem, clientKeyData: client.keyPem } });
    const plugin = await writeKubeconfig(sandbox, { cluster, user: { exec: { apiVersion: V1, command: "./p" } } });
    await writeFile(join(dirname(plugin), "p"), `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`, { mode: 0o700 });
    for (const kubeconfig of [data, files, plugin]) expect(await (await connect(sandbox, { kubeconfig })).readIssuer()).toBe("https://admin");
  });
});
