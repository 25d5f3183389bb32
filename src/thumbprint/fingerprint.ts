import { createHash } from "node:crypto";
import type { X509Certificate } from "node:crypto";

/** One certificate of a chain, as in `Thumbprint.data.chain`. */
export interface ChainEntry {
  /** Distinguished name on one line. */
  readonly subject: string;
  readonly issuer: string;
  /** RFC 3339, UTC. */
  readonly notAfter: string;
  /** SHA-1 of the DER bytes in lower-case hexadecimal, as AWS writes thumbprints. */
  readonly sha1: string;
  readonly role: "leaf" | "intermediate" | "root";
}

/** Describes each certificate, in the given order. The first is always the leaf, even when it signed itself. */
export function describeChain(chain: readonly X509Certificate[]): ChainEntry[] {
  return chain.map((certificate, index) => ({
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    notAfter: expiryOf(certificate).toISOString(),
    sha1: sha1Of(certificate),
    role: index === 0 ? "leaf" : isSelfSigned(certificate) ? "root" : "intermediate",
  }));
}

/**
 * The thumbprint that AWS computes: SHA-1 over the last certificate that the server sends, 40 lower-case hexadecimal
 * digits. Source: IAM user guide, "Obtain the thumbprint for an OpenID Connect identity provider".
 */
export function thumbprintOf(chain: readonly X509Certificate[]): string {
  const top = chain.at(-1);
  if (top === undefined) throw new TypeError("a chain has at least one certificate");
  return sha1Of(top);
}

/** SHA-1 of the certificate's DER bytes in lower-case hexadecimal. */
export function sha1Of(certificate: X509Certificate): string {
  return createHash("sha1").update(certificate.raw).digest("hex");
}

/** When the certificate ends. */
export function expiryOf(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}

/** When the certificate begins. */
export function startOf(certificate: X509Certificate): Date {
  return new Date(certificate.validFrom);
}

/** Whether `lower` was really signed by `upper`: by name and signature, so that odd key usages of either do not matter. */
export function isSignedBy(lower: X509Certificate, upper: X509Certificate): boolean {
  return lower.issuer === upper.subject && lower.verify(upper.publicKey);
}

/** Whether the certificate carries its own signature, not only its own name. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return isSignedBy(certificate, certificate);
}

/** Node writes one attribute per line, escaped as in RFC 2253; an empty name is undefined to it in some versions. */
export function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}
