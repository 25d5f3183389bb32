import type { Json } from "../../../plan/step.ts";
import { isJsonObject, type JsonObject, kindOfText, member, parseJsonObject } from "../../../oidc/json.ts";
import { awsInputCodes } from "../codes.ts";
import { countCharacters } from "../trust/size.ts";
import type { Problems } from "../../input.ts";

/** IAM's quota for all inline policies of one role together, white space not counted. */
const MAX_INLINE_POLICY = 10_240;

/** An identity policy from the text of `--policy-file`. Keeps the document as it is; adds AWS_POLICY_INVALID for what IAM would refuse. */
export function readPolicy(text: string, problems: Problems): Json {
  const document = parseJsonObject(text);
  if (document === null) {
    problems.add(awsInputCodes.AWS_POLICY_INVALID, `the policy file cannot be read: ${kindOfText(text)}`);
    return null;
  }
  for (const problem of policyProblems(document)) problems.add(awsInputCodes.AWS_POLICY_INVALID, `the policy file ${problem}`);
  return document as Json;
}

function policyProblems(document: JsonObject): readonly string[] {
  const size = countCharacters(JSON.stringify(document));
  if (size > MAX_INLINE_POLICY) return [`has ${size} characters, more than ${MAX_INLINE_POLICY}`];
  const version = member(document, "Version");
  const versionProblem = version === undefined || version === "2012-10-17" || version === "2008-10-17" ? [] : [`has Version ${JSON.stringify(version)} instead of "2012-10-17"`];
  const given = member(document, "Statement");
  const statements = Array.isArray(given) ? (given as unknown[]) : given === undefined ? [] : [given];
  if (statements.length === 0) return [...versionProblem, "has no Statement"];
  return [...versionProblem, ...statements.flatMap(statementProblems)];
}

function statementProblems(statement: unknown, index: number): readonly string[] {
  const where = `has a statement ${index + 1}`;
  if (!isJsonObject(statement)) return [`${where} that is not an object`];
  const has = (name: string) => member(statement, name) !== undefined;
  const effect = member(statement, "Effect");
  return [
    ...(effect === "Allow" || effect === "Deny" ? [] : [`${where} whose Effect is neither Allow nor Deny`]),
    ...(has("Action") === has("NotAction") ? [`${where} without exactly one of Action and NotAction`] : []),
    ...(has("Resource") === has("NotResource") ? [`${where} without exactly one of Resource and NotResource`] : []),
    ...(has("Principal") || has("NotPrincipal") ? [`${where} with a Principal, which only trust policies have`] : []),
  ];
}
