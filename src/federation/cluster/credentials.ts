import { createPrivateKey } from "node:crypto";
import { resolve } from "node:path";
import { KubeassumeError } from "../errors/error.ts";
import { kubeconfigCodes } from "./codes.ts";
import { type ExecCredential, type ExecOptions, requestExecCredential } from "./exec-credential.ts";
import type { UserEntry } from "./kubeconfig.ts";
import { readText } from "./read-kubeconfig.ts";

/** What one request shows to the API server. Never printed. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly certPem: string | null;
  readonly keyPem: string | null;
}

/** Where credentials come from. `forget` makes the next `read` ask the plugin again: after a 401. */
export interface CredentialSource {
  read(): Promise<Credentials>;
  /** False when asking again could give nothing new. */
  forget(): boolean;
}

/**
 * The credentials of a kubeconfig user. A token file is read for every request, since a pod's token is rotated
 * under it; a plugin is asked once, and again when its credential expires or is refused. As in kubectl, data wins
 * over a file, a token file over a token, and both over user name and password.
 *
 * `read` throws KUBECONFIG_MALFORMED, CLUSTER_CREDENTIAL_PLUGIN, KUBECONFIG_UNSUPPORTED, FILE_UNREADABLE.
 */
export function createCredentialSource(user: UserEntry, options: ExecOptions & { readonly now: () => Date }): CredentialSource {
  let asked: Promise<ExecCredential> | null = null;
  const readPlugin = async (): Promise<ExecCredential | null> => {
    if (user.exec === undefined) return null;
    const previous = asked;
    const current = previous === null ? null : await previous;
    if (current !== null && (current.expires === null || current.expires > options.now())) return current;
    // Of several requests that wait here, the first one asks and the others take its answer.
    if (asked === previous) asked = requestExecCredential(user.exec, options);
    return asked;
  };
  return {
    read: async () => {
      const plugin = await readPlugin();
      const [token, certPem, keyPem] = await Promise.all([
        plugin?.token ?? readToken(user, options.directory),
        plugin?.certPem ?? readPem(user.certData, user.certFile, options.directory, "client certificate"),
        plugin?.keyPem ?? readPem(user.keyData, user.keyFile, options.directory, "client key"),
      ]);
      checkPair(certPem, keyPem);
      return { headers: { ...authorization(token, user), ...user.impersonate }, certPem, keyPem };
    },
    forget: () => {
      asked = null;
      return user.exec !== undefined;
    },
  };
}

async function readToken(user: UserEntry, directory: string): Promise<string | null> {
  if (user.tokenFile === undefined) return user.token ?? null;
  const text = await readText(resolve(directory, user.tokenFile), user.token !== undefined);
  return text?.trim() || (user.token ?? null);
}

/** Data as base64 wins over a file; null when there is neither. Throws KUBECONFIG_MALFORMED, FILE_UNREADABLE. */
export async function readPem(data: string | undefined, file: string | undefined, directory: string, what: string): Promise<string | null> {
  if (data === undefined && file === undefined) return null;
  const text = data === undefined ? await readText(resolve(directory, file ?? "")) : Buffer.from(data, "base64").toString("utf8");
  if (text !== null && text.includes("-----BEGIN ")) return text;
  const where = data === undefined ? `${file ?? ""} has no ${what}` : `the ${what} data of the kubeconfig is not base64 of PEM`;
  throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: where });
}

function checkPair(certPem: string | null, keyPem: string | null): void {
  if ((certPem === null) !== (keyPem === null)) {
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: `the kubeconfig has a client ${certPem === null ? "key without its certificate" : "certificate without its key"}` });
  }
  if (keyPem === null) return;
  try {
    createPrivateKey(keyPem);
  } catch {
    // Not as cause and not quoted: it is about a private key.
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: "the client key of the kubeconfig is not a readable PEM key without a passphrase" });
  }
}

function authorization(token: string | null, user: UserEntry): Readonly<Record<string, string>> {
  if (token !== null) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: "the token of the kubeconfig has characters that no token has" });
    return { authorization: `Bearer ${token}` };
  }
  if (user.username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}` };
}
