import type { CloudInput, GrantSpec, ServiceAccount } from "../../cloud.ts";
import type { ConfigGrant } from "../../../config/loaded-config.ts";
import { codes } from "../../../errors/codes.ts";
import { parseServiceAccountName } from "../../../oidc/subject.ts";
import type { Json } from "../../../plan/step.ts";
import { isRoleName, parsePolicyArn, parseRoleArn, type RoleArn } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { type AudienceChoice, readAudiences, readRegion } from "./common.ts";
import { mergeGrants, roleKey } from "./merge-grants.ts";
import { readPolicy } from "./policy.ts";
import { defaultRoleName } from "./role-name.ts";
import { configGrants, createProblems, listOf, membersOf, type Problems, readIssuerUrl, textOf, uniqueAccounts } from "../../input.ts";

/** A role of ours under ROLE_PATH, or one that exists and gets nothing but our statement. */
export type RoleChoice = { readonly kind: "own"; readonly name: string } | { readonly kind: "existing"; readonly arn: RoleArn };

export interface AwsGrantSpec extends GrantSpec, AudienceChoice {
  readonly region: string | null;
  readonly role: RoleChoice;
  /** Attached beside whatever is attached already. */
  readonly policyArns: readonly string[];
  /** The inline policy `kubeassume`; null leaves it alone. */
  readonly policyDocument: Json | null;
  /** Null leaves it alone. */
  readonly permissionsBoundary: string | null;
  /** Seconds, 3,600 to 43,200; null leaves it alone (a new role gets AWS's 3,600). */
  readonly maxSessionDuration: number | null;
}

/** The members of one grant by the names that flags and config share. */
type Members = Readonly<Record<string, unknown>>;

const ROLE_FLAGS = ["roleName", "roleArn", "policyArn", "policyFile", "policyFileText", "permissionsBoundary", "maxSessionDuration"] as const;

/**
 * The grants of `grant aws` and `status`, one spec per role. From the flags when they name service accounts; members
 * that no flag gives come from the config's grant of that account, together with the other accounts of its role.
 * Otherwise every grant of the config that has an `aws` member; FLAG_MISSING when there is none.
 *
 * The policy file's text is expected in `policyFileText` (flag or config member): reading it is for the edge.
 *
 * Throws all problems at once: FLAG_MISSING, FLAGS_CONFLICT, SERVICE_ACCOUNT_INVALID, ISSUER_*, AWS_ARN_INVALID,
 * AWS_ROLE_NAME_INVALID, AWS_POLICY_INVALID, AWS_SESSION_DURATION_INVALID, AWS_AUDIENCE_*, AWS_GRANTS_CONFLICT.
 */
export function toGrantSpecs(input: CloudInput): readonly AwsGrantSpec[] {
  const problems = createProblems();
  const named = listOf(input.flags["serviceAccount"]) ?? [];
  const roleFlags = ROLE_FLAGS.filter((name) => input.flags[name] !== undefined);
  const configured = configGrants(input, "aws");
  if (named.length === 0 && (configured.length === 0 || roleFlags.length > 0)) {
    problems.add(codes.FLAG_MISSING, "no service account is given", "give --service-account NAMESPACE/NAME");
  }
  const shared = {
    issuer: readIssuerUrl(input, problems),
    ...readAudiences(input, problems),
    region: readRegion(input, problems),
    adopt: input.flags["adopt"] === true,
  };
  const all = configured.map((grant) => toSpec(shared, [grant.serviceAccount], membersOf(grant, "aws"), problems));
  const merged = mergeGrants(all, problems);
  const specs = named.length === 0 ? merged : [fromFlags(input, shared, named, merged, configured, problems)];
  problems.throwAll();
  return specs;
}

type Shared = Pick<AwsGrantSpec, "issuer" | "audiences" | "audiencesGiven" | "region" | "adopt">;

function fromFlags(input: CloudInput, shared: Shared, named: readonly string[], merged: readonly AwsGrantSpec[], configured: readonly ConfigGrant[], problems: Problems): AwsGrantSpec {
  const { flags } = input;
  const given: Members = Object.fromEntries(ROLE_FLAGS.filter((name) => flags[name] !== undefined).map((name) => [name === "policyArn" ? "policyArns" : name, flags[name]]));
  const ofConfig = configured.find((grant) => grant.serviceAccount === named[0]);
  const otherRole = flags["roleName"] !== undefined || flags["roleArn"] !== undefined;
  if (ofConfig === undefined || otherRole) return toSpec(shared, named, given, problems);
  const role = toSpec(shared, named, { ...membersOf(ofConfig, "aws"), ...given }, problems);
  // The role's other accounts stay in its statement: it lists exactly who is named.
  const together = merged.find((spec) => roleKey(spec) === roleKey(role))?.serviceAccounts ?? [];
  return { ...role, serviceAccounts: uniqueAccounts([...role.serviceAccounts, ...together]) };
}

function toSpec(shared: Shared, accounts: readonly string[], members: Members, problems: Problems): AwsGrantSpec {
  const parsed = accounts.map((text) => problems.try(() => parseServiceAccountName(text)));
  const serviceAccounts = uniqueAccounts(parsed.filter((account) => account !== undefined));
  const role = readRole(shared.issuer, serviceAccounts[0], members, problems);
  const policyText = textOf(members["policyFileText"]);
  const spec = {
    ...shared,
    serviceAccounts,
    role,
    policyArns: [...new Set(listOf(members["policyArns"]) ?? [])],
    policyDocument: policyText === null ? null : readPolicy(policyText, problems),
    permissionsBoundary: textOf(members["permissionsBoundary"]),
    maxSessionDuration: readDuration(members["maxSessionDuration"], problems),
  };
  for (const arn of [...spec.policyArns, ...(spec.permissionsBoundary === null ? [] : [spec.permissionsBoundary])]) {
    if (parsePolicyArn(arn) === null) problems.add(awsInputCodes.AWS_ARN_INVALID, `${JSON.stringify(arn)} is not the ARN of a policy`);
  }
  return spec;
}

function readRole(issuer: string, first: ServiceAccount | undefined, members: Members, problems: Problems): RoleChoice {
  const name = textOf(members["roleName"]);
  const arn = textOf(members["roleArn"]);
  if (name !== null && arn !== null) problems.add(codes.FLAGS_CONFLICT, "a role name and a role ARN are given", "give --role-name for a role that kubeassume makes, --role-arn for one that exists");
  if (arn !== null) {
    const inVain = ["policyArns", "policyFileText", "permissionsBoundary", "maxSessionDuration"].filter((member) => members[member] !== undefined);
    if (inVain.length > 0) {
      const hint = "with --role-arn only a statement is added to the role's trust policy; leave the others out, or use --role-name";
      problems.add(codes.FLAGS_CONFLICT, `a role ARN is given together with ${inVain.map(toFlagName).join(", ")}`, hint);
    }
    const parsed = parseRoleArn(arn);
    if (parsed !== null) return { kind: "existing", arn: parsed };
    problems.add(awsInputCodes.AWS_ARN_INVALID, `${JSON.stringify(arn)} is not the ARN of a role`);
  }
  if (name !== null && !isRoleName(name)) problems.add(awsInputCodes.AWS_ROLE_NAME_INVALID, `role name ${JSON.stringify(name.slice(0, 200))} is not 1 to 64 characters out of A-Z a-z 0-9 + = , . @ _ -`);
  return { kind: "own", name: name ?? (first === undefined ? "" : defaultRoleName(issuer, first)) };
}

function toFlagName(member: string): string {
  return { policyArns: "--policy-arn", policyFileText: "--policy-file", permissionsBoundary: "--permissions-boundary", maxSessionDuration: "--max-session-duration" }[member] ?? member;
}

function readDuration(value: unknown, problems: Problems): number | null {
  if (value === undefined) return null;
  const seconds = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof seconds === "number" && Number.isInteger(seconds) && seconds >= 3600 && seconds <= 43_200) return seconds;
  problems.add(awsInputCodes.AWS_SESSION_DURATION_INVALID, `a session duration of ${JSON.stringify(value)} is not 3600 to 43200 seconds`);
  return null;
}
