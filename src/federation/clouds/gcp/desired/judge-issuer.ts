import type { Findings } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { parseDiscovery } from "../../../oidc/discovery.ts";
import { nameOf, parseJwks, type PublicJwk } from "../../../oidc/jwks.ts";
import type { IssuerFacts } from "../../../oidc/read-issuer.ts";
import { gcpInputCodes } from "../codes.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { complaintOf } from "../key-set.ts";
import { gcpWarningCodes } from "../warning-codes.ts";

const ALGORITHMS: readonly string[] = ["RS256", "ES256"];

/**
 * What Google would make of the issuer before anything is registered: the exact issuer in the discovery document, public
 * keys only, at least one that it can use, a kid for each. Of an upload nothing but the keys counts. TLS needs no judging
 * here: Google reads the issuer as every client does, and reading it was the proof.
 */
export function judgeIssuer(facts: IssuerFacts, spec: GcpSetupSpec): Findings {
  const discovery = spec.keySource === "upload" ? { problems: [], warnings: [] } : judgeDiscovery(facts, spec);
  const keys = judgeKeys(facts.jwks, spec.keySource === "upload" ? "to upload" : "at the issuer");
  return { problems: [...discovery.problems, ...keys.problems], warnings: [...discovery.warnings, ...keys.warnings] };
}

function judgeDiscovery(facts: IssuerFacts, spec: GcpSetupSpec): Findings {
  const { value, problem } = attempt(() => parseDiscovery(facts.discovery, spec.issuer));
  if (value === null) return { problems: problem === null ? [] : [problem], warnings: [] };
  if (value.algorithms.some((algorithm) => ALGORITHMS.includes(algorithm))) return { problems: [], warnings: [] };
  const message = `the discovery document lists ${value.algorithms.join(", ")}, none of which Google takes`;
  return { problems: [], warnings: [warning(gcpWarningCodes.GCP_ALGORITHMS_UNSUPPORTED, { message })] };
}

function judgeKeys(jwks: unknown, where: string): Findings {
  const { value, problem } = attempt(() => parseJwks(jwks));
  if (value === null) return { problems: problem === null ? [] : [problem], warnings: [] };
  const judged = value.keys.map((key, index) => ({ key, index, complaint: complaintOf(key) }));
  const warnings = judged.flatMap(({ key, index, complaint }) => (complaint === null ? [] : [toWarning(key, index, complaint)]));
  if (judged.some(({ complaint }) => complaint === null)) return { problems: [], warnings };
  const [first] = judged;
  const message = `Google could use none of the ${judged.length} keys ${where}: ${first === undefined ? "" : `${nameOf(first.key, first.index)} ${first.complaint}`}`;
  return { problems: [new KubeassumeError(gcpInputCodes.GCP_NO_USABLE_KEY, { message })], warnings };
}

function toWarning(key: PublicJwk, index: number, complaint: string): Problem {
  return warning(gcpWarningCodes.GCP_KEY_UNUSABLE, { message: `${nameOf(key, index)} ${complaint}`, details: { kid: key.kid ?? null } });
}

function attempt<T>(parse: () => T): { readonly value: T | null; readonly problem: KubeassumeError | null } {
  try {
    return { value: parse(), problem: null };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { value: null, problem: error };
  }
}
