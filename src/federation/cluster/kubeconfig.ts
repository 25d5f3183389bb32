import { closest, distance } from "fastest-levenshtein";
import { parse, YAMLParseError } from "yaml";
import { KubeassumeError } from "../errors/error.ts";
import { kubeconfigCodes } from "./codes.ts";

type Member = Readonly<Record<string, unknown>>;

/** A cluster of a kubeconfig, as far as a client needs it. Paths are as written, relative to `directory`. */
export interface ClusterEntry {
  readonly server: string;
  readonly caData?: string;
  readonly caFile?: string;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly insecure: boolean;
  /** What `provideClusterInfo` hands to a plugin: the extension `client.authentication.k8s.io/exec`. */
  readonly execConfig?: unknown;
}

export interface UserEntry {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly certData?: string;
  readonly certFile?: string;
  readonly keyData?: string;
  readonly keyFile?: string;
  readonly exec?: ExecEntry;
  readonly impersonate: Readonly<Record<string, string>>;
}

export interface ExecEntry {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: string;
}

/** An entry with the folder of the file that it came from, which its relative paths start from. */
interface Located<T> {
  readonly entry: T;
  readonly directory: string;
}

/** One kubeconfig, or several merged: by name, the first one wins as a whole (kubectl's rule). */
export interface Kubeconfig {
  readonly currentContext: string;
  readonly contexts: ReadonlyMap<string, { readonly cluster: string; readonly user: string }>;
  readonly clusters: ReadonlyMap<string, Located<Member>>;
  readonly users: ReadonlyMap<string, Located<Member>>;
}

/** The cluster and the user that one context names. */
export interface SelectedContext {
  readonly context: string;
  readonly cluster: Located<ClusterEntry>;
  readonly user: Located<UserEntry>;
}

/**
 * Parses the text of one kubeconfig (kubernetes.io/docs/reference/config-api/kubeconfig.v1). Unknown members are
 * ignored, as kubectl ignores them; entries are read in full only when a context selects them.
 *
 * @param directory what relative paths in the file start from
 * @throws KubeassumeError KUBECONFIG_MALFORMED
 */
export function parseKubeconfig(text: string, file: string, directory: string): Kubeconfig {
  const root = parseYaml(text, file) ?? {};
  if (!isMember(root)) throw malformed(`${file} is not a YAML mapping`);
  if (root["kind"] !== undefined && root["kind"] !== "Config") throw malformed(`${file} is of kind ${JSON.stringify(root["kind"])} instead of Config`);
  const contexts = namedEntries(root, "contexts", "context", file).map(([name, entry]) => {
    const where = `context ${JSON.stringify(name)} of ${file}`;
    return [name, { cluster: textOf(entry, "cluster", where) ?? "", user: textOf(entry, "user", where) ?? "" }] as const;
  });
  const located = (list: readonly (readonly [string, Member])[]) => firstWins(list.map(([name, entry]) => [name, { entry, directory }] as const));
  return {
    currentContext: textOf(root, "current-context", file) ?? "",
    contexts: firstWins(contexts),
    clusters: located(namedEntries(root, "clusters", "cluster", file)),
    users: located(namedEntries(root, "users", "user", file)),
  };
}

/** Merges as kubectl does: of two entries with one name the first wins as a whole, and so does the first current context. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  return {
    currentContext: configs.find((config) => config.currentContext !== "")?.currentContext ?? "",
    contexts: firstWins(configs.flatMap((config) => [...config.contexts])),
    clusters: firstWins(configs.flatMap((config) => [...config.clusters])),
    users: firstWins(configs.flatMap((config) => [...config.users])),
  };
}

/**
 * The cluster and user of the context `wanted`, or of the current one. A context without a user is anonymous.
 *
 * @throws KubeassumeError CLUSTER_CONTEXT_UNKNOWN, KUBECONFIG_MALFORMED, KUBECONFIG_UNSUPPORTED
 */
export function selectContext(config: Kubeconfig, wanted: string | undefined): SelectedContext {
  const context = wanted ?? config.currentContext;
  if (context === "") throw unknown("the kubeconfig sets no current-context", config.contexts);
  const chosen = config.contexts.get(context);
  if (chosen === undefined) throw unknown(`the kubeconfig has no context ${JSON.stringify(context)}`, config.contexts, context);
  const cluster = config.clusters.get(chosen.cluster);
  if (cluster === undefined) throw unknown(`context ${JSON.stringify(context)} names the cluster ${JSON.stringify(chosen.cluster)}, which the kubeconfig does not have`, config.clusters, chosen.cluster);
  const user = chosen.user === "" ? { entry: {}, directory: cluster.directory } : config.users.get(chosen.user);
  if (user === undefined) throw unknown(`context ${JSON.stringify(context)} names the user ${JSON.stringify(chosen.user)}, which the kubeconfig does not have`, config.users, chosen.user);
  return {
    context,
    cluster: { entry: toCluster(cluster.entry, `cluster ${JSON.stringify(chosen.cluster)}`), directory: cluster.directory },
    user: { entry: toUser(user.entry, `user ${JSON.stringify(chosen.user)}`), directory: user.directory },
  };
}

function toCluster(entry: Member, where: string): ClusterEntry {
  const server = textOf(entry, "server", where);
  if (server === undefined) throw malformed(`${where} has no server`);
  const execConfig = extensionOf(entry);
  return {
    server: server.replace(/\/+$/, ""),
    insecure: entry["insecure-skip-tls-verify"] === true,
    ...texts(entry, where, { caData: "certificate-authority-data", caFile: "certificate-authority", tlsServerName: "tls-server-name", proxyUrl: "proxy-url" }),
    ...(execConfig === undefined ? {} : { execConfig }),
  };
}

function extensionOf(entry: Member): unknown {
  const list: unknown = entry["extensions"];
  const found: unknown = Array.isArray(list) ? list.find((item) => isMember(item) && item["name"] === "client.authentication.k8s.io/exec") : undefined;
  return isMember(found) ? found["extension"] : undefined;
}

function toUser(entry: Member, where: string): UserEntry {
  const provider = entry["auth-provider"];
  if (provider !== undefined && provider !== null) {
    const name = isMember(provider) && typeof provider["name"] === "string" ? provider["name"] : "unnamed";
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_UNSUPPORTED, { message: `${where} uses the auth provider ${JSON.stringify(name)}, which kubeassume does not speak`, details: { authProvider: name } });
  }
  const exec = entry["exec"];
  return {
    ...texts(entry, where, {
      token: "token",
      tokenFile: "tokenFile",
      username: "username",
      password: "password",
      certData: "client-certificate-data",
      certFile: "client-certificate",
      keyData: "client-key-data",
      keyFile: "client-key",
    }),
    ...(exec === undefined || exec === null ? {} : { exec: toExec(exec, where) }),
    impersonate: toImpersonation(entry, where),
  };
}

const EXEC_VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

function toExec(value: unknown, where: string): ExecEntry {
  if (!isMember(value)) throw malformed(`${where} has an exec that is not a mapping`);
  const place = `exec of ${where}`;
  const command = textOf(value, "command", place);
  if (command === undefined) throw malformed(`${place} has no command`);
  const apiVersion = textOf(value, "apiVersion", place) ?? "";
  if (!EXEC_VERSIONS.includes(apiVersion)) {
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_UNSUPPORTED, { message: `${place} speaks ${JSON.stringify(apiVersion)}; kubeassume speaks ${EXEC_VERSIONS.join(" and ")}` });
  }
  const args = listOf(value, "args", place).map((item) => (typeof item === "string" ? item : String(item)));
  const env = listOf(value, "env", place).map((item) => {
    if (!isMember(item) || typeof item["name"] !== "string") throw malformed(`${place} has an env entry without a name`);
    return [item["name"], textOf(item, "value", place) ?? ""] as const;
  });
  const interactiveMode = textOf(value, "interactiveMode", place) ?? "IfAvailable";
  return { apiVersion, command, args, env: Object.fromEntries(env), provideClusterInfo: value["provideClusterInfo"] === true, interactiveMode };
}

/** Headers of user impersonation (kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation). */
function toImpersonation(entry: Member, where: string): Readonly<Record<string, string>> {
  const groups = listOf(entry, "as-groups", where);
  const extra = entry["as-user-extra"];
  if (groups.length > 1 || (isMember(extra) && Object.keys(extra).length > 0)) {
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_UNSUPPORTED, { message: `${where} impersonates with several groups or with extra fields, which kubeassume does not send`, hint: "impersonate with as, as-uid and at most one group" });
  }
  const headers = { "impersonate-user": textOf(entry, "as", where), "impersonate-uid": textOf(entry, "as-uid", where), "impersonate-group": groups.length === 1 ? String(groups[0]) : undefined };
  return Object.fromEntries(Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined));
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { prettyErrors: false, maxAliasCount: 100, logLevel: "error" }) as unknown;
  } catch (cause) {
    // The parser's words may quote the file, which holds credentials: only the place is told.
    const line = cause instanceof YAMLParseError ? `, line ${text.slice(0, cause.pos[0]).split("\n").length}` : "";
    throw malformed(`${file} is not YAML${line}`);
  }
}

function namedEntries(root: Member, listName: string, member: string, file: string): readonly (readonly [string, Member])[] {
  return listOf(root, listName, file).map((item, index) => {
    const where = `${listName}[${index}] of ${file}`;
    const name = isMember(item) ? textOf(item, "name", where) : undefined;
    if (!isMember(item) || name === undefined) throw malformed(`${where} has no name`);
    const entry = item[member] ?? {};
    if (!isMember(entry)) throw malformed(`${where} has a ${member} that is not a mapping`);
    return [name, entry] as const;
  });
}

function listOf(entry: Member, name: string, where: string): readonly unknown[] {
  const value = entry[name] ?? [];
  if (!Array.isArray(value)) throw malformed(`${name} of ${where} is not a list`);
  return value as readonly unknown[];
}

function textOf(entry: Member, name: string, where: string): string | undefined {
  const value = entry[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw malformed(`${name} of ${where} is not a string`);
  return value;
}

function texts<K extends string>(entry: Member, where: string, names: Readonly<Record<K, string>>): { readonly [P in K]?: string } {
  const found = Object.entries<string>(names).map(([key, name]) => [key, textOf(entry, name, where)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as { readonly [P in K]?: string };
}

function firstWins<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const [name, entry] of entries) if (!map.has(name)) map.set(name, entry);
  return map;
}

function isMember(value: unknown): value is Member {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknown(message: string, known: ReadonlyMap<string, unknown>, wanted = ""): KubeassumeError {
  const names = [...known.keys()];
  const near = wanted === "" || names.length === 0 ? undefined : closest(wanted, names);
  const isNear = near !== undefined && distance(near, wanted) <= 3;
  const hint = names.length === 0 ? "it has none at all: check KUBECONFIG" : isNear ? `did you mean ${JSON.stringify(near)}?` : `it has: ${names.slice(0, 20).join(", ")}`;
  return new KubeassumeError(kubeconfigCodes.CLUSTER_CONTEXT_UNKNOWN, { message, hint, details: { known: names.slice(0, 100) } });
}

function malformed(message: string): KubeassumeError {
  return new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message });
}
