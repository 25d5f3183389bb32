import { call } from "./http.ts";
import type { Answer } from "./http.ts";

export interface TokenOptions {
  readonly namespace?: string;
  readonly serviceAccount: string;
  readonly audiences: readonly string[];
  /** Seconds, at least 600; Kubernetes' own default is 3600. */
  readonly expirationSeconds?: number;
}

export interface KubeClient {
  /** One call of the Kubernetes API, whatever it answers. */
  request(method: string, path: string, json?: unknown): Promise<Answer>;
  /** Creates an object by POST; throws when the answer is not 201, except that an object that exists is left as it is. */
  create(path: string, object: unknown): Promise<void>;
  /** Applies an object server-side in the name of this field manager; throws when it is refused. */
  apply(path: string, manager: string, object: unknown): Promise<void>;
  createServiceAccount(name: string, namespace?: string): Promise<void>;
  /** Mints a token by TokenRequest. */
  mintToken(options: TokenOptions): Promise<string>;
  /** Binds `system:service-account-issuer-discovery` to everybody, as an operator does to make a cluster its own issuer. */
  allowAnonymousDiscovery(): Promise<void>;
}

export function toKubeClient(cluster: { url: string; caPem: string; token: string }): KubeClient {
  const headers = { authorization: `Bearer ${cluster.token}` };
  const request = (method: string, path: string, json?: unknown): Promise<Answer> =>
    call(cluster.url + path, { method, headers, json, caPem: cluster.caPem });
  const create = async (path: string, object: unknown): Promise<void> => {
    const answer = await request("POST", path, object);
    if (answer.status !== 201 && answer.status !== 409) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
  };
  return {
    request,
    create,
    apply: async (path, manager, object) => {
      const patch = { ...headers, "content-type": "application/apply-patch+yaml" };
      const answer = await call(`${cluster.url}${path}?fieldManager=${manager}`, { method: "PATCH", headers: patch, json: object, caPem: cluster.caPem });
      if (answer.status >= 300) throw new Error(`PATCH ${path} answered ${answer.status}: ${answer.text}`);
    },
    createServiceAccount: (name, namespace = "default") =>
      create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } }),
    mintToken: async ({ namespace = "default", serviceAccount, audiences, expirationSeconds }) => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
      const spec = { audiences, ...(expirationSeconds === undefined ? {} : { expirationSeconds }) };
      const answer = await request("POST", path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
      if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
      return answer.json<{ status: { token: string } }>().status.token;
    },
    allowAnonymousDiscovery: () =>
      create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: "anonymous-issuer-discovery" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:service-account-issuer-discovery" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:unauthenticated" }],
      }),
  };
}
