import type { Caller } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { accountOf, parsePolicyArn } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { awsWarningCodes } from "../warning-codes.ts";
import type { AudienceChoice } from "../input/common.ts";
import { defaultAudience, type Partition, partitionOfRegion } from "../partition.ts";

/** The audiences that are meant once it is known who asks: the given ones, else the convention of the caller's partition. */
export function audiencesFor(choice: AudienceChoice, caller: Caller): readonly string[] {
  return choice.audiencesGiven ? choice.audiences : [defaultAudience(accountOf(caller).partition)];
}

/** That the convention of the partition is unconfirmed, where it is and nobody chose. */
export function conventionWarnings(choice: AudienceChoice, partition: Partition): readonly Problem[] {
  if (choice.audiencesGiven || partition !== "aws-us-gov") return [];
  const message = `no audience is given, so it is ${defaultAudience(partition)}; what GovCloud's own tools use is unconfirmed`;
  return [warning(awsWarningCodes.AWS_GOVCLOUD_AUDIENCE, { message, details: { partition } })];
}

/** Region and policy ARNs must be of the caller's partition; customer-managed policies of the caller's account. */
export function accountProblems(caller: Caller, named: { readonly region: string | null; readonly policyArns: readonly string[] }): readonly KubeassumeError[] {
  const own = accountOf(caller);
  const problems: KubeassumeError[] = [];
  if (named.region !== null && partitionOfRegion(named.region) !== own.partition) {
    problems.push(mismatch(`region ${named.region} is in partition ${partitionOfRegion(named.region)}`, own.partition));
  }
  for (const arn of named.policyArns) {
    const policy = parsePolicyArn(arn);
    if (policy === null) continue;
    if (policy.partition !== own.partition) problems.push(mismatch(`policy ${arn} is in partition ${policy.partition}`, own.partition));
    else if (policy.account !== "aws" && policy.account !== own.account) {
      const message = `policy ${arn} is in account ${policy.account}, the credentials are for ${own.account}`;
      problems.push(new KubeassumeError(awsInputCodes.AWS_ACCOUNT_MISMATCH, { message, hint: "attach a policy of the role's own account, or one that AWS manages" }));
    }
  }
  return problems;
}

function mismatch(what: string, partition: Partition): KubeassumeError {
  return new KubeassumeError(awsInputCodes.AWS_PARTITION_MISMATCH, { message: `${what}, the credentials are for ${partition}` });
}
