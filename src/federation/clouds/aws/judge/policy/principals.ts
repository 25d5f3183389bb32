import type { KubeassumeError } from "../../../../errors/error.ts";
import { isJsonObject, member, stringsOf } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { malformed, syntax } from "./malformed.ts";

const TYPES = ["AWS", "Federated", "Service", "CanonicalUser"] as const;

export type PrincipalType = (typeof TYPES)[number];

export interface Principals {
  /** `NotPrincipal`. */
  readonly negated: boolean;
  /** The bare `"*"`. */
  readonly everyone: boolean;
  readonly named: Readonly<Record<PrincipalType, readonly string[]>>;
}

/** Reads `Principal` or `NotPrincipal` of a statement; a trust policy needs exactly one. */
export function parsePrincipals(statement: JsonObject, where: string): Principals {
  const [principal, notPrincipal] = [member(statement, "Principal"), member(statement, "NotPrincipal")];
  if (principal === undefined && notPrincipal === undefined) {
    throw malformed(`${where}.Principal`, "is missing", "Missing required field Principal");
  }
  if (principal !== undefined && notPrincipal !== undefined) throw syntax(`${where}.Principal`, "and NotPrincipal exclude each other");
  const negated = principal === undefined;
  const value = principal ?? notPrincipal;
  const place = `${where}.${negated ? "NotPrincipal" : "Principal"}`;
  if (value === "*") return { negated, everyone: true, named: { AWS: [], Federated: [], Service: [], CanonicalUser: [] } };
  if (!isJsonObject(value) || Object.keys(value).length === 0) throw invalid(place, 'is neither "*" nor an object of principals');
  const unknown = Object.keys(value).find((name) => !TYPES.some((type) => type === name));
  if (unknown !== undefined) throw invalid(`${place}.${unknown}`, "is not a type of principal");
  const named = Object.fromEntries(TYPES.map((type) => [type, namesOf(value, type, place)])) as Record<PrincipalType, string[]>;
  return { negated, everyone: false, named };
}

function namesOf(value: JsonObject, type: PrincipalType, place: string): string[] {
  const raw = member(value, type);
  if (raw === undefined) return [];
  const names = stringsOf(raw);
  if (names === null || names.length === 0 || names.includes("")) throw invalid(`${place}.${type}`, "is not a name or a list of names");
  if (type !== "Federated") return names;
  const wrong = names.find((name) => name !== "*" && !FEDERATED.test(name));
  if (wrong !== undefined) throw invalid(`${place}.Federated`, `has ${JSON.stringify(wrong)}, which is neither a provider's ARN nor a domain name`);
  return names;
}

const FEDERATED = /^(arn:[\w-]+:iam::\d{12}:(oidc-provider|saml-provider)\/.+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$/;

function invalid(where: string, problem: string): KubeassumeError {
  return malformed(where, problem, "Invalid principal in policy");
}

export interface PrincipalAnswer {
  readonly matches: boolean;
  /** Set when no primary source says how AWS answers. */
  readonly unconfirmed: string | null;
}

/**
 * Whether a statement speaks about a web identity of this provider. `AWS` principals never do, not even `"*"`, as
 * recorded against AWS for Allow; a Deny for everyone is taken to reach web identities too, which is the safe reading.
 */
export function matchPrincipals(principals: Principals, providerArn: string, effect: "Allow" | "Deny"): PrincipalAnswer {
  const { everyone, named } = principals;
  const listed = named.Federated.includes(providerArn);
  const bare = everyone || named.Federated.includes("*");
  const awsEveryone = effect === "Deny" && named.AWS.includes("*");
  const matches = (listed || bare || awsEveryone) !== principals.negated;
  const unconfirmed = !listed && (bare || awsEveryone) ? 'whether "*" reaches web identities is unconfirmed' : null;
  return { matches, unconfirmed };
}
