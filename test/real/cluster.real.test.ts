import { ListRolesCommand } from "@aws-sdk/client-iam";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readAccount } from "./support/account.ts";
import { toAwsClients } from "./support/aws-clients.ts";
import type { AwsClients } from "./support/aws-clients.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import type { Etcd } from "./support/etcd.ts";
import { actionsOf, runDone, runJson } from "./support/front-door.ts";
import type { Answered, StepsData } from "./support/front-door.ts";
import { call } from "./support/http.ts";
import { startIssuer } from "./support/issuer.ts";
import type { TestIssuer } from "./support/issuer.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startMoto } from "./support/moto.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { waitUntil } from "./support/wait.ts";

const ROLE_ANNOTATION = "eks.amazonaws.com/role-arn";
const OLD_ISSUER = "https://oidc.example.com/old";

interface ClusterObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>>; readonly managedFields: readonly ManagedFields[] };
  readonly data?: Readonly<Record<string, string>>;
}

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: Readonly<Record<string, unknown>>;
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly message: string;
}

describe.skipIf(await cannotRun("etcd", "kube-apiserver", "moto"))("a real kube-apiserver", () => {
  const running = stoppedAfterAll();
  let aws: AwsClients;
  let etcd: Etcd;
  let issuer: TestIssuer;
  let cluster: KubeApiserver;
  let env: Readonly<Record<string, string>>;

  const read = async (path: string): Promise<ClusterObject> => (await cluster.admin.request("GET", path)).json<ClusterObject>();
  const ownedBy = (object: ClusterObject, manager: string): readonly ManagedFields[] => object.metadata.managedFields.filter((fields) => fields.manager === manager);
  const roleNames = async (): Promise<readonly (string | undefined)[]> => ((await aws.iam.send(new ListRolesCommand({}))).Roles ?? []).map(({ RoleName }) => RoleName);

  beforeAll(async () => {
    const moto = await running(startMoto());
    aws = toAwsClients({ endpoint: moto.url });
    etcd = await running(startEtcd());
    issuer = await running(startIssuer({ path: "/prod" }));
    cluster = await running(startKubeApiserver({ etcd, issuers: [issuer.url, OLD_ISSUER] }));
    env = { ...moto.env, KUBECONFIG: cluster.kubeconfigFile, KUBEASSUME_CA_FILE: issuer.caFile };
    await runDone("PublishResult", ["publish", "dir", "--path", join(issuer.directory, "prod"), "--issuer-url", issuer.url], { env });
  });

  describe("with setup --boilerplate-configmap", () => {
    const setup = (target: string, ...more: readonly string[]) => ["setup", "aws", "--issuer-url", issuer.url, "--boilerplate-configmap", target, ...more];

    it("says before any write at AWS that the namespace does not exist", async () => {
      const before = await readAccount(aws);
      const { exit, document } = await runJson("SetupResult", setup("nowhere/trust"), { env });
      expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code: "CLUSTER_NAMESPACE_MISSING" });
      expect(document.error?.message).toContain('"nowhere"');
      expect(await readAccount(aws)).toEqual(before);
    });

    it("keeps the provider and the trust policy for whoever writes roles, as the field manager kubeassume", async () => {
      const made = await runDone<StepsData & { provider: string; trustPolicy: unknown }>("SetupResult", setup("default/trust"), { env });
      expect(actionsOf(made)).toMatchObject({ "default/trust": "create", [made.provider]: "create" });
      const object = await read("/api/v1/namespaces/default/configmaps/trust");
      expect(object.data?.["provider"]).toBe(made.provider);
      expect(JSON.parse(object.data?.["trust-policy.json"] ?? "{}")).toEqual(made.trustPolicy);
      expect(object.metadata.managedFields.map(({ manager, operation }) => [manager, operation])).toEqual([["kubeassume", "Apply"]]);
    });

    it("changes nothing the second time, and repairs what somebody deleted", async () => {
      const again = await runDone("SetupResult", setup("default/trust"), { env });
      expect(new Set(Object.values(actionsOf(again)))).toEqual(new Set(["none"]));
      await cluster.admin.request("DELETE", "/api/v1/namespaces/default/configmaps/trust");
      expect(actionsOf(await runDone("SetupResult", setup("default/trust"), { env }))["default/trust"]).toBe("create");
    });
  });

  describe("with grant --apply-manifests", () => {
    const grant = (account: string, role: string, more: Readonly<Record<string, string>> = {}): Promise<Answered<StepsData & { principal: string }>> => {
      const args = ["grant", "aws", "--issuer-url", issuer.url, "--service-account", account, "--role-name", role, "--apply-manifests"];
      return runJson("GrantResult", args, { env: { ...env, ...more } });
    };
    const account = (name: string): string => `/api/v1/namespaces/default/serviceaccounts/${name}`;

    it("makes the ServiceAccount with the role's annotation, once", async () => {
      const { exit, data } = await grant("default/fresh", "fresh");
      expect(exit).toBe(0);
      const object = await read(account("fresh"));
      expect(object.metadata.annotations).toEqual({ [ROLE_ANNOTATION]: data.principal, "eks.amazonaws.com/audience": "sts.amazonaws.com" });
      expect(object.metadata.managedFields.map(({ manager, operation }) => [manager, operation])).toEqual([["kubeassume", "Apply"]]);
      expect(new Set(Object.values(actionsOf((await grant("default/fresh", "fresh")).data)))).toEqual(new Set(["none"]));
    });

    it("leaves the fields of other managers as they are", async () => {
      const annotations = { team: "shop", "helm.sh/hook": "post-install" };
      await cluster.admin.apply(account("shared"), "helm", toAccount({ name: "shared", annotations, labels: { app: "shared" } }));
      const before = await read(account("shared"));
      const { exit, data } = await grant("default/shared", "shared");
      expect(exit).toBe(0);
      const after = await read(account("shared"));
      expect(after.metadata).toMatchObject({ labels: { app: "shared" }, annotations: { ...annotations, [ROLE_ANNOTATION]: data.principal } });
      expect(ownedBy(after, "helm")).toEqual(ownedBy(before, "helm"));
      expect(ownedBy(after, "kubeassume")).toMatchObject([{ operation: "Apply", fieldsV1: { "f:metadata": { "f:annotations": { [`f:${ROLE_ANNOTATION}`]: {} } } } }]);
    });

    it("shows a conflict with the name of the manager, and writes nothing anywhere", async () => {
      await cluster.admin.apply(account("taken"), "eksctl", toAccount({ name: "taken", annotations: { [ROLE_ANNOTATION]: "arn:aws:iam::123456789012:role/other" } }));
      const before = await read(account("taken"));
      const { exit, document } = await grant("default/taken", "taken");
      expect({ exit, code: document.error?.code }).toEqual({ exit: 4, code: "CLUSTER_CONFLICT" });
      expect(document.error?.message).toContain("eksctl");
      expect(document.error?.message).toContain(ROLE_ANNOTATION);
      expect(await read(account("taken"))).toEqual(before);
      expect(await roleNames()).not.toContain("taken");
    });

    it("says before any write at AWS that the namespace does not exist", async () => {
      const { exit, document } = await grant("nowhere/api", "nowhere");
      expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code: "CLUSTER_NAMESPACE_MISSING" });
      expect(document.error?.message).toContain('"nowhere"');
      expect(await roleNames()).not.toContain("nowhere");
    });

    it("says before any write at AWS what the cluster does not allow", async () => {
      const { exit, document } = await grant("default/denied", "denied", { KUBECONFIG: cluster.powerlessKubeconfigFile });
      expect({ exit, code: document.error?.code }).toEqual({ exit: 4, code: "CLUSTER_FORBIDDEN" });
      expect(document.error?.message).toContain('get serviceaccounts in namespace "default"');
      expect(await roleNames()).not.toContain("denied");
    });

    it("reports what is done and what is not when the cluster allows to read and not to write", async () => {
      await allowToRead(cluster, "powerless");
      const { exit, document } = await grant("default/readonly", "readonly", { KUBECONFIG: cluster.powerlessKubeconfigFile });
      expect(exit).toBe(5);
      expect(document.error).toMatchObject({ code: "PARTLY_APPLIED", details: { failed: ["default/readonly"] } });
      expect(document.error?.message).toContain('patch serviceaccounts in namespace "default"');
      expect(await roleNames()).toContain("readonly");
      expect((await grant("default/readonly", "readonly")).exit).toBe(0);
    });
  });

  describe("configured as in the traps, seen by status --mint", () => {
    const status = async (server: KubeApiserver): Promise<{ readonly exit: number | null; readonly checks: Readonly<Record<string, Check>> }> => {
      const args = ["status", "aws", "--issuer-url", issuer.url, "--service-account", "default/fresh", "--role-name", "fresh", "--mint"];
      const { exit, data } = await runJson<{ readonly checks: readonly Check[] }>("StatusReport", args, { env: { ...env, KUBECONFIG: server.kubeconfigFile } });
      return { exit, checks: Object.fromEntries(data.checks.map((check) => [check.id, check])) };
    };

    it("passes every check of the cluster as it should be configured", async () => {
      const { exit, checks } = await status(cluster);
      expect(exit).toBe(0);
      for (const id of ["issuer-keys", "cluster-issuer", "cluster-api-audiences", "aws-grant-trust"]) expect(checks[id]).toMatchObject({ id, status: "pass" });
    });

    it("fails cluster-api-audiences when AWS's audience is one of the API server's own (trap 4)", async () => {
      const audiences = [issuer.url, "sts.amazonaws.com"];
      const open = await running(startKubeApiserver({ etcd, joins: cluster, keys: cluster.keys, issuers: [issuer.url], audiences }));
      // What makes it a trap: the token that a pod sends to AWS is a credential for the API server.
      const token = await open.admin.mintToken({ serviceAccount: "fresh", audiences: ["sts.amazonaws.com"] });
      const headers = { authorization: `Bearer ${token}` };
      const ask = async ({ url, caPem }: KubeApiserver): Promise<number> => (await call(`${url}/api/v1/namespaces`, { headers, caPem })).status;
      expect({ open: await ask(open), asItShouldBe: await ask(cluster) }).toEqual({ open: 403, asItShouldBe: 401 });

      const { exit, checks } = await status(open);
      expect(exit).toBe(3);
      expect(checks["cluster-api-audiences"]).toMatchObject({ status: "fail", message: expect.stringContaining("sts.amazonaws.com") });
    });

    it("fails cluster-issuer when the issuer was appended and tokens still carry the old one (trap 2)", async () => {
      const appended = await running(startKubeApiserver({ etcd, joins: cluster, keys: cluster.keys, issuers: [OLD_ISSUER, issuer.url] }));
      const { exit, checks } = await status(appended);
      expect(exit).toBe(3);
      expect(checks["cluster-issuer"]).toMatchObject({ status: "fail", message: expect.stringContaining(OLD_ISSUER) });
      expect(checks["aws-grant-trust"]).toMatchObject({ status: "fail" });
      expect(checks["issuer-keys"]).toMatchObject({ status: "pass" });
    });
  });
});

function toAccount(metadata: object): object {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata };
}

/** Resolves when the API server's authorizer has followed. */
async function allowToRead(cluster: KubeApiserver, user: string): Promise<void> {
  const path = "/apis/rbac.authorization.k8s.io/v1";
  const object = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: "read-accounts" } };
  const rules = [{ apiGroups: [""], resources: ["serviceaccounts", "namespaces"], verbs: ["get"] }];
  await cluster.admin.create(`${path}/clusterroles`, { ...object, kind: "ClusterRole", rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "read-accounts" };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
  await cluster.admin.create(`${path}/clusterrolebindings`, { ...object, kind: "ClusterRoleBinding", roleRef, subjects });
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user, resourceAttributes: { namespace: "default", verb: "get", resource: "serviceaccounts" } } };
  const isAllowed = async (): Promise<boolean> => {
    const answer = await cluster.admin.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
    return answer.json<{ status: { allowed: boolean } }>().status.allowed;
  };
  await waitUntil(isAllowed, { what: `${user} to be allowed to read`, timeoutMs: 15_000 });
}
