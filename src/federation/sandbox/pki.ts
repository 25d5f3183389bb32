import type { KeyObject } from "node:crypto";
import { createPrivateKey, signCertificate } from "./pki-certificate.ts";
import type { KeyAlgorithm } from "./pki-certificate.ts";

const DAY_MS = 86_400_000;
/** Certificates start a little early, so that a client whose clock is slow accepts them. */
const EARLY_MS = 5 * 60_000;
const AUTHORITY_DAYS = 365;
/** Longer than the thirty days in which `thumbprint` and `status` warn about expiry. */
const SERVER_DAYS = 90;

export interface Validity {
  /** The time now. */
  readonly now: Date;
  /** Days until the certificate expires, counted from `notBefore` when that is given, else from `now`. */
  readonly days?: number | undefined;
  /** By default five minutes before `now`. */
  readonly notBefore?: Date | undefined;
}

export interface AuthorityOptions extends Validity {
  /** The common name of the authority. */
  readonly name: string;
  /** By default `ecdsa` (P-256); `rsa` makes a key of 2048 bits. */
  readonly algorithm?: KeyAlgorithm | undefined;
}

export interface ServerOptions extends Validity {
  /** DNS names and IP addresses that the certificate is good for; the first is also its common name. */
  readonly names: readonly string[];
  readonly algorithm?: KeyAlgorithm | undefined;
  /** Leaves the subject alternative names out, as old certificates do; clients refuse such a certificate. */
  readonly commonNameOnly?: boolean | undefined;
}

export interface ServerCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The certificate and the intermediates above it, in the order in which a server sends them, without the root. */
  readonly chainPem: string;
}

export interface Authority {
  readonly certificatePem: string;
  issueIntermediate(options: AuthorityOptions): Promise<Authority>;
  issueServer(options: ServerOptions): Promise<ServerCertificate>;
}

/**
 * A new root authority whose chains node:tls, OpenSSL, Python and Go accept (RFC 5280). Its key lives in memory only.
 * An authority is good for 365 days and a server certificate for 90, unless `days` says otherwise.
 */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const key = await createPrivateKey(options.algorithm ?? "ecdsa");
  const certificatePem = signCertificate({
    subject: options.name,
    issuer: options.name,
    ...validityOf(options, AUTHORITY_DAYS),
    key,
    issuerKey: key,
    authority: true,
    names: [],
  });
  return toAuthority({ name: options.name, key, certificatePem, intermediatesPem: "" });
}

interface Signer {
  readonly name: string;
  readonly key: KeyObject;
  readonly certificatePem: string;
  /** What a server has to send above its own certificate. */
  readonly intermediatesPem: string;
}

function toAuthority(signer: Signer): Authority {
  return {
    certificatePem: signer.certificatePem,
    issueIntermediate: (options) => issueIntermediate(signer, options),
    issueServer: (options) => issueServer(signer, options),
  };
}

async function issueIntermediate(signer: Signer, options: AuthorityOptions): Promise<Authority> {
  const key = await createPrivateKey(options.algorithm ?? "ecdsa");
  const certificatePem = signCertificate({
    subject: options.name,
    issuer: signer.name,
    ...validityOf(options, AUTHORITY_DAYS),
    key,
    issuerKey: signer.key,
    authority: true,
    names: [],
  });
  return toAuthority({ name: options.name, key, certificatePem, intermediatesPem: certificatePem + signer.intermediatesPem });
}

async function issueServer(signer: Signer, options: ServerOptions): Promise<ServerCertificate> {
  const key = await createPrivateKey(options.algorithm ?? "ecdsa");
  const certificatePem = signCertificate({
    // RFC 5280 allows 64 characters in a common name; clients read the alternative names only.
    subject: (options.names[0] ?? "server").slice(0, 64),
    issuer: signer.name,
    ...validityOf(options, SERVER_DAYS),
    key,
    issuerKey: signer.key,
    authority: false,
    names: options.commonNameOnly === true ? [] : options.names,
  });
  const keyPem = key.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificatePem, keyPem, chainPem: certificatePem + signer.intermediatesPem };
}

/** When a certificate with these options starts and ends. */
export function validityOf(options: Validity, defaultDays: number): { notBefore: Date; notAfter: Date } {
  const start = options.notBefore ?? options.now;
  return {
    notBefore: options.notBefore ?? new Date(options.now.getTime() - EARLY_MS),
    notAfter: new Date(start.getTime() + (options.days ?? defaultDays) * DAY_MS),
  };
}
