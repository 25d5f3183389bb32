import type { Findings, ServiceAccount } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { isJsonObject } from "../../../oidc/json.ts";
import { subjectOf } from "../../../oidc/subject.ts";
import { gcpInputCodes } from "../codes.ts";
import { evaluateMapping } from "../judge/cel.ts";
import { type CelOutcome, evaluateCondition } from "../judge/cel-evaluate.ts";
import { gcpWarningCodes } from "../warning-codes.ts";
import type { AttributeMapping } from "./mapping.ts";

export interface ConditionFacts {
  readonly issuer: string;
  readonly audience: string;
  readonly mapping: AttributeMapping;
  readonly condition: string;
  readonly accounts: readonly ServiceAccount[];
}

/** What a condition makes of the tokens of one account; `why` says more where there is more to say. */
type Answer = { readonly kind: "accepted" | "rejected" | "unclear"; readonly why: string };

/**
 * Evaluates an attribute condition on what tokens of these accounts say whatever their pod is. A problem when it rejects
 * every one of them; a warning for those that it rejects beside others, and where it asks for the pod or the node.
 */
export function judgeCondition({ issuer, audience, mapping, condition, accounts }: ConditionFacts): Findings {
  if (condition === "" || accounts.length === 0) return { problems: [], warnings: [] };
  const answers = askFor(accounts, (account) => answerFor(mapping, condition, claimsOf(issuer, audience, account)));
  const rejected = answers.filter(({ kind }) => kind === "rejected");
  const shown = JSON.stringify(condition.length > 200 ? `${condition.slice(0, 200)}...` : condition);
  if (rejected.length === answers.length) {
    const message = `the attribute condition ${shown} rejects ${listed(rejected)}`;
    return { problems: [new KubeassumeError(gcpInputCodes.GCP_CONDITION_REJECTS_GRANTS, { message, details: { condition, rejected: rejected.map(({ name }) => name) } })], warnings: [] };
  }
  return { problems: [], warnings: [...rejectedWarnings(shown, rejected), ...unclearWarnings(shown, answers.filter(({ kind }) => kind === "unclear"))] };
}

/** A condition that shuts one of thousands out is found when that one asks: this many answers are enough for warnings. */
const ENOUGH = 200;

function askFor(accounts: readonly ServiceAccount[], ask: (account: ServiceAccount) => Answer): readonly Named[] {
  const answers: Named[] = [];
  let rejectsAll = true;
  for (const account of accounts) {
    if (answers.length >= ENOUGH && !rejectsAll) break;
    const answer = ask(account);
    rejectsAll &&= answer.kind === "rejected";
    answers.push({ ...answer, name: `${account.namespace}/${account.name}` });
  }
  return answers;
}

function answerFor(mapping: AttributeMapping, condition: string, claims: Claims): Answer {
  const bare = outcomeOf(mapping, condition, claims);
  if (bare.kind === "value") return { kind: bare.value === true ? "accepted" : "rejected", why: "" };
  if (bare.kind === "unsupported") return { kind: "unclear", why: bare.message };
  // What only the pod's own claims can answer is no rejection; what they cannot answer either is one.
  const inPod = outcomeOf(mapping, condition, withPod(claims));
  return { kind: inPod.kind === "error" ? "rejected" : "unclear", why: bare.message };
}

function outcomeOf(mapping: AttributeMapping, condition: string, claims: Claims): CelOutcome {
  const mapped = evaluateMapping(mapping, undefined, claims);
  if (!mapped.ok) return { kind: mapped.reason === "expression" ? "unsupported" : "error", message: mapped.message };
  const named = (prefix: string) => Object.entries(mapped.attributes).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : []));
  const google = Object.fromEntries<unknown>([...named("google."), ["groups", mapped.groups]]);
  return evaluateCondition(condition, claims, google, Object.fromEntries(named("attribute.")));
}

type Named = Answer & { readonly name: string };

function rejectedWarnings(shown: string, rejected: readonly Named[]): readonly Problem[] {
  if (rejected.length === 0) return [];
  return [warning(gcpWarningCodes.GCP_CONDITION_REJECTS_SOME, { message: `the attribute condition ${shown} rejects ${listed(rejected)}`, details: { rejected: rejected.map(({ name }) => name) } })];
}

function unclearWarnings(shown: string, unclear: readonly Named[]): readonly Problem[] {
  if (unclear.length === 0) return [];
  return [warning(gcpWarningCodes.GCP_CONDITION_UNJUDGED, { message: `whether the attribute condition ${shown} accepts ${listed(unclear)} cannot be said without a token`, details: { accounts: unclear.map(({ name }) => name) } })];
}

/** The first ten with their reason; thousands stay one line. */
function listed(accounts: readonly Named[]): string {
  const first = accounts.slice(0, 10).map(({ name, why }) => (why === "" ? name : `${name} (${why})`)).join(", ");
  return accounts.length > 10 ? `${first} and ${accounts.length - 10} more` : first;
}

type Claims = Readonly<Record<string, unknown>>;

/** Claims that every token of the account has (kubernetes, pkg/serviceaccount/claims.go); times and uids only have a form. */
export function claimsOf(issuer: string, audience: string, account: ServiceAccount): Claims {
  const issuedAt = 1_700_000_000;
  return {
    iss: issuer,
    sub: subjectOf(account),
    aud: [audience],
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + 3600,
    jti: "00000000-0000-4000-8000-000000000000",
    "kubernetes.io": { namespace: account.namespace, serviceaccount: { name: account.name, uid: "00000000-0000-4000-8000-000000000000" } },
  };
}

/** The same of a pod: what a token says more, with names that nobody has. */
function withPod(claims: Claims): Claims {
  const own = claims["kubernetes.io"];
  const one = { name: "name", uid: "00000000-0000-4000-8000-000000000000" };
  return { ...claims, "kubernetes.io": { ...(isJsonObject(own) ? own : {}), pod: one, node: one, secret: one, warnafter: 1_700_003_600 } };
}
