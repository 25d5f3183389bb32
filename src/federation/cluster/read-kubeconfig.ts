import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";
import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import { kubeconfigCodes } from "./codes.ts";
import { mergeKubeconfigs, parseKubeconfig, type SelectedContext, selectContext } from "./kubeconfig.ts";

export interface KubeconfigChoice {
  /** A file; wins over KUBECONFIG. */
  readonly kubeconfig?: string;
  /** By default the current context. */
  readonly context?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a pod's own credentials lie; only tests have another place. */
  readonly podDirectory?: string;
}

/** Kubernetes mounts a pod's own credentials here (kubernetes.io/docs/tasks/run-application/access-api-from-pod). */
const POD_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Finds the cluster as kubectl does: `kubeconfig`, else the files of KUBECONFIG merged (missing ones are skipped),
 * else `~/.kube/config`, else the service account of the pod in which kubeassume runs.
 *
 * @throws KubeassumeError CLUSTER_NOT_CONFIGURED, CLUSTER_CONTEXT_UNKNOWN, KUBECONFIG_MALFORMED,
 *   KUBECONFIG_UNSUPPORTED, FILE_UNREADABLE
 */
export async function readKubeconfig(choice: KubeconfigChoice): Promise<SelectedContext> {
  const files = choice.kubeconfig === undefined ? defaultFiles(choice.env) : [resolve(choice.kubeconfig)];
  const mayBeMissing = choice.kubeconfig === undefined;
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await readText(file, mayBeMissing) })));
  const present = texts.filter((one): one is { file: string; text: string } => one.text !== null);
  if (present.length > 0) {
    const configs = present.map(({ file, text }) => parseKubeconfig(text, file, dirname(file)));
    return selectContext(mergeKubeconfigs(configs), choice.context);
  }
  const pod = await readPodContext(choice);
  if (pod !== null) return pod;
  const looked = files.length === 0 ? "" : `: ${files.join(", ")} ${files.length === 1 ? "does" : "do"} not exist`;
  throw new KubeassumeError(kubeconfigCodes.CLUSTER_NOT_CONFIGURED, { message: `no cluster is configured${looked}`, details: { files } });
}

function defaultFiles(env: KubeconfigChoice["env"]): readonly string[] {
  const named = (env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  if (named.length > 0) return named.map((file) => resolve(file));
  const home = env["HOME"] ?? env["USERPROFILE"] ?? "";
  return home === "" ? [] : [join(home, ".kube", "config")];
}

async function readPodContext(choice: KubeconfigChoice): Promise<SelectedContext | null> {
  const host = choice.env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = choice.env["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "" || port === "" || choice.context !== undefined) return null;
  const directory = choice.podDirectory ?? POD_DIRECTORY;
  if ((await readText(join(directory, "token"), true)) === null) return null;
  return {
    context: "in-cluster",
    cluster: { directory, entry: { server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`, caFile: "ca.crt", insecure: false } },
    user: { directory, entry: { tokenFile: "token", impersonate: {} } },
  };
}

/**
 * Reads a text file of at most 4 MiB; null when it does not exist and may be missing.
 *
 * @throws KubeassumeError FILE_UNREADABLE
 */
export async function readText(file: string, mayBeMissing = false): Promise<string | null> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= MAX_BYTES) return bytes.toString("utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unreadable";
    if (mayBeMissing && (reason === "ENOENT" || reason === "ENOTDIR")) return null;
    throw new KubeassumeError(codes.FILE_UNREADABLE, { message: `${file} cannot be read (${reason})`, details: { file, reason }, cause });
  }
  throw new KubeassumeError(codes.FILE_UNREADABLE, { message: `${file} is larger than 4 MiB`, details: { file } });
}
