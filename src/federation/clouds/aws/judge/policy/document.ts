import { isDeeperThan, isJsonObject, kindOfText, MAX_JSON_DEPTH, member, stringsOf } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { malformed, syntax } from "./malformed.ts";
import { parseOperator } from "./operators.ts";
import type { Operator } from "./operators.ts";
import { parsePrincipals } from "./principals.ts";
import type { Principals } from "./principals.ts";

/** A role's trust policy, checked and normalised: every list is a list. */
export interface PolicyDocument {
  /** Policy variables exist in 2012-10-17 only; a document without Version is of 2008-10-17. */
  readonly version: "2008-10-17" | "2012-10-17";
  readonly statements: readonly Statement[];
}

export interface Statement {
  /** Counted from 1, as messages do. */
  readonly number: number;
  readonly sid: string | null;
  readonly effect: "Allow" | "Deny";
  readonly principals: Principals;
  /** `NotAction` when negated. */
  readonly actions: { readonly negated: boolean; readonly patterns: readonly string[] };
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly operator: Operator;
  /** As written; compared without regard to case. */
  readonly key: string;
  readonly values: readonly string[];
}

const STATEMENT_MEMBERS = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"];

/**
 * Reads a role's trust policy: as an object, as JSON text, or as the URL-encoded text that IAM returns (RFC 3986).
 * Refuses what IAM refuses with MalformedPolicyDocument; `details.where` names the place and `details.awsMessage`
 * has IAM's words as far as they are known.
 * Source: IAM User Guide, reference_policies_grammar.
 *
 * @throws KubeassumeError POLICY_MALFORMED
 */
export function parsePolicyDocument(input: unknown): PolicyDocument {
  const document = typeof input === "string" ? documentOf(input) : input;
  if (!isJsonObject(document) || isDeeperThan(document, MAX_JSON_DEPTH)) throw syntax("document", "is not a JSON object");
  const unknown = Object.keys(document).find((name) => !["Version", "Id", "Statement"].includes(name));
  if (unknown !== undefined) throw syntax(unknown, "is not a member of a policy");
  const version = member(document, "Version") ?? "2008-10-17";
  if (version !== "2008-10-17" && version !== "2012-10-17") {
    throw malformed("Version", `is ${JSON.stringify(version)} instead of "2012-10-17"`, "Policy document must be version 2012-10-17 or greater.");
  }
  const id = member(document, "Id");
  if (id !== undefined && typeof id !== "string") throw syntax("Id", "is not a string");
  const statement = member(document, "Statement");
  const list = Array.isArray(statement) ? statement : [statement];
  if (statement === undefined || list.length === 0) throw syntax("Statement", "is missing or empty");
  const statements = list.map((entry: unknown, index) => parseStatement(entry, index));
  refuseRepeatedSids(statements);
  return { version, statements };
}

function documentOf(text: string): unknown {
  const json = /^\s*%/.test(text) ? decoded(text) : text;
  try {
    return JSON.parse(json);
  } catch {
    throw malformed("document", `cannot be read: ${kindOfText(json)}`, "This policy contains invalid Json");
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function parseStatement(value: unknown, index: number): Statement {
  const where = `Statement[${index}]`;
  if (!isJsonObject(value)) throw syntax(where, "is not an object");
  for (const name of Object.keys(value)) {
    if (name === "Resource" || name === "NotResource") {
      throw malformed(`${where}.${name}`, "does not belong in a trust policy", `Has prohibited field ${name}`);
    }
    if (!STATEMENT_MEMBERS.includes(name)) throw syntax(`${where}.${name}`, "is not a member of a statement");
  }
  const sid = member(value, "Sid");
  if (sid !== undefined && (typeof sid !== "string" || !/^[0-9A-Za-z]*$/.test(sid))) {
    const awsMessage = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
    throw malformed(`${where}.Sid`, "is not made of letters and digits", awsMessage);
  }
  const effect = member(value, "Effect");
  if (effect === undefined) throw malformed(`${where}.Effect`, "is missing", "Missing required field Effect");
  if (effect !== "Allow" && effect !== "Deny") throw syntax(`${where}.Effect`, "is neither Allow nor Deny");
  return {
    number: index + 1,
    sid: sid === undefined || sid === "" ? null : sid,
    effect,
    principals: parsePrincipals(value, where),
    actions: parseActions(value, where),
    conditions: parseConditions(member(value, "Condition"), `${where}.Condition`),
  };
}

function parseActions(statement: JsonObject, where: string): Statement["actions"] {
  const [action, notAction] = [member(statement, "Action"), member(statement, "NotAction")];
  if ((action === undefined) === (notAction === undefined)) {
    const awsMessage = action === undefined ? "Policy statement must contain actions." : "Syntax errors in policy.";
    throw malformed(`${where}.Action`, action === undefined ? "is missing" : "and NotAction exclude each other", awsMessage);
  }
  const name = action === undefined ? "NotAction" : "Action";
  const patterns = stringsOf(action ?? notAction);
  if (patterns === null) throw syntax(`${where}.${name}`, "is neither a string nor a list of strings");
  if (patterns.length === 0) throw malformed(`${where}.${name}`, "is empty", "Policy statement must contain actions.");
  for (const pattern of patterns) {
    if (pattern !== "*" && !pattern.includes(":")) {
      const awsMessage = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
      throw malformed(`${where}.${name}`, `has ${JSON.stringify(pattern)}, which names no service`, awsMessage);
    }
    if (pattern !== "*" && !/^sts:/i.test(pattern)) {
      const awsMessage = "AssumeRole policy may only specify STS AssumeRole actions.";
      throw malformed(`${where}.${name}`, `has ${JSON.stringify(pattern)}, which is not an action of STS`, awsMessage);
    }
  }
  return { negated: action === undefined, patterns };
}

function parseConditions(value: unknown, where: string): Condition[] {
  if (value === undefined) return [];
  if (!isJsonObject(value)) throw syntax(where, "is not an object");
  return Object.entries(value).flatMap(([name, keys]) => {
    const operator = parseOperator(name);
    if (operator === null) throw malformed(`${where}.${name}`, "is not a condition operator", `Invalid Condition type : ${name}`);
    if (!isJsonObject(keys)) throw syntax(`${where}.${name}`, "is not an object");
    return Object.entries(keys).map(([key, values]) => parseCondition(operator, key, values, `${where}.${name}`));
  });
}

function parseCondition(operator: Operator, key: string, value: unknown, where: string): Condition {
  if (!key.includes(":")) {
    throw malformed(where, `has the key ${JSON.stringify(key)}, which has no prefix`, "Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  }
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const values = list.map((entry) => {
    if (typeof entry === "string") return entry;
    if (typeof entry === "number" || typeof entry === "boolean") return String(entry);
    throw syntax(`${where}.${key}`, "has a value that is neither a string nor a number nor a boolean");
  });
  return { operator, key, values };
}

function refuseRepeatedSids(statements: readonly Statement[]): void {
  const sids = statements.flatMap((statement) => (statement.sid === null ? [] : [statement.sid]));
  const repeated = sids.find((sid, index) => sids.indexOf(sid) !== index);
  if (repeated !== undefined) {
    throw malformed("Statement", `has the Sid ${JSON.stringify(repeated)} twice`, "Statement IDs (SID) in a single policy must be unique.");
  }
}
