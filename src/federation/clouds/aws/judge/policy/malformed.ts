import { KubeassumeError } from "../../../../errors/error.ts";
import { policyCodes } from "../codes.ts";

/** A refusal of one place of a policy, with IAM's own words. */
export function malformed(where: string, problem: string, awsMessage: string): KubeassumeError {
  return new KubeassumeError(policyCodes.POLICY_MALFORMED, {
    message: `the trust policy is malformed: ${where} ${problem}`,
    details: { where, awsMessage },
  });
}

/** A refusal for which IAM has no better words. */
export function syntax(where: string, problem: string): KubeassumeError {
  return malformed(where, problem, "Syntax errors in policy.");
}
