import { timingSafeEqual } from "node:crypto";
import { parseJsonObject } from "../../../../oidc/json.ts";
import { readFacts } from "../../judge/facts.ts";
import { judgeGcp } from "../../judge/judge.ts";
import type { GcpJudgeInput } from "../../judge/judge.ts";
import { WORDS } from "../../judge/refusals.ts";
import { parseProviderName, poolName, subjectMember } from "../../names.ts";
import { renderPool, renderProvider } from "../iam/render.ts";
import { issueToken, OPERATOR_NAME, OPERATOR_PROVIDER } from "../state.ts";
import type { Pool, Principal, Provider } from "../state.ts";
import type { GcpWorld } from "../world.ts";
import { readIssuer } from "./read-issuer.ts";

/** STS v1, ExchangeTokenRequest; empty texts are absent ones. */
export interface ExchangeRequest {
  readonly audience: string;
  readonly grantType: string;
  readonly options: string;
  readonly requestedTokenType: string;
  readonly scope: string;
  readonly subjectToken: string;
  readonly subjectTokenType: string;
}

/** A refusal in the form of RFC 6749 section 5.2. */
export class StsError extends Error {
  readonly code: string;
  readonly httpStatus: number;

  constructor(code: string, httpStatus: number, message: string) {
    super(message);
    this.name = "StsError";
    this.code = code;
    this.httpStatus = httpStatus;
  }
}

export function invalidRequest(message: string): StsError {
  return new StsError("invalid_request", 400, message);
}

const TOKEN_TYPE = "urn:ietf:params:oauth:token-type:";
const OPERATOR_SECONDS = 3600;

/**
 * The token exchange, answered by the judge of `verify`. The issuer is asked only when everything that needs no
 * network is right.
 *
 * @throws StsError with the judge's code, status and words
 */
export async function exchange(request: ExchangeRequest, world: GcpWorld): Promise<unknown> {
  checkForm(request);
  const scopes = request.scope.split(" ").filter((scope) => scope !== "");
  if (request.audience === OPERATOR_PROVIDER) return grant(operatorOf(request, world), OPERATOR_SECONDS, scopes, world);
  const provider = /^\/\/iam\.googleapis\.com\/(.+)$/.exec(request.audience)?.[1] ?? "";
  const place = parseProviderName(provider);
  if (place === null || !/^\d+$/.test(place.project)) throw invalidRequest(WORDS.targetName);
  const input: GcpJudgeInput = { token: request.subjectToken, pool: poolOf(poolName(place), world), provider: providerOf(provider, world), at: world.now() };
  const offline = judgeGcp(input);
  const asked = offline.refusedBy === "gcp-issuer-reachable" ? { ...input, ...(await readIssuer(input.provider?.oidc?.issuerUri ?? "", world)), at: world.now() } : input;
  const verdict = asked === input ? offline : judgeGcp(asked);
  const { principal: identity } = readFacts(asked);
  if (verdict.session === null || identity === null) throw new StsError(verdict.code ?? "invalid_grant", verdict.httpStatus, verdict.cloudMessage ?? "");
  const principal = { kind: "federated", name: subjectMember(identity.pool, identity.subject), identity } as const;
  return grant(principal, verdict.session.durationSeconds, scopes, world);
}

function checkForm(request: ExchangeRequest): void {
  if (request.grantType !== "urn:ietf:params:oauth:grant-type:token-exchange") throw invalidRequest('Invalid value for "grant_type".');
  if (request.requestedTokenType !== `${TOKEN_TYPE}access_token`) throw invalidRequest('Invalid value for "requested_token_type".');
  if (request.subjectTokenType !== `${TOKEN_TYPE}jwt` && request.subjectTokenType !== `${TOKEN_TYPE}id_token`) throw invalidRequest('Invalid value for "subject_token_type".');
  if (request.subjectToken === "") throw invalidRequest('Invalid value for "subject_token".');
  if (!isKnownOptions(request.options)) throw invalidRequest('Invalid value for "options".');
  if (request.scope.trim() === "") throw invalidRequest('Invalid value for "scope".');
}

/** The project that calls are counted to, as libraries send it for workforce pools; access boundaries are left out. */
function isKnownOptions(text: string): boolean {
  return text === "" || Object.keys(parseJsonObject(text) ?? { "": null }).every((name) => name === "userProject");
}

/** The workforce pool that the operator comes from takes one opaque token, which only their credential file leads to. */
function operatorOf({ subjectToken }: ExchangeRequest, { state }: GcpWorld): Principal {
  const [given, wanted] = [Buffer.from(subjectToken.trim()), Buffer.from(state.operatorSecret)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new StsError("invalid_grant", 400, WORDS.notJwt);
  return { kind: "operator", name: OPERATOR_NAME };
}

function grant(principal: Principal, seconds: number, scopes: readonly string[], { state, now }: GcpWorld): unknown {
  const token = issueToken(state, principal, scopes, new Date(now().getTime() + seconds * 1000));
  return { access_token: token, issued_token_type: `${TOKEN_TYPE}access_token`, token_type: "Bearer", expires_in: seconds };
}

/** The pool as STS knows it by now, in the form in which IAM answers it. */
function poolOf(name: string, world: GcpWorld): GcpJudgeInput["pool"] {
  const pool = world.state.pools.get(name);
  return pool === undefined || isTooNew(pool, world) ? null : (renderPool(pool) as unknown as GcpJudgeInput["pool"]);
}

function providerOf(name: string, world: GcpWorld): GcpJudgeInput["provider"] {
  const provider = world.state.providers.get(name);
  return provider === undefined || isTooNew(provider, world) ? null : (renderProvider(provider) as unknown as GcpJudgeInput["provider"]);
}

function isTooNew({ since }: Pick<Pool | Provider, "since">, { now, propagationMs }: GcpWorld): boolean {
  return now().getTime() - since.getTime() < propagationMs;
}
