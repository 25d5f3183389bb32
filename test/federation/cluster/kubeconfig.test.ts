import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { mergeKubeconfigs, parseKubeconfig, selectContext } from "../../../src/federation/cluster/kubeconfig.ts";
import { readKubeconfig } from "../../../src/federation/cluster/read-kubeconfig.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { connect, makeFolder, shareClusterSandbox, writeKubeconfig } from "./start.ts";

const shared = shareClusterSandbox();

interface Written {
  readonly clusters?: Readonly<Record<string, object>>;
  readonly users?: Readonly<Record<string, object>>;
  readonly contexts?: Readonly<Record<string, object>>;
  readonly current?: string;
}

function render({ clusters = {}, users = {}, contexts = {}, current }: Written): string {
  const list = (entries: Readonly<Record<string, object>>, member: string) => Object.entries(entries).map(([name, entry]) => ({ name, [member]: entry }));
  return stringify({ apiVersion: "v1", kind: "Config", clusters: list(clusters, "cluster"), users: list(users, "user"), contexts: list(contexts, "context"), ...(current === undefined ? {} : { "current-context": current }) });
}

const parse = (written: Written) => parseKubeconfig(render(written), "config", "/kube");
const FULL: Written = {
  clusters: { c: { server: "https://a:6443/", "certificate-authority": "ca.crt", "tls-server-name": "n", "proxy-url": "http://p:1" } },
  users: { u: { token: "t", tokenFile: "f", username: "n", password: "p", "client-certificate": "c", "client-key": "k", as: "x" } },
  contexts: { one: { cluster: "c", user: "u" }, two: { cluster: "gone", user: "u" }, three: { cluster: "c", user: "gone" }, four: { cluster: "c" } },
  current: "one",
};

describe("selectContext", () => {
  it("reads every member that says how to connect", () => {
    expect(selectContext(parse(FULL), undefined)).toEqual({
      context: "one",
      cluster: { directory: "/kube", entry: { server: "https://a:6443", caFile: "ca.crt", tlsServerName: "n", proxyUrl: "http://p:1", insecure: false } },
      user: { directory: "/kube", entry: { token: "t", tokenFile: "f", username: "n", password: "p", certFile: "c", keyFile: "k", impersonate: { "impersonate-user": "x" } } },
    });
  });

  it("takes a context without a user as anonymous", () => {
    expect(selectContext(parse(FULL), "four").user.entry).toEqual({ impersonate: {} });
  });

  it.each([
    ["a context that is not there, with the nearest one", "ones", /no context "ones"/, /did you mean "one"\?/],
    ["one that is like none, with all of them", "production", /no context "production"/, /it has: one, two, three, four/],
    ["a context whose cluster is not there", "two", /names the cluster "gone"/, /it has: c/],
    ["a context whose user is not there", "three", /names the user "gone"/, /it has: u/],
  ])("names %s", (_, context, message, hint) => {
    expect(() => selectContext(parse(FULL), context)).toThrow(expect.objectContaining({ code: "CLUSTER_CONTEXT_UNKNOWN", message: expect.stringMatching(message), hint: expect.stringMatching(hint) }));
  });

  it("says when no context is current", () => {
    expect(() => selectContext(parse({ ...FULL, current: "" }), undefined)).toThrow(expect.objectContaining({ code: "CLUSTER_CONTEXT_UNKNOWN" }));
  });

  it.each([
    ["a server that is missing", { clusters: { c: {} } }, "KUBECONFIG_MALFORMED"],
    ["a token that is no text", { users: { u: { token: 12345 } } }, "KUBECONFIG_MALFORMED"],
    ["an auth provider", { users: { u: { "auth-provider": { name: "oidc", config: { "id-token": "canary" } } } } }, "KUBECONFIG_UNSUPPORTED"],
    ["an exec without a command", { users: { u: { exec: { apiVersion: "client.authentication.k8s.io/v1" } } } }, "KUBECONFIG_MALFORMED"],
    ["an exec of a version that is gone", { users: { u: { exec: { apiVersion: "client.authentication.k8s.io/v1alpha1", command: "x" } } } }, "KUBECONFIG_UNSUPPORTED"],
    ["an exec whose env has no names", { users: { u: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "x", env: ["A"] } } } }, "KUBECONFIG_MALFORMED"],
    ["impersonation of several groups", { users: { u: { as: "a", "as-groups": ["b", "c"] } } }, "KUBECONFIG_UNSUPPORTED"],
  ])("refuses %s, and shows no value of it", (_, change, code) => {
    try {
      selectContext(parse({ ...FULL, ...change }), "one");
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code });
      expect(JSON.stringify(error) + String(error)).not.toMatch(/canary|12345/);
    }
  });
});

describe("parseKubeconfig", () => {
  it.each([
    ["something that is no mapping", "[1, 2]"],
    ["another kind", "kind: Pod"],
    ["a list that is none", "clusters: {}"],
    ["an entry without a name", "users: [{ user: {} }]"],
    ["an entry of the wrong type", "users: [{ name: a, user: 1 }]"],
    ["broken YAML", "users:\n  - name: a\n user: canary"],
    ["a key written twice", "kind: Config\nkind: Config"],
    ["an alias bomb", `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(50)}]\nc: &c [${"*b,".repeat(50)}]\nd: [${"*c,".repeat(50)}]`],
    ["endless nesting", "[".repeat(50_000)],
  ])("refuses %s", (_, text) => {
    expect(() => parseKubeconfig(text, "config", "/")).toThrow(expect.objectContaining({ code: "KUBECONFIG_MALFORMED", message: expect.not.stringContaining("canary") }));
  });

  it("takes an empty file as an empty kubeconfig, as kubectl does", () => {
    expect(parseKubeconfig("", "config", "/")).toMatchObject({ currentContext: "" });
  });

  it("throws nothing but its own errors, whatever the text", () => {
    const yaml = fc.oneof(fc.string(), fc.json(), fc.dictionary(fc.constantFrom("clusters", "users", "contexts", "kind", "current-context"), fc.anything()).map((value) => stringify(value, { aliasDuplicateObjects: false })));
    fc.assert(fc.property(yaml, (text) => {
      try {
        selectContext(parseKubeconfig(text, "config", "/"), "a");
      } catch (error) {
        expect(error).toBeInstanceOf(KubeassumeError);
      }
    }), { numRuns: 300 });
  });

  it("reads what the Kubernetes client reads, for everything that both know", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const written = fc.record({
      server: word.map((host) => `https://${host}:6443`),
      cluster: fc.record({ "certificate-authority-data": word, "certificate-authority": word.map((name) => `/${name}`), "tls-server-name": word }, { requiredKeys: [] }),
      user: fc.record({ token: word, username: word, password: word, "client-certificate-data": word, "client-key-data": word }, { requiredKeys: [] }),
      names: fc.record({ cluster: word, user: word, context: word }),
    });
    fc.assert(fc.property(written, ({ server, cluster, user, names }) => {
      const text = render({ clusters: { [names.cluster]: { server, ...cluster } }, users: { [names.user]: user }, contexts: { [names.context]: { cluster: names.cluster, user: names.user } }, current: names.context });
      const theirs = new KubeConfig();
      theirs.loadFromString(text);
      const ours = selectContext(parseKubeconfig(text, "config", "/"), undefined);
      const [theirCluster, theirUser] = [theirs.getCurrentCluster(), theirs.getCurrentUser()];
      const known = { caData: theirCluster?.caData, caFile: theirCluster?.caFile, tlsServerName: theirCluster?.tlsServerName };
      expect(ours.cluster.entry).toEqual({ server: theirCluster?.server, insecure: theirCluster?.skipTLSVerify, ...known });
      expect(ours.user.entry).toEqual({ token: theirUser?.token, username: theirUser?.username, password: theirUser?.password, certData: theirUser?.certData, keyData: theirUser?.keyData, impersonate: {} });
    }), { numRuns: 200 });
  });
});

describe("mergeKubeconfigs", () => {
  it("lets the first file win, entry by entry and as a whole", () => {
    const first = parse({ users: { u: { token: "first" } }, contexts: { a: { cluster: "c", user: "u" } } });
    const second = parse({ clusters: { c: { server: "https://b" } }, users: { u: { token: "second", username: "second" }, v: { token: "v" } }, current: "a" });
    const merged = mergeKubeconfigs([first, second]);
    expect(selectContext(merged, undefined).user.entry).toEqual({ token: "first", impersonate: {} });
    expect([...merged.users.keys()]).toEqual(["u", "v"]);
  });
});

describe("readKubeconfig", () => {
  const minimal = (server: string) => render({ clusters: { c: { server } }, contexts: { x: { cluster: "c" } }, current: "x" });

  it("prefers the flag to KUBECONFIG and that to the home folder", async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, ".kube"));
    const [flag, named, home] = [join(folder, "flag"), join(folder, "named"), join(folder, ".kube", "config")];
    await Promise.all([writeFile(flag, minimal("https://flag")), writeFile(named, minimal("https://named")), writeFile(home, minimal("https://home"))]);
    const env = { HOME: folder, KUBECONFIG: named };
    expect((await readKubeconfig({ kubeconfig: flag, env })).cluster.entry.server).toBe("https://flag");
    expect((await readKubeconfig({ env })).cluster.entry.server).toBe("https://named");
    expect((await readKubeconfig({ env: { HOME: folder } })).cluster.entry.server).toBe("https://home");
  });

  it("merges the files of KUBECONFIG, skipping missing ones, with paths relative to each file", async () => {
    const [one, two] = [await makeFolder(), await makeFolder()];
    await writeFile(join(one, "a"), render({ users: { u: { tokenFile: "token" } }, contexts: { x: { cluster: "c", user: "u" } }, current: "x" }));
    await writeFile(join(two, "b"), render({ clusters: { c: { server: "https://b" } } }));
    const env = { KUBECONFIG: [join(one, "a"), join(one, "missing"), "", join(two, "b")].join(delimiter) };
    expect(await readKubeconfig({ env })).toMatchObject({ user: { directory: one }, cluster: { directory: two } });
  });

  it("says where it looked when there is no cluster", async () => {
    const home = await makeFolder();
    await expect(readKubeconfig({ env: { HOME: home } })).rejects.toMatchObject({ code: "CLUSTER_NOT_CONFIGURED", message: expect.stringContaining(join(home, ".kube", "config")), exit: 2 });
    await expect(readKubeconfig({ env: {} })).rejects.toMatchObject({ code: "CLUSTER_NOT_CONFIGURED" });
  });

  it("insists on a file that was named", async () => {
    const kubeconfig = join(await makeFolder(), "missing");
    await expect(readKubeconfig({ kubeconfig, env: {} })).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("ENOENT") });
  });
});

describe("a kubeconfig that connectCluster refuses", () => {
  it.each([
    ["insecure-skip-tls-verify", { cluster: { "insecure-skip-tls-verify": true } }, "KUBECONFIG_INSECURE"],
    ["http to another machine", { cluster: { server: "http://cluster.example.com" } }, "KUBECONFIG_INSECURE"],
    ["a server that is no URL", { cluster: { server: "cluster" } }, "KUBECONFIG_MALFORMED"],
    ["a server with a password in it", { cluster: { server: "https://me:canary@cluster" } }, "KUBECONFIG_MALFORMED"],
    ["a SOCKS proxy", { cluster: { "proxy-url": "socks5://me:canary@proxy" } }, "KUBECONFIG_UNSUPPORTED"],
    ["a CA that is no PEM", { cluster: { "certificate-authority-data": "Y2FuYXJ5" } }, "KUBECONFIG_MALFORMED"],
    ["a CA that is cut off", { cluster: { "certificate-authority-data": Buffer.from("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").toString("base64") } }, "KUBECONFIG_MALFORMED"],
    ["a CA file that is missing", { cluster: { "certificate-authority-data": "", "certificate-authority": "gone.crt" } }, "FILE_UNREADABLE"],
  ])("has %s", async (_, parts, code) => {
    const sandbox = shared();
    const problem: unknown = await connect(sandbox, { kubeconfig: await writeKubeconfig(sandbox, parts) }).catch((error: unknown) => error);
    expect(problem).toMatchObject({ code });
    expect(JSON.stringify(problem) + String(problem)).not.toContain("canary");
  });

  it.each([
    ["a certificate without its key", { "client-certificate-data": Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64") }],
    ["a key that is none", { "client-certificate-data": Buffer.from("-----BEGIN A").toString("base64"), "client-key-data": Buffer.from("-----BEGIN PRIVATE KEY-----\ncanary").toString("base64") }],
    ["a token with a line break", { token: "canary\nx" }],
  ])("has %s", async (_, user) => {
    const sandbox = shared();
    const cluster = await connect(sandbox, { kubeconfig: await writeKubeconfig(sandbox, { user }) });
    const problem: unknown = await cluster.readIssuer().catch((error: unknown) => error);
    expect(problem).toMatchObject({ code: "KUBECONFIG_MALFORMED" });
    expect(JSON.stringify(problem) + String(problem)).not.toContain("canary");
  });
});
