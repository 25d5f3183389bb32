import { defineCodes, EXIT } from "../../../errors/error.ts";

/** Codes of the policies that the judge for AWS reads. */
export const policyCodes = defineCodes({
  POLICY_MALFORMED: {
    exit: EXIT.input,
    summary: "the role's trust policy is not one that IAM accepts",
    why: "The document is not JSON, or a statement lacks a part, has a part that trust policies do not have, or uses an operator that does not exist.",
    fix: "correct the part that the message names; kubeassume trust-policy aws prints a good document",
  },
});
