import { createHash, createPublicKey, generateKeyPair, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import * as der from "./pki-der.ts";

export type KeyAlgorithm = "ecdsa" | "rsa";

/** What a certificate says; names and extensions follow RFC 5280, section 4. */
export interface CertificateContent {
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The subject's key: the private one is accepted too, and only its public half is used. */
  readonly key: KeyObject;
  readonly issuerKey: KeyObject;
  readonly authority: boolean;
  /** DNS names and IP addresses; empty leaves the extension out. */
  readonly names: readonly string[];
}

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  sha256WithRsa: "1.2.840.113549.1.1.11",
} as const;

const generate = promisify(generateKeyPair);

/** A fresh private key: P-256 for `ecdsa`, 2048 bits for `rsa`. */
export async function createPrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  const pair = algorithm === "rsa" ? await generate("rsa", { modulusLength: 2048 }) : await generate("ec", { namedCurve: "P-256" });
  return pair.privateKey;
}

/** A signed X.509 v3 certificate in PEM, with a random serial number. */
export function signCertificate(content: CertificateContent): string {
  const algorithm = signatureAlgorithm(content.issuerKey);
  const body = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    commonName(content.issuer),
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    commonName(content.subject),
    subjectPublicKeyInfo(content.key),
    der.explicit(3, der.sequence(...extensions(content))),
  );
  const signature = sign("sha256", body, content.issuerKey);
  return toPem(der.sequence(body, algorithm, der.bitString(signature)));
}

function toPem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** Positive, never starting with a zero byte, so that every parser counts the same sixteen bytes. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === "rsa"
    ? der.sequence(der.objectIdentifier(OID.sha256WithRsa), der.nullValue())
    : der.sequence(der.objectIdentifier(OID.ecdsaWithSha256));
}

function commonName(text: string): Buffer {
  return der.sequence(der.setOfOne(der.sequence(der.objectIdentifier(OID.commonName), der.utf8String(text))));
}

function subjectPublicKeyInfo(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/** RFC 7093 allows any hash of the key: a certificate is found by equality of the identifiers alone. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha256").update(subjectPublicKeyInfo(key)).digest().subarray(0, 20);
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der.trueValue()] : [];
  return der.sequence(der.objectIdentifier(oid), ...flag, der.octetString(value));
}

function extensions(content: CertificateContent): Buffer[] {
  const result = [
    extension(OID.basicConstraints, true, der.sequence(...(content.authority ? [der.trueValue()] : []))),
    extension(OID.keyUsage, true, keyUsage(content)),
    extension(OID.subjectKeyIdentifier, false, der.octetString(keyIdentifier(content.key))),
    extension(OID.authorityKeyIdentifier, false, der.sequence(der.implicit(0, keyIdentifier(content.issuerKey)))),
  ];
  if (!content.authority) result.push(extension(OID.extendedKeyUsage, false, der.sequence(der.objectIdentifier(OID.serverAuth))));
  if (content.names.length > 0) result.push(extension(OID.subjectAltName, false, der.sequence(...content.names.map(generalName))));
  return result;
}

/** Bits 5 and 6 (sign certificates and CRLs) for an authority; bit 0 (signatures), for RSA also 2 (key transport), for a server. */
function keyUsage(content: CertificateContent): Buffer {
  if (content.authority) return der.bitString(Buffer.from([0b0000_0110]), 1);
  return content.key.asymmetricKeyType === "rsa" ? der.bitString(Buffer.from([0b1010_0000]), 5) : der.bitString(Buffer.from([0b1000_0000]), 7);
}

function generalName(name: string): Buffer {
  const family = isIP(name);
  if (family === 0) return der.implicit(2, Buffer.from(name, "ascii"));
  return der.implicit(7, family === 4 ? Buffer.from(name.split(".").map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Buffer {
  // URL writes every IPv6 address in one form, in hexadecimal groups, with at most one "::".
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const groups = (text: string): number[] => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = groups(tail ?? "");
  const middle = Array.from({ length: 8 - front.length - back.length }, () => 0);
  return Buffer.from([...front, ...middle, ...back].flatMap((group) => [group >> 8, group & 0xff]));
}
