import { KubeassumeError } from "../errors/error.ts";
import type { CodeDefinition } from "../errors/error.ts";
import { documentCodes } from "./codes.ts";
import { algorithmOf, keyObjectOf, nameOf } from "./jwks.ts";
import type { PublicJwk, PublicKeySet } from "./jwks.ts";

/** A key as it is published: the members that every relying party takes, and nothing else. */
export type PublishedJwk =
  | { readonly kty: "RSA"; readonly use?: string; readonly alg?: string; readonly kid: string; readonly n: string; readonly e: string }
  | { readonly kty: "EC"; readonly use?: string; readonly alg?: string; readonly kid: string; readonly crv: string; readonly x: string; readonly y: string };

const RSA_MEMBERS = ["kty", "use", "alg", "kid", "n", "e"] as const;
const EC_MEMBERS = ["kty", "use", "alg", "kid", "crv", "x", "y"] as const;

/**
 * Keeps of a key what every relying party takes, in a fixed order and with the values as they came. `use` and
 * `alg` are kept when present and never invented; GCP refuses other members and AWS keys with `key_ops`.
 *
 * @throws KubeassumeError JWKS_KEY_UNUSABLE, JWKS_KEY_ID_MISSING
 */
export function toPublishedJwk(jwk: PublicJwk, index = 0): PublishedJwk {
  if (keyObjectOf(jwk) === null || algorithmOf(jwk) === null) {
    const details = [jwk.kty, jwk.crv, jwk.alg].filter((value) => value !== undefined).join(", ");
    throw refusal(documentCodes.JWKS_KEY_UNUSABLE, `${nameOf(jwk, index)} is of a kind that no cloud takes (${details})`);
  }
  if (jwk.use !== undefined && jwk.use !== "sig") {
    throw refusal(documentCodes.JWKS_KEY_UNUSABLE, `${nameOf(jwk, index)} is meant for ${JSON.stringify(jwk.use)} instead of "sig"`);
  }
  if (jwk.kid === undefined || jwk.kid === "") {
    throw refusal(documentCodes.JWKS_KEY_ID_MISSING, `${nameOf(jwk, index)} has no kid`);
  }
  const members = jwk.kty === "RSA" ? RSA_MEMBERS : EC_MEMBERS;
  const kept = members.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]);
  return Object.fromEntries(kept) as PublishedJwk;
}

/**
 * The whole set as it is published: one entry per key id, in the order in which they came. The same key given
 * twice is published once, also when one of the copies has no kid (a known key generator writes such a copy).
 *
 * @throws KubeassumeError JWKS_KEY_UNUSABLE, JWKS_KEY_ID_MISSING, JWKS_KEY_ID_DUPLICATE
 */
export function toPublishedKeySet(set: PublicKeySet): { readonly keys: readonly PublishedJwk[] } {
  const named = new Set(set.keys.filter((key) => key.kid).map(materialOf));
  const published = new Map<string, PublishedJwk>();
  set.keys.forEach((key, index) => {
    if (!key.kid && named.has(materialOf(key))) return;
    const next = toPublishedJwk(key, index);
    const earlier = published.get(next.kid);
    if (earlier !== undefined && materialOf(earlier) !== materialOf(next)) {
      throw refusal(documentCodes.JWKS_KEY_ID_DUPLICATE, `${nameOf(key, index)} is another key than an earlier one with the same kid`);
    }
    if (earlier === undefined) published.set(next.kid, next);
  });
  return { keys: [...published.values()] };
}

/** What makes two entries the same key: its numbers, whatever its name and purpose. */
export function materialOf(key: PublicJwk | PublishedJwk): string {
  const { kty, n, e, crv, x, y } = key as PublicJwk;
  return JSON.stringify(kty === "RSA" ? [kty, n, e] : [kty, crv, x, y]);
}

function refusal(definition: CodeDefinition, message: string): KubeassumeError {
  return new KubeassumeError(definition, { message });
}
