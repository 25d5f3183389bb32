import type { CheckTable } from "../../errors/checks.ts";
import type { CodeTable } from "../../errors/error.ts";
import { gcpChecks } from "./checks.ts";
import { gcpErrorCodes, gcpInputCodes } from "./codes.ts";
import { judgeChecks } from "./judge/checks.ts";
import { gcpWarningCodes } from "./warning-codes.ts";

/** Everything that `explain` says about GCP. */
export const documentation: { readonly codes: CodeTable; readonly checks: CheckTable } = {
  codes: { ...gcpErrorCodes, ...gcpInputCodes, ...gcpWarningCodes },
  checks: { ...gcpChecks, ...judgeChecks },
};
