import type { Json } from "../../../plan/step.ts";

/** IAM's quota "Role trust policy length": the default, and what it can be raised to. */
export const DEFAULT_TRUST_POLICY_SIZE = 2048;
export const MAX_TRUST_POLICY_SIZE = 8192;

/** The size of a policy as IAM counts it for its quotas: characters, white space left out (IAM and STS quotas). */
export function countCharacters(text: string): number {
  return [...text.replace(/\s/g, "")].length;
}

/** The size of a trust policy for the quota "Role trust policy length". */
export function trustPolicySize(document: Json): number {
  return countCharacters(JSON.stringify(document));
}
