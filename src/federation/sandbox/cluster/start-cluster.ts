import { randomBytes } from "node:crypto";
import type { Handler } from "../http-core.ts";
import type { ServiceAccountName } from "../../oidc/subject.ts";
import type { Access } from "./access.ts";
import { createHandler } from "./handler.ts";
import type { ClusterState } from "./handler.ts";
import { createObjectStore } from "./object-store.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";
import { findResource } from "./resources.ts";
import { createSigningKeys } from "./signing-keys.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { ClusterRefusal } from "./status.ts";
import { toClaims } from "./token-request.ts";

export interface ClusterOptions {
  readonly now: () => Date;
  readonly issuer: string;
  /** Starts the cluster's server, over TLS. */
  serve(handler: Handler): Promise<{ readonly url: string; readonly port: number }>;
}

/** A token as tests need it; by default for the API itself and an hour from now. */
export interface MintOptions {
  readonly audiences?: readonly string[];
  readonly expirationSeconds?: number;
  /** The time of `iat` and `nbf`. */
  readonly issuedAt?: Date;
}

/** The sandbox's Kubernetes API, seen from behind. */
export interface SandboxCluster {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** Bearer token of the only user. */
  readonly adminToken: string;
  readonly keys: SigningKeys;
  /** What new tokens name as `iss`. */
  readonly issuer: string;
  setIssuer(issuer: string): void;
  /** Makes the namespace too. Nothing changes when the account is there. */
  addServiceAccount(account: ServiceAccountName): void;
  /** A token without asking the API, also one of the past; makes the account when it is missing. */
  mintToken(account: ServiceAccountName, options?: MintOptions): string;
  /** Denies the admin whatever the rule answers true for; null denies nothing. */
  forbid(rule: ((access: Access) => boolean) | null): void;
  /** What the endpoints of the `kubernetes` service are; at first the one server on 127.0.0.1. */
  setEndpoints(endpoints: readonly { readonly host: string; readonly port: number }[]): void;
  /** The object as it is stored, or null. */
  find(plural: "namespaces" | "serviceaccounts" | "configmaps", namespace: string, name: string): StoredObject | null;
}

/** Namespaces that every cluster has, and one to play in. */
const NAMESPACES = ["default", "demo", "kube-node-lease", "kube-public", "kube-system"];

/** The part of the Kubernetes API that federation needs, with a signing key of its own. */
export async function startCluster(options: ClusterOptions): Promise<SandboxCluster> {
  const adminToken = randomBytes(24).toString("base64url");
  const objects = createObjectStore(options.now);
  const gate = { token: adminToken, forbids: (_access: Access): boolean => false };
  const state: ClusterState = { objects, keys: await createSigningKeys(), now: options.now, gate, issuer: options.issuer };
  for (const name of NAMESPACES) ensureNamespace(objects, name);
  const { url, port } = await options.serve(createHandler(state));
  putService(objects);
  putEndpoints(objects, [{ host: "127.0.0.1", port }]);
  const addServiceAccount = (account: ServiceAccountName): void => {
    ensureNamespace(objects, account.namespace);
    ensure(objects, "serviceaccounts", account.namespace, account.name);
  };
  return {
    url,
    adminToken,
    keys: state.keys,
    get issuer() {
      return state.issuer;
    },
    setIssuer: (issuer) => {
      state.issuer = issuer;
    },
    addServiceAccount,
    mintToken(account, { audiences = [state.issuer], expirationSeconds = 3600, issuedAt = options.now() } = {}) {
      addServiceAccount(account);
      const { uid } = ensure(objects, "serviceaccounts", account.namespace, account.name).metadata;
      return state.keys.sign(toClaims(account, uid, { audiences, expirationSeconds }, state.issuer, issuedAt));
    },
    forbid: (rule) => {
      gate.forbids = rule ?? ((): boolean => false);
    },
    setEndpoints: (endpoints) => putEndpoints(objects, endpoints),
    find: (plural, namespace, name) => find(objects, plural, namespace, name),
  };
}

function find(objects: ObjectStore, plural: string, namespace: string, name: string): StoredObject | null {
  try {
    return objects.get({ resource: findResource(plural), namespace, name });
  } catch (error) {
    if (error instanceof ClusterRefusal) return null;
    throw error;
  }
}

function ensure(objects: ObjectStore, plural: string, namespace: string, name: string): StoredObject {
  const target = { resource: findResource(plural), namespace, name };
  return find(objects, plural, namespace, name) ?? objects.create(target, { metadata: { name } }, { manager: "sandbox", dryRun: false });
}

function ensureNamespace(objects: ObjectStore, name: string): void {
  ensure(objects, "namespaces", "", name);
}

function putService(objects: ObjectStore): void {
  const ports = [{ name: "https", protocol: "TCP", port: 443, targetPort: 6443 }];
  const spec = { ports, clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], type: "ClusterIP", sessionAffinity: "None" };
  const metadata = { labels: { component: "apiserver", provider: "kubernetes" } };
  objects.put(findResource("services"), "default", "kubernetes", { metadata, spec, status: { loadBalancer: {} } });
}

/** Both forms of the endpoints. A slice has one set of ports, so each port is a slice of its own. */
function putEndpoints(objects: ObjectStore, endpoints: readonly { readonly host: string; readonly port: number }[]): void {
  const slices = findResource("endpointslices");
  for (const old of objects.list(slices, "default")) objects.remove({ resource: slices, namespace: "default", name: old.metadata.name }, false);
  const ports = [...new Set(endpoints.map(({ port }) => port))].map((port) => ({ port, hosts: endpoints.filter((one) => one.port === port).map(({ host }) => host) }));
  ports.forEach(({ port, hosts }, index) => {
    const metadata = { labels: { "kubernetes.io/service-name": "kubernetes" } };
    const ready = { ready: true, serving: true, terminating: false };
    const content = { metadata, addressType: "IPv4", endpoints: hosts.map((host) => ({ addresses: [host], conditions: ready })), ports: [{ name: "https", protocol: "TCP", port }] };
    objects.put(slices, "default", index === 0 ? "kubernetes" : `kubernetes-${index}`, content);
  });
  const subsets = ports.map(({ port, hosts }) => ({ addresses: hosts.map((ip) => ({ ip })), ports: [{ name: "https", protocol: "TCP", port }] }));
  objects.put(findResource("endpoints"), "default", "kubernetes", { subsets });
}
