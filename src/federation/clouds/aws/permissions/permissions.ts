import type { CloudInput } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { checkIssuerUrl } from "../../../oidc/issuer.ts";
import type { Json } from "../../../plan/step.ts";
import { parseRoleArn, ROLE_PATH, withoutScheme } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { configGrants, createProblems, listOf, membersOf, type Problems, textOf } from "../../input.ts";
import { isPartition, type Partition } from "../partition.ts";
import { type Permission, type PermissionCommand, PERMISSIONS, type Scope } from "./actions.ts";

/** Where the policy shall hold: as narrow as the flags and the config allow, `*` for what they do not say. */
interface Place {
  readonly partition: Partition;
  readonly account: string;
  readonly issuer: string | null;
  readonly buckets: readonly string[];
  readonly roles: readonly string[];
}

/**
 * The least-privilege identity policy for the person who runs a command, or for all of them. Resources are narrowed
 * by `--issuer-url`, `--account-id`, `--partition`, `--bucket` and `--role-arn`, else by the config.
 * Throws all problems at once: USAGE for an unknown command, AWS_ACCOUNT_INVALID, AWS_PARTITION_INVALID, AWS_ARN_INVALID.
 */
export function permissions(command: string | undefined, input: CloudInput): Json {
  const problems = createProblems();
  const known = Object.keys(PERMISSIONS) as PermissionCommand[];
  const wanted = command === undefined ? known : known.filter((name) => name === command);
  if (wanted.length === 0) problems.add(codes.USAGE, `there is no command ${JSON.stringify(command)} that needs permissions`, `one of ${known.join(", ")}`);
  const place = readPlace(input, problems);
  problems.throwAll();
  const byScope = new Map<Scope, Permission>();
  for (const permission of wanted.flatMap((name) => PERMISSIONS[name])) {
    const earlier = byScope.get(permission.scope);
    const actions = [...new Set([...(earlier?.actions ?? []), ...permission.actions])].sort();
    byScope.set(permission.scope, { scope: permission.scope, actions });
  }
  const statements = [...byScope.values()].flatMap((permission) => toStatement(permission, place));
  return { Version: "2012-10-17", Statement: statements };
}

const SIDS: Readonly<Record<Scope, string>> = {
  provider: "IssuerProvider",
  role: "ReadRoles",
  ownRole: "KubeassumeRoles",
  existingRole: "ExistingRoles",
  bucket: "Bucket",
  object: "Documents",
  any: "ReadAccount",
};

function toStatement({ scope, actions }: Permission, place: Place): readonly Json[] {
  const resources = resourcesOf(scope, place);
  const [only] = resources;
  if (only === undefined) return [];
  return [{ Sid: SIDS[scope], Effect: "Allow", Action: actions, Resource: resources.length === 1 ? only : resources }];
}

function resourcesOf(scope: Scope, { partition, account, issuer, buckets, roles }: Place): readonly string[] {
  const iam = `arn:${partition}:iam::${account}`;
  switch (scope) {
    case "provider":
      return [`${iam}:oidc-provider/${issuer === null ? "*" : withoutScheme(issuer)}`];
    case "role":
      return [`${iam}:role/*`];
    case "ownRole":
      return [`${iam}:role${ROLE_PATH}*`];
    case "existingRole":
      return roles;
    case "bucket":
      return buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`);
    case "object":
      return buckets.map((bucket) => `arn:${partition}:s3:::${bucket}/*`);
    case "any":
      return ["*"];
  }
}

function readPlace(input: CloudInput, problems: Problems): Place {
  const account = textOf(input.flags["accountId"]) ?? "*";
  if (!/^(\d{12}|\*)$/.test(account)) problems.add(awsInputCodes.AWS_ACCOUNT_INVALID, `account ${JSON.stringify(account.slice(0, 60))} is not 12 digits`);
  const partition = textOf(input.flags["partition"]) ?? "aws";
  if (!isPartition(partition)) problems.add(awsInputCodes.AWS_PARTITION_INVALID, `there is no partition ${JSON.stringify(partition.slice(0, 60))}`);
  const configRoles = configGrants(input, "aws").flatMap((grant) => textOf(membersOf(grant, "aws")["roleArn"]) ?? []);
  const roles = listOf(input.flags["roleArn"]) ?? configRoles;
  for (const role of roles) {
    if (parseRoleArn(role) === null) problems.add(awsInputCodes.AWS_ARN_INVALID, `${JSON.stringify(role)} is not the ARN of a role`);
  }
  const issuer = textOf(input.flags["issuerUrl"]) ?? textOf(input.config?.issuer);
  if (issuer !== null) {
    for (const { message, hint } of checkIssuerUrl(issuer).problems) problems.add(codes.FLAG_INVALID, message, hint);
  }
  const configBuckets = input.config?.publish.flatMap((entry) => textOf(entry["s3"]?.["bucket"]) ?? []) ?? [];
  const bucket = textOf(input.flags["bucket"]);
  const buckets = bucket !== null ? [bucket] : configBuckets.length > 0 ? configBuckets : ["*"];
  return { partition: isPartition(partition) ? partition : "aws", account, issuer, buckets, roles };
}
