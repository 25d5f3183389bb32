import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSandbox } from "../support.ts";
import type { Answer, TestSandbox } from "../support.ts";

let sandbox: TestSandbox;
let unique = 0;

beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.call("POST", "/api/v1/namespaces", { metadata: { name: "pay" } });
});

afterAll(() => sandbox.end());

const ACCOUNTS = "/api/v1/namespaces/pay/serviceaccounts";
const MAPS = "/api/v1/namespaces/pay/configmaps";
const fresh = (): string => `object-${(unique += 1)}`;
const account = (name: string, annotations: Record<string, string> = {}, more: object = {}): object => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, annotations, ...more } });
const map = (name: string, data: Record<string, unknown>): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

function managers(answer: Answer): Record<string, unknown> {
  const { managedFields = [] } = (answer.json as { metadata: { managedFields?: { manager: string; operation: string; fieldsV1: unknown }[] } }).metadata;
  return Object.fromEntries(managedFields.map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]));
}

const versionOf = (answer: Answer): string => (answer.json as { metadata: { resourceVersion: string } }).metadata.resourceVersion;

describe("namespaces", () => {
  it("are made with their label and a default service account", async () => {
    const answer = await sandbox.call("POST", "/api/v1/namespaces", { metadata: { name: "shop" } });
    expect(answer.json).toMatchObject({ kind: "Namespace", metadata: { name: "shop", labels: { "kubernetes.io/metadata.name": "shop" } }, status: { phase: "Active" } });
    expect((await sandbox.call("GET", "/api/v1/namespaces/shop/serviceaccounts/default")).status).toBe(200);
  });

  it("are refused with a name that is no DNS label", async () => {
    const answer = await sandbox.call("POST", "/api/v1/namespaces", { metadata: { name: "Bad.ns" } });
    expect(answer.json).toMatchObject({
      code: 422,
      reason: "Invalid",
      message:
        "Namespace \"Bad.ns\" is invalid: metadata.name: Invalid value: \"Bad.ns\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      details: { name: "Bad.ns", kind: "Namespace", causes: [{ reason: "FieldValueInvalid", field: "metadata.name" }] },
    });
  });
});

describe("objects", () => {
  it("can be made, read, listed across namespaces, and removed", async () => {
    const name = fresh();
    expect((await sandbox.call("POST", ACCOUNTS, { metadata: { name } })).json).toMatchObject({ kind: "ServiceAccount", apiVersion: "v1", metadata: { name, namespace: "pay", creationTimestamp: expect.stringMatching(/T\d\d:\d\d:\d\dZ$/) as string } });
    expect((await sandbox.call("GET", `${ACCOUNTS}/${name}`)).status).toBe(200);
    const listed = (await sandbox.call("GET", "/api/v1/serviceaccounts")).json as { kind: string; items: { metadata: { name: string; namespace: string } }[] };
    expect(listed.kind).toBe("ServiceAccountList");
    expect(listed.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual(expect.arrayContaining(["default/default", `pay/${name}`]));
    expect((await sandbox.call("DELETE", `${ACCOUNTS}/${name}`)).json).toMatchObject({ kind: "Status", status: "Success" });
    expect((await sandbox.call("GET", `${ACCOUNTS}/${name}`)).json).toMatchObject({ code: 404, message: `serviceaccounts "${name}" not found` });
  });

  it("are refused when they exist, when the namespace does not, and when it is another one", async () => {
    const post = async (path: string, body: unknown): Promise<unknown> => (await sandbox.call("POST", path, body)).json;
    expect(await post(ACCOUNTS, { metadata: { name: "default" } })).toMatchObject({ code: 409, reason: "AlreadyExists", message: 'serviceaccounts "default" already exists' });
    expect(await post("/api/v1/namespaces/nope/serviceaccounts", { metadata: { name: "x" } })).toMatchObject({ code: 404, message: 'namespaces "nope" not found' });
    expect(await post(ACCOUNTS, { metadata: { name: "x", namespace: "default" } })).toMatchObject({ code: 400, message: "the namespace of the provided object does not match the namespace sent on the request" });
    expect(await post(ACCOUNTS, { metadata: {} })).toMatchObject({ code: 422, message: 'ServiceAccount "" is invalid: metadata.name: Required value: name or generateName is required' });
    expect(await post(MAPS, map("x", { a: 1 }))).toMatchObject({ code: 400 });
  });

  it.each([
    ["Api_X", ACCOUNTS, {}],
    ["a".repeat(254), ACCOUNTS, {}],
    ["x", MAPS, { data: { "bad key": "1" } }],
    ["x", ACCOUNTS, { metadata: { name: "x", labels: { x: "not valid!" } } }],
    ["x", ACCOUNTS, { metadata: { name: "x", annotations: { "bad key!": "1" } } }],
    ["x", ACCOUNTS, { metadata: { name: "x", annotations: { a: "v".repeat(256 * 1024) } } }],
  ])("are refused with 422 for what Kubernetes refuses: %#", async (name, path, more) => {
    expect((await sandbox.call("POST", path, { metadata: { name }, ...more })).json).toMatchObject({ code: 422, reason: "Invalid" });
  });

  it("are chosen by label and field, and an unknown selector is refused instead of ignored", async () => {
    const [one, two] = [fresh(), fresh()];
    await sandbox.call("POST", MAPS, { metadata: { name: one, labels: { color: "red" } } });
    await sandbox.call("POST", MAPS, { metadata: { name: two, labels: { color: "blue" } } });
    const names = async (query: string): Promise<string[]> => ((await sandbox.call("GET", `${MAPS}?${query}`)).json as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
    expect(await names("labelSelector=color%3Dred")).toEqual([one]);
    expect(await names("labelSelector=color,color%21%3Dred")).toEqual([two]);
    expect(await names(`fieldSelector=metadata.name%3D${two}`)).toEqual([two]);
    expect((await sandbox.call("GET", `${MAPS}?labelSelector=color+in+(red)`)).status).toBe(400);
  });

  it("stay as they are in a dry run", async () => {
    const name = fresh();
    expect((await sandbox.call("POST", `${ACCOUNTS}?dryRun=All`, { metadata: { name } })).status).toBe(201);
    expect((await sandbox.apply(`${ACCOUNTS}/${name}`, "k", account(name), "&dryRun=All")).status).toBe(201);
    expect(sandbox.cluster.find("serviceaccounts", "pay", name)).toBeNull();
  });
});

describe("server-side apply", () => {
  it("makes an object and writes down who owns which field", async () => {
    const name = fresh();
    const answer = await sandbox.apply(`${ACCOUNTS}/${name}`, "kubeassume", account(name, { "a.b/c": "1" }, { labels: { x: "y" } }));
    expect(answer.status).toBe(201);
    expect(managers(answer)).toEqual({ "kubeassume Apply": { "f:metadata": { "f:annotations": { "f:a.b/c": {} }, "f:labels": { "f:x": {} } } } });
  });

  it("changes nothing the second time", async () => {
    const name = fresh();
    const first = await sandbox.apply(`${ACCOUNTS}/${name}`, "kubeassume", account(name, { a: "1" }));
    const second = await sandbox.apply(`${ACCOUNTS}/${name}`, "kubeassume", account(name, { a: "1" }));
    expect(second.status).toBe(200);
    expect(second.json).toEqual(first.json);
  });

  it("answers 409 in Kubernetes' words when another manager has set another value", async () => {
    const name = fresh();
    await sandbox.apply(`${ACCOUNTS}/${name}`, "kubeassume", account(name, { "a.b/c": "1" }, { labels: { x: "y" } }));
    expect((await sandbox.apply(`${ACCOUNTS}/${name}`, "other", account(name, { "a.b/c": "2" }))).json).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'Apply failed with 1 conflict: conflict with "kubeassume": .metadata.annotations.a.b/c',
      reason: "Conflict",
      details: { causes: [{ reason: "FieldManagerConflict", message: 'conflict with "kubeassume"', field: ".metadata.annotations.a.b/c" }] },
      code: 409,
    });
    expect((await sandbox.apply(`${ACCOUNTS}/${name}`, "other", account(name, { "a.b/c": "2" }, { labels: { x: "z" } }))).json).toMatchObject({
      message: 'Apply failed with 2 conflicts: conflicts with "kubeassume":\n- .metadata.annotations.a.b/c\n- .metadata.labels.x',
    });
  });

  it("names the version for a manager that updated instead of applying", async () => {
    const name = fresh();
    await sandbox.call("POST", `${ACCOUNTS}?fieldManager=kubectl`, { ...account(name, { a: "1" }), automountServiceAccountToken: false });
    const answer = await sandbox.apply(`${ACCOUNTS}/${name}`, "kubeassume", { ...account(name, { a: "2" }), automountServiceAccountToken: true });
    expect(answer.json).toMatchObject({ code: 409, message: 'Apply failed with 2 conflicts: conflicts with "kubectl" using v1:\n- .automountServiceAccountToken\n- .metadata.annotations.a' });
  });

  it("shares a field with a manager that wants the same value", async () => {
    const name = fresh();
    await sandbox.apply(`${ACCOUNTS}/${name}`, "one", account(name, { a: "1" }));
    expect((await sandbox.apply(`${ACCOUNTS}/${name}`, "two", account(name, { a: "1" }))).status).toBe(200);
    const left = await sandbox.apply(`${ACCOUNTS}/${name}`, "one", account(name));
    expect(left.json).toMatchObject({ metadata: { annotations: { a: "1" } } });
    expect(Object.keys(managers(left))).toEqual(["two Apply"]);
  });

  it("takes a field over with force", async () => {
    const name = fresh();
    await sandbox.apply(`${MAPS}/${name}`, "one", map(name, { a: "1", b: "1" }));
    const answer = await sandbox.apply(`${MAPS}/${name}`, "two", map(name, { a: "2" }), "&force=true");
    expect(answer.json).toMatchObject({ data: { a: "2", b: "1" } });
    expect(managers(answer)).toEqual({ "one Apply": { "f:data": { "f:b": {} } }, "two Apply": { "f:data": { "f:a": {} } } });
  });

  it("removes what the manager no longer names and leaves the fields of others", async () => {
    const name = fresh();
    await sandbox.apply(`${MAPS}/${name}`, "one", map(name, { a: "1", b: "1" }));
    await sandbox.call("PATCH", `${MAPS}/${name}`, { data: { c: "3" } }, { "content-type": "application/merge-patch+json" });
    expect((await sandbox.apply(`${MAPS}/${name}`, "one", map(name, { a: "1" }))).json).toMatchObject({ data: { a: "1", c: "3" } });
    expect(sandbox.cluster.find("configmaps", "pay", name)?.["data"]).toEqual({ a: "1", c: "3" });
  });

  it("loses a field to whoever patches it", async () => {
    const name = fresh();
    await sandbox.apply(`${MAPS}/${name}`, "one", map(name, { a: "1" }));
    const patched = await sandbox.call("PATCH", `${MAPS}/${name}`, { data: { a: "9" } }, { "content-type": "application/merge-patch+json", "user-agent": "kubectl/v1" });
    expect(managers(patched)).toEqual({ "kubectl Update": { "f:data": { "f:a": {} } } });
    expect(Number(versionOf(patched))).toBeGreaterThan(0);
    expect((await sandbox.apply(`${MAPS}/${name}`, "one", map(name, { a: "1" }))).json).toMatchObject({ code: 409 });
  });

  it("merges secrets by name and takes other lists as a whole", async () => {
    const name = fresh();
    await sandbox.apply(`${ACCOUNTS}/${name}`, "one", { ...account(name), secrets: [{ name: "a" }], imagePullSecrets: [{ name: "a" }] });
    const other = await sandbox.apply(`${ACCOUNTS}/${name}`, "two", { ...account(name), secrets: [{ name: "b" }] });
    expect(other.json).toMatchObject({ secrets: [{ name: "a" }, { name: "b" }] });
    const conflict = await sandbox.apply(`${ACCOUNTS}/${name}`, "two", { ...account(name), imagePullSecrets: [{ name: "b" }] });
    expect(conflict.json).toMatchObject({ message: 'Apply failed with 1 conflict: conflict with "one": .imagePullSecrets' });
    const gone = await sandbox.apply(`${ACCOUNTS}/${name}`, "one", account(name));
    expect(gone.json).toMatchObject({ secrets: [{ name: "b" }] });
  });

  it("takes YAML", async () => {
    const name = fresh();
    const answer = await sandbox.apply(`${MAPS}/${name}`, "one", `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: "1"\n`);
    expect(answer.json).toMatchObject({ data: { a: "1" } });
  });

  it.each([
    ["without a field manager", "", account("x"), 422, /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/],
    ["for another name", "k", account("other"), 400, /^the name of the object \(other\) does not match the name on the URL \(x\)$/],
    ["for another kind", "k", map("x", {}), 400, /^invalid object type: \/v1, Kind=ConfigMap$/],
    ["with an unknown field", "k", { ...account("x"), bogus: 1 }, 500, /\.bogus: field not declared in schema$/],
    ["with a value of another type", "k", { ...account("x"), automountServiceAccountToken: "no" }, 500, /\.automountServiceAccountToken: expected boolean/],
    ["with broken YAML", "k", "a: [", 400, /^error decoding YAML/],
  ])("is refused %s", async (_title, manager, object, code, message) => {
    const answer = await sandbox.apply(`${ACCOUNTS}/x`, manager, object);
    expect(answer.status).toBe(code);
    expect(answer.json).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});

describe("access", () => {
  it("is the admin's alone: another token is nobody's, and without one everything is forbidden", async () => {
    expect((await sandbox.call("GET", ACCOUNTS, undefined, { authorization: "Bearer wrong" })).json).toMatchObject({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
    expect((await sandbox.call("GET", "/openid/v1/jwks", undefined, { authorization: "Bearer wrong" })).status).toBe(401);
    const anonymous = await request(`${sandbox.cluster.url}/api/v1/namespaces`, { dispatcher: sandbox.agent });
    expect(await anonymous.body.json()).toMatchObject({ code: 403, message: 'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope' });
  });

  it("can be forbidden, in Kubernetes' words", async () => {
    sandbox.cluster.forbid((access) => "subresource" in access && access.subresource === "token");
    const answer = await sandbox.call("POST", `${ACCOUNTS}/default/token`, {});
    expect(answer.json).toMatchObject({
      code: 403,
      reason: "Forbidden",
      message: 'serviceaccounts "default" is forbidden: User "kubeassume-sandbox-admin" cannot create resource "serviceaccounts/token" in API group "" in the namespace "pay"',
      details: { name: "default", kind: "serviceaccounts" },
    });
    expect((await sandbox.call("GET", ACCOUNTS)).status).toBe(200);
    sandbox.cluster.forbid((access) => "path" in access);
    expect((await sandbox.call("GET", "/openid/v1/jwks")).json).toMatchObject({ message: 'forbidden: User "kubeassume-sandbox-admin" cannot get path "/openid/v1/jwks"' });
    sandbox.cluster.forbid(null);
    expect((await sandbox.call("GET", "/openid/v1/jwks")).status).toBe(200);
  });
});

describe("what the API says of itself", () => {
  it("is a version, groups and resources", async () => {
    expect((await sandbox.call("GET", "/version")).json).toMatchObject({ major: "1", minor: "35" });
    expect((await sandbox.call("GET", "/api")).json).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    expect((await sandbox.call("GET", "/apis")).json).toMatchObject({ kind: "APIGroupList", groups: [{ name: "discovery.k8s.io" }] });
    const { resources } = (await sandbox.call("GET", "/api/v1")).json as { resources: { name: string }[] };
    expect(resources.map(({ name }) => name)).toEqual(expect.arrayContaining(["namespaces", "serviceaccounts", "serviceaccounts/token", "configmaps", "services", "endpoints"]));
  });

  it("includes where the API servers are", async () => {
    const slices = async (): Promise<unknown> => (await sandbox.call("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes")).json;
    const port = Number(new URL(sandbox.cluster.url).port);
    expect(await slices()).toMatchObject({ items: [{ addressType: "IPv4", endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }], ports: [{ port }] }] });
    sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port }, { host: "127.0.0.1", port: 1 }]);
    expect(await slices()).toMatchObject({ items: [{ ports: [{ port }] }, { ports: [{ port: 1 }] }] });
    sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port }]);
    expect((await sandbox.call("GET", "/api/v1/namespaces/default/endpoints/kubernetes")).json).toMatchObject({ subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ port }] }] });
  });

  it("leaves out what the sandbox does not have: 404, marked in the log", async () => {
    expect((await sandbox.call("GET", "/apis/apps/v1/deployments")).status).toBe(404);
    expect(sandbox.requests.at(-1)?.unmatched).toBe(true);
    expect((await sandbox.call("PUT", MAPS, {})).status).toBe(405);
    expect((await sandbox.call("GET", `${MAPS}?watch=true`)).status).toBe(501);
    expect((await sandbox.call("PATCH", `${MAPS}/x`, "x", { "content-type": "text/plain" })).status).toBe(415);
  });
});

it("never fails by itself", () => {
  expect(sandbox.requests.filter((request) => request.defect !== null)).toEqual([]);
});
