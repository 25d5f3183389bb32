import { KubeassumeError } from "../../../../errors/error.ts";
import { judgeCodes } from "../codes.ts";

/** A refusal of one place of a policy, with IAM's own words. */
export function malformed(where: string, problem: string, awsMessage: string): KubeassumeError {
  return new KubeassumeError(judgeCodes.POLICY_MALFORMED, {
    message: `the trust policy is malformed: ${where} ${problem}`,
    details: { where, awsMessage },
  });
}

export function syntax(where: string, problem: string): KubeassumeError {
  return malformed(where, problem, "Syntax errors in policy.");
}

/** One string or a list of strings, as most members of a statement may be; null for anything else. */
export function stringsOf(value: unknown): string[] | null {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.every((entry) => typeof entry === "string") ? list : null;
}
