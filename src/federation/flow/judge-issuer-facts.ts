import type { Check, CheckDefinition } from "../errors/checks.ts";
import { KubeassumeError, type Problem } from "../errors/error.ts";
import { parseDiscovery } from "../oidc/discovery.ts";
import { type PublicKeySet, parseJwks } from "../oidc/jwks.ts";
import { parseJwt } from "../oidc/jwt.ts";
import { materialOf } from "../oidc/publish.ts";
import type { DocumentHeaders, IssuerFacts } from "../oidc/read-issuer.ts";
import type { Read } from "./status.ts";
import { statusChecks } from "./status-checks.ts";
import type { StatusTokens } from "./status-tokens.ts";

const EXPIRING_DAYS = 30;
/** Longest cache time that lets a rotation pass unnoticed. */
const MAX_AGE_SECONDS = 300;
const DAY_MS = 86_400_000;
const ISSUER_CHECKS = [statusChecks["issuer-reachable"], statusChecks["issuer-documents"], statusChecks["issuer-headers"], statusChecks["issuer-certificate"]];
const NOT_READ = "no cloud reads the issuer: the keys are uploaded";

/** Checks of the issuer's documents and certificate; pure. Null when no cloud reads the issuer. */
export function judgeIssuerFacts(issuer: string, read: Read<IssuerFacts> | null, now: Date): readonly Check[] {
  if (read === null) return ISSUER_CHECKS.map((definition) => answer(definition, "skip", NOT_READ, 0, ""));
  const { value: facts, failure, durationMs } = read;
  if (facts === null) {
    const reachable = answer(statusChecks["issuer-reachable"], "fail", failure?.message ?? `${issuer} could not be read`, durationMs, failure?.hint);
    return [reachable, ...ISSUER_CHECKS.slice(1).map((definition) => answer(definition, "skip", "the issuer could not be read", 0, ""))];
  }
  const reachable = answer(statusChecks["issuer-reachable"], "pass", `${issuer} answers, with its keys at ${facts.jwksUri ?? "an unknown place"}`, durationMs);
  return [reachable, judgeDocuments(issuer, facts), judgeHeaders(facts), judgeCertificate(facts, now)];
}

function judgeDocuments(issuer: string, facts: IssuerFacts): Check {
  const problems = [problemOf(() => parseDiscovery(facts.discovery, issuer)), problemOf(() => parseJwks(facts.jwks))].filter((one) => one !== null);
  const [first] = problems;
  if (first === undefined) return answer(statusChecks["issuer-documents"], "pass", "discovery document and key set are as every cloud needs them", 0);
  return answer(statusChecks["issuer-documents"], "fail", problems.map((one) => one.message).join("; "), 0, first.hint);
}

function problemOf(parse: () => unknown): Problem | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof KubeassumeError) return error.toProblem();
    throw error;
  }
}

function judgeHeaders(facts: IssuerFacts): Check {
  const complaints = [complaintOf("discovery document", facts.headers.discovery), complaintOf("JWKS", facts.headers.jwks)].filter((one) => one !== null);
  if (complaints.length === 0) return answer(statusChecks["issuer-headers"], "pass", "JSON with a short cache time", 0);
  return answer(statusChecks["issuer-headers"], "warn", complaints.join("; "), 0);
}

function complaintOf(what: string, headers: DocumentHeaders): string | null {
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(headers.contentType)) return `the ${what} is served as ${headers.contentType || "nothing in particular"}`;
  const age = /max-age=(\d+)/i.exec(headers.cacheControl)?.[1];
  if (age !== undefined && Number(age) > MAX_AGE_SECONDS) return `the ${what} may be cached for ${age} seconds`;
  return null;
}

function judgeCertificate(facts: IssuerFacts, now: Date): Check {
  const definition = statusChecks["issuer-certificate"];
  if (facts.chain === null) return answer(definition, "skip", "the chain was not read", 0, "");
  const ends = facts.chain.thumbprints.map(({ host, notAfter }) => ({ host, days: Math.floor((Date.parse(notAfter) - now.getTime()) / DAY_MS) }));
  const soonest = ends.reduce((least, one) => (one.days < least.days ? one : least), ends[0] ?? { host: facts.issuer, days: Number.POSITIVE_INFINITY });
  const trust = facts.chain.publiclyTrusted ? "publicly trusted" : "trusted through the given CA only";
  const words = `the chain of ${soonest.host} is ${trust} and expires in ${soonest.days} days`;
  return answer(definition, soonest.days < 0 ? "fail" : soonest.days < EXPIRING_DAYS ? "warn" : "pass", words, 0);
}

export interface ClusterReads {
  /** Null when no cloud reads the issuer. */
  readonly facts: Read<IssuerFacts> | null;
  readonly keySets: Read<{ readonly sets: readonly string[]; readonly warnings: readonly Problem[] }> | null;
  readonly clusterIssuer: Read<string | null> | null;
  readonly tokens: StatusTokens;
}

/** Checks of what the cluster signs against what is published; pure. */
export function judgeCluster(issuer: string, reads: ClusterReads): readonly Check[] {
  const ids = [statusChecks["issuer-keys"], statusChecks["cluster-issuer"], statusChecks["cluster-api-audiences"]];
  if (reads.keySets === null) return ids.map((definition) => answer(definition, "skip", "no cluster was given", 0, "name one with --context or in kubeassume.yaml"));
  return [judgeKeys(reads), judgeClusterIssuer(issuer, reads), judgeApiAudiences(reads)];
}

function judgeKeys(reads: ClusterReads): Check {
  const definition = statusChecks["issuer-keys"];
  const { keySets, facts } = reads;
  if (keySets?.value == null) return answer(definition, "fail", keySets?.failure?.message ?? "the cluster's keys could not be read", keySets?.durationMs ?? 0, keySets?.failure?.hint);
  if (facts === null) return answer(definition, "skip", NOT_READ, keySets.durationMs, "");
  if (facts.value === null) return answer(definition, "skip", "the issuer could not be read", 0, "");
  const published = readableKeys(facts.value.jwks);
  const inUse = keySets.value.sets.flatMap((set) => readableKeys(set));
  const materials = new Map(published.map((key) => [key.kid, materialOf(key)]));
  const missing = inUse.filter((key) => materials.get(key.kid) !== materialOf(key)).map((key) => key.kid ?? "without kid");
  if (missing.length > 0) return answer(definition, "fail", `the cluster signs with keys that are not published: ${[...new Set(missing)].join(", ")}`, keySets.durationMs);
  const extra = published.length - new Set(inUse.map((key) => key.kid)).size;
  const count = new Set(inUse.map((key) => key.kid)).size;
  const words = `${count === 1 ? "the one key" : `all ${count} keys`} of the cluster ${count === 1 ? "is" : "are"} published${extra > 0 ? `, and ${extra} more` : ""}`;
  const [unread] = keySets.value.warnings;
  return unread === undefined ? answer(definition, "pass", words, keySets.durationMs) : answer(definition, "warn", `${words}; ${unread.message}`, keySets.durationMs, unread.hint);
}

/** The keys of a set, as text or parsed; none when it cannot be read. */
export function readableKeys(jwks: unknown): PublicKeySet["keys"] {
  try {
    return parseJwks(jwks).keys;
  } catch (error) {
    if (error instanceof KubeassumeError) return [];
    throw error;
  }
}

function judgeClusterIssuer(issuer: string, reads: ClusterReads): Check {
  const definition = statusChecks["cluster-issuer"];
  if (reads.tokens.failure !== null) return answer(definition, "fail", `no token could be minted: ${reads.tokens.failure.message}`, 0, reads.tokens.failure.hint);
  const { apiToken } = reads.tokens;
  const minted = apiToken === null ? undefined : parseJwt(apiToken).claims["iss"];
  const named = minted ?? reads.clusterIssuer?.value ?? null;
  if (named === issuer) return answer(definition, "pass", `${minted === undefined ? "the cluster's discovery document" : "a freshly minted token"} names ${issuer}`, 0);
  if (named !== null) return answer(definition, "fail", `the cluster ${minted === undefined ? "names" : "signs for"} ${String(named)} instead of ${issuer}`, 0);
  return answer(definition, "warn", reads.clusterIssuer?.failure?.message ?? "the cluster serves no discovery document", 0, "status --mint reads the issuer from a token instead");
}

function judgeApiAudiences(reads: ClusterReads): Check {
  const definition = statusChecks["cluster-api-audiences"];
  const { apiToken, byCloud } = reads.tokens;
  if (apiToken === null) return answer(definition, "skip", "known only with --mint", 0, "");
  const own = toList(parseJwt(apiToken).claims["aud"]);
  const ofClouds = [...byCloud.values()].flatMap((tokens) => [...tokens.values()]).flatMap((token) => toList(parseJwt(token).claims["aud"]));
  const shared = own.filter((audience) => ofClouds.includes(audience));
  if (shared.length === 0) return answer(definition, "pass", `the API server's own audiences are ${own.join(", ")}`, 0);
  return answer(definition, "fail", `the API server accepts tokens that are meant for a cloud: ${shared.join(", ")}`, 0);
}

function toList(audience: unknown): readonly string[] {
  return (Array.isArray(audience) ? audience : [audience]).filter((one): one is string => typeof one === "string");
}

function answer(definition: CheckDefinition, status: Check["status"], message: string, durationMs: number, hint?: string): Check {
  return { id: definition.id, cloud: null, status, message, hint: status === "pass" ? "" : (hint ?? definition.fix), durationMs };
}
