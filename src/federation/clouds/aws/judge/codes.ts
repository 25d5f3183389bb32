import { defineCodes, EXIT } from "../../../errors/error.ts";

/** Codes of the records that the judge for AWS reads. */
export const judgeCodes = defineCodes({
  TRUST_FILE_MALFORMED: {
    exit: EXIT.input,
    summary: "the trust file does not hold the records of the cloud in the cloud's own shape",
    why: "verify judges by the provider and the role as AWS returns them. The file is not JSON, or a member is missing or of another type.",
    fix: "write {\"provider\": ..., \"role\": ...} with the answers of aws iam get-open-id-connect-provider (and its Arn) and of aws iam get-role",
  },
  POLICY_MALFORMED: {
    exit: EXIT.input,
    summary: "the role's trust policy is not one that IAM accepts",
    why: "The document is not JSON, or a statement lacks a part, has a part that trust policies do not have, or uses an operator that does not exist.",
    fix: "correct the part that the message names; kubeassume trust-policy aws prints a good document",
  },
});
