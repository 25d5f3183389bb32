import type { Findings } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { parseDiscovery } from "../../../oidc/discovery.ts";
import { checkIssuerUrl } from "../../../oidc/issuer.ts";
import { algorithmOf, parseJwks } from "../../../oidc/jwks.ts";
import { member } from "../../../oidc/json.ts";
import type { IssuerFacts } from "../../../oidc/read-issuer.ts";
import { awsInputCodes } from "../codes.ts";
import { awsWarningCodes } from "../warning-codes.ts";
import type { AwsSetupSpec } from "../input/setup-spec.ts";
import { MAX_KEYS_PER_KIND, readSet, type SetKey } from "../judge/keys.ts";
import { ALGORITHMS } from "../judge/rules-token.ts";

/**
 * What AWS would make of the issuer's documents and chain, before anything is registered: the five members of the
 * discovery document and the exact issuer, public keys only, at most 100 keys of a kind, at least one that AWS can
 * use; warnings for keys that it ignores and for a thumbprint that does not fit.
 */
export function judgeIssuer(facts: IssuerFacts, spec: AwsSetupSpec): Findings {
  const discovery = judgeDiscovery(facts, spec);
  const keys = judgeKeys(facts.jwks);
  return {
    problems: [...discovery.problems, ...keys.problems],
    warnings: [...checkIssuerUrl(spec.issuer).warnings, ...discovery.warnings, ...keys.warnings, ...judgeThumbprint(facts, spec)],
  };
}

function judgeDiscovery(facts: IssuerFacts, spec: AwsSetupSpec): Findings {
  const { value, problem } = attempt(() => parseDiscovery(facts.discovery, spec.issuer));
  if (value === null) return { problems: problem === null ? [] : [problem], warnings: [] };
  const known = value.algorithms.some((algorithm) => ALGORITHMS.some((name) => name === algorithm));
  if (known) return { problems: [], warnings: [] };
  const message = `the discovery document lists ${value.algorithms.join(", ")}, none of which AWS takes`;
  return { problems: [], warnings: [warning(awsWarningCodes.AWS_ALGORITHMS_UNSUPPORTED, { message })] };
}

function judgeKeys(jwks: unknown): Findings {
  const { problem } = attempt(() => parseJwks(jwks));
  if (problem !== null) return { problems: [problem], warnings: [] };
  const keys = readSet(jwks) ?? [];
  const judged = keys.map((key, index) => ({ key, complaint: complaintOf(key, keys, index) }));
  const warnings = judged.flatMap(({ key, complaint }) => (complaint === null ? [] : [toWarning(key, complaint)]));
  const problems = ["RSA", "EC"].flatMap((kind) => judgeCount(kind, keys));
  if (judged.some(({ complaint }) => complaint === null)) return { problems, warnings };
  const message = `AWS could use none of the ${keys.length} keys at the issuer: ${judged[0]?.key.name} ${judged[0]?.complaint}`;
  return { problems: [...problems, new KubeassumeError(awsInputCodes.AWS_NO_USABLE_KEY, { message })], warnings };
}

/** Why AWS does not use a key, as a clause; null when it does. */
function complaintOf(key: SetKey, keys: readonly SetKey[], index: number): string | null {
  if (key.ignoredBecause !== null) return `is ignored: ${key.ignoredBecause}`;
  if (member(key.jwk, "key_ops") !== undefined) return "has key_ops, with which AWS refuses the key whatever it lists";
  if (algorithmOf(key.jwk) === null) return `is for ${JSON.stringify(member(key.jwk, "alg") ?? null)}, which AWS does not take`;
  const later = keys.slice(index + 1).some((other) => other.kid === key.kid && other.ignoredBecause === null && key.key?.equals(other.key as NonNullable<SetKey["key"]>) === false);
  return later ? "shares its kid with a later key, and AWS takes the last" : null;
}

function toWarning(key: SetKey, complaint: string): Problem {
  return warning(awsWarningCodes.AWS_KEY_UNUSABLE, { message: `${key.name} ${complaint}`, details: { kid: key.kid } });
}

function judgeCount(kind: string, keys: readonly SetKey[]): readonly KubeassumeError[] {
  const count = keys.filter((key) => member(key.jwk, "kty") === kind).length;
  if (count <= MAX_KEYS_PER_KIND) return [];
  return [new KubeassumeError(awsInputCodes.AWS_TOO_MANY_KEYS, { message: `the key set has ${count} ${kind} keys, more than ${MAX_KEYS_PER_KIND}` })];
}

function judgeThumbprint(facts: IssuerFacts, spec: AwsSetupSpec): readonly Problem[] {
  const { thumbprint } = spec;
  if (typeof thumbprint === "string" || facts.chain === null) return [];
  if (facts.chain.publiclyTrusted) return [warning(awsWarningCodes.AWS_THUMBPRINT_UNUSED, { message: `thumbprint ${thumbprint.sha1} is given for a publicly trusted chain` })];
  const served = facts.chain.thumbprints.map((one) => one.thumbprint.toLowerCase());
  if (served.includes(thumbprint.sha1)) return [];
  const message = `thumbprint ${thumbprint.sha1} is given, the chain that is served has ${served.join(", ")}`;
  return [warning(awsWarningCodes.AWS_THUMBPRINT_DIFFERS, { message, details: { given: thumbprint.sha1, served } })];
}

function attempt<T>(parse: () => T): { readonly value: T | null; readonly problem: KubeassumeError | null } {
  try {
    return { value: parse(), problem: null };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { value: null, problem: error };
  }
}
