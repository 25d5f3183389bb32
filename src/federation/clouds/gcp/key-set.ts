import { isJsonObject, member } from "../../oidc/json.ts";
import { algorithmOf, keyObjectOf, type PublicJwk } from "../../oidc/jwks.ts";
import type { Json } from "../../plan/step.ts";

/** A key in a provider's `oidc.jwksJson`: the members that Google takes and no other, in a fixed order. */
export type StoredKey = Readonly<Record<string, string>>;

/** Google answers "not in a valid json format" to any other (IAM v1, Oidc.jwksJson). */
const MEMBERS = ["kty", "alg", "use", "kid", "n", "e", "crv", "x", "y"] as const;
/** What Google verifies of federated tokens (Workload Identity Federation, "token requirements"). */
const ALGORITHMS: readonly string[] = ["RS256", "ES256"];

/**
 * The keys of a `jwksJson`, or of a key set that is parsed already: only the members that Google takes, sorted by kid.
 * Google reformats the text, so this is the form in which key sets are compared. Empty for no text and for what is no
 * key set.
 */
export function toStoredKeys(jwks: unknown): readonly StoredKey[] {
  const value = typeof jwks === "string" ? parse(jwks) : jwks;
  const keys = isJsonObject(value) ? member(value, "keys") : null;
  if (!Array.isArray(keys)) return [];
  return sortByKid(keys.filter(isJsonObject).map(toStoredKey));
}

/** One key in the form of {@link toStoredKeys}. */
export function toStoredKey(key: Readonly<Record<string, unknown>>): StoredKey {
  return Object.fromEntries(MEMBERS.flatMap((name) => (typeof key[name] === "string" ? [[name, key[name]] as const] : [])));
}

/** The text for `oidc.jwksJson`; empty for no keys, which returns the provider to discovery. */
export function renderJwksJson(keys: readonly Json[]): string {
  return keys.length === 0 ? "" : JSON.stringify({ keys });
}

/** By kid, then by all the rest: a total order, whatever the locale of the machine. */
export function sortByKid(keys: readonly StoredKey[]): readonly StoredKey[] {
  const ranked = keys.map((key) => ({ key, rank: JSON.stringify([key["kid"] ?? "", key]) }));
  return ranked.sort((one, other) => (one.rank < other.rank ? -1 : one.rank > other.rank ? 1 : 0)).map(({ key }) => key);
}

/** Why Google could not verify with a key, as a clause; null when it can. */
export function complaintOf(key: PublicJwk): string | null {
  if (key.kty !== "RSA" && key.kty !== "EC") return `is of kind ${JSON.stringify(key.kty)}, and Google takes RSA and EC`;
  const algorithm = algorithmOf(key);
  if (algorithm === null || !ALGORITHMS.includes(algorithm)) return `is for ${JSON.stringify(key.alg ?? algorithm ?? key.crv ?? null)}, and Google takes RS256 and ES256`;
  if (key.use !== undefined && key.use !== "sig") return `is meant for ${JSON.stringify(key.use)} instead of signatures`;
  if (key.kid === undefined || key.kid === "") return "has no kid";
  return keyObjectOf(key) === null ? "cannot be read" : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
