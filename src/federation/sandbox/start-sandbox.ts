import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { createHttp } from "../http/create-http.ts";
import { makeFolders } from "../make-folders.ts";
import { renderKubeconfig } from "./cluster/kubeconfig.ts";
import { startCluster } from "./cluster/start-cluster.ts";
import type { SandboxCluster } from "./cluster/start-cluster.ts";
import { serve } from "./http-core.ts";
import type { Handler, RunningServer } from "./http-core.ts";
import { createIssuerHandler, ISSUER_BUCKET } from "./issuer.ts";
import { createAuthority } from "./pki.ts";
import type { Authority } from "./pki.ts";
import type { RunningStandIns, SandboxHost, StandIns } from "./stand-ins.ts";
import { createTraffic } from "./traffic.ts";
import type { LoggedRequest, TrafficOptions } from "./traffic.ts";

/** The part of a cloud's stand-ins that the sandbox itself needs. */
type Startable = Pick<StandIns, "start">;

export interface SandboxOptions extends TrafficOptions {
  /** Stand-ins by the name of their cloud; started side by side. */
  readonly clouds: Readonly<Record<string, Startable>>;
  /** An existing folder, or one to be made with mode 0700, for everything that the sandbox and the vendors' CLIs write. */
  readonly dir: string;
  readonly now: () => Date;
  /** The environment around the sandbox, for its proxy variables; default none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Sandbox {
  /** What kubeassume, kubectl and the vendors' CLIs and SDKs must find in their environment. No secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** What must not be in it, because it would win. */
  readonly unset: readonly string[];
  /** `https://127.0.0.1:PORT/oidc` */
  readonly issuerUrl: string;
  readonly caPem: string;
  /** The sandbox's root CA, to make further certificates that its clients trust. */
  readonly authority: Authority;
  readonly cluster: SandboxCluster;
  /** Every request to every server of the sandbox so far, in the order of arrival. */
  readonly requests: readonly LoggedRequest[];
  /** Ends all servers. The folder stays. */
  close(): Promise<void>;
}

/** Names and addresses under which every server of the sandbox may be reached. */
const LOOPBACK = ["127.0.0.1", "localhost"];
const API_SERVER_NAMES = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];
/** For reading issuer documents as a cloud does; AWS gives up after about this long. */
const READ_TIMEOUT_MS = 5000;

/**
 * Starts the stand-ins on 127.0.0.1 and free ports: a TLS issuer with an intermediate, the part of the Kubernetes
 * API that federation needs, and the given clouds. When anything fails to start, what had started is closed again.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const traffic = createTraffic({ latencyMs: options.latencyMs, faults: options.faults });
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((closeOne) => closeOne()));
  };
  const serveAs = async (service: string, handler: Handler, tls?: { readonly chainPem: string; readonly keyPem: string }): Promise<RunningServer> => {
    const server = await serve({ service, handler, traffic, tls });
    closers.push(server.close);
    return server;
  };
  try {
    const started = await startParts(options, serveAs, closers);
    return { ...started, requests: traffic.requests, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type ServeAs = (service: string, handler: Handler, tls?: { readonly chainPem: string; readonly keyPem: string }) => Promise<RunningServer>;

async function startParts(options: SandboxOptions, serveAs: ServeAs, closers: (() => Promise<void>)[]): Promise<Omit<Sandbox, "requests" | "close">> {
  const { dir, now } = options;
  const [authority] = await Promise.all([createAuthority({ name: "kubeassume sandbox root", now: now() }), makeFolders(dir, 0o700)]);
  const intermediate = await authority.issueIntermediate({ name: "kubeassume sandbox issuing CA", now: now() });
  const issue = (names: readonly string[]): ReturnType<Authority["issueServer"]> => intermediate.issueServer({ names: [...LOOPBACK, ...names], now: now() });

  const stores: RunningStandIns[] = [];
  const front: { cluster?: SandboxCluster; url: string } = { url: "" };
  const handler = createIssuerHandler({ stores, jwks: () => front.cluster?.keys.jwks ?? [], url: () => front.url });
  front.url = `${(await serveAs("issuer", handler, await issue([]))).url}/${ISSUER_BUCKET}`;

  const files = filesIn(dir);
  const caPem = authority.certificatePem;
  const host: SandboxHost = {
    dir,
    caPem,
    caBundleFile: files.caBundle,
    now,
    issuerUrl: front.url,
    http: createHttp({ caPem: [caPem], env: { ...options.env, ...proxyExceptions(options.env ?? {}) }, timeoutMs: READ_TIMEOUT_MS }),
    issueServer: issue,
    serve: async ({ service, handler: own, tls, names }) => serveAs(service, own, tls === true ? await issue(names ?? []) : undefined),
  };
  const startCloud = async (cloud: Startable): Promise<RunningStandIns> => {
    const running = await cloud.start(host);
    closers.push(running.close);
    return running;
  };
  const startingCluster = startCluster({ now, issuer: front.url, serve: async (own) => serveAs("cluster", own, await issue(API_SERVER_NAMES)) });
  const startingClouds = Object.values(options.clouds).map(startCloud);
  // Waits for all of them also when one fails, so that nothing starts after the rest has been closed.
  await Promise.allSettled([startingCluster, ...startingClouds]);
  const [cluster, running] = await Promise.all([startingCluster, Promise.all(startingClouds)]);
  front.cluster = cluster;
  stores.push(...running);
  await writeFiles(files, caPem, cluster);
  const env = { ...environmentOf(files, front.url, dir), ...proxyExceptions(options.env ?? {}), ...Object.assign({}, ...running.map((one) => one.env)) };
  const unset = running.flatMap((one) => one.unset ?? []).filter((name) => !Object.hasOwn(env, name));
  return { env, unset, issuerUrl: front.url, caPem, authority, cluster };
}

interface Files {
  readonly ca: string;
  readonly caBundle: string;
  readonly kubeconfig: string;
  readonly kubectlCache: string;
}

function filesIn(dir: string): Files {
  return { ca: join(dir, "ca.pem"), caBundle: join(dir, "ca-bundle.pem"), kubeconfig: join(dir, "kubeconfig"), kubectlCache: join(dir, "kubectl-cache") };
}

async function writeFiles(files: Files, caPem: string, cluster: SandboxCluster): Promise<void> {
  const kubeconfig = renderKubeconfig({ url: cluster.url, caPem, token: cluster.adminToken });
  const write = async (file: string, content: string): Promise<void> => {
    await writeFile(file, content, { mode: 0o600 });
    // The mode above is for new files only.
    await chmod(file, 0o600);
  };
  await Promise.all([write(files.ca, caPem), write(files.caBundle, [caPem.trimEnd(), ...rootCertificates, ""].join("\n")), write(files.kubeconfig, kubeconfig)]);
}

function environmentOf(files: Files, issuerUrl: string, dir: string): Record<string, string> {
  return {
    KUBECONFIG: files.kubeconfig,
    KUBECACHEDIR: files.kubectlCache,
    KUBEASSUME_ISSUER_URL: issuerUrl,
    KUBEASSUME_CA_FILE: files.ca,
    KUBEASSUME_SANDBOX_DIR: dir,
    NODE_EXTRA_CA_CERTS: files.ca,
    // These two replace the public roots instead of adding to them, so the public ones are in the file too.
    REQUESTS_CA_BUNDLE: files.caBundle,
    AWS_CA_BUNDLE: files.caBundle,
  };
}

/** Where a proxy is configured, the sandbox itself must be reached without it. */
function proxyExceptions(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const proxied = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].some((name) => env[name]);
  if (!proxied) return {};
  const exceptions = [env["NO_PROXY"] ?? env["no_proxy"] ?? "", ...LOOPBACK].filter((entry) => entry !== "").join(",");
  return { NO_PROXY: exceptions, no_proxy: exceptions };
}
