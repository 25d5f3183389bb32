import { generateKeyPairSync } from "node:crypto";

export interface ServiceAccountKey {
  /** PKCS #8, for `--service-account-signing-key-file`. */
  readonly privateKeyPem: string;
  /** SubjectPublicKeyInfo, for `--service-account-key-file`. */
  readonly publicKeyPem: string;
}

/** A fresh key for signing service account tokens: RSA of 2048 bits (RS256) or P-256 (ES256). */
export function createServiceAccountKey(type: "rsa" | "ec" = "rsa"): ServiceAccountKey {
  const pair = type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKeyPem: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKeyPem: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}
