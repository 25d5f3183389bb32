import type { CheckTable } from "../../errors/checks.ts";
import type { CodeTable } from "../../errors/error.ts";
import { awsChecks } from "./checks.ts";
import { judgeChecks } from "./judge/checks.ts";
import { policyCodes } from "./judge/codes.ts";
import { awsErrorCodes, awsInputCodes } from "./codes.ts";
import { awsWarningCodes } from "./warning-codes.ts";

/** Everything that `explain` says about AWS. */
export const documentation: { readonly codes: CodeTable; readonly checks: CheckTable } = {
  codes: { ...awsErrorCodes, ...awsInputCodes, ...awsWarningCodes, ...policyCodes },
  checks: { ...awsChecks, ...judgeChecks },
};
