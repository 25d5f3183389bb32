import { member, stringsOf } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import type { ParsedJwt } from "../../../oidc/jwt.ts";
import { readToken } from "../../judge/token.ts";
import { parseRoleArn, providerArn } from "../arn.ts";
import type { RoleArn } from "../arn.ts";
import { readSet } from "./keys.ts";
import type { SetKey } from "./keys.ts";
import type { ProviderRecord, RoleRecord } from "./trust-file.ts";

/** Used when the request names no session; STS itself insists on one. */
export const DEFAULT_SESSION_NAME = "kubeassume";
/** Seconds; the default of STS. */
export const DEFAULT_DURATION = 3600;

/** The call of AssumeRoleWithWebIdentity that is judged. */
export interface AwsRequest {
  /** By default the ARN of the role record. */
  readonly roleArn?: string | undefined;
  /** Default {@link DEFAULT_SESSION_NAME}. */
  readonly roleSessionName?: string | undefined;
  /** Default 3,600. */
  readonly durationSeconds?: number | undefined;
  /** The caller's address, for `aws:SourceIp`; absent when unknown. */
  readonly sourceIp?: string | undefined;
}

/** Why AWS could not read the issuer's documents. */
export interface IssuerFailure {
  /** `thumbprint`: a private CA that no registered thumbprint names. `transient`: worth a retry. Otherwise `unreachable`. */
  readonly reason: "unreachable" | "thumbprint" | "transient";
  readonly message: string;
}

export interface AwsJudgeInput {
  readonly token: string;
  /** The discovery document as parsed JSON; null when it could not be read, undefined when it is not to be judged. */
  readonly discovery?: unknown;
  /** The key set as parsed JSON; null or undefined when it could not be read: no token passes without its key. */
  readonly jwks?: unknown;
  readonly provider: ProviderRecord | null;
  readonly role: RoleRecord | null;
  readonly request: AwsRequest;
  readonly at: Date;
  readonly issuerFailure?: IssuerFailure | undefined;
}

/** What every rule looks at: the input, and what can be read from the token. */
export interface Facts {
  readonly input: AwsJudgeInput;
  /** Seconds since 1970. */
  readonly now: number;
  readonly jwt: ParsedJwt | null;
  /** Why the token is no JWT; null when it is one. */
  readonly formProblem: string | null;
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly algorithm: string | null;
  readonly keyId: string | null;
  readonly issuer: string | null;
  /** AWS turns numbers into strings. */
  readonly subject: string | null;
  /** Every entry of `aud`; null when it is absent or unreadable. */
  readonly audiences: readonly string[] | null;
  readonly authorizedParty: string | null;
  /** The audience that counts: `azp` when there is one, otherwise the only entry of `aud`. */
  readonly audience: string | null;
  /** The role that is asked for, as text; null when nobody names one. */
  readonly roleName: string | null;
  /** The same taken apart; null when it is no role's ARN. */
  readonly roleArn: RoleArn | null;
  /** The keys of the set as AWS sees them; null when it was not read or is no key set. */
  readonly keys: readonly SetKey[] | null;
  readonly sessionName: string;
  readonly durationSeconds: number;
}

/** Reads of a token and its request everything that the rules look at; what cannot be read is null. */
export function readFacts(input: AwsJudgeInput): Facts {
  const { jwt, formProblem } = readToken(input.token);
  const header = jwt?.header ?? {};
  const claims = jwt?.claims ?? {};
  const audiences = stringsOf(member(claims, "aud"));
  const authorizedParty = textOf(member(claims, "azp"));
  const only = audiences?.length === 1 ? (audiences[0] ?? null) : null;
  const subject = member(claims, "sub");
  const roleName = input.request.roleArn ?? input.role?.Arn ?? null;
  return {
    input,
    now: Math.floor(input.at.getTime() / 1000),
    jwt,
    formProblem,
    header,
    claims,
    algorithm: textOf(member(header, "alg")),
    keyId: textOf(member(header, "kid")),
    issuer: textOf(member(claims, "iss")),
    subject: typeof subject === "number" ? String(subject) : textOf(subject),
    audiences,
    authorizedParty,
    audience: authorizedParty ?? only,
    roleName,
    roleArn: roleName === null ? null : parseRoleArn(roleName),
    keys: readSet(input.jwks),
    sessionName: input.request.roleSessionName ?? DEFAULT_SESSION_NAME,
    durationSeconds: input.request.durationSeconds ?? DEFAULT_DURATION,
  };
}

/** The provider's ARN: as recorded, otherwise computed for the role's account and partition. */
export function providerArnOf(provider: ProviderRecord, roleArn: RoleArn | null): string {
  return provider.Arn ?? providerArn(provider.Url, roleArn ?? { partition: "aws", account: "" });
}

/** A claim that should be whole seconds: a number, or text of one. Null when AWS would not read it as such. */
export function secondsOf(value: unknown): number | null {
  const number = typeof value === "string" && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
