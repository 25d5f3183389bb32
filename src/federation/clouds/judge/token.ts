import { type KeyObject, verify } from "node:crypto";
import { KubeassumeError } from "../../errors/error.ts";
import { parseJwt, type ParsedJwt } from "../../oidc/jwt.ts";

/** Why a rule about the token's content has nothing to look at. */
export const NO_TOKEN = "the token cannot be read";

/** The token taken apart, or why it is no JWT. Never throws. */
export function readToken(token: string): { readonly jwt: ParsedJwt | null; readonly formProblem: string | null } {
  try {
    return { jwt: parseJwt(token), formProblem: null };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { jwt: null, formProblem: error.message };
  }
}

/** Whether a document was read: null when it could not be, undefined when it is not to be judged. */
export function isGiven(document: unknown): boolean {
  return document !== undefined && document !== null;
}

/** Seconds since 1970 for messages, in RFC 3339. */
export function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().replace(".000Z", "Z");
}

/** A number of seconds for messages, in the largest unit that fits. */
export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

/** RSASSA-PKCS1-v1_5 or ECDSA with the two numbers side by side (RFC 7518 sections 3.3 and 3.4). */
export function isSignedBy(jwt: ParsedJwt, key: KeyObject, algorithm: string): boolean {
  try {
    return verify(`sha${algorithm.slice(2)}`, Buffer.from(jwt.signingInput), { key, dsaEncoding: "ieee-p1363" }, jwt.signature);
  } catch {
    // OpenSSL throws for keys with impossible numbers; such a key verifies nothing.
    return false;
  }
}
