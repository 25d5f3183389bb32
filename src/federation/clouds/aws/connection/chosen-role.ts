import type { Caller, CloudInput } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { accountOf, parseRoleArn, type RoleArn, ROLE_PATH } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { toGrantSpecs } from "../input/grant-spec.ts";
import { configGrants, listOf, textOf } from "../../input.ts";

/**
 * The role that a token is tried on: `--role-arn`, else the role of the one grant that flags or config name.
 * Throws AWS_ARN_INVALID, AWS_ACCOUNT_MISMATCH, FLAG_MISSING, and what toGrantSpecs throws.
 */
export function chooseRole(input: CloudInput, caller: Caller): RoleArn {
  const account = accountOf(caller);
  const given = textOf(input.flags["roleArn"]);
  if (given !== null) {
    const role = parseRoleArn(given);
    if (role === null) throw new KubeassumeError(awsInputCodes.AWS_ARN_INVALID, { message: `${JSON.stringify(given.slice(0, 300))} is not the ARN of a role` });
    return inAccount(role, account.account, account.partition);
  }
  const named = (listOf(input.flags["serviceAccount"]) ?? []).length + configGrants(input, "aws").length;
  const specs = named === 0 ? [] : toGrantSpecs(input);
  const [spec] = specs;
  if (spec === undefined || specs.length > 1) {
    const message = spec === undefined ? "no role is given" : `${specs.length} grants are configured, and no role is given`;
    throw new KubeassumeError(codes.FLAG_MISSING, { message, hint: "give --role-arn ARN" });
  }
  if (spec.role.kind === "existing") return inAccount(spec.role.arn, account.account, account.partition);
  return { ...account, path: ROLE_PATH, name: spec.role.name };
}

function inAccount(role: RoleArn, account: string, partition: string): RoleArn {
  if (role.account === account && role.partition === partition) return role;
  const message = `role ${role.name} is in account ${role.account} (${role.partition}), the credentials are for ${account} (${partition})`;
  throw new KubeassumeError(awsInputCodes.AWS_ACCOUNT_MISMATCH, { message, hint: "use credentials of the role's account" });
}
