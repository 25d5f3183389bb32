import { createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { signCertificate } from "../../../src/federation/sandbox/pki-certificate.ts";
import type { PublicJwk } from "../../../src/federation/oidc/jwks.ts";

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: PublicJwk;
}

/** Fresh keys, made once per test file: nothing secret is ever checked in. */
export function rsaKey(kid: string): TestKey {
  return withJwk(generateKeyPairSync("rsa", { modulusLength: 2048 }), { kid, alg: "RS256", use: "sig" });
}

export function ecKey(kid: string, curve: "P-256" | "P-384" | "P-521" | "secp256k1" = "P-256"): TestKey {
  const alg = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", secp256k1: "ES256K" }[curve];
  return withJwk(generateKeyPairSync("ec", { namedCurve: curve }), { kid, alg, use: "sig" });
}

/** A self-signed certificate (PEM) of the key. */
export function certificateOf(key: TestKey): string {
  const notBefore = new Date("2026-01-01T00:00:00Z");
  const notAfter = new Date("2036-01-01T00:00:00Z");
  return signCertificate({ subject: "test", issuer: "test", notBefore, notAfter, key: key.publicKey, issuerKey: key.privateKey, authority: false, names: [] });
}

function withJwk(pair: { privateKey: KeyObject; publicKey: KeyObject }, members: Record<string, string>): TestKey {
  const publicKey = createPublicKey(pair.privateKey);
  return { privateKey: pair.privateKey, publicKey, jwk: { ...(publicKey.export({ format: "jwk" }) as PublicJwk), ...members } };
}
