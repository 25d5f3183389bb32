import { KubeassumeError } from "../../../errors/error.ts";
import { parseSubject } from "../../../oidc/subject.ts";
import { withoutScheme } from "../arn.ts";
import { statementId, WEB_IDENTITY_ACTION } from "../trust/statement.ts";
import { toRequestContext, UNKNOWN_KEYS } from "./context.ts";
import { DEFAULT_DURATION, providerArnOf } from "./facts.ts";
import type { Facts } from "./facts.ts";
import { parsePolicyDocument } from "./policy/document.ts";
import type { PolicyDocument, Statement } from "./policy/document.ts";
import { evaluatePolicy } from "./policy/evaluate.ts";
import type { PolicyVerdict, StatementOutcome } from "./policy/evaluate.ts";
import { accessDenied, malformedPolicy, validationError, WORDS } from "./refusals.ts";
import { argument, fail, pass, printable, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer } from "../../judge/rule.ts";
import type { Rule } from "./rule.ts";

const NO_ROLE = "there is no role to judge";

/** The role, its trust policy, and the session that it allows. */
export const roleRules: readonly Rule[] = [
  { id: "aws-token-session-claims", judge: judgeSessionClaims },
  { id: "aws-request-role", judge: judgeRole },
  { id: "aws-trust-policy-form", judge: judgePolicyForm },
  { id: "aws-trust-policy", judge: judgePolicy },
  { id: "aws-role-duration", judge: judgeRoleDuration },
];

function judgeSessionClaims({ claims }: Facts): Answer {
  const names = Object.keys(claims).filter((name) => name.startsWith("https://aws.amazon.com/"));
  return names.length === 0 ? pass("the token asks for no session tags, roles or source identity") : warn(`the token has ${names.slice(0, 5).map(quote).join(", ")}`);
}

function judgeRole({ input: { role }, roleArn, roleName }: Facts): Answer {
  if (roleArn === null || roleName === null) return skip("no role is named by its ARN");
  if (role === null) return fail(accessDenied(), `the role ${roleName} does not exist`);
  if (role.Arn === roleName) return pass(`the role ${roleName} exists`);
  return fail(accessDenied(), `the record is of ${quote(role.Arn)} and the request names ${quote(roleName)}`, "give the record of the role that is asked for");
}

function judgePolicyForm({ input }: Facts): Answer {
  const policy = readPolicy(input.role?.AssumeRolePolicyDocument);
  if (policy === null) return skip(NO_ROLE);
  if (policy instanceof KubeassumeError) return fail(malformedPolicy(String(policy.details["awsMessage"])), policy.message);
  return pass(`the trust policy has ${policy.statements.length} ${policy.statements.length === 1 ? "statement" : "statements"}`);
}

function judgePolicy(facts: Facts): Answer {
  const { provider, role } = facts.input;
  const policy = readPolicy(role?.AssumeRolePolicyDocument);
  if (policy === null) return skip(NO_ROLE);
  if (policy instanceof KubeassumeError) return skip("the trust policy cannot be read");
  if (facts.jwt === null || provider === null) return skip("there is no token and provider to judge it for");
  const providerArn = providerArnOf(provider, facts.roleArn);
  const verdict = evaluatePolicy(policy, { action: WEB_IDENTITY_ACTION, providerArn, context: toRequestContext(facts) });
  const deciding = verdict.outcomes.find((outcome) => outcome.statement === verdict.statement);
  if (verdict.decision === "allow") return pass(`${nameOf(verdict.statement)} allows it${doubts(deciding)}`);
  if (verdict.decision === "explicit-deny") {
    return fail(accessDenied(), `${nameOf(verdict.statement)} denies it${doubts(deciding)}`, "remove the Deny, or narrow it");
  }
  return implicitDeny(verdict, facts);
}

function judgeRoleDuration({ input: { role }, durationSeconds }: Facts): Answer {
  if (role === null) return skip(NO_ROLE);
  const max = role.MaxSessionDuration ?? DEFAULT_DURATION;
  if (durationSeconds <= max) return pass(`the role allows sessions of ${max} seconds`);
  return fail(validationError(WORDS.roleDuration), `the session shall last ${durationSeconds} seconds and the role allows ${max}`);
}

function readPolicy(document: unknown): PolicyDocument | KubeassumeError | null {
  if (document === undefined) return null;
  try {
    return parsePolicyDocument(document);
  } catch (error) {
    if (error instanceof KubeassumeError) return error;
    throw error;
  }
}

/** Nothing allows it: says what the statement that comes nearest lacks, condition by condition. */
function implicitDeny(verdict: PolicyVerdict, facts: Facts): Answer {
  const allows = verdict.outcomes.filter((outcome) => outcome.statement.effect === "Allow");
  const nearest = allows.toSorted((a, b) => distance(a) - distance(b))[0];
  if (nearest === undefined) return fail(accessDenied(), "the trust policy has no statement that allows anything");
  const reasons = nearest.failures.map((failure) => {
    const unknown = failure.key !== null && UNKNOWN_KEYS.includes(failure.key) && facts.input.request.sourceIp === undefined;
    return unknown ? `${failure.message} that this judge knows of` : failure.message;
  });
  const others = allows.length > 1 ? ` (the nearest of ${allows.length} statements that allow)` : "";
  return fail(accessDenied(), `${nameOf(nearest.statement)} does not apply: ${reasons.join("; ")}${others}${doubts(nearest)}`, hintFor(nearest, facts));
}

/** Statements about this provider and action come nearest; then those with fewest unmet conditions. */
function distance(outcome: StatementOutcome): number {
  const has = (part: string): number => (outcome.failures.some((failure) => failure.part === part) ? 1 : 0);
  return has("principal") * 1_000_000 + has("action") * 100_000 + outcome.failures.length;
}

function hintFor(outcome: StatementOutcome, facts: Facts): string {
  const prefix = withoutScheme(facts.issuer ?? "").toLowerCase();
  const failed = (key: string): boolean => outcome.failures.some((failure) => failure.key === key);
  const accounts = accountsToGrant(outcome.statement, facts).map((account) => ` --service-account ${account}`).join("");
  const role = argument(facts.roleArn === null ? null : facts.roleName, "ROLE");
  const grant = `grant it: kubeassume grant aws --issuer-url ${argument(facts.issuer, "ISSUER")}${accounts} --role-arn ${role}`;
  if (outcome.failures.some((failure) => failure.part === "principal")) return `no statement trusts this provider; ${grant}`;
  if (failed(`${prefix}:sub`)) return grant;
  if (failed(`${prefix}:aud`)) return "mint the token for the audience that the policy wants, or change the policy's aud";
  const foreign = outcome.failures.find((failure) => failure.key !== null && /:(sub|aud)$/.test(failure.key));
  if (foreign !== undefined) return `condition keys begin with the issuer without https://: ${printable(prefix)}:sub and ${printable(prefix)}:aud`;
  return "";
}

/** The token's account, behind those that a statement of ours lets in already: a grant lists exactly who is named. */
function accountsToGrant(statement: Statement, { issuer, subject }: Facts): readonly string[] {
  const key = `${withoutScheme(issuer ?? "")}:sub`.toLowerCase();
  const present = statement.sid === statementId(issuer ?? "") ? statement.conditions.filter((condition) => condition.key.toLowerCase() === key).flatMap(({ values }) => values) : [];
  const accounts = [...present, subject ?? ""].map(parseSubject).map((account) => (account === null ? "NAMESPACE/NAME" : `${account.namespace}/${account.name}`));
  return [...new Set(accounts)];
}

function nameOf(statement: Statement | null): string {
  if (statement === null) return "no statement";
  return statement.sid === null ? `statement ${statement.number}` : `statement ${statement.number} (${statement.sid})`;
}

function doubts(outcome: StatementOutcome | undefined): string {
  return outcome === undefined || outcome.unconfirmed.length === 0 ? "" : `; ${outcome.unconfirmed.join("; ")} ${UNCONFIRMED}`;
}
