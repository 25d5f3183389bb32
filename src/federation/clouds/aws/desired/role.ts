import type { Caller, Desired, Findings } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { subjectOf } from "../../../oidc/subject.ts";
import type { DesiredResource, ObservedResource } from "../../../plan/plan-resources.ts";
import type { Json } from "../../../plan/step.ts";
import { type Account, accountOf, providerArn, type RoleArn, ROLE_PATH, roleArn, withoutScheme } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { awsWarningCodes } from "../warning-codes.ts";
import { INLINE_POLICY_NAME, inlinePolicyId, KIND, PROVIDER_ID, roleId, rolePolicyId, roleTrustId } from "../ids.ts";
import type { AwsGrantSpec } from "../input/grant-spec.ts";
import { marksOf, toTagText } from "../marks.ts";
import { findStatement, mergeStatement, subjectsOf } from "../trust/merge.ts";
import { DEFAULT_TRUST_POLICY_SIZE, MAX_TRUST_POLICY_SIZE, trustPolicySize } from "../trust/size.ts";
import { toStatement, toTrustPolicy, type TrustStatement } from "../trust/statement.ts";
import { accountProblems, audiencesFor, conventionWarnings } from "./account.ts";
import { toTexts } from "./provider.ts";

/** Roles, their trust policies and what hangs on them, as they shall be. One pass, so that thousands stay quick. */
export function desiredGrants(specs: readonly AwsGrantSpec[], caller: Caller, observed: readonly ObservedResource[]): Desired {
  const byId = new Map(observed.map((resource) => [resource.id, resource]));
  const parts = specs.map((spec) => desiredGrant(spec, caller, byId));
  return {
    resources: parts.flatMap(({ resources }) => resources),
    problems: parts.flatMap(({ problems }) => problems),
    warnings: [...specs.slice(0, 1).flatMap((spec) => [...conventionWarnings(spec, accountOf(caller).partition), ...providerWarnings(spec, caller, byId)]), ...parts.flatMap(({ warnings }) => warnings)],
  };
}

function desiredGrant(spec: AwsGrantSpec, caller: Caller, byId: ReadonlyMap<string, ObservedResource>): Desired {
  const policyArns = [...spec.policyArns, ...(spec.permissionsBoundary === null ? [] : [spec.permissionsBoundary])];
  const account = accountProblems(caller, { region: spec.region, policyArns });
  const part = spec.role.kind === "own" ? ownRole(spec, spec.role.name, caller, byId) : existingRole(spec, spec.role.arn, caller, byId);
  return { ...part, problems: [...account, ...part.problems] };
}

/** What our statement says for a known caller. */
export function trustOf(spec: AwsGrantSpec, caller: Caller): TrustStatement {
  return {
    issuer: spec.issuer,
    providerArn: providerArn(spec.issuer, accountOf(caller)),
    audiences: audiencesFor(spec, caller),
    subjects: spec.serviceAccounts.map(subjectOf),
    patterns: false,
  };
}

/** The role's ARN for a known caller. */
export function roleArnOf(spec: AwsGrantSpec, account: Account): string {
  return roleArn(spec.role.kind === "existing" ? spec.role.arn : { partition: account.partition, account: account.account, path: ROLE_PATH, name: spec.role.name });
}

function ownRole(spec: AwsGrantSpec, name: string, caller: Caller, byId: ReadonlyMap<string, ObservedResource>): Desired {
  const target = roleArnOf(spec, accountOf(caller));
  const found = byId.get(roleId(name));
  const { trustPolicy, ...findings } = mergeTrust(spec, caller, target, found);
  const role: DesiredResource = {
    id: roleId(name),
    kind: KIND.role,
    cloud: "aws",
    target,
    fields: {
      trustPolicy,
      tags: marksOf(spec.issuer).map(toTagText),
      // Only a new role gets a description: people improve on it, and nothing depends on it.
      ...(found === undefined ? { description: descriptionOf(spec.issuer) } : {}),
      ...(spec.maxSessionDuration === null ? {} : { maxSessionDuration: spec.maxSessionDuration }),
      ...(spec.permissionsBoundary === null ? {} : { permissionsBoundary: spec.permissionsBoundary }),
    },
    sets: ["tags"],
  };
  return { ...findings, resources: [role, ...policiesOf(spec, name, target)] };
}

function policiesOf(spec: AwsGrantSpec, name: string, target: string): readonly DesiredResource[] {
  const common = { cloud: "aws", part: true, needs: [roleId(name)] };
  const attached = spec.policyArns.map((policyArn) => ({
    ...common,
    id: rolePolicyId(name, policyArn),
    kind: KIND.rolePolicy,
    target: `${policyArn} on ${target}`,
    fields: { roleName: name, policyArn },
  }));
  if (spec.policyDocument === null) return attached;
  const fields = { roleName: name, policyName: INLINE_POLICY_NAME, policyDocument: spec.policyDocument };
  return [...attached, { ...common, id: inlinePolicyId(name), kind: KIND.inlinePolicy, target: `inline policy ${INLINE_POLICY_NAME} of ${target}`, fields }];
}

function existingRole(spec: AwsGrantSpec, arn: RoleArn, caller: Caller, byId: ReadonlyMap<string, ObservedResource>): Desired {
  const own = accountOf(caller);
  const target = roleArn(arn);
  if (arn.account !== own.account || arn.partition !== own.partition) {
    const message = `role ${target} is in account ${arn.account} (${arn.partition}), the credentials are for ${own.account} (${own.partition})`;
    return { resources: [], warnings: [], problems: [new KubeassumeError(awsInputCodes.AWS_ACCOUNT_MISMATCH, { message })] };
  }
  const found = byId.get(roleTrustId(arn.name));
  const foundArn = found?.fields["arn"];
  if (found === undefined || foundArn !== target) {
    const message = typeof foundArn === "string" ? `role ${target} does not exist; the role of that name is ${foundArn}` : `role ${target} does not exist`;
    const hint = typeof foundArn === "string" ? `check the path, or give --role-arn ${foundArn}` : awsInputCodes.AWS_ROLE_MISSING.fix;
    return { resources: [], warnings: [], problems: [new KubeassumeError(awsInputCodes.AWS_ROLE_MISSING, { message, hint })] };
  }
  const { trustPolicy, ...findings } = mergeTrust(spec, caller, target, found);
  const fields = { roleName: arn.name, trustPolicy };
  return { ...findings, resources: [{ id: roleTrustId(arn.name), kind: KIND.roleTrust, cloud: "aws", target, fields, part: true }] };
}

function mergeTrust(spec: AwsGrantSpec, caller: Caller, target: string, found: ObservedResource | undefined): Findings & { readonly trustPolicy: Json } {
  const trust = trustOf(spec, caller);
  const statement = toStatement(trust);
  const existing = found?.fields["trustPolicy"];
  if (existing === undefined) return { trustPolicy: toTrustPolicy(trust), ...judgeSize(toTrustPolicy(trust), target) };
  const merged = mergeStatement(existing, statement);
  if (merged === null) {
    const message = `the trust policy of ${target} has no statements that can be read`;
    return { trustPolicy: existing, warnings: [], problems: [new KubeassumeError(awsInputCodes.AWS_TRUST_POLICY_UNREADABLE, { message })] };
  }
  const size = judgeSize(merged, target);
  return { trustPolicy: merged, problems: size.problems, warnings: [...size.warnings, ...removedAccess(trust, existing, target)] };
}

function removedAccess(trust: TrustStatement, existing: Json, target: string): readonly Problem[] {
  const ours = findStatement(existing, String(toStatement(trust)["Sid"]));
  const before = ours === null ? [] : subjectsOf(ours, withoutScheme(trust.issuer));
  const lost = before.filter((subject) => !trust.subjects.includes(subject));
  if (lost.length === 0) return [];
  return [warning(awsWarningCodes.AWS_ACCESS_REMOVED, { message: `${lost.join(", ")} will lose ${target}`, details: { target, subjects: lost } })];
}

/** Refuses what IAM can never take and warns of what it takes only with a raised quota. */
export function judgeSize(trustPolicy: Json, target: string): Findings {
  const size = trustPolicySize(trustPolicy);
  const details = { target, size, quota: "Role trust policy length" };
  if (size > MAX_TRUST_POLICY_SIZE) {
    const message = `the trust policy of ${target} would have ${size} characters, more than ${MAX_TRUST_POLICY_SIZE}, the most that the quota "Role trust policy length" can be raised to`;
    return { problems: [new KubeassumeError(awsInputCodes.AWS_TRUST_POLICY_TOO_LARGE, { message, details })], warnings: [] };
  }
  if (size <= DEFAULT_TRUST_POLICY_SIZE) return { problems: [], warnings: [] };
  const message = `the trust policy of ${target} has ${size} characters, more than ${DEFAULT_TRUST_POLICY_SIZE}, the default of the quota "Role trust policy length"`;
  return { problems: [], warnings: [warning(awsWarningCodes.AWS_TRUST_POLICY_OVER_DEFAULT, { message, details })] };
}

function providerWarnings(spec: AwsGrantSpec, caller: Caller, byId: ReadonlyMap<string, ObservedResource>): readonly Problem[] {
  const arn = providerArn(spec.issuer, accountOf(caller));
  const provider = byId.get(PROVIDER_ID);
  const hint = `run kubeassume setup aws --issuer-url ${spec.issuer}`;
  if (provider === undefined) return [warning(awsWarningCodes.AWS_PROVIDER_MISSING, { message: `${arn} does not exist yet`, hint, details: { provider: arn } })];
  const registered = toTexts(provider.fields, "audiences");
  const missing = audiencesFor(spec, caller).filter((audience) => !registered.includes(audience));
  if (missing.length === 0) return [];
  return [warning(awsWarningCodes.AWS_AUDIENCE_NOT_REGISTERED, { message: `${arn} does not accept ${missing.join(", ")}`, details: { provider: arn, audiences: missing } })];
}

/** At most 1,000 characters of Latin-1 (IAM CreateRole). */
function descriptionOf(issuer: string): string {
  return `Assumed by Kubernetes service accounts of ${issuer}; made by kubeassume`;
}
