import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { obtainComponent } from "./cache.ts";
import { runCommand } from "./command.ts";
import type { StepsData } from "./front-door.ts";
import type { GoogleHosts } from "./gcp-hosts.ts";

type Json = Readonly<Record<string, unknown>>;

export interface GrantData extends StepsData {
  readonly principal: string;
  readonly credentialConfig: Json;
  readonly manifests: readonly { readonly title: string; readonly yaml: string }[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a pod finds: the credential file of the ConfigMap, the projected token, and the environment that names them. */
export interface Workload {
  readonly credentialFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** The kubelet's part. */
  putToken(token: string): Promise<void>;
  /** What Google's library makes of an address, from within the pod. */
  read(library: Library, url: string): Promise<Told>;
}

/** Google's refusal of an impersonation; Python's library quotes the quotes in it. */
export const IMPERSONATION_DENIED = /Permission \W+iam\.serviceAccounts\.getAccessToken\W+ denied on resource \(or it may not exist\)\./;

export type Library = "Node" | "Python";

/** The answer of the address, or the library's own words when it did not come so far. */
export type Told = { readonly status: number; readonly body: string } | { readonly error: string };

/**
 * The pod that a grant describes, as a folder of this machine: whatever `changes` does not replace is what was printed,
 * except for the one path that belongs to pods alone.
 */
export async function placeWorkload(folder: string, grant: GrantData, google: GoogleHosts, changes: Json = {}): Promise<Workload> {
  await mkdir(folder, { recursive: true });
  const [tokenFile, credentialFile] = [join(folder, "token"), join(folder, "federation.json")];
  const printed = credentialFileOf(grant);
  const source = (JSON.parse(printed) as { credential_source: { file: string } }).credential_source.file;
  const placed = JSON.parse(printed.replace(JSON.stringify(source), JSON.stringify(tokenFile))) as Json;
  await writeFile(credentialFile, JSON.stringify({ ...placed, ...changes }, null, 2));
  // Every variable that is printed names either the credential file or a project.
  const env = Object.fromEntries(Object.entries(grant.env).map(([name, value]) => [name, value.startsWith("/") ? credentialFile : value]));
  return {
    credentialFile,
    env,
    putToken: (token) => writeFile(tokenFile, token, { mode: 0o600 }),
    read: async (library, url) => runLibrary(library, url, { PATH: process.env["PATH"] ?? "", HOME: folder, ...google.env, ...env }),
  };
}

/** The text in the ConfigMap's manifest, which must be the document that the result carries. */
export function credentialFileOf({ manifests, credentialConfig }: Pick<GrantData, "manifests" | "credentialConfig">): string {
  const file = configMapFileOf(manifests);
  expect(JSON.parse(file)).toEqual(credentialConfig);
  return file;
}

/** The credential file that is among manifests. */
export function configMapFileOf(manifests: GrantData["manifests"]): string {
  const objects = manifests.flatMap(({ yaml }) => parseAllDocuments(yaml).map((document) => document.toJS() as { kind?: string; data?: Record<string, string> }));
  const [file = ""] = objects.filter(({ kind }) => kind === "ConfigMap").map(({ data }) => data?.["federation.json"]);
  return file;
}

const PROGRAMS = fileURLToPath(new URL("../google-auth/", import.meta.url));

async function runLibrary(library: Library, url: string, env: Readonly<Record<string, string>>): Promise<Told> {
  const command = library === "Node" ? process.execPath : await obtainComponent("google-auth");
  const { code, stdout, stderr } = await runCommand(command, [join(PROGRAMS, library === "Node" ? "workload.mjs" : "workload.py"), url], { env, inherits: false });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Told;
}
