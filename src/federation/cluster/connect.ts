import { KubeassumeError } from "../errors/error.ts";
import type { ServiceAccount } from "../clouds/cloud.ts";
import type { Http } from "../http/http.ts";
import { readAccess } from "./access.ts";
import { type Api, createApi, toObject, toRefusal } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { clusterCodes } from "./codes.ts";
import { createCredentialSource } from "./credentials.ts";
import { readKeySets } from "./key-sets.ts";
import { readKubeconfig } from "./read-kubeconfig.ts";
import { observeTargets, performStep } from "./resources.ts";

export interface ClusterOptions {
  /** An absolute path; by default KUBECONFIG, ~/.kube/config, or the pod's own service account. */
  readonly kubeconfig?: string;
  /** By default the current context. */
  readonly context?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Extra CA certificates (PEM); used when the kubeconfig names no CA of its own. */
  readonly caPem: readonly string[];
  /** Milliseconds that one request, or one credential plugin, may take. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Whether a credential plugin may talk to a person on the terminal. Default false. */
  readonly interactive?: boolean;
  /** Puts something around every HTTP client before its first use, to tell of its requests; default nothing. */
  readonly trace?: (http: Http) => Http;
}

/**
 * The cluster that a kubeconfig names. Reads files only; the first request is sent by the first method.
 *
 * @throws KubeassumeError CLUSTER_NOT_CONFIGURED, CLUSTER_CONTEXT_UNKNOWN, KUBECONFIG_MALFORMED, KUBECONFIG_INSECURE,
 *   KUBECONFIG_UNSUPPORTED, FILE_UNREADABLE
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const selected = await readKubeconfig(options);
  const access = await readAccess(selected, options);
  const { entry, directory } = selected.user;
  const source = createCredentialSource(entry, { ...options, interactive: options.interactive ?? false, directory, cluster: selected.cluster.entry, caPem: access.caPem });
  const api = createApi(access, source);
  return {
    name: `${selected.context} (${access.server.origin})`,
    readKeySets: () => readKeySets(api, options.timeoutMs),
    readIssuer: () => readIssuer(api.server),
    mintToken: (account, audience, expirationSeconds) => mintToken(api.server, account, audience, expirationSeconds),
    observe: (targets) => observeTargets(api.server, targets),
    perform: (step) => performStep(api.server, step),
  };
}

const DISCOVERY = { path: "/.well-known/openid-configuration", asks: "get the path /.well-known/openid-configuration" };

async function readIssuer(api: Api): Promise<string | null> {
  const answer = await api(DISCOVERY);
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw toRefusal(answer, DISCOVERY.asks);
  const { issuer } = toObject(answer, DISCOVERY.asks);
  return typeof issuer === "string" ? issuer : null;
}

/** TokenRequest, authentication.k8s.io/v1. Without an audience the token is good for the API server itself. */
async function mintToken(api: Api, { namespace, name }: ServiceAccount, audience: string | null, expirationSeconds: number): Promise<string> {
  const asks = `create serviceaccounts/token in namespace ${JSON.stringify(namespace)}`;
  const answer = await api({
    method: "POST",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { ...(audience === null ? {} : { audiences: [audience] }), expirationSeconds } },
    asks,
  });
  if (answer.status === 404) {
    throw new KubeassumeError(clusterCodes.SERVICE_ACCOUNT_MISSING, { message: `the cluster has no service account ${namespace}/${name}`, details: { namespace, name } });
  }
  if (answer.status !== 200 && answer.status !== 201) throw toRefusal(answer, asks);
  const status = toObject(answer, asks)["status"] as Readonly<Record<string, unknown>> | null | undefined;
  const token = status?.["token"];
  if (typeof token === "string" && token !== "") return token;
  throw new KubeassumeError(clusterCodes.CLUSTER_FAILED, { message: `the API server minted no token for ${namespace}/${name}`, details: { status: answer.status } });
}
