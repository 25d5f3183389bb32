import { constraintError, validationError, WORDS } from "./refusals.ts";
import type { Facts } from "./facts.ts";
import { fail, pass, quote } from "../../judge/rule.ts";
import type { Answer } from "../../judge/rule.ts";
import type { Rule } from "./rule.ts";

// Bounds: STS API reference, AssumeRoleWithWebIdentity, request parameters.
const TOKEN_LENGTH = { min: 4, max: 20_000 };
const SESSION_NAME_LENGTH = { min: 2, max: 64 };
const DURATION = { min: 900, max: 43_200 };

/** What STS checks before it looks at the token. */
export const requestRules: readonly Rule[] = [
  { id: "aws-request-token-length", judge: judgeTokenLength },
  { id: "aws-request-role-arn", judge: judgeRoleArn },
  { id: "aws-request-session-name", judge: judgeSessionName },
  { id: "aws-request-duration", judge: judgeDuration },
];

function judgeTokenLength({ input: { token } }: Facts): Answer {
  const problem = lengthProblem(token.length, TOKEN_LENGTH);
  if (problem === null) return pass(`the token has ${token.length} characters`);
  return fail(constraintError("webIdentityToken", null, problem), `the token has ${token.length} characters instead of 4 to 20,000`);
}

function judgeRoleArn({ roleName: given, roleArn }: Facts): Answer {
  if (roleArn !== null) return pass(`the role is ${given}`);
  if (given === null) return fail(constraintError("roleArn", null, "not be null"), "no role is named", "pass --role-arn");
  const problem = lengthProblem(given.length, { min: 20, max: 2048 });
  const refusal = problem === null ? validationError(WORDS.roleArn) : constraintError("roleArn", given, problem);
  return fail(refusal, `${quote(given)} is not the ARN of a role`);
}

function judgeSessionName({ sessionName }: Facts): Answer {
  const length = lengthProblem(sessionName.length, SESSION_NAME_LENGTH);
  const problem = length ?? (/^[\w+=,.@-]*$/.test(sessionName) ? null : "satisfy regular expression pattern: [\\w+=,.@-]*");
  if (problem === null) return pass(`the session name is ${quote(sessionName)}`);
  return fail(constraintError("roleSessionName", sessionName, problem), `STS refuses the session name ${quote(sessionName)}`);
}

function judgeDuration({ durationSeconds }: Facts): Answer {
  const value = String(durationSeconds);
  const problem = durationSeconds > DURATION.max ? `less than or equal to ${DURATION.max}` : `greater than or equal to ${DURATION.min}`;
  const fits = Number.isInteger(durationSeconds) && durationSeconds >= DURATION.min && durationSeconds <= DURATION.max;
  if (fits) return pass(`the session shall last ${value} seconds`);
  return fail(constraintError("durationSeconds", value, `have value ${problem}`), `the session shall last ${value} seconds instead of 900 to 43,200`);
}

function lengthProblem(length: number, bounds: { readonly min: number; readonly max: number }): string | null {
  if (length < bounds.min) return `have length greater than or equal to ${bounds.min}`;
  return length > bounds.max ? `have length less than or equal to ${bounds.max}` : null;
}
