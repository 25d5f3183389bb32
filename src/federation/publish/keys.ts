import { combineProblems } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import { parseJsonObject } from "../oidc/json.ts";
import { algorithmOf, parseJwks } from "../oidc/jwks.ts";
import { jwkFromPem } from "../oidc/pem.ts";
import { materialOf, type PublishedJwk, toPublishedKeySet } from "../oidc/publish.ts";
import { codes as publishCodes } from "./codes.ts";

/** Public keys as text, from one endpoint of the cluster or one file. */
export interface KeySource {
  /** For messages: a file's path, or which answer of the cluster it is. */
  readonly name: string;
  readonly format: "jwks" | "pem";
  readonly text: string;
}

/** A key of the result, as `PublishResult.data.keys` has it. */
export interface KeyChange {
  readonly kid: string;
  readonly status: "added" | "kept" | "removed";
}

/** AWS reads so many RSA and so many EC keys of one issuer (IAM user guide, OIDC providers). */
const MAX_KEYS_OF_A_KIND = 100;

/**
 * The keys that sign now: the union by `kid` of every source, sorted by `kid`. One bad source refuses all of them,
 * because on any doubt nothing is written.
 *
 * @throws KubeassumeError KEYS_NONE, KEY_CONFLICT, and JWKS_* and KEY_FILE_* with the name of the source
 */
export function parseKeySources(sources: readonly KeySource[]): readonly PublishedJwk[] {
  if (sources.length === 0) throw new KubeassumeError(publishCodes.KEYS_NONE, { message: "no key set was found to publish" });
  const problems: KubeassumeError[] = [];
  const sets: (readonly PublishedJwk[])[] = [];
  for (const source of sources) {
    try {
      const set = source.format === "pem" ? { keys: jwkFromPem(source.text) } : parseJwks(source.text);
      sets.push(toPublishedKeySet(set).keys);
    } catch (cause) {
      if (!(cause instanceof KubeassumeError)) throw cause;
      problems.push(withSource(cause, source.name));
    }
  }
  if (problems.length > 0) throw combineProblems(problems);
  return uniteKeys(sets);
}

/**
 * Union by `kid`, sorted by `kid`; the order of the sets means nothing. Copies of one key that differ in `use` or
 * `alg` become the one that says more.
 *
 * @throws KubeassumeError KEY_CONFLICT when one `kid` names two different keys
 */
export function uniteKeys(sets: readonly (readonly PublishedJwk[])[]): readonly PublishedJwk[] {
  const united = new Map<string, PublishedJwk>();
  for (const key of sets.flat()) {
    const other = united.get(key.kid);
    if (other !== undefined) refuseConflict(key, other, "two of the sources");
    united.set(key.kid, other === undefined ? key : fullerOf(key, other));
  }
  return sortByKid(united.values());
}

/**
 * What shall be published: everything that signs, and everything that is published and not in `removed`. A key
 * that signs replaces its published copy, so that wrong `use` or `alg` members are repaired.
 *
 * @throws KubeassumeError KEY_CONFLICT, KEYS_TOO_MANY
 */
export function mergeKeys(
  published: readonly PublishedJwk[],
  signing: readonly PublishedJwk[],
  removed: ReadonlySet<string>,
): readonly PublishedJwk[] {
  const merged = new Map<string, PublishedJwk>();
  for (const key of published) if (!removed.has(key.kid)) merged.set(key.kid, key);
  for (const key of signing) {
    const other = merged.get(key.kid);
    if (other !== undefined) refuseConflict(key, other, "the cluster and the published set");
    merged.set(key.kid, key);
  }
  for (const kty of ["RSA", "EC"] as const) refuseTooMany([...merged.values()].filter((key) => key.kty === kty).length, kty);
  return sortByKid(merged.values());
}

/** What becomes of each key when `removed` are taken out, sorted by `kid`. */
export function keyChanges(
  published: readonly PublishedJwk[],
  signing: readonly PublishedJwk[],
  removed: ReadonlySet<string>,
): readonly KeyChange[] {
  const before = new Set(published.map((key) => key.kid));
  const kids = [...new Set([...before, ...signing.map((key) => key.kid)])].sort(compareText);
  return kids.map((kid) => ({ kid, status: removed.has(kid) ? "removed" : before.has(kid) ? "kept" : "added" }));
}

/** The key ids that `--prune-keys` removes: published, and signing no more. */
export function prunableKeys(published: readonly PublishedJwk[], signing: readonly PublishedJwk[]): ReadonlySet<string> {
  const current = new Set(signing.map((key) => key.kid));
  return new Set(published.map((key) => key.kid).filter((kid) => !current.has(kid)));
}

/** The key set's bytes: the same keys give the same text. */
export function renderKeySet(keys: readonly PublishedJwk[]): string {
  return `${JSON.stringify({ keys: sortByKid(keys) }, null, 2)}\n`;
}

/**
 * The keys of a set that lies at its place already. No document, an empty one and a set without keys hold nothing
 * that could be lost: they count as no keys.
 *
 * @param target where it lies, for messages
 * @throws KubeassumeError PUBLISHED_DOCUMENT_FOREIGN for anything that kubeassume would not have published
 */
export function parsePublishedKeys(text: string | null, target: string): readonly PublishedJwk[] {
  if (text === null || text.trim() === "" || isEmptySet(text)) return [];
  try {
    return sortByKid(toPublishedKeySet(parseJwks(text)).keys);
  } catch (cause) {
    if (!(cause instanceof KubeassumeError)) throw cause;
    throw new KubeassumeError(publishCodes.PUBLISHED_DOCUMENT_FOREIGN, {
      message: `${target} is not a key set that kubeassume could go on from: ${cause.message}`,
      details: { target, problem: cause.code },
      cause,
    });
  }
}

/** Signing keys that only some clouds take, by `kid` with the algorithm. */
export function narrowKeys(signing: readonly PublishedJwk[]): readonly { readonly kid: string; readonly algorithm: string }[] {
  return signing.map((key) => ({ kid: key.kid, algorithm: algorithmOf(key) ?? "" })).filter((key) => key.algorithm !== "RS256");
}

/** The algorithms of a set, for the discovery document; sorted, each once. */
export function algorithmsOf(keys: readonly PublishedJwk[]): readonly string[] {
  return [...new Set(keys.map(algorithmOf).filter((algorithm) => algorithm !== null))].sort();
}

function isEmptySet(text: string): boolean {
  const keys = parseJsonObject(text)?.["keys"];
  return Array.isArray(keys) && keys.length === 0;
}

function refuseConflict(key: PublishedJwk, other: PublishedJwk, where: string): void {
  if (materialOf(key) === materialOf(other)) return;
  throw new KubeassumeError(publishCodes.KEY_CONFLICT, {
    message: `${where} have different keys with kid ${JSON.stringify(key.kid.slice(0, 200))}`,
    details: { kid: key.kid },
  });
}

function refuseTooMany(count: number, kty: string): void {
  if (count <= MAX_KEYS_OF_A_KIND) return;
  throw new KubeassumeError(publishCodes.KEYS_TOO_MANY, {
    message: `the published set would have ${count} ${kty} keys, more than ${MAX_KEYS_OF_A_KIND}`,
    details: { count, limit: MAX_KEYS_OF_A_KIND },
  });
}

/** Any total order does: it makes the union independent of the order of the sets. */
function fullerOf(one: PublishedJwk, other: PublishedJwk): PublishedJwk {
  const difference = Object.keys(one).length - Object.keys(other).length;
  if (difference !== 0) return difference > 0 ? one : other;
  return compareText(JSON.stringify(one), JSON.stringify(other)) <= 0 ? one : other;
}

function sortByKid(keys: Iterable<PublishedJwk>): readonly PublishedJwk[] {
  return [...keys].sort((one, other) => compareText(one.kid, other.kid));
}

/** By UTF-16 code units: never by the locale of the machine. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function withSource(error: KubeassumeError, name: string): KubeassumeError {
  const definition = { code: error.code, exit: error.exit, summary: "", why: "", fix: error.hint };
  return new KubeassumeError(definition, { message: `${name}: ${error.message}`, details: { ...error.details, source: name }, cause: error });
}
