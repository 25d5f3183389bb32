import type { ServiceAccount } from "../clouds/cloud.ts";
import type { Problem } from "../errors/error.ts";
import type { ObservedResource } from "../plan/plan-resources.ts";
import type { Fields, Step } from "../plan/step.ts";
import type { ForeignField } from "./ownership.ts";

/** The operator's Kubernetes cluster, through kubeconfig. Every method may throw KubeassumeError with CLUSTER_* codes. */
export interface Cluster {
  /** Name of the context and URL of the server, for messages. */
  readonly name: string;
  /** JWKS of every endpoint of the `kubernetes` service that can be reached, as text; endpoints that cannot are warnings. */
  readKeySets(): Promise<{ readonly sets: readonly string[]; readonly warnings: readonly Problem[] }>;
  /** The issuer that the cluster's own discovery document names; null when it serves none. */
  readIssuer(): Promise<string | null>;
  /** TokenRequest for one audience, or (null) for the API server's own ones. `expirationSeconds` at least 600. The token must never reach a stream, a log or a file. */
  mintToken(account: ServiceAccount, audience: string | null, expirationSeconds: number): Promise<string>;
  /** ServiceAccounts and ConfigMaps that `desired` steps name. */
  observe(targets: readonly ClusterTarget[]): Promise<readonly ObservedObject[]>;
  /** Server-side apply with field manager `kubeassume`; conflicts are shown, other managers' fields untouched. */
  perform(step: Step): Promise<Fields | void>;
}

/** `fields` are those that kubeassume owns; `foreign` those that another manager has set, so that a conflict is seen before the first write. */
export interface ObservedObject extends ObservedResource {
  readonly foreign?: ReadonlyMap<string, ForeignField>;
}

export interface ClusterTarget {
  readonly kind: "cluster.service-account" | "cluster.config-map";
  readonly namespace: string;
  readonly name: string;
}
