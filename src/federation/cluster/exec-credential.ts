import { spawn } from "node:child_process";
import { isAbsolute, resolve } from "node:path";
import { KubeassumeError } from "../errors/error.ts";
import { withinTime } from "../http/within-time.ts";
import { kubeconfigCodes } from "./codes.ts";
import type { ClusterEntry, ExecEntry } from "./kubeconfig.ts";

/** What a plugin gave: a token, a client certificate, or both. Never printed. */
export interface ExecCredential {
  readonly token: string | null;
  readonly certPem: string | null;
  readonly keyPem: string | null;
  /** Null: good until the API server refuses it. */
  readonly expires: Date | null;
}

export interface ExecOptions {
  /** The folder of the kubeconfig: a command with a slash in it starts there. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cluster: ClusterEntry;
  readonly caPem: string | null;
  /** Milliseconds until the plugin is ended. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether a person can answer the plugin: then it gets stdin and stderr of the terminal. */
  readonly interactive: boolean;
}

const MAX_BYTES = 1024 * 1024;
/** How long a person may take to log in through a plugin. */
const INTERACTIVE_TIMEOUT_MS = 300_000;

/**
 * Runs a client-go credential plugin (kubernetes.io/docs/reference/access-authn-authz/authentication,
 * "client-go credential plugins"; apiVersion v1 and v1beta1). Its stderr is shown on a terminal and else dropped,
 * since it may hold credentials.
 *
 * @throws KubeassumeError CLUSTER_CREDENTIAL_PLUGIN, KUBECONFIG_UNSUPPORTED
 */
export async function requestExecCredential(exec: ExecEntry, options: ExecOptions): Promise<ExecCredential> {
  const interactive = options.interactive && exec.interactiveMode !== "Never";
  if (exec.interactiveMode === "Always" && !interactive) {
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_UNSUPPORTED, { message: `the credential plugin ${exec.command} insists on a terminal`, hint: "run kubeassume on a terminal, or log in first and use a token" });
  }
  const info = { apiVersion: exec.apiVersion, kind: "ExecCredential", spec: { interactive, ...(exec.provideClusterInfo ? { cluster: clusterInfo(options) } : {}) } };
  const env = { ...options.env, ...exec.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const text = await run(exec, { ...options, interactive, env });
  return parseExecCredential(text, exec);
}

function clusterInfo({ cluster, caPem }: ExecOptions): object {
  return {
    server: cluster.server,
    ...(cluster.tlsServerName === undefined ? {} : { "tls-server-name": cluster.tlsServerName }),
    ...(cluster.proxyUrl === undefined ? {} : { "proxy-url": cluster.proxyUrl }),
    ...(caPem === null ? {} : { "certificate-authority-data": Buffer.from(caPem).toString("base64") }),
    ...(cluster.execConfig === undefined ? {} : { config: cluster.execConfig }),
  };
}

function run(exec: ExecEntry, options: ExecOptions): Promise<string> {
  const limit = options.interactive ? Math.max(options.timeoutMs, INTERACTIVE_TIMEOUT_MS) : options.timeoutMs;
  return withinTime(limit, options.signal, (signal) => collectOutput(exec, options, { limit, signal }));
}

function collectOutput(exec: ExecEntry, options: ExecOptions, bound: { readonly limit: number; readonly signal: AbortSignal }): Promise<string> {
  const isPath = exec.command.includes("/") || exec.command.includes("\\");
  const command = isPath && !isAbsolute(exec.command) ? resolve(options.directory, exec.command) : exec.command;
  const terminal = options.interactive ? "inherit" : "ignore";
  return new Promise((settle, reject) => {
    const child = spawn(command, exec.args, { env: options.env as NodeJS.ProcessEnv, stdio: [terminal, "pipe", terminal], signal: bound.signal, killSignal: "SIGKILL" });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BYTES) chunks.push(chunk);
      else child.kill("SIGKILL");
    });
    // Not as cause: it holds the plugin's arguments, which may hold a secret.
    child.on("error", (error: NodeJS.ErrnoException) => reject(pluginError(exec, startProblem(error, bound.limit))));
    child.on("close", (code) => {
      if (code === 0) settle(Buffer.concat(chunks).toString("utf8"));
      else reject(pluginError(exec, size > MAX_BYTES ? "prints more than 1 MiB" : `ended with ${code === null ? "a signal" : `status ${code}`}`));
    });
  });
}

function startProblem(error: NodeJS.ErrnoException, limit: number): string {
  if (error.name === "AbortError") return `did not end within ${Math.round(limit / 1000)} s`;
  return error.code === "ENOENT" ? "is not installed" : `cannot be started (${error.code ?? error.name})`;
}

/** Reads what a plugin printed. Pure. Throws CLUSTER_CREDENTIAL_PLUGIN. */
export function parseExecCredential(text: string, exec: ExecEntry): ExecCredential {
  const credential = parseObject(text);
  if (credential === null || credential["kind"] !== "ExecCredential") throw pluginError(exec, "printed something that is no ExecCredential");
  if (credential["apiVersion"] !== exec.apiVersion) throw pluginError(exec, `answered in another version than ${exec.apiVersion}`);
  const status = (credential["status"] ?? {}) as Readonly<Record<string, unknown>>;
  const textAt = (name: string) => (typeof status[name] === "string" && status[name] !== "" ? status[name] : null);
  const [token, certPem, keyPem] = [textAt("token"), textAt("clientCertificateData"), textAt("clientKeyData")];
  if ((certPem === null) !== (keyPem === null)) throw pluginError(exec, "gave only half of a client certificate and its key");
  if (token === null && certPem === null) throw pluginError(exec, "gave neither a token nor a client certificate");
  const expiration = textAt("expirationTimestamp");
  const expires = expiration === null ? null : new Date(expiration);
  if (expires !== null && Number.isNaN(expires.getTime())) throw pluginError(exec, "gave an expirationTimestamp that is no time");
  return { token, certPem, keyPem, expires };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function pluginError(exec: ExecEntry, problem: string): KubeassumeError {
  return new KubeassumeError(kubeconfigCodes.CLUSTER_CREDENTIAL_PLUGIN, { message: `the credential plugin ${exec.command} ${problem}`, details: { command: exec.command } });
}
