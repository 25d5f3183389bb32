import { dirname, resolve } from "node:path";
import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import type { ConfigPart } from "./config-part.ts";
import type { ConfigGrant, LoadedConfig } from "./loaded-config.ts";
import type { WrittenConfig } from "./parse-config.ts";

export interface LoadOptions {
  /** What a relative path of the config file itself starts from. */
  readonly cwd: string;
  /** Reads a text file; rejects with a Node error, whose code ENOENT means that there is none. */
  readonly readFile: (path: string) => Promise<string>;
  /** By default everything that this version supports. */
  readonly parts?: readonly ConfigPart[];
}

export const DEFAULT_CONFIG_FILE = "kubeassume.yaml";

/**
 * Reads and validates the config. With `path` null it is `./kubeassume.yaml`, and null is answered when that does not
 * exist. Paths in the result are absolute: relative ones start from the folder of the config file.
 *
 * @throws KubeassumeError FILE_UNREADABLE, and all problems of the file at once: CONFIG_MALFORMED, CONFIG_UNKNOWN_KEY,
 *   CONFIG_INVALID, CONFIG_UNSUPPORTED
 */
export async function loadConfig(path: string | null, options: LoadOptions): Promise<LoadedConfig | null> {
  const file = path ?? DEFAULT_CONFIG_FILE;
  const absolute = resolve(options.cwd, file);
  const text = await readText(absolute, path === null, options);
  if (text === null) return null;
  // Loaded only where there is a config: the YAML parser and the schema are most of what a command without one would load.
  const [{ parseConfig }, { configParts }] = await Promise.all([import("./parse-config.ts"), import("./registry.ts")]);
  const parts = options.parts ?? configParts;
  return resolvePaths(parseConfig(text, file, parts), file, dirname(absolute), parts);
}

async function readText(absolute: string, mayBeMissing: boolean, options: LoadOptions): Promise<string | null> {
  try {
    return await options.readFile(absolute);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException | null)?.code ?? "unreadable";
    if (reason === "ENOENT" && mayBeMissing) return null;
    throw new KubeassumeError(codes.FILE_UNREADABLE, { message: `the config file ${absolute} cannot be read (${reason})`, details: { file: absolute, reason }, cause });
  }
}

function resolvePaths(written: WrittenConfig, file: string, folder: string, parts: readonly ConfigPart[]): LoadedConfig {
  const { issuer, cluster } = written;
  const kubeconfig = cluster?.kubeconfig;
  const stores = new Map(parts.flatMap((part) => part.stores.map((store) => [store.name, store.paths] as const)));
  const ofGrants = new Map(parts.flatMap((part) => (part.cloud === null ? [] : [[part.cloud.name, part.grantPaths] as const])));
  const publish = (written.publish ?? []).map((entry) => resolveEach(entry, stores, folder));
  const grants = (written.grants ?? []).map(({ serviceAccount, ...clouds }): ConfigGrant => ({ serviceAccount, ...resolveEach(clouds, ofGrants, folder) }));
  return {
    file,
    ...(issuer === undefined ? {} : { issuer }),
    ...(cluster === undefined ? {} : { cluster: { ...cluster, ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(folder, kubeconfig) }) } }),
    publish,
    clouds: written.clouds ?? {},
    grants,
  };
}

type Members = Readonly<Record<string, unknown>>;

function resolveEach(entry: Readonly<Record<string, unknown>>, paths: ReadonlyMap<string, readonly string[]>, folder: string): Readonly<Record<string, Members>> {
  return Object.fromEntries(Object.entries(entry).map(([name, members]) => [name, resolveMembers(members as Members, paths.get(name) ?? [], folder)]));
}

function resolveMembers(members: Members, paths: readonly string[], folder: string): Members {
  const one = (value: unknown) => (typeof value === "string" ? resolve(folder, value) : value);
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, !paths.includes(name) ? value : Array.isArray(value) ? value.map(one) : one(value)]),
  );
}
