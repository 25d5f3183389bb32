import { member, parseJsonObject, stringsOf } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import type { ParsedJwt } from "../../../oidc/jwt.ts";
import { readToken } from "../../judge/token.ts";
import { ownAudiences, parseProviderName, poolName } from "../names.ts";
import type { ProviderPlace } from "../names.ts";
import { evaluateMapping } from "./cel.ts";
import type { MappingResult } from "./cel.ts";
import { readSet } from "./keys.ts";
import type { SetKey } from "./keys.ts";
import type { Principal } from "./policy.ts";
import type { PoolRecord, ProviderRecord } from "./trust-file.ts";

export interface GcpJudgeInput {
  readonly token: string;
  /** The discovery document as parsed JSON; null when it could not be read, undefined when it is not to be judged. */
  readonly discovery?: unknown;
  /** The issuer's key set as parsed JSON; null or undefined when it could not be read. Not looked at when the provider has keys of its own. */
  readonly jwks?: unknown;
  /** Null when there is none; undefined when nobody looked, as for what is no token at all. */
  readonly pool: PoolRecord | null | undefined;
  readonly provider: ProviderRecord | null | undefined;
  /** Allow policy of the service account; null when the account does not exist, undefined when nobody gave it. */
  readonly serviceAccountPolicy?: unknown;
  /** Allow policy of the project, or of what is reached directly; null or undefined when nobody gave it. */
  readonly projectPolicy?: unknown;
  /** E-mail of the service account that is to be impersonated; null or undefined for direct access. */
  readonly serviceAccount?: string | null | undefined;
  /** Roles that the member must have on what the project policy is of; by default any. */
  readonly roles?: readonly string[] | undefined;
  readonly at: Date;
  /** Why Google could not read the issuer's documents, in one clause. */
  readonly issuerFailure?: { readonly message: string } | undefined;
}

/** What every rule looks at: the input, and what can be read from the token. */
export interface Facts {
  readonly input: GcpJudgeInput;
  /** Seconds since 1970. */
  readonly now: number;
  readonly jwt: ParsedJwt | null;
  /** Why the token is no JWT; null when it is one. */
  readonly formProblem: string | null;
  readonly claims: JsonObject;
  readonly algorithm: string | null;
  readonly keyId: string | null;
  readonly issuer: string | null;
  /** Every entry of `aud`; null when it is absent or unreadable. */
  readonly audiences: readonly string[] | null;
  /** What the provider takes: its allowed audiences, else its own name with and without `https:`. */
  readonly allowed: readonly string[];
  /** The first audience of the token that the provider takes. */
  readonly audience: string | null;
  /** The provider's name taken apart; null when it is none. */
  readonly place: ProviderPlace | null;
  /** The key set as text that was uploaded to the provider; null when it fetches the issuer's. */
  readonly uploaded: string | null;
  /** The keys that count; null when they were not read or are no key set. */
  readonly keys: readonly SetKey[] | null;
  /** Null without a token or a provider. */
  readonly mapping: MappingResult | null;
  readonly principal: Principal | null;
}

/** Reads of a token and the records everything that the rules look at; what cannot be read is null. */
export function readFacts(input: GcpJudgeInput): Facts {
  const { jwt, formProblem } = readToken(input.token);
  const claims = jwt?.claims ?? {};
  const provider = input.provider ?? null;
  const place = provider === null ? null : parseProviderName(provider.name);
  const audiences = stringsOf(member(claims, "aud"));
  const allowed = allowedBy(provider);
  const uploaded = provider?.oidc?.jwksJson || null;
  const mapping = jwt === null || provider === null ? null : evaluateMapping(provider.attributeMapping ?? {}, provider.attributeCondition, claims);
  return {
    input,
    now: Math.floor(input.at.getTime() / 1000),
    jwt,
    formProblem,
    claims,
    algorithm: textOf(member(jwt?.header ?? {}, "alg")),
    keyId: textOf(member(jwt?.header ?? {}, "kid")),
    issuer: textOf(member(claims, "iss")),
    audiences,
    allowed,
    audience: audiences?.find((one) => allowed.includes(one)) ?? null,
    place,
    uploaded,
    keys: readSet(uploaded === null ? input.jwks : parseJsonObject(uploaded)),
    mapping,
    principal: toPrincipal(mapping, place),
  };
}

/** A time claim: a number of seconds, whole or not; null when it is anything else. */
export function secondsOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function allowedBy(provider: ProviderRecord | null): readonly string[] {
  if (provider === null) return [];
  const listed = provider.oidc?.allowedAudiences ?? [];
  return listed.length > 0 ? listed : ownAudiences(provider.name);
}

function toPrincipal(mapping: MappingResult | null, place: ProviderPlace | null): Principal | null {
  if (mapping === null || !mapping.ok || place === null) return null;
  const { attributes, groups } = mapping;
  return { pool: poolName(place), subject: attributes["google.subject"] ?? "", attributes, groups };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
