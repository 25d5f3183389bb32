import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { KubeassumeError } from "../errors/error.ts";
import type { CodeDefinition } from "../errors/error.ts";
import { documentCodes } from "./codes.ts";
import { isJsonObject, kindOfText, member } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { decodeBase64Url } from "./jwt.ts";

/** A public JSON Web Key with its members as they came (RFC 7517). */
export interface PublicJwk {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly [member: string]: unknown;
}

export interface PublicKeySet {
  readonly keys: readonly PublicJwk[];
}

export interface KeySetLimits {
  /** In bytes of UTF-8 text; default 512 KiB. Not applied to a value that is parsed already. */
  readonly maxBytes?: number;
  /** Default 1,000. */
  readonly maxKeys?: number;
}

/** JWS algorithms of service account tokens that at least one cloud takes. */
export type SigningAlgorithm = "RS256" | "RS384" | "RS512" | "ES256" | "ES384" | "ES512";

/** The curves that the ES algorithms fix (RFC 7518 section 3.4), each with its algorithm. */
export const EC_ALGORITHMS: Readonly<Record<string, SigningAlgorithm>> = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

/** Members of a JWK that are secret (RFC 7518 sections 6.2.2, 6.3.2 and 6.4). */
export const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] as const;

const RSA_ALGORITHMS = ["RS256", "RS384", "RS512"] as const;

/**
 * Reads and validates a JSON Web Key Set. Keys keep their members as they came, EC coordinates included, and
 * their order; duplicates stay. Private, symmetric and unreadable keys are refused by their position and kid.
 *
 * @param input the text, or the value that it parses to
 * @throws KubeassumeError JWKS_MALFORMED, JWKS_EMPTY, JWKS_PRIVATE_KEY, JWKS_SYMMETRIC_KEY, JWKS_TOO_LARGE
 */
export function parseJwks(input: unknown, limits: KeySetLimits = {}): PublicKeySet {
  const keys = keysOf(typeof input === "string" ? jsonOf(input, limits.maxBytes ?? 512 * 1024) : input);
  if (keys.length === 0) throw refusal(documentCodes.JWKS_EMPTY, "the key set has no key");
  const maxKeys = limits.maxKeys ?? 1000;
  if (keys.length > maxKeys) {
    throw refusal(documentCodes.JWKS_TOO_LARGE, `the key set has ${keys.length} keys, more than ${maxKeys}`);
  }
  // Secrets first: a set that is malformed as well must still be named for what is worst about it.
  keys.forEach(refuseSecrets);
  return { keys: keys.map(publicJwkOf) };
}

/** The public key of a JWK for `node:crypto`; null when it is no RSA key and no EC key on P-256, P-384 or P-521. */
export function keyObjectOf(jwk: JsonObject): KeyObject | null {
  const key: Record<string, string> = {};
  for (const name of keyMembersOf(jwk)) {
    const value = member(jwk, name);
    if (typeof value !== "string" || value === "" || (name !== "kty" && name !== "crv" && decodeBase64Url(value) === null)) return null;
    key[name] = value;
  }
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch {
    // Also for kinds without members, which have no key to import.
    return null;
  }
}

function keyMembersOf(jwk: JsonObject): readonly string[] {
  const crv = member(jwk, "crv");
  if (member(jwk, "kty") === "RSA") return ["kty", "n", "e"];
  const usable = member(jwk, "kty") === "EC" && typeof crv === "string" && Object.hasOwn(EC_ALGORITHMS, crv);
  return usable ? ["kty", "crv", "x", "y"] : [];
}

/**
 * The algorithm that tokens of this key have: its `alg` where that fits the key, otherwise RS256 for RSA (as
 * Kubernetes signs) and the curve's own algorithm for EC. Null when no cloud takes the key.
 */
export function algorithmOf(jwk: JsonObject): SigningAlgorithm | null {
  const alg = member(jwk, "alg");
  if (member(jwk, "kty") === "RSA") return alg === undefined ? "RS256" : (RSA_ALGORITHMS.find((name) => name === alg) ?? null);
  const crv = member(jwk, "crv");
  if (member(jwk, "kty") !== "EC" || typeof crv !== "string" || !Object.hasOwn(EC_ALGORITHMS, crv)) return null;
  const fixed = EC_ALGORITHMS[crv] ?? null;
  return alg === undefined || alg === fixed ? fixed : null;
}

function jsonOf(text: string, maxBytes: number): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw refusal(documentCodes.JWKS_TOO_LARGE, `the key set has ${bytes} bytes, more than ${maxBytes}`);
  try {
    return JSON.parse(text);
  } catch {
    throw refusal(documentCodes.JWKS_MALFORMED, `the key set cannot be read: ${kindOfText(text)}`);
  }
}

function keysOf(value: unknown): JsonObject[] {
  const keys = isJsonObject(value) ? member(value, "keys") : undefined;
  if (!Array.isArray(keys)) throw refusal(documentCodes.JWKS_MALFORMED, "the key set has no array named keys");
  return keys.map((key: unknown, index) => {
    if (!isJsonObject(key)) throw refusal(documentCodes.JWKS_MALFORMED, `key ${index + 1} of the set is not a JSON object`);
    return key;
  });
}

function refuseSecrets(key: JsonObject, index: number): void {
  if (member(key, "kty") === "oct") {
    throw refusal(documentCodes.JWKS_SYMMETRIC_KEY, `${nameOf(key, index)} is symmetric (kty oct)`);
  }
  const secret = PRIVATE_MEMBERS.find((name) => Object.hasOwn(key, name));
  if (secret !== undefined) {
    throw refusal(documentCodes.JWKS_PRIVATE_KEY, `${nameOf(key, index)} has the private member ${JSON.stringify(secret)}`);
  }
}

function publicJwkOf(key: JsonObject, index: number): PublicJwk {
  const kty = member(key, "kty");
  if (typeof kty !== "string" || kty === "") throw refusal(documentCodes.JWKS_MALFORMED, `${nameOf(key, index)} has no kty`);
  for (const name of ["kid", "alg", "use", "crv"]) {
    const value = member(key, name);
    if (value !== undefined && typeof value !== "string") {
      throw refusal(documentCodes.JWKS_MALFORMED, `${nameOf(key, index)} has a member ${name} that is not a string`);
    }
  }
  const crv = member(key, "crv");
  const known = kty === "RSA" || (kty === "EC" && (crv === undefined || Object.hasOwn(EC_ALGORITHMS, String(crv))));
  if (known && keyObjectOf(key) === null) {
    const members = kty === "RSA" ? "n and e" : "crv, x and y";
    throw refusal(documentCodes.JWKS_MALFORMED, `${nameOf(key, index)} is not a readable ${kty} key (${members})`);
  }
  return { ...key, kty };
}

/** A key by its position and kid, for messages: both are public. */
export function nameOf(key: JsonObject, index: number): string {
  const kid = member(key, "kid");
  return typeof kid === "string" && kid !== "" ? `key ${index + 1} of the set (kid ${JSON.stringify(kid.slice(0, 200))})` : `key ${index + 1} of the set`;
}

function refusal(definition: CodeDefinition, message: string): KubeassumeError {
  return new KubeassumeError(definition, { message });
}
