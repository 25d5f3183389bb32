import type { Caller, CloudInput } from "../../cloud.ts";
import { accountOf, providerArn, roleArn } from "../arn.ts";
import type { RoleRecord, TrustRecords } from "../judge/trust-file.ts";
import type { Sdk } from "./calls.ts";
import { chooseRole } from "./chosen-role.ts";
import { readProviderRecord } from "./observe-provider.ts";
import { readSdkRole } from "./observe-roles.ts";
import { parseDocument } from "./role-fields.ts";

/** AWS's records of provider and role, in the shape of `--trust-file`; null for what does not exist. */
export async function readTrust(sdk: Sdk, input: CloudInput, issuer: string, caller: Caller): Promise<TrustRecords & Readonly<Record<string, unknown>>> {
  const role = chooseRole(input, caller);
  const [provider, found] = await Promise.all([readProviderRecord(sdk, providerArn(issuer, accountOf(caller))), readSdkRole(sdk, role.name)]);
  // GetRole knows names only: a role under another path is not the one that was asked for.
  if (found === null || found.Arn !== roleArn(role)) return { provider, role: null };
  const record: RoleRecord = {
    Arn: found.Arn,
    AssumeRolePolicyDocument: parseDocument(found.AssumeRolePolicyDocument ?? ""),
    ...(found.MaxSessionDuration === undefined ? {} : { MaxSessionDuration: found.MaxSessionDuration }),
  };
  return { provider, role: record };
}
