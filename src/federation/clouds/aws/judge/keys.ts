import { X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isJsonObject, member } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { keyObjectOf, nameOf } from "../../../oidc/jwks.ts";

/** AWS reads at most this many keys of each kind. */
export const MAX_KEYS_PER_KIND = 100;

/** A key of the set as AWS sees it. */
export interface SetKey {
  /** For messages. */
  readonly name: string;
  readonly jwk: JsonObject;
  readonly kid: string | null;
  /** Null when AWS does not find the key at all; the reason is in `ignoredBecause`. */
  readonly key: KeyObject | null;
  readonly ignoredBecause: string | null;
}

/** The keys of a set; null when it is no key set. Entries that are no objects are left out. */
export function readSet(jwks: unknown): SetKey[] | null {
  const keys = isJsonObject(jwks) ? member(jwks, "keys") : undefined;
  return Array.isArray(keys) ? keys.flatMap((jwk: unknown, index) => (isJsonObject(jwk) ? [toSetKey(jwk, index)] : [])) : null;
}

/** `RSA` or `EC`: the kind of key that an algorithm needs. */
export function kindOf(algorithm: string | null): "RSA" | "EC" | null {
  return algorithm?.startsWith("RS") === true ? "RSA" : algorithm?.startsWith("ES") === true ? "EC" : null;
}

/** The key that AWS takes for a kid: the last of several with the same one. Without a kid, the only key there is. */
export function findKey(keys: readonly SetKey[], kid: string | null): SetKey | null {
  const found = keys.filter((key) => key.key !== null);
  if (kid !== null && kid !== "") return found.findLast((key) => key.kid === kid) ?? null;
  const distinct = new Set(found.map((key) => key.kid));
  return distinct.size === 1 ? (found.at(-1) ?? null) : null;
}

function toSetKey(jwk: JsonObject, index: number): SetKey {
  const kid = member(jwk, "kid");
  const name = nameOf(jwk, index);
  const key = keyObjectOf(jwk);
  const ignoredBecause = reasonToIgnore(jwk, key);
  return { name, jwk, kid: typeof kid === "string" ? kid : null, key: ignoredBecause === null ? key : null, ignoredBecause };
}

/** Why AWS does not find a key of the set, as recorded; null when it does. */
function reasonToIgnore(jwk: JsonObject, key: KeyObject | null): string | null {
  const kid = member(jwk, "kid");
  const use = member(jwk, "use");
  const x5c = member(jwk, "x5c");
  if (typeof kid !== "string" || kid === "") return "it has no kid";
  if (use !== undefined && use !== "sig") return `its use is ${String(JSON.stringify(use)).slice(0, 40)} instead of "sig"`;
  if (key === null) return "its parameters are missing or cannot be read";
  if (x5c !== undefined && !isCertificateOf(x5c, key)) return "the certificate in x5c is of another key";
  return null;
}

function isCertificateOf(x5c: unknown, key: KeyObject): boolean {
  const first: unknown = Array.isArray(x5c) ? x5c[0] : undefined;
  if (typeof first !== "string") return false;
  try {
    return new X509Certificate(Buffer.from(first, "base64")).publicKey.equals(key);
  } catch {
    return false;
  }
}
