import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { type JsonObject, parseJsonObject } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { gcpErrorCodes } from "../codes.ts";

type Env = CloudWorld["env"];

/** Where the credentials come from. */
export type CredentialSource =
  | { readonly kind: "token-file"; readonly file: string }
  /** `from` says for people which it is. */
  | { readonly kind: "file"; readonly json: JsonObject; readonly from: string }
  | { readonly kind: "broken"; readonly error: KubeassumeError }
  | { readonly kind: "none" };

const MAX_FILE_BYTES = 1024 * 1024;

/** The first that the environment names. A file that is named and cannot be used is no reason to look further: it is `broken`. */
export async function findCredentialSource(env: Env): Promise<CredentialSource> {
  const tokenFile = textOf(env["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]);
  if (tokenFile !== null) return { kind: "token-file", file: tokenFile };
  for (const variable of ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"]) {
    const file = textOf(env[variable]);
    if (file !== null) return openCredentialFile(file, variable);
  }
  const folder = gcloudFolder(env);
  const wellKnown = folder === null ? null : join(folder, "application_default_credentials.json");
  if (wellKnown === null || !(await exists(wellKnown))) return { kind: "none" };
  return openCredentialFile(wellKnown, "the application default credentials");
}

/** The access token in a file, which whoever wrote it renews. Throws GCP_CREDENTIALS_INVALID. */
export async function readTokenFile(file: string): Promise<string> {
  const token = (await readSmall(file, "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalid(`${file} (CLOUDSDK_AUTH_ACCESS_TOKEN_FILE) holds no access token`);
}

function gcloudFolder(env: Env): string | null {
  const named = textOf(env["CLOUDSDK_CONFIG"]);
  if (named !== null) return named;
  const windows = textOf(env["APPDATA"]);
  if (windows !== null) return join(windows, "gcloud");
  const home = textOf(env["HOME"]);
  return home === null ? null : join(home, ".config", "gcloud");
}

async function openCredentialFile(file: string, from: string): Promise<CredentialSource> {
  try {
    const json = parseJsonObject(await readSmall(file, from));
    if (json === null) throw invalid(`${file} (${from}) is not a credential file: it is no JSON object`);
    return { kind: "file", json, from };
  } catch (error) {
    if (error instanceof KubeassumeError) return { kind: "broken", error };
    throw error;
  }
}

async function readSmall(file: string, from: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw invalid(`${file} (${from}) has ${size} bytes: it is no credential file`);
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof KubeassumeError) throw cause;
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_INVALID, { message: `${file} (${from}) cannot be read (${code})`, hint: `check the path in ${from} and its permissions`, cause });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function invalid(message: string): KubeassumeError {
  return new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_INVALID, { message });
}
