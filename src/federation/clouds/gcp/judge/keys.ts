import type { KeyObject } from "node:crypto";
import { isJsonObject, member, parseJsonObject } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { keyObjectOf, nameOf } from "../../../oidc/jwks.ts";

/** Members that an uploaded key may have (IAM v1, Oidc.jwksJson). */
const UPLOAD_MEMBERS = ["kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"];

/** A key of the set as Google sees it. */
export interface SetKey {
  /** For messages. */
  readonly name: string;
  readonly jwk: JsonObject;
  readonly kid: string | null;
  /** Null when its parameters cannot be read. */
  readonly key: KeyObject | null;
}

/** The keys of a set; null when it is no key set. Entries that are no objects are left out. */
export function readSet(jwks: unknown): SetKey[] | null {
  const keys = isJsonObject(jwks) ? member(jwks, "keys") : undefined;
  return Array.isArray(keys) ? keys.flatMap((jwk: unknown, index) => (isJsonObject(jwk) ? [toSetKey(jwk, index)] : [])) : null;
}

function toSetKey(jwk: JsonObject, index: number): SetKey {
  const kid = member(jwk, "kid");
  return { name: nameOf(jwk, index), jwk, kid: typeof kid === "string" ? kid : null, key: keyObjectOf(jwk) };
}

/** The algorithm that a key verifies; null when Google takes no token by such a key. */
export function algorithmOf({ jwk }: SetKey): "RS256" | "ES256" | null {
  const kty = member(jwk, "kty");
  if (kty === "RSA") return "RS256";
  return kty === "EC" && member(jwk, "crv") === "P-256" ? "ES256" : null;
}

/** What is wrong with an uploaded key set, in one clause with Google's own words where it has any; null when nothing is. */
export function uploadProblem(text: string): string | null {
  const keys = readSet(parseJsonObject(text));
  if (keys === null) return "it is not a key set in JSON";
  if (keys.length === 0) return "it has no key";
  for (const one of keys) {
    const extra = Object.keys(one.jwk).find((name) => !UPLOAD_MEMBERS.includes(name));
    if (extra !== undefined) return `${one.name} has the member ${JSON.stringify(extra.slice(0, 40))}: "Input JWK is not in a valid json format"`;
    if (one.kid === null || one.kid === "") return `${one.name} has no kid`;
    if (algorithmOf(one) === null) return `${one.name} is neither RSA nor EC on P-256: "Only RSA, EC key types are supported."`;
    if (one.key === null) return `${one.name} cannot be read: "Input jwks contains corrupted key material."`;
  }
  return null;
}
