import { differenceOf } from "../../../../oidc/difference.ts";
import type { Condition, PolicyDocument, Statement } from "./document.ts";
import { expandVariables, matchesAction, toPattern } from "./pattern.ts";
import { matchPrincipals } from "./principals.ts";

/** Everything that a condition may ask of a request; names in lower case. */
export type RequestContext = ReadonlyMap<string, ContextValue>;

export interface ContextValue {
  readonly values: readonly string[];
  /** Set when no primary source says that AWS has this key, or this value, here. */
  readonly unconfirmed?: string;
}

export interface PolicyRequest {
  readonly action: string;
  /** ARN of the OIDC provider: the principal of a web identity. */
  readonly providerArn: string;
  readonly context: RequestContext;
}

export interface PolicyVerdict {
  readonly decision: "allow" | "explicit-deny" | "implicit-deny";
  /** The statement that decided; null when none applies. */
  readonly statement: Statement | null;
  readonly outcomes: readonly StatementOutcome[];
}

export interface StatementOutcome {
  readonly statement: Statement;
  readonly applies: boolean;
  /** Why it does not apply; empty when it does. */
  readonly failures: readonly Failure[];
  readonly unconfirmed: readonly string[];
}

export interface Failure {
  readonly part: "principal" | "action" | "condition";
  readonly message: string;
  /** The condition key in lower case; null for the other parts. */
  readonly key: string | null;
}

/**
 * Evaluates a trust policy as IAM does: a Deny that applies wins, otherwise one Allow that applies is enough.
 * Source: IAM User Guide, reference_policies_evaluation-logic.
 */
export function evaluatePolicy(document: PolicyDocument, request: PolicyRequest): PolicyVerdict {
  const outcomes = document.statements.map((statement) => evaluateStatement(statement, document.version, request));
  const applying = (effect: Statement["effect"]): Statement | undefined =>
    outcomes.find((outcome) => outcome.applies && outcome.statement.effect === effect)?.statement;
  const denied = applying("Deny");
  if (denied !== undefined) return { decision: "explicit-deny", statement: denied, outcomes };
  const allowed = applying("Allow");
  return { decision: allowed === undefined ? "implicit-deny" : "allow", statement: allowed ?? null, outcomes };
}

function evaluateStatement(statement: Statement, version: PolicyDocument["version"], request: PolicyRequest): StatementOutcome {
  const failures: Failure[] = [];
  const unconfirmed: string[] = [];
  const principal = matchPrincipals(statement.principals, request.providerArn, statement.effect);
  if (principal.unconfirmed !== null) unconfirmed.push(principal.unconfirmed);
  if (!principal.matches) failures.push({ part: "principal", message: principalMessage(statement, request.providerArn), key: null });
  const named = statement.actions.patterns.some((pattern) => matchesAction(pattern, request.action));
  if (named === statement.actions.negated) {
    const list = statement.actions.patterns.join(", ");
    failures.push({ part: "action", message: `${statement.actions.negated ? "NotAction excludes" : "Action is"} ${list}`, key: null });
  }
  for (const condition of statement.conditions) {
    const got = request.context.get(condition.key.toLowerCase());
    if (got?.unconfirmed !== undefined) unconfirmed.push(`${condition.key}: ${got.unconfirmed}`);
    if (!isMet(condition, version, request.context)) {
      failures.push({ part: "condition", message: conditionMessage(condition, got?.values ?? null), key: condition.key.toLowerCase() });
    }
  }
  return { statement, applies: failures.length === 0, failures, unconfirmed };
}

/** Whether a condition is met. Keys are ANDed by the caller, the values of one key are alternatives. */
function isMet(condition: Condition, version: PolicyDocument["version"], context: RequestContext): boolean {
  const { operator, values } = condition;
  const lookup = (key: string): readonly string[] | null => context.get(key.toLowerCase())?.values ?? null;
  const got = lookup(condition.key) ?? [];
  const absent = got.length === 0;
  if (operator.isNull) return values.some((value) => value.toLowerCase() === String(absent));
  if (absent) {
    if (operator.ifExists || operator.qualifier === "all") return true;
    return operator.qualifier === null && operator.negated;
  }
  const replaces = operator.takesVariables && version === "2012-10-17";
  const wanted = values.map((value) => (replaces ? expandVariables(value, lookup) : toPattern(value)));
  const holds = (value: string): boolean =>
    wanted.some((pattern) => pattern !== null && operator.compare(pattern, value)) !== operator.negated;
  if (operator.qualifier === "all") return got.every(holds);
  if (operator.qualifier === "any") return got.some(holds);
  return operator.negated ? got.every(holds) : got.some(holds);
}

function conditionMessage(condition: Condition, got: readonly string[] | null): string {
  const wanted = listOf(condition.values);
  const has = got === null || got.length === 0 ? "the request has no such key" : `got ${listOf(got)}`;
  const only = condition.values.length === 1 && got?.length === 1 ? differenceOf(condition.values[0] ?? "", got[0] ?? "") : null;
  const isEquality = /equals/i.test(condition.operator.name) && !condition.operator.negated;
  const difference = only !== null && isEquality ? `, ${only.words}` : "";
  return `${condition.operator.name} ${condition.key} wants ${wanted}, ${has}${difference}`;
}

function principalMessage(statement: Statement, providerArn: string): string {
  const { negated, everyone, named } = statement.principals;
  if (negated) return `NotPrincipal excludes ${providerArn}`;
  const names = Object.entries(named).flatMap(([type, list]) => list.map((name) => `${type} ${name}`));
  const shown = everyone ? "*" : names.slice(0, 5).join(", ");
  const [only] = named.Federated;
  const difference = named.Federated.length === 1 && only !== undefined ? differenceOf(only, providerArn) : null;
  return `Principal is ${shown} instead of Federated ${providerArn}${difference === null ? "" : `, ${difference.words}`}`;
}

/** Values for messages: quoted, at most five, each cut at 300 characters. */
function listOf(values: readonly string[]): string {
  const shown = values.slice(0, 5).map((value) => JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}...` : value));
  const more = values.length - shown.length;
  const text = shown.length === 1 ? String(shown[0]) : `one of [${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}]`;
  return values.length === 0 ? "nothing that exists" : text;
}
