import { readFile } from "node:fs/promises";
import { ExternalAccountClient } from "google-auth-library";
import { parse } from "yaml";
import { call } from "./http.ts";
import type { Answer, CallOptions } from "./http.ts";
import { toKubeClient } from "./kube-client.ts";
import type { KubeClient } from "./kube-client.ts";

type Env = Readonly<Record<string, string>>;
type Json = Readonly<Record<string, unknown>>;

/** What the sandbox is. */
export const PROJECT = "kubeassume-sandbox";
export const NUMBER = "123456789012";

/** The operator of a sandbox's project, with Google's own library for the credentials and the plain REST APIs. */
export interface GcpOperator {
  /** `service` as in `https://SERVICE.googleapis.com`. */
  request(service: string, method: string, path: string, body?: Pick<CallOptions, "json" | "text">): Promise<Answer>;
  /** With uniform access, to which `readers` are let in as roles/storage.objectViewer beside the project's own people. */
  makeBucket(name: string, objects: Readonly<Record<string, string>>, readers?: readonly string[]): Promise<void>;
  /** Who the stand-in says an access token is. */
  identify(token: string): Promise<string>;
  /** When an access token ends, in seconds since 1970. */
  expiryOf(token: string): Promise<number>;
  /**
   * Everything in the project that kubeassume could have touched, for comparing; without what is made anew each time.
   * Deleted pools and providers are in it.
   */
  readProject(): Promise<Json>;
}

export async function toGcpOperator(env: Env): Promise<GcpOperator> {
  const credentials = ExternalAccountClient.fromJSON(JSON.parse(await readFile(env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "", "utf8")));
  if (credentials === null) throw new TypeError("the operator's file is no external_account");
  credentials.scopes = ["https://www.googleapis.com/auth/cloud-platform"];
  const request: GcpOperator["request"] = async (service, method, path, body = {}) => {
    const origin = new URL(env[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`] ?? "").origin;
    const { token } = await credentials.getAccessToken();
    const answer = await call(`${origin}${path}`, { ...body, method, headers: { authorization: `Bearer ${token}` } });
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer;
  };
  const read: Read = async <T = Json>(service: string, path: string, method = "GET", json?: unknown): Promise<T> => (await request(service, method, path, { json })).json<T>();
  const introspect = async (token: string): Promise<{ username?: string; exp?: number }> =>
    (await call(env["CLOUDSDK_AUTH_TOKEN_INTROSPECTION_ENDPOINT"] ?? "", { method: "POST", text: `token=${token}` })).json();
  return {
    request,
    makeBucket: async (name, objects, readers = []) => {
      await request("storage", "POST", `/storage/v1/b?project=${PROJECT}`, { json: { name, iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } } });
      for (const [object, text] of Object.entries(objects)) {
        await request("storage", "POST", `/upload/storage/v1/b/${name}/o?uploadType=media&name=${encodeURIComponent(object)}`, { text });
      }
      if (readers.length === 0) return;
      const policy = await read<{ bindings: readonly unknown[] }>("storage", `/storage/v1/b/${name}/iam`);
      await request("storage", "PUT", `/storage/v1/b/${name}/iam`, { json: { ...policy, bindings: [...policy.bindings, { role: "roles/storage.objectViewer", members: readers }] } });
    },
    identify: async (token) => (await introspect(token)).username ?? "nobody",
    expiryOf: async (token) => (await introspect(token)).exp ?? 0,
    readProject: () => readProject(read),
  };
}

type Read = <T = Json>(service: string, path: string, method?: string, json?: unknown) => Promise<T>;

async function readProject(read: Read): Promise<Json> {
  const policy = { options: { requestedPolicyVersion: 3 } };
  const pools = await read<{ workloadIdentityPools?: Json[] }>("iam", `/v1/projects/${PROJECT}/locations/global/workloadIdentityPools?showDeleted=true`);
  const providers = (pools.workloadIdentityPools ?? []).map(({ name }) => read<{ workloadIdentityPoolProviders?: Json[] }>("iam", `/v1/${String(name)}/providers?showDeleted=true`));
  const { accounts = [] } = await read<{ accounts?: Json[] }>("iam", `/v1/projects/${PROJECT}/serviceAccounts`);
  const { items = [] } = await read<{ items?: Json[] }>("storage", `/storage/v1/b?project=${PROJECT}`);
  return {
    pools: pools.workloadIdentityPools ?? [],
    providers: (await Promise.all(providers)).flatMap(({ workloadIdentityPoolProviders }) => workloadIdentityPoolProviders ?? []),
    serviceAccounts: accounts.map(({ email, displayName, description }) => ({ email, displayName, description })),
    policies: {
      project: bindingsOf(await read("cloudresourcemanager", `/v3/projects/${PROJECT}:getIamPolicy`, "POST", policy)),
      ...(await toPolicies(accounts, "email", (email) => read("iam", `/v1/projects/-/serviceAccounts/${email}:getIamPolicy?options.requestedPolicyVersion=3`, "POST"))),
      ...(await toPolicies(items, "name", (name) => read("storage", `/storage/v1/b/${name}/iam?optionsRequestedPolicyVersion=3`))),
    },
  };
}

async function toPolicies(items: readonly Json[], key: string, readPolicy: (name: string) => Promise<Json>): Promise<Json> {
  const entries = items.map(async (item) => [String(item[key]), bindingsOf(await readPolicy(String(item[key])))] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Neither the order of bindings nor that of members means anything, nor do versions and etags. */
function bindingsOf({ bindings }: Json): unknown {
  const sorted = ((bindings ?? []) as readonly { role: string; members: readonly string[]; condition?: unknown }[]).map((binding) => ({ ...binding, members: binding.members.toSorted() }));
  return sorted.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** The sandbox's own cluster, as its admin. */
export async function toSandboxCluster(env: Env): Promise<KubeClient> {
  const { clusters, users } = parse(await readFile(env["KUBECONFIG"] ?? "", "utf8")) as Kubeconfig;
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  return toKubeClient({ url: server, caPem: Buffer.from(ca, "base64").toString(), token: users[0].user.token });
}

/** A member of a policy: one service account's subject, directly. */
export function memberOf(pool: string, account: string, prefix = ""): string {
  const [namespace, name] = account.split("/");
  return `principal://iam.googleapis.com/projects/${NUMBER}/locations/global/workloadIdentityPools/${pool}/subject/${prefix}system:serviceaccount:${namespace}:${name}`;
}

/** A provider's resource name, with the project's number. */
export function providerOf(pool: string, provider = "kubernetes"): string {
  return `projects/${NUMBER}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`;
}
