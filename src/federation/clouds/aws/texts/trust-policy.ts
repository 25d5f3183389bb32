import type { CloudInput, ServiceAccount, TrustTexts } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { parseServiceAccountName, subjectOf } from "../../../oidc/subject.ts";
import { isRoleName, providerArn, ROLE_PATH, roleArn } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { awsWarningCodes } from "../warning-codes.ts";
import { conventionWarnings } from "../desired/account.ts";
import { judgeSize } from "../desired/role.ts";
import { defaultAudience, isPartition, type Partition, partitionOfRegion } from "../partition.ts";
import { toTexts } from "./describe.ts";
import { toTrustPolicy } from "../trust/statement.ts";
import { readAudiences, readRegion } from "../input/common.ts";
import { defaultRoleName } from "../input/role-name.ts";
import { createProblems, listOf, type Problems, readIssuerUrl, textOf, uniqueAccounts } from "../../input.ts";

/**
 * `trust-policy aws`: everything from flags and config, nothing from the network. Throws all problems at once:
 * FLAG_MISSING, ISSUER_*, SERVICE_ACCOUNT_INVALID, AWS_ACCOUNT_INVALID, AWS_PARTITION_INVALID, AWS_PARTITION_MISMATCH,
 * AWS_AUDIENCE_*, AWS_ROLE_NAME_INVALID, AWS_PATTERN_REFUSED, AWS_TRUST_POLICY_TOO_LARGE.
 */
export function trustPolicy(input: CloudInput): TrustTexts {
  const problems = createProblems();
  const issuer = readIssuerUrl(input, problems);
  const region = readRegion(input, problems);
  const account = readAccount(input, region, problems);
  const choice = readAudiences(input, problems);
  const audiences = choice.audiencesGiven ? choice.audiences : [defaultAudience(account.partition)];
  const accounts = readAccounts(input, problems);
  const name = readName(input, issuer, accounts[0], problems);
  const arn = roleArn({ ...account, path: ROLE_PATH, name });
  const patterns = accounts.some(isPattern);
  const trust = { issuer, providerArn: providerArn(issuer, account), audiences, subjects: accounts.map(subjectOf), patterns };
  const size = judgeSize(toTrustPolicy(trust), arn);
  problems.include(size.problems);
  problems.throwAll();
  const warnings = [...size.warnings, ...patternWarnings(accounts.filter(isPattern)), ...conventionWarnings(choice, account.partition)];
  const exact = accounts.filter((one) => !isPattern(one));
  return toTexts(trust, { serviceAccounts: exact, roleArn: arn, audience: audiences[0] ?? "", region }, warnings);
}

function readAccount(input: CloudInput, region: string | null, problems: Problems): { readonly partition: Partition; readonly account: string } {
  const account = textOf(input.flags["accountId"]);
  if (account === null) problems.add(codes.FLAG_MISSING, "no AWS account is given", "give --account-id: the 12 digits that aws sts get-caller-identity prints");
  else if (!/^\d{12}$/.test(account)) problems.add(awsInputCodes.AWS_ACCOUNT_INVALID, `account ${JSON.stringify(account.slice(0, 60))} is not 12 digits`);
  const given = textOf(input.flags["partition"]);
  const ofRegion = region === null ? null : partitionOfRegion(region);
  if (given !== null && !isPartition(given)) problems.add(awsInputCodes.AWS_PARTITION_INVALID, `there is no partition ${JSON.stringify(given.slice(0, 60))}`);
  const partition = given !== null && isPartition(given) ? given : null;
  if (partition !== null && ofRegion !== null && partition !== ofRegion) {
    problems.add(awsInputCodes.AWS_PARTITION_MISMATCH, `partition ${partition} is given, and region ${region} is in ${ofRegion}`);
  }
  return { partition: partition ?? ofRegion ?? "aws", account: account ?? "" };
}

function readAccounts(input: CloudInput, problems: Problems): readonly ServiceAccount[] {
  const named = listOf(input.flags["serviceAccount"]) ?? [];
  if (named.length === 0) problems.add(codes.FLAG_MISSING, "no service account is given", "give --service-account NAMESPACE/NAME");
  const allowed = input.flags["allowPattern"] === true;
  const accounts = named.map((text) => problems.try(() => (/[*?]/.test(text) ? parsePattern(text, allowed) : parseServiceAccountName(text))));
  return uniqueAccounts(accounts.filter((account) => account !== undefined));
}

/** `*` and `?` as in StringLike. Only the name may be nothing but a wildcard: a free namespace is everybody's. */
function parsePattern(text: string, allowed: boolean): ServiceAccount {
  const refuse = (words: string) => new KubeassumeError(awsInputCodes.AWS_PATTERN_REFUSED, { message: `service account ${JSON.stringify(text.slice(0, 400))} ${words}` });
  if (!allowed) throw refuse("is a pattern");
  const [namespace = "", name = "", ...rest] = text.split("/");
  if (rest.length > 0 || name === "") throw refuse("is not NAMESPACE/NAME");
  if (/^[*?]*$/.test(namespace)) throw refuse("leaves the namespace open, so anybody who can create a namespace could use the role");
  // With a letter in place of each wildcard it has to be what Kubernetes could accept.
  parseServiceAccountName(text.replaceAll(/[*?]/g, "x"));
  return { namespace, name };
}

function isPattern({ namespace, name }: ServiceAccount): boolean {
  return /[*?]/.test(`${namespace}${name}`);
}

function readName(input: CloudInput, issuer: string, first: ServiceAccount | undefined, problems: Problems): string {
  const given = textOf(input.flags["roleName"]);
  if (given !== null) {
    if (!isRoleName(given)) problems.add(awsInputCodes.AWS_ROLE_NAME_INVALID, `role name ${JSON.stringify(given.slice(0, 200))} is not 1 to 64 characters out of A-Z a-z 0-9 + = , . @ _ -`);
    return given;
  }
  if (first === undefined) return "";
  // A role name takes neither * nor ?, and a pattern has no one account to be named after.
  return defaultRoleName(issuer, first).replaceAll(/[*?]/g, "x");
}

function patternWarnings(patterns: readonly ServiceAccount[]): readonly Problem[] {
  return patterns.map((pattern) => {
    const message = `every service account that matches ${subjectOf(pattern)} can act as the role`;
    return warning(awsWarningCodes.AWS_PATTERN_USED, { message, details: { subject: subjectOf(pattern) } });
  });
}
