import { isJsonObject, member, parseJsonObject, stringsOf } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { parsePolicyDocument } from "../judge/policy/document.ts";
import { evaluatePolicy } from "../judge/policy/evaluate.ts";
import type { RequestContext } from "../judge/policy/evaluate.ts";
import { matchesAction, matchesPattern, toPattern } from "../judge/policy/pattern.ts";

/** What somebody wants to do. Policies with a Principal member are asked about `arn` and `account` too. */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** Null for everybody: a request without signature. */
  readonly arn: string | null;
  readonly account: string | null;
  readonly context: RequestContext;
}

export type Decision = "allow" | "deny" | "none";

/** Decides by identity or resource policies (JSON text): a Deny wins, otherwise one Allow is enough. */
export function decide(documents: readonly string[], request: AccessRequest): Decision {
  const statements = documents.flatMap(statementsOf).filter(({ statement, version }) => applies(statement, version, request));
  if (statements.some(({ statement }) => member(statement, "Effect") === "Deny")) return "deny";
  return statements.some(({ statement }) => member(statement, "Effect") === "Allow") ? "allow" : "none";
}

export interface VersionedStatement {
  readonly statement: JsonObject;
  readonly version: string;
}

/** The statements of a policy; none when it is not a JSON object. */
export function statementsOf(text: string): VersionedStatement[] {
  const document = parseJsonObject(text) ?? {};
  const version = String(member(document, "Version") ?? "2008-10-17");
  const statement = member(document, "Statement");
  const list: unknown[] = Array.isArray(statement) ? statement : [statement];
  return list.filter(isJsonObject).map((entry) => ({ statement: entry, version }));
}

function applies(statement: JsonObject, version: string, request: AccessRequest): boolean {
  return (
    matchesPrincipal(statement, request) &&
    matchesList(statement, "Action", (pattern) => matchesAction(pattern, request.action)) &&
    matchesList(statement, "Resource", (pattern) => matchesPattern(toPattern(pattern), request.resource)) &&
    conditionsHold(member(statement, "Condition"), version, request.context)
  );
}

/** `Action` or `NotAction`, `Resource` or `NotResource`. */
function matchesList(statement: JsonObject, name: "Action" | "Resource", matches: (pattern: string) => boolean): boolean {
  const [positive, negative] = [member(statement, name), member(statement, `Not${name}`)];
  if (positive !== undefined) return (stringsOf(positive) ?? []).some(matches);
  return negative !== undefined && !(stringsOf(negative) ?? []).some(matches);
}

/** Identity policies have no principal and are about their owner. */
function matchesPrincipal(statement: JsonObject, request: AccessRequest): boolean {
  const [positive, negative] = [member(statement, "Principal"), member(statement, "NotPrincipal")];
  if (positive !== undefined) return principalIncludes(positive, request);
  return negative === undefined || !principalIncludes(negative, request);
}

function principalIncludes(principal: unknown, { arn, account }: AccessRequest): boolean {
  if (isEverybody(principal)) return true;
  if (!isJsonObject(principal) || arn === null || account === null) return false;
  const names = stringsOf(member(principal, "AWS")) ?? [];
  return names.some((name) => name === arn || name === account || new RegExp(`^arn:[a-z-]+:iam::${account}:root$`).test(name));
}

/** `"*"` or `{"AWS": "*"}`: S3 takes both for everybody, strangers included. */
export function isEverybody(principal: unknown): boolean {
  if (principal === "*") return true;
  return isJsonObject(principal) && (stringsOf(member(principal, "AWS")) ?? []).includes("*");
}

/**
 * Conditions are the same language in every kind of policy, so the judge of trust policies evaluates them: it is
 * handed a statement that is about everything else already.
 */
function conditionsHold(condition: unknown, version: string, context: RequestContext): boolean {
  if (condition === undefined) return true;
  const action = "sts:AssumeRoleWithWebIdentity";
  const document = parsePolicyDocument(trustStatement(condition, version, action));
  return evaluatePolicy(document, { action, providerArn: "", context }).decision === "allow";
}

/**
 * Refuses conditions that IAM does not know.
 *
 * @throws KubeassumeError POLICY_MALFORMED with AWS's words in `details.awsMessage`
 */
export function refuseMalformedConditions(condition: unknown, version: string): void {
  if (condition !== undefined) parsePolicyDocument(trustStatement(condition, version, "sts:AssumeRoleWithWebIdentity"));
}

function trustStatement(condition: unknown, version: string, action: string): JsonObject {
  return { Version: version, Statement: [{ Effect: "Allow", Principal: "*", Action: action, Condition: condition }] };
}
