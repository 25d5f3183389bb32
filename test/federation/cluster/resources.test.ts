import { describe, expect, it } from "vitest";
import type { ClusterTarget } from "../../../src/federation/cluster/cluster.ts";
import { judgeConflicts } from "../../../src/federation/cluster/conflicts.ts";
import { foreignFields } from "../../../src/federation/cluster/ownership.ts";
import { fromObjectFields, toObjectFields } from "../../../src/federation/cluster/fields.ts";
import { planResources } from "../../../src/federation/plan/plan-resources.ts";
import type { Fields, Step } from "../../../src/federation/plan/step.ts";
import type { Sandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import { connect, startClusterSandbox } from "./start.ts";

const ROLE = "eks.amazonaws.com/role-arn";
const ACCOUNT: ClusterTarget = { kind: "cluster.service-account", namespace: "payments", name: "api" };
const MAP: ClusterTarget = { kind: "cluster.config-map", namespace: "payments", name: "boilerplate" };

function planFor(target: ClusterTarget, fields: Fields, observed: Parameters<typeof planResources>[1]): Step {
  const id = `${target.kind}/${target.namespace}/${target.name}`;
  const resource = { id, kind: target.kind, cloud: null, target: `${target.namespace}/${target.name}`, fields, part: true };
  const [step] = planResources([resource], observed, { adopt: false }).plan.steps;
  if (step === undefined) throw new TypeError("no step");
  return step;
}

async function settle(sandbox: Sandbox, target: ClusterTarget, fields: Fields): Promise<Step> {
  const cluster = await connect(sandbox);
  const step = planFor(target, fields, await cluster.observe([target]));
  if (step.action !== "none") await cluster.perform(step);
  return step;
}

/** What another tool does: a plain merge patch, or an apply under its own name. */
async function patch(sandbox: Sandbox, plural: string, name: string, body: object, query: string, type: string): Promise<number> {
  const { createHttp } = await import("../../../src/federation/http/create-http.ts");
  const http = createHttp({ caPem: [sandbox.caPem], env: {}, timeoutMs: 5000 });
  const url = `${sandbox.cluster.url}/api/v1/namespaces/payments/${plural}/${name}?${query}`;
  const headers = { authorization: `Bearer ${sandbox.cluster.adminToken}`, "content-type": type };
  return (await http({ url, method: "PATCH", headers, body: JSON.stringify(body) })).status;
}

const annotate = (sandbox: Sandbox, annotations: object) => patch(sandbox, "serviceaccounts", "api", { metadata: { annotations } }, "fieldManager=kubectl-edit", "application/merge-patch+json");
const annotationsOf = (sandbox: Sandbox) => sandbox.cluster.find("serviceaccounts", "payments", "api")?.metadata["annotations"];

describe("a ServiceAccount", () => {
  it("is created where it does not exist, and then left alone", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount({ namespace: "payments", name: "other" });
    expect(await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }))).toMatchObject({ action: "create" });
    expect(annotationsOf(sandbox)).toEqual({ [ROLE]: "arn:1" });
    const writes = sandbox.requests.filter(({ method }) => method !== "GET").length;
    expect(await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }))).toMatchObject({ action: "none" });
    expect(sandbox.requests.filter(({ method }) => method !== "GET")).toHaveLength(writes);
  });

  it("gets our annotation beside those of others, which stay", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await annotate(sandbox, { "example.com/owner": "team" });
    expect(await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }))).toMatchObject({ action: "update", reason: `differs in annotation ${ROLE}` });
    expect(annotationsOf(sandbox)).toEqual({ "example.com/owner": "team", [ROLE]: "arn:1" });
  });

  it("keeps what another cloud's grant has set under our name", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { "cloud.google.com/service-account-email": "a@b" } }));
    await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }));
    expect(annotationsOf(sandbox)).toEqual({ "cloud.google.com/service-account-email": "a@b", [ROLE]: "arn:1" });
  });

  it("has our own old value replaced", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }));
    expect(await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:2" } }))).toMatchObject({ action: "update", before: { [`annotation ${ROLE}`]: "arn:1" } });
    expect(annotationsOf(sandbox)).toEqual({ [ROLE]: "arn:2" });
  });

  it("is not taken by force: a conflict names the manager and the field", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await annotate(sandbox, { [ROLE]: "arn:theirs" });
    const refused = settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:ours" } }));
    await expect(refused).rejects.toMatchObject({ code: "CLUSTER_CONFLICT", exit: 4, details: { conflicts: [{ field: `metadata.annotations.${ROLE}`, manager: "kubectl-edit" }] } });
    expect(annotationsOf(sandbox)).toEqual({ [ROLE]: "arn:theirs" });
  });

  it("does not take for ours what somebody patched under our name", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await patch(sandbox, "serviceaccounts", "api", { metadata: { annotations: { [ROLE]: "arn:1" } } }, "fieldManager=kubeassume", "application/merge-patch+json");
    expect(await (await connect(sandbox)).observe([ACCOUNT])).toMatchObject([{ marked: false, fields: {}, foreign: new Map([[`annotation ${ROLE}`, { manager: "kubeassume", value: "arn:1" }]]) }]);
  });

  it("has a conflict found before the first write, also in a field that was ours and theirs", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await annotate(sandbox, { [ROLE]: "arn:1" });
    await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }));
    const observed = await (await connect(sandbox)).observe([ACCOUNT]);
    const judge = (role: string) => judgeConflicts([planFor(ACCOUNT, toObjectFields({ annotations: { [ROLE]: role } }), observed)], observed);
    expect(judge("arn:1")).toEqual([]);
    expect(judge("arn:2")).toMatchObject([{ code: "CLUSTER_CONFLICT", details: { conflicts: [{ field: `annotation ${ROLE}`, manager: "kubectl-edit" }] } }]);
  });

  it("stays when our fields are taken back", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    await annotate(sandbox, { "example.com/owner": "team" });
    const step = await settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }));
    const cluster = await connect(sandbox);
    await cluster.perform({ ...step, action: "delete", after: null });
    expect(annotationsOf(sandbox)).toEqual({ "example.com/owner": "team" });
    // Safe to repeat, also where there is nothing of ours.
    await cluster.perform({ ...step, action: "delete", after: null });
    await cluster.perform({ ...step, action: "delete", target: "payments/gone", after: null });
    expect(sandbox.cluster.find("serviceaccounts", "payments", "gone")).toBeNull();
  });

  it("is not made in a namespace that does not exist", async () => {
    const refused = settle(await startClusterSandbox(), ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }));
    await expect(refused).rejects.toMatchObject({ code: "CLUSTER_NAMESPACE_MISSING", message: expect.stringContaining('"payments"') });
  });

  it("needs the permissions that the message names", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    sandbox.cluster.forbid((access) => "verb" in access && access.verb === "patch");
    const refused = settle(sandbox, ACCOUNT, toObjectFields({ annotations: { [ROLE]: "arn:1" } }));
    await expect(refused).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN", message: 'the cluster does not allow you to patch serviceaccounts in namespace "payments"' });
  });
});

describe("a ConfigMap", () => {
  it("gets our keys beside those of others", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount(ACCOUNT);
    const fields = toObjectFields({ data: { provider: "arn:p", "trust-policy.json": "{}\n" } });
    expect(await settle(sandbox, MAP, fields)).toMatchObject({ action: "create" });
    expect(await patch(sandbox, "configmaps", "boilerplate", { data: { theirs: "1" } }, "fieldManager=them", "application/merge-patch+json")).toBe(200);
    expect(await settle(sandbox, MAP, fields)).toMatchObject({ action: "none" });
    expect(await settle(sandbox, MAP, toObjectFields({ data: { provider: "arn:q" } }))).toMatchObject({ action: "update", reason: "differs in data provider" });
    expect(sandbox.cluster.find("configmaps", "payments", "boilerplate")?.["data"]).toEqual({ provider: "arn:q", "trust-policy.json": "{}\n", theirs: "1" });
  });
});

describe("observe", () => {
  it("leaves out what does not exist, and reads each target and its namespace once", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.addServiceAccount({ namespace: "payments", name: "other" });
    const cluster = await connect(sandbox);
    expect(await cluster.observe([ACCOUNT, ACCOUNT, MAP])).toEqual([]);
    expect(sandbox.requests).toHaveLength(3);
  });

  it("refuses all namespaces that do not exist at once, before anything is written", async () => {
    const cluster = await connect(await startClusterSandbox());
    const refused = cluster.observe([ACCOUNT, { ...ACCOUNT, namespace: "billing" }]);
    await expect(refused).rejects.toMatchObject({ code: "SEVERAL_PROBLEMS", message: expect.stringMatching(/"payments".*"billing"/) });
  });

  it("does not need to read namespaces where it may not", async () => {
    const sandbox = await startClusterSandbox();
    sandbox.cluster.forbid((access) => "resource" in access && access.resource.plural === "namespaces");
    expect(await (await connect(sandbox)).observe([ACCOUNT])).toEqual([]);
  });
});

describe("toObjectFields", () => {
  it("is reversed by fromObjectFields", () => {
    const content = { labels: { a: "1" }, annotations: { "b/c": "2" }, data: { d: "3" } };
    expect(fromObjectFields(toObjectFields(content))).toEqual(content);
  });
});

describe("foreignFields", () => {
  it("counts every field of an object without tracked managers as somebody else's, as the API server does", () => {
    const object = { metadata: { annotations: { a: "1" }, labels: { b: "2" } }, data: { c: "3" } };
    const manager = "before-first-apply";
    expect(foreignFields(object)).toEqual(new Map([["label b", { manager, value: "2" }], ["annotation a", { manager, value: "1" }], ["data c", { manager, value: "3" }]]));
  });

  it("takes only the fields of others where managers are tracked", () => {
    const entry = (manager: string, key: string) => ({ manager, operation: "Apply", fieldsV1: { "f:metadata": { "f:annotations": { ".": {}, [`f:${key}`]: {} } } } });
    const object = { metadata: { annotations: { a: "1", b: "2", c: "3" }, managedFields: [entry("kubeassume", "a"), entry("helm", "b"), null, entry("helm", "gone")] } };
    expect(foreignFields(object)).toEqual(new Map([["annotation b", { manager: "helm", value: "2" }]]));
  });
});
