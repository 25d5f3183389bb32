import type { X509Certificate } from "node:crypto";
import { warning } from "../federation/errors/error.ts";
import type { CodeDefinition, Problem } from "../federation/errors/error.ts";
import type { ServedChain } from "./chain.ts";
import { codes } from "./codes.ts";
import { describeChain, expiryOf, isSelfSigned, isSignedBy, oneLine, startOf, thumbprintOf } from "./fingerprint.ts";
import type { ChainEntry } from "./fingerprint.ts";

export interface ChainVerdict {
  readonly chain: readonly ChainEntry[];
  /** What AWS computes from this chain; see `usedByAws` for whether it does. */
  readonly thumbprint: string;
  /** Chain, dates and name verify against the public roots alone: AWS then uses no thumbprint. */
  readonly publiclyTrusted: boolean;
  /** Chain, dates and name verify against the public roots or the extra CA. A thumbprint of anything else must not be registered. */
  readonly verified: boolean;
  /** AWS falls back to the thumbprint: the chain verifies, and not against public roots. */
  readonly usedByAws: boolean;
  /** Why the chain does not verify; empty when it does. */
  readonly failures: readonly Problem[];
  /** What is wrong or surprising beside that. */
  readonly warnings: readonly Problem[];
}

const SOON_MS = 30 * 86_400_000;
/** Outcomes of a handshake that the dates and the name explain better than "untrusted" would. */
const EXPLAINED = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "ERR_TLS_CERT_ALTNAME_INVALID"]);

/** Judges a chain as AWS would use it. Pure; `now` decides about dates. Public roots are Mozilla's, which stand for AWS's own list. */
export function judgeChain(served: ServedChain, now: Date): ChainVerdict {
  const name = judgeName(served);
  const dates = judgeDates(served, now);
  const expired = dates.some((problem) => problem.code !== codes.TLS_CERT_EXPIRES_SOON.code);
  const publiclyTrusted = served.publicRoots.trusted && name.length === 0;
  const verified = publiclyTrusted || (served.extraRoots?.trusted === true && name.length === 0);
  const failures = verified ? [] : [...judgeTrust(served, expired), ...name, ...dates.filter(isFailure)];
  const softDates = verified ? dates : dates.filter((problem) => !isFailure(problem));
  return {
    chain: describeChain(served.certificates),
    thumbprint: thumbprintOf(served.certificates),
    publiclyTrusted,
    verified,
    usedByAws: verified && !publiclyTrusted,
    failures: failures.length > 0 || verified ? failures : [untrusted(served)],
    warnings: [...softDates, ...judgeOrder(served), ...judgeShape(served), ...judgeReading(served, publiclyTrusted)],
  };
}

const isFailure = (problem: Problem): boolean => problem.code !== codes.TLS_CERT_EXPIRES_SOON.code;

function about(served: ServedChain, definition: CodeDefinition, words: string, details: Record<string, unknown> = {}): Problem {
  const host = served.host.includes(":") ? `[${served.host}]` : served.host;
  return warning(definition, { message: `${host}:${served.port} ${words}`, details: { host: served.host, port: served.port, ...details } });
}

function judgeTrust(served: ServedChain, datesAreBad: boolean): Problem[] {
  const { reason } = served.extraRoots ?? served.publicRoots;
  // With bad dates the library may report only those; without them a reason about dates still has to be told.
  const explained = reason === null || (EXPLAINED.has(reason) && (datesAreBad || reason === "ERR_TLS_CERT_ALTNAME_INVALID"));
  return explained ? [] : [untrusted(served)];
}

function untrusted(served: ServedChain): Problem {
  const reason = (served.extraRoots ?? served.publicRoots).reason ?? "no reason given";
  const roots = served.extraRoots === null ? "a public root" : "a public root or the given CA";
  const top = oneLine(served.certificates.at(-1)?.issuer);
  return about(served, codes.TLS_UNTRUSTED, `sends a chain that does not lead to ${roots} (${reason}); its top is issued by ${top}`, { reason, topIssuer: top });
}

function judgeName(served: ServedChain): Problem[] {
  const [leaf] = served.certificates;
  if (leaf === undefined) return [];
  const matches = served.servername === null ? leaf.checkIP(served.host) : leaf.checkHost(served.servername, { subject: "never" });
  if (matches !== undefined) return [];
  const names = leaf.subjectAltName;
  if (names === undefined) return [about(served, codes.TLS_COMMON_NAME_ONLY, `has a certificate for ${oneLine(leaf.subject)} without subject alternative names`)];
  return [about(served, codes.TLS_NAME_MISMATCH, `has a certificate for ${names} only`, { names })];
}

function judgeDates(served: ServedChain, now: Date): Problem[] {
  const entries = describeChain(served.certificates);
  return served.certificates.flatMap((certificate, index) => {
    const { role = "leaf", subject = "", notAfter = "" } = entries[index] ?? {};
    const details = { role, subject, notAfter };
    const who = `the ${role} certificate ${subject}`;
    const left = expiryOf(certificate).getTime() - now.getTime();
    if (left < 0) return [about(served, codes.TLS_CERT_EXPIRED, `sends ${who}, which expired at ${notAfter}`, details)];
    const start = startOf(certificate);
    if (start > now) return [about(served, codes.TLS_CERT_NOT_YET_VALID, `sends ${who}, which starts at ${start.toISOString()}`, { ...details, notBefore: start.toISOString() })];
    if (left < SOON_MS) return [about(served, codes.TLS_CERT_EXPIRES_SOON, `sends ${who}, which expires at ${notAfter}`, details)];
    return [];
  });
}

/** Order and strays, told by signatures and not by names. */
function judgeOrder(served: ServedChain): Problem[] {
  const { certificates } = served;
  if (!served.orderObserved || certificates.every((each, index) => index === 0 || isSignedBy(certificates[index - 1] ?? each, each))) return [];
  const path = sortChain(certificates);
  const strays = certificates.filter((each) => !path.includes(each)).map((each) => oneLine(each.subject));
  if (strays.length > 0) return [about(served, codes.CHAIN_UNRELATED, `sends certificates twice or without a part in the chain: ${strays.join("; ")}`, { unrelated: strays })];
  const top = path.at(-1);
  const last = certificates.at(-1);
  const words =
    top === last
      ? "sends its intermediates out of order"
      : `sends its certificates out of order: the last one is ${oneLine(last?.subject)}, the top one is ${oneLine(top?.subject)}; the thumbprint is of the last one, which is what AWS's documentation says to take`;
  return [about(served, codes.CHAIN_SHUFFLED, words, { expected: path.map((each) => oneLine(each.subject)) })];
}

/** From the leaf upwards, as far as signatures lead. */
function sortChain(certificates: readonly X509Certificate[]): X509Certificate[] {
  const path = certificates.slice(0, 1);
  for (;;) {
    const last = path.at(-1);
    const next = last === undefined ? undefined : certificates.find((each) => !path.some((used) => used.fingerprint256 === each.fingerprint256) && isSignedBy(last, each));
    if (next === undefined) return path;
    path.push(next);
  }
}

function judgeShape(served: ServedChain): Problem[] {
  const [leaf, ...others] = served.certificates;
  if (leaf === undefined) return [];
  if (isSelfSigned(leaf)) return [about(served, codes.CHAIN_SELF_SIGNED, `has a certificate signed by itself, ${oneLine(leaf.subject)}`)];
  if (others.length === 0) return [about(served, codes.CHAIN_LEAF_ONLY, "sends its own certificate alone, whose thumbprint changes at every renewal")];
  const root = others.find(isSelfSigned);
  if (root === undefined) return [];
  return [about(served, codes.CHAIN_WITH_ROOT, `sends the root ${oneLine(root.subject)} too`, { root: oneLine(root.subject) })];
}

function judgeReading(served: ServedChain, publiclyTrusted: boolean): Problem[] {
  const problems: Problem[] = [];
  if (!served.orderObserved) problems.push(about(served, codes.TLS13_ONLY, "speaks TLS 1.3 only, so the order of its certificates could not be observed"));
  // Nearly every public site shares its address; without a thumbprint that has no consequence.
  if (!publiclyTrusted && (served.withoutSni === "different" || served.withoutSni === "refused")) {
    const words = served.withoutSni === "different" ? "sends another chain to clients that do not send SNI" : "refuses clients that do not send SNI";
    problems.push(about(served, codes.SNI_DEPENDENT, words));
  }
  if (served.throughProxy) {
    const words = publiclyTrusted
      ? "was read through a proxy; the chain is publicly trusted, so the proxy did not replace it"
      : "was read through a proxy and its chain is not publicly trusted: if the proxy inspects TLS, this is the proxy's chain and its thumbprint is wrong";
    problems.push(about(served, codes.TLS_THROUGH_PROXY, words, { publiclyTrusted }));
  }
  return problems;
}
