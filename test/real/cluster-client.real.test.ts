import { networkInterfaces } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import type { Cluster, ClusterTarget } from "../../src/federation/cluster/cluster.ts";
import { judgeConflicts } from "../../src/federation/cluster/conflicts.ts";
import { connectCluster } from "../../src/federation/cluster/connect.ts";
import { toObjectFields } from "../../src/federation/cluster/fields.ts";
import { parseJwks } from "../../src/federation/oidc/jwks.ts";
import { parseJwt } from "../../src/federation/oidc/jwt.ts";
import { planResources } from "../../src/federation/plan/plan-resources.ts";
import type { Step } from "../../src/federation/plan/step.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import type { Etcd } from "./support/etcd.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const ISSUER = "https://oidc.example.com/prod";
const ACCOUNT: ClusterTarget = { kind: "cluster.service-account", namespace: "default", name: "api" };
const MAP: ClusterTarget = { kind: "cluster.config-map", namespace: "default", name: "boilerplate" };
const ROLE = "eks.amazonaws.com/role-arn";

/** Kubernetes takes no loopback address for an endpoint, so the servers listen on one of the machine's own too. */
const ADDRESS = Object.values(networkInterfaces()).flat().find((one) => one?.family === "IPv4" && !one.internal)?.address;
const EVERYWHERE = ["--bind-address=0.0.0.0"];

const connect = (kubeconfig: string): Promise<Cluster> =>
  connectCluster({ kubeconfig, env: {}, caPem: [], timeoutMs: 10_000, signal: AbortSignal.timeout(60_000), now: () => new Date() });

function planFor(target: ClusterTarget, content: Parameters<typeof toObjectFields>[0], observed: Parameters<typeof planResources>[1]): Step {
  const id = `${target.kind}/${target.namespace}/${target.name}`;
  const resource = { id, kind: target.kind, cloud: null, target: `${target.namespace}/${target.name}`, fields: toObjectFields(content), part: true };
  return planResources([resource], observed, { adopt: false }).plan.steps[0] as Step;
}

describe.skipIf(await cannotRun("etcd", "kube-apiserver"))("kubeassume as a client of a real kube-apiserver", () => {
  const running = stoppedAfterAll();
  let etcd: Etcd;
  let server: KubeApiserver;
  let cluster: Cluster;

  beforeAll(async () => {
    etcd = await running(startEtcd());
    server = await running(startKubeApiserver({ etcd, issuers: [ISSUER], extraFlags: EVERYWHERE }));
    cluster = await connect(server.kubeconfigFile);
    await server.admin.createServiceAccount("api");
  });

  it.skipIf(ADDRESS === undefined)("reads the keys of every API server behind the kubernetes service", async () => {
    const second = await running(startKubeApiserver({ etcd, issuers: [ISSUER], joins: server, extraFlags: EVERYWHERE }));
    for (const { url } of [server, second]) {
      const port = Number(new URL(url).port);
      const metadata = { name: `kubernetes-${port}`, labels: { "kubernetes.io/service-name": "kubernetes" } };
      const slice = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4", metadata, endpoints: [{ addresses: [ADDRESS] }], ports: [{ name: "https", port, protocol: "TCP" }] };
      await server.admin.create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice);
    }
    const { sets, warnings } = await cluster.readKeySets();
    expect(warnings).toEqual([]);
    expect(new Set(sets.flatMap((set) => parseJwks(set).keys.map((key) => key.kid))).size).toBe(2);
  });

  it("reads the issuer and mints tokens of one audience", async () => {
    expect(await cluster.readIssuer()).toBe(ISSUER);
    const { claims } = parseJwt(await cluster.mintToken(ACCOUNT, "sts.amazonaws.com", 600));
    expect(claims).toMatchObject({ iss: ISSUER, aud: ["sts.amazonaws.com"], sub: "system:serviceaccount:default:api" });
    expect(parseJwt(await cluster.mintToken(ACCOUNT, null, 600)).claims).toMatchObject({ aud: [ISSUER] });
    await expect(cluster.mintToken({ namespace: "default", name: "gone" }, "a", 600)).rejects.toMatchObject({ code: "SERVICE_ACCOUNT_MISSING" });
    await expect(cluster.mintToken(ACCOUNT, "a", 599)).rejects.toMatchObject({ code: "CLUSTER_REFUSED" });
  });

  it("applies its fields server-side, finds nothing to do the second time, and gives them back", async () => {
    const content = { annotations: { [ROLE]: "arn:1" } };
    const first = planFor(ACCOUNT, content, await cluster.observe([ACCOUNT]));
    expect(first).toMatchObject({ action: "update" });
    await cluster.perform(first);
    expect(planFor(ACCOUNT, content, await cluster.observe([ACCOUNT]))).toMatchObject({ action: "none" });
    await cluster.perform({ ...first, action: "delete", after: null });
    expect(await cluster.observe([ACCOUNT])).toMatchObject([{ fields: {} }]);
  });

  it("creates a ConfigMap and leaves the keys of others alone", async () => {
    const content = { data: { provider: "arn:p" } };
    await cluster.perform(planFor(MAP, content, await cluster.observe([MAP])));
    const path = "/api/v1/namespaces/default/configmaps/boilerplate";
    const object = (await server.admin.request("GET", path)).json<{ data: Record<string, string> }>();
    expect((await server.admin.request("PUT", path, { ...object, data: { ...object.data, theirs: "1" } })).status).toBe(200);
    await cluster.perform(planFor(MAP, { data: { provider: "arn:q" } }, await cluster.observe([MAP])));
    expect((await server.admin.request("GET", path)).json()).toMatchObject({ data: { provider: "arn:q", theirs: "1" } });
  });

  it("sees a conflict before it writes, and again in the API server's own answer", async () => {
    const path = "/api/v1/namespaces/default/serviceaccounts/api";
    const object = (await server.admin.request("GET", path)).json<{ metadata: object }>();
    const theirs = { ...object, metadata: { ...object.metadata, annotations: { [ROLE]: "arn:theirs" } } };
    expect((await server.admin.request("PUT", path, theirs)).status).toBe(200);
    const observed = await cluster.observe([ACCOUNT]);
    const step = planFor(ACCOUNT, { annotations: { [ROLE]: "arn:ours" } }, observed);
    // The object had no fields when it was made, so that the server tracks nobody's before the first apply.
    const manager = "before-first-apply";
    expect(judgeConflicts([step], observed)).toMatchObject([{ code: "CLUSTER_CONFLICT", details: { conflicts: [{ field: `annotation ${ROLE}`, manager }] } }]);
    await expect(cluster.perform(step)).rejects.toMatchObject({ code: "CLUSTER_CONFLICT", details: { conflicts: [{ field: `metadata.annotations.${ROLE}`, manager }] } });
  });

  it("names what somebody without permissions lacks", async () => {
    const powerless = await connect(server.powerlessKubeconfigFile);
    await expect(powerless.mintToken(ACCOUNT, "a", 600)).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN", message: expect.stringContaining('create serviceaccounts/token in namespace "default"') });
    await expect(powerless.observe([ACCOUNT])).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN", message: expect.stringContaining("get serviceaccounts") });
    await expect(powerless.perform(planFor({ ...ACCOUNT, namespace: "gone" }, { annotations: {} }, []))).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN" });
    await expect(cluster.perform(planFor({ ...ACCOUNT, namespace: "gone" }, { annotations: { a: "1" } }, []))).rejects.toMatchObject({ code: "CLUSTER_NAMESPACE_MISSING" });
  });
});
