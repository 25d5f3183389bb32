import { KubeassumeError } from "../../../../errors/error.ts";
import { parsePolicyDocument } from "../../judge/policy/document.ts";
import { limitExceeded, malformedPolicy } from "../errors.ts";
import type { AwsState } from "../state.ts";

/**
 * Takes a role's trust policy, or refuses it as IAM does.
 *
 * @throws AwsError MalformedPolicyDocument, LimitExceeded
 */
export function acceptTrustPolicy(text: string, state: AwsState): string {
  try {
    parsePolicyDocument(text);
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    throw malformedPolicy(String(error.details["awsMessage"] ?? "Syntax errors in policy."));
  }
  const limit = state.quotas.trustPolicyLength;
  if (lengthOf(text) > limit) throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${limit}`);
  return text;
}

/** Characters of a policy as IAM counts them for its quotas: without white space. */
export function lengthOf(policy: string): number {
  return policy.replace(/\s/g, "").length;
}
