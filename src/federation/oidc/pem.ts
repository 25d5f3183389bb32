import { createHash, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { KubeassumeError } from "../errors/error.ts";
import { documentCodes } from "./codes.ts";
import { kindOfText } from "./json.ts";
import { algorithmOf } from "./jwks.ts";
import type { PublicJwk } from "./jwks.ts";

const PUBLIC_LABELS = ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"];
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * The key id as Kubernetes computes it: base64url(SHA-256(DER SubjectPublicKeyInfo)), unpadded
 * (kubernetes/pkg/serviceaccount, keyIDFromPublicKey).
 */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest("base64url");
}

/**
 * The public keys of a PEM file, in order: `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE` blocks, RSA or EC on
 * P-256, P-384 or P-521. Each gets `use`, the algorithm and the `kid` that Kubernetes would give it. Text around
 * the blocks is ignored.
 *
 * @throws KubeassumeError KEY_FILE_PRIVATE (as soon as one block is a private key), KEY_FILE_UNREADABLE
 */
export function jwkFromPem(pem: string): readonly PublicJwk[] {
  // The begin line alone is enough to refuse: a truncated private key is one all the same.
  const secret = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----/.exec(pem)?.[1];
  if (secret !== undefined) {
    throw new KubeassumeError(documentCodes.KEY_FILE_PRIVATE, { message: `the file holds a ${JSON.stringify(secret)} block` });
  }
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.length === 0) throw unreadable(pem.includes("-----BEGIN ") ? "the PEM block is cut off" : `the file has no PEM block: ${kindOfText(pem)}`);
  return blocks.map((block, index) => jwkOfBlock(block[0], block[1] ?? "", index));
}

function jwkOfBlock(text: string, label: string, index: number): PublicJwk {
  const name = `PEM block ${index + 1} (${label})`;
  if (!PUBLIC_LABELS.includes(label)) throw unreadable(`${name} is not a public key`);
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    throw unreadable(`${name} cannot be read`);
  }
  if (key.asymmetricKeyType !== "rsa" && key.asymmetricKeyType !== "ec") {
    throw unreadable(`${name} is a key of type ${key.asymmetricKeyType ?? "unknown"} instead of RSA or EC`);
  }
  const jwk = exportOf(key);
  const alg = jwk === null ? null : algorithmOf(jwk);
  if (jwk === null || alg === null) throw unreadable(`${name} is an EC key on another curve than P-256, P-384 and P-521`);
  return { ...jwk, use: "sig", alg, kid: keyIdOf(key) };
}

function exportOf(key: KeyObject): PublicJwk | null {
  try {
    return key.export({ format: "jwk" }) as PublicJwk;
  } catch {
    return null;
  }
}

function unreadable(message: string): KubeassumeError {
  return new KubeassumeError(documentCodes.KEY_FILE_UNREADABLE, { message });
}
