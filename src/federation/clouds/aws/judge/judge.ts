import type { Verdict } from "../../cloud.ts";
import { judgeChecks } from "./checks.ts";
import type { JudgeCheckId } from "./checks.ts";
import { providerArnOf, readFacts } from "./facts.ts";
import type { AwsJudgeInput, Facts } from "./facts.ts";
import { runRules } from "../../judge/rule.ts";
import type { Rule } from "./rule.ts";
import { issuerRules } from "./rules-issuer.ts";
import { providerRules } from "./rules-provider.ts";
import { requestRules } from "./rules-request.ts";
import { roleRules } from "./rules-role.ts";
import { timeRules, tokenRules } from "./rules-token.ts";

/** What STS would answer, and why. */
export interface AwsVerdict extends Verdict {
  /** 200 when accepted. */
  readonly httpStatus: number;
  /** The check that refuses; null when accepted. */
  readonly refusedBy: JudgeCheckId | null;
  /** What to do about the refusal; null when accepted. */
  readonly fix: string | null;
}

/**
 * In the order in which STS is taken to refuse: cheap checks of its own first, then the issuer's documents, then the
 * role. AWS documents no order; where two rules refuse the same token, which one AWS names is unconfirmed.
 */
const RULES: readonly Rule[] = [...requestRules, ...tokenRules, ...providerRules, ...timeRules, ...issuerRules, ...roleRules];

/**
 * Judges a token as `sts:AssumeRoleWithWebIdentity` would, without asking anybody: what the call would hand out, or
 * AWS's own error code and words. Every rule is answered, those after the first refusal too where they can be.
 * Never throws on anything that a token, a document or a record may contain, and never repeats the signature.
 * Source: STS API reference, AssumeRoleWithWebIdentity; IAM User Guide, id_roles_providers_create_oidc.
 */
export function judgeAws(input: AwsJudgeInput): AwsVerdict {
  const facts = readFacts(input);
  const { checks, refused } = runRules("aws", RULES, judgeChecks, facts);
  const base = { claims: facts.claims, checks };
  if (refused === null) return { accepted: true, code: null, cloudMessage: null, session: toSession(facts), ...base, httpStatus: 200, refusedBy: null, fix: null };
  const { code, message, httpStatus } = refused.refusal;
  return { accepted: false, code, cloudMessage: message, session: null, ...base, httpStatus, refusedBy: refused.by, fix: refused.fix };
}

/** What STS returns beside the credentials; the principal is the session's ARN (AssumedRoleUser.Arn). */
function toSession({ subject, audience, input, roleArn, sessionName, durationSeconds }: Facts): AwsVerdict["session"] {
  const principal = `arn:${roleArn?.partition}:sts::${roleArn?.account}:assumed-role/${roleArn?.name}/${sessionName}`;
  const provider = input.provider === null ? "" : providerArnOf(input.provider, roleArn);
  return { subject: subject ?? "", audience: audience ?? "", provider, principal, durationSeconds };
}
