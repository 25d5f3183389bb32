import { isDeepStrictEqual } from "node:util";
import { AttachRolePolicyCommand, CreateRoleCommand, DeleteRoleCommand, DeleteRolePolicyCommand, DetachRolePolicyCommand, PutRolePermissionsBoundaryCommand, PutRolePolicyCommand, TagRoleCommand, UpdateAssumeRolePolicyCommand, UpdateRoleCommand } from "@aws-sdk/client-iam";
import { KubeassumeError } from "../../../errors/error.ts";
import type { Fields, Json, Step } from "../../../plan/step.ts";
import { parseRoleArn } from "../arn.ts";
import { awsErrorCodes } from "../codes.ts";
import { toTexts } from "../desired/provider.ts";
import { call, callIfExists, callUnlessExists, type Sdk } from "./calls.ts";
import { readSdkRole } from "./observe-roles.ts";
import { hasMarksOf, missingTags, toTags } from "./perform-provider.ts";
import { fieldsOf, toRoleRead } from "./role-fields.ts";

/** Performs one step of a role of ours. Every call is one that may be repeated. */
export async function performRole(sdk: Sdk, step: Step): Promise<void> {
  if (step.action === "delete") return deleteRole(sdk, step.target, step.before ?? {});
  if (step.after === null) return;
  if (step.action === "create") return createRole(sdk, step.target, step.after);
  return repairRole(sdk, step.target, step.before ?? {}, step.after);
}

async function createRole(sdk: Sdk, arn: string, after: Fields): Promise<void> {
  const { path, name } = partsOf(arn);
  const { description, maxSessionDuration, permissionsBoundary, trustPolicy } = after;
  const command = new CreateRoleCommand({
    Path: path,
    RoleName: name,
    AssumeRolePolicyDocument: JSON.stringify(trustPolicy),
    Tags: [...toTags(after)],
    ...(typeof description === "string" ? { Description: description } : {}),
    ...(typeof maxSessionDuration === "number" ? { MaxSessionDuration: maxSessionDuration } : {}),
    ...(typeof permissionsBoundary === "string" ? { PermissionsBoundary: permissionsBoundary } : {}),
  });
  const created = await callUnlessExists("iam:CreateRole", arn, () => sdk.iamClient.send(command));
  if (created !== null) return;
  // Made in between: by ourselves, when an answer was lost, or by somebody else. The name alone says neither.
  const found = await readSdkRole(sdk, name);
  const fields = found === null ? null : fieldsOf(toRoleRead(found));
  if (fields === null || fields["arn"] !== arn || !hasMarksOf(fields, after)) {
    throw new KubeassumeError(awsErrorCodes.AWS_CONFLICT, { message: `a role of the name of ${arn} was made by somebody else since it was looked for` });
  }
  await repairRole(sdk, arn, fields, after);
}

async function repairRole({ iamClient }: Sdk, arn: string, before: Fields, after: Fields): Promise<void> {
  const RoleName = partsOf(arn).name;
  const { trustPolicy, maxSessionDuration, permissionsBoundary } = after;
  const tags = missingTags(before, after);
  if (tags.length > 0) await call("iam:TagRole", arn, () => iamClient.send(new TagRoleCommand({ RoleName, Tags: [...tags] })));
  if (typeof permissionsBoundary === "string" && permissionsBoundary !== before["permissionsBoundary"]) {
    const command = new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: permissionsBoundary });
    await call("iam:PutRolePermissionsBoundary", arn, () => iamClient.send(command));
  }
  if (typeof maxSessionDuration === "number" && maxSessionDuration !== before["maxSessionDuration"]) {
    await call("iam:UpdateRole", arn, () => iamClient.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: maxSessionDuration })));
  }
  if (trustPolicy !== undefined && !isDeepStrictEqual(trustPolicy, before["trustPolicy"])) {
    const command = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(trustPolicy) });
    await call("iam:UpdateAssumeRolePolicy", arn, () => iamClient.send(command));
  }
}

/** IAM deletes only bare roles: policies go first. The mark is read again right before, since deleting cannot be undone. */
async function deleteRole(sdk: Sdk, arn: string, before: Fields): Promise<void> {
  const { iamClient } = sdk;
  const RoleName = partsOf(arn).name;
  const found = await readSdkRole(sdk, RoleName);
  if (found === null) return;
  if (found.Arn !== arn || !hasMarksOf(fieldsOf(toRoleRead(found)), before)) {
    throw new KubeassumeError(awsErrorCodes.AWS_CONFLICT, { message: `${arn} does not carry kubeassume's mark any more` });
  }
  for (const PolicyArn of toTexts(before, "attachedPolicies")) {
    await callIfExists("iam:DetachRolePolicy", arn, () => iamClient.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })));
  }
  for (const PolicyName of toTexts(before, "inlinePolicies")) {
    await callIfExists("iam:DeleteRolePolicy", arn, () => iamClient.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
  }
  await callIfExists("iam:DeleteRole", arn, () => iamClient.send(new DeleteRoleCommand({ RoleName })));
}

/** Attaches a policy or writes the inline one; both may be repeated. */
export async function performRolePolicy({ iamClient }: Sdk, step: Step): Promise<void> {
  const { roleName, policyArn, policyName, policyDocument } = step.after ?? {};
  const RoleName = String(roleName);
  if (typeof policyArn === "string") {
    await call("iam:AttachRolePolicy", step.target, () => iamClient.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: policyArn })));
    return;
  }
  const command = new PutRolePolicyCommand({ RoleName, PolicyName: String(policyName), PolicyDocument: JSON.stringify(policyDocument) });
  await call("iam:PutRolePolicy", step.target, () => iamClient.send(command));
}

/**
 * Writes the trust policy of a role that is not ours. IAM has no conditional write, so it is read again right before:
 * what somebody else wrote since the plan was made is not lost.
 */
export async function performRoleTrust(sdk: Sdk, step: Step): Promise<void> {
  const wanted = step.after?.["trustPolicy"];
  const { name } = partsOf(step.target);
  const found = await readSdkRole(sdk, name);
  if (found === null || found.Arn !== step.target) {
    throw new KubeassumeError(awsErrorCodes.AWS_NOT_FOUND, { message: `${step.target} does not exist any more` });
  }
  const { trustPolicy } = toRoleRead(found);
  if (wanted === undefined || isDeepStrictEqual(trustPolicy, wanted)) return;
  if (!isDeepStrictEqual(trustPolicy, step.before?.["trustPolicy"])) {
    throw new KubeassumeError(awsErrorCodes.AWS_CONFLICT, { message: `the trust policy of ${step.target} has changed since it was read` });
  }
  await writeTrust(sdk, step.target, name, wanted);
}

async function writeTrust({ iamClient }: Sdk, target: string, RoleName: string, document: Json): Promise<void> {
  const command = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(document) });
  await call("iam:UpdateAssumeRolePolicy", target, () => iamClient.send(command));
}

function partsOf(arn: string): { readonly path: string; readonly name: string } {
  const parsed = parseRoleArn(arn);
  if (parsed === null) throw new TypeError(`a step names ${arn}, which is no role`);
  return parsed;
}
