import { randomBytes, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority } from "../../../src/federation/sandbox/pki.ts";
import type { Authority } from "../../../src/federation/sandbox/pki.ts";
import { obtainComponent } from "./cache.ts";
import type { Etcd } from "./etcd.ts";
import { call } from "./http.ts";
import { toKubeClient } from "./kube-client.ts";
import type { KubeClient } from "./kube-client.ts";
import { startServer } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";
import { createServiceAccountKey } from "./service-account-keys.ts";
import type { ServiceAccountKey } from "./service-account-keys.ts";

export interface KubeApiserverOptions {
  readonly etcd: Etcd;
  /** `--service-account-issuer`, in order: the first one mints. */
  readonly issuers: readonly string[];
  /** By default the API server's own address, as Kubernetes does it. */
  readonly jwksUri?: string;
  /** `--api-audiences`; by default left out, so that the issuers are the audiences. */
  readonly audiences?: readonly string[];
  /** The first one signs, all are served and accepted; by default one fresh RSA key. */
  readonly keys?: readonly ServiceAccountKey[];
  /** Another API server of the same cluster: the same objects, users and certificate authority. By default a new cluster. */
  readonly joins?: KubeApiserver;
  /** Lets everybody read the discovery document and the keys. */
  readonly anonymousDiscovery?: boolean;
  /** Appended, so that they win over the flags given here. */
  readonly extraFlags?: readonly string[];
}

export interface KubeApiserver extends ServerProcess {
  readonly url: string;
  readonly caPem: string;
  readonly caFile: string;
  /** Of a member of `system:masters`. */
  readonly kubeconfigFile: string;
  /** Of a user that nothing is granted to. */
  readonly powerlessKubeconfigFile: string;
  readonly keys: readonly ServiceAccountKey[];
  readonly cluster: ClusterIdentity;
  /** Calls the API as a member of `system:masters`. */
  readonly admin: KubeClient;
}

/** What all API servers of one cluster have in common. */
interface ClusterIdentity {
  readonly authority: Authority;
  readonly etcdPrefix: string;
  readonly tokens: { readonly admin: string; readonly powerless: string };
}

/**
 * A real kube-apiserver without controllers: nothing makes the `default` ServiceAccount, the `kube-root-ca.crt`
 * ConfigMap or the endpoints of the `kubernetes` service.
 */
export async function startKubeApiserver(options: KubeApiserverOptions): Promise<KubeApiserver> {
  const command = await obtainComponent("kube-apiserver");
  const cluster = options.joins?.cluster ?? (await createCluster());
  const { authority, etcdPrefix, tokens } = cluster;
  const serving = await authority.issueServer({ names: ["127.0.0.1", "localhost"], now: new Date() });
  const keys = options.keys ?? [createServiceAccountKey()];
  const caPem = authority.certificatePem;

  const server = await startServer("kube-apiserver", async ({ port, directory }) => {
    const files = { "serving.crt": serving.chainPem, "serving.key": serving.keyPem, "ca.crt": caPem, ...toKeyFiles(keys) };
    const accounts = `${tokens.admin},admin,admin,"system:masters"\n${tokens.powerless},powerless,powerless\n`;
    await writeFiles(directory, { ...files, "tokens.csv": accounts });
    const url = `https://127.0.0.1:${port}`;
    const args = [...toFlags({ ...options, etcdPrefix }, keys, { url, port, directory }), ...(options.extraFlags ?? [])];
    const headers = { authorization: `Bearer ${tokens.admin}` };
    return { command, args, isReady: async () => (await call(`${url}/readyz`, { caPem, headers })).status === 200 };
  });

  const url = `https://127.0.0.1:${server.port}`;
  const file = (name: string): string => join(server.directory, name);
  await writeFiles(server.directory, {
    "admin.kubeconfig": toKubeconfig(url, caPem, tokens.admin),
    "powerless.kubeconfig": toKubeconfig(url, caPem, tokens.powerless),
  });
  const admin = toKubeClient({ url, caPem, token: tokens.admin });
  if (options.anonymousDiscovery === true) await admin.allowAnonymousDiscovery();
  const kubeconfigs = { kubeconfigFile: file("admin.kubeconfig"), powerlessKubeconfigFile: file("powerless.kubeconfig") };
  return { ...server, ...kubeconfigs, url, caPem, caFile: file("ca.crt"), keys, cluster, admin };
}

async function createCluster(): Promise<ClusterIdentity> {
  const authority = await createAuthority({ name: "kubeassume test cluster", now: new Date() });
  const tokens = { admin: randomBytes(16).toString("hex"), powerless: randomBytes(16).toString("hex") };
  return { authority, etcdPrefix: `/${randomUUID()}`, tokens };
}

interface Place {
  readonly url: string;
  readonly port: number;
  readonly directory: string;
}

function toFlags(options: KubeApiserverOptions & { etcdPrefix: string }, keys: readonly ServiceAccountKey[], place: Place): string[] {
  return [
    `--etcd-servers=${options.etcd.url}`,
    `--etcd-prefix=${options.etcdPrefix}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${place.port}`,
    `--cert-dir=${place.directory}`,
    `--tls-cert-file=${place.directory}/serving.crt`,
    `--tls-private-key-file=${place.directory}/serving.key`,
    "--service-cluster-ip-range=10.0.0.0/24",
    "--allow-privileged=true",
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
    `--token-auth-file=${place.directory}/tokens.csv`,
    ...options.issuers.map((issuer) => `--service-account-issuer=${issuer}`),
    `--service-account-jwks-uri=${options.jwksUri ?? `${place.url}/openid/v1/jwks`}`,
    `--service-account-signing-key-file=${place.directory}/sa-0.key`,
    ...keys.map((_, index) => `--service-account-key-file=${place.directory}/sa-${index}.pub`),
    ...(options.audiences === undefined ? [] : [`--api-audiences=${options.audiences.join(",")}`]),
  ];
}

function toKeyFiles(keys: readonly ServiceAccountKey[]): Record<string, string> {
  const entries = keys.flatMap((key, index) => [
    [`sa-${index}.key`, key.privateKeyPem],
    [`sa-${index}.pub`, key.publicKeyPem],
  ]);
  return Object.fromEntries(entries);
}

/** JSON is YAML, so kubectl and every client library read it. */
function toKubeconfig(server: string, caPem: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    users: [{ name: "test", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}

async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text, { mode: 0o600 })));
}
