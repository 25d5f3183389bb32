import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import type { Caller } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { awsErrorCodes } from "../codes.ts";
import { isPartition } from "../partition.ts";
import { call } from "./calls.ts";

/** Whose credentials these are (STS GetCallerIdentity). Throws AWS_REFUSED when the answer is no identity of AWS. */
export async function readCaller(stsClient: STSClient): Promise<Caller> {
  const { Arn = "", Account = "" } = await call("sts:GetCallerIdentity", "the caller", () => stsClient.send(new GetCallerIdentityCommand({})));
  const partition = Arn.split(":")[1] ?? "";
  if (isPartition(partition) && /^\d{12}$/.test(Account)) return { name: Arn, account: Account };
  throw new KubeassumeError(awsErrorCodes.AWS_REFUSED, {
    message: `sts:GetCallerIdentity answers ${JSON.stringify(Arn.slice(0, 200))} in account ${JSON.stringify(Account.slice(0, 40))}, which is no identity of AWS`,
    hint: "check AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_STS: something else than AWS answers there",
  });
}
