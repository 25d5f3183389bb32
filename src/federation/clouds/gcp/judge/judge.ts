import { member } from "../../../oidc/json.ts";
import type { Verdict } from "../../cloud.ts";
import { runRules } from "../../judge/rule.ts";
import type { Rule } from "../../judge/rule.ts";
import { subjectMember } from "../names.ts";
import { judgeChecks } from "./checks.ts";
import type { JudgeCheckId } from "./checks.ts";
import { readFacts, secondsOf } from "./facts.ts";
import type { Facts, GcpJudgeInput } from "./facts.ts";
import { accessRules } from "./rules-access.ts";
import { issuerRules } from "./rules-issuer.ts";
import { mappingRules } from "./rules-mapping.ts";
import { audienceRule, issuerRule, targetRules } from "./rules-provider.ts";
import { timeRules, tokenRules } from "./rules-token.ts";

export type { GcpJudgeInput } from "./facts.ts";

/** What Google would answer, and why. */
export interface GcpVerdict extends Verdict {
  /** 200 when accepted. */
  readonly httpStatus: number;
  /** The check that refuses; null when accepted. */
  readonly refusedBy: JudgeCheckId | null;
  /** What to do about the refusal; null when accepted. */
  readonly fix: string | null;
}

/** Seconds: the longest that STS and, by default, generateAccessToken give. */
const SESSION = 3600;

/**
 * In the order in which STS is taken to refuse: the target that the request names, the token and its issuer, the key
 * and the signature, audience and times, then mapping and condition; afterwards what IAM allows the identity. Google
 * documents no order; where two rules refuse the same token, which one Google names is unconfirmed.
 */
const RULES: readonly Rule<JudgeCheckId, Facts>[] = [
  ...targetRules,
  ...tokenRules,
  issuerRule,
  ...issuerRules,
  audienceRule,
  ...timeRules,
  ...mappingRules,
  ...accessRules,
];

/**
 * Judges a token as the exchange at `sts.googleapis.com` would, then generateAccessToken where a service account is
 * named or the policy where access is direct, without asking anybody: what would be handed out, or Google's own error
 * code and words. Every rule is answered, those after the first refusal too where they can be. Never throws on anything
 * that a token, a document or a record may contain, and never repeats the signature.
 * Source: STS v1, ExchangeTokenRequest; IAM v1, WorkloadIdentityPoolProvider; IAM credentials v1.
 */
export function judgeGcp(input: GcpJudgeInput): GcpVerdict {
  const facts = readFacts(input);
  const { checks, refused } = runRules("gcp", RULES, judgeChecks, facts);
  const base = { claims: facts.claims, checks };
  if (refused !== null) {
    const { code, message, httpStatus } = refused.refusal;
    return { accepted: false, code, cloudMessage: message, session: null, ...base, httpStatus, refusedBy: refused.by, fix: refused.fix };
  }
  return { accepted: true, code: null, cloudMessage: null, session: toSession(facts), ...base, httpStatus: 200, refusedBy: null, fix: null };
}

/** A federated token lives no longer than the token it was given for (recorded); an impersonated one has its own hour. */
function toSession({ principal, audience, now, claims, input: { provider, serviceAccount } }: Facts): GcpVerdict["session"] {
  const subject = principal?.subject ?? "";
  const left = Math.max(0, Math.floor((secondsOf(member(claims, "exp")) ?? now) - now));
  return {
    subject,
    audience: audience ?? "",
    provider: provider?.name ?? "",
    principal: serviceAccount || subjectMember(principal?.pool ?? "", subject),
    durationSeconds: serviceAccount ? SESSION : Math.min(SESSION, left),
  };
}
