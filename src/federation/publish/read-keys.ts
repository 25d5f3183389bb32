import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { codes } from "../errors/codes.ts";
import { KubeassumeError, type Problem } from "../errors/error.ts";
import type { KeySource } from "./keys.ts";
import type { StoreInput } from "./store.ts";
import { listOf, textOf } from "./input.ts";

/** Key sources as read, and what could not be read. */
export interface KeySources {
  readonly sources: readonly KeySource[];
  /** Endpoints of the cluster that could not be asked. */
  readonly unreachable: readonly Problem[];
}

/** Where the keys come from; the cluster when no file is named. */
export interface KeyInput {
  readonly jwksFile: string | null;
  readonly publicKeyFiles: readonly string[];
  readonly prune: boolean;
}

/** A key set of 200 keys has about 150 KB; this is more than any real file, and less than memory. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads `--jwks-file`, `--public-key-file` and `--prune-keys`, and the same from the config's entry; a flag of the
 * one kind outweighs the entry's other kind. Paths of flags are relative to the working folder.
 *
 * @throws KubeassumeError FLAGS_CONFLICT
 */
export function toKeyInput(input: StoreInput): KeyInput {
  const flagged = { jwks: textOf(input.flags["jwksFile"]), pem: listOf(input.flags["publicKeyFile"]) };
  const given = flagged.jwks !== null || flagged.pem.length > 0;
  const jwks = given ? flagged.jwks : textOf(input.entry["jwksFile"]);
  const pem = given ? flagged.pem : listOf(input.entry["publicKeyFiles"]);
  if (jwks !== null && pem.length > 0) {
    throw new KubeassumeError(codes.FLAGS_CONFLICT, { message: `--jwks-file ${jwks} and --public-key-file ${pem.join(", ")} are both given` });
  }
  const path = (file: string) => resolve(input.cwd, file);
  return { jwksFile: jwks === null ? null : path(jwks), publicKeyFiles: pem.map(path), prune: input.flags["pruneKeys"] === true };
}

/**
 * Reads the keys from files, or from every endpoint of the cluster. The cluster is asked for only when it is needed.
 *
 * @throws KubeassumeError FILE_UNREADABLE and the CLUSTER_* codes
 */
export async function readKeys(input: KeyInput, cluster: () => Promise<Cluster>): Promise<KeySources> {
  if (input.jwksFile !== null) return { sources: [await readSource(input.jwksFile, "jwks")], unreachable: [] };
  if (input.publicKeyFiles.length > 0) {
    const sources = await Promise.all(input.publicKeyFiles.map((file) => readSource(file, "pem")));
    return { sources, unreachable: [] };
  }
  const connected = await cluster();
  const { sets, warnings } = await connected.readKeySets();
  const sources = sets.map((text, index): KeySource => ({ name: `key set ${index + 1} of cluster ${connected.name}`, format: "jwks", text }));
  return { sources, unreachable: warnings };
}

async function readSource(file: string, format: KeySource["format"]): Promise<KeySource> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      size += (chunk as Buffer).length;
      if (size > MAX_FILE_BYTES) throw unreadable(file, `is larger than ${MAX_FILE_BYTES} bytes`, undefined);
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    if (cause instanceof KubeassumeError) throw cause;
    throw unreadable(file, `cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown reason"})`, cause);
  }
  return { name: file, format, text: Buffer.concat(chunks).toString("utf8") };
}

function unreadable(file: string, words: string, cause: unknown): KubeassumeError {
  return new KubeassumeError(codes.FILE_UNREADABLE, { message: `${file} ${words}`, details: { file }, cause });
}
