import { GetAccountAuthorizationDetailsCommand, GetRoleCommand, GetRolePolicyCommand, ListAttachedRolePoliciesCommand, ListRolesCommand, type RoleDetail } from "@aws-sdk/client-iam";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import type { Json } from "../../../plan/step.ts";
import { ROLE_PATH } from "../arn.ts";
import { INLINE_POLICY_NAME } from "../ids.ts";
import type { AwsGrantSpec } from "../input/grant-spec.ts";
import { roleKey } from "../input/merge-grants.ts";
import { call, callIfExists, type Sdk } from "./calls.ts";
import { parseDocument, type RoleRead, toObserved, toRoleRead } from "./role-fields.ts";

/** From this many grants on, reading the account's pages takes fewer calls than reading each role. */
const MANY = 10;
/** The most that IAM puts into a page. */
const PAGE = 1000;

/** The roles of the grants with what hangs on them: up to 10 one by one and side by side, more through pages. */
export async function observeRoles(sdk: Sdk, specs: readonly AwsGrantSpec[]): Promise<readonly ObservedResource[]> {
  if (specs.length > MANY) return observeThroughPages(sdk, specs);
  const read = await Promise.all(specs.map(async (spec) => ({ spec, role: await readRole(sdk, spec) })));
  return read.flatMap(({ spec, role }) => (role === null ? [] : toObserved(spec, role)));
}

async function readRole(sdk: Sdk, spec: AwsGrantSpec): Promise<RoleRead | null> {
  const name = spec.role.kind === "own" ? spec.role.name : spec.role.arn.name;
  const [role, attached, policy] = await Promise.all([
    readSdkRole(sdk, name),
    spec.policyArns.length === 0 ? [] : readAttached(sdk, name),
    spec.policyDocument === null ? null : readInline(sdk, name),
  ]);
  if (role === null) return null;
  return toRoleRead(role, { attached, ...(policy === null ? {} : { inline: new Map([[INLINE_POLICY_NAME, policy]]) }) });
}

/** GetRole; null when there is no role of that name, whatever its path. */
export async function readSdkRole({ iamClient }: Sdk, name: string) {
  const answer = await callIfExists("iam:GetRole", name, () => iamClient.send(new GetRoleCommand({ RoleName: name })));
  return answer?.Role ?? null;
}

async function readAttached({ iamClient }: Sdk, name: string): Promise<readonly string[]> {
  const attached: string[] = [];
  let marker: string | undefined;
  do {
    const page = { RoleName: name, ...(marker === undefined ? {} : { Marker: marker }) };
    const answer = await callIfExists("iam:ListAttachedRolePolicies", name, () => iamClient.send(new ListAttachedRolePoliciesCommand(page)));
    attached.push(...(answer?.AttachedPolicies ?? []).flatMap(({ PolicyArn }) => PolicyArn ?? []));
    marker = answer?.IsTruncated === true ? answer.Marker : undefined;
  } while (marker !== undefined);
  return attached;
}

async function readInline({ iamClient }: Sdk, name: string): Promise<Json | null> {
  const command = new GetRolePolicyCommand({ RoleName: name, PolicyName: INLINE_POLICY_NAME });
  const answer = await callIfExists("iam:GetRolePolicy", name, () => iamClient.send(command));
  return answer === null ? null : parseDocument(answer.PolicyDocument ?? "");
}

async function observeThroughPages(sdk: Sdk, specs: readonly AwsGrantSpec[]): Promise<readonly ObservedResource[]> {
  const needsDuration = specs.some((spec) => spec.maxSessionDuration !== null);
  const [roles, durations] = await Promise.all([readAllRoles(sdk), needsDuration ? readDurations(sdk) : new Map<string, number>()]);
  const byName = new Map(roles.map((role) => [role.name.toLowerCase(), role]));
  return specs.flatMap((spec) => {
    const role = byName.get(roleKey(spec));
    return role === undefined ? [] : toObserved(spec, { ...role, maxSessionDuration: durations.get(role.arn) ?? null });
  });
}

/** Every role of the account with its policies, in pages of up to 1,000 (IAM GetAccountAuthorizationDetails). */
export async function readAllRoles({ iamClient }: Sdk): Promise<readonly RoleRead[]> {
  const roles: RoleRead[] = [];
  let marker: string | undefined;
  do {
    const command = new GetAccountAuthorizationDetailsCommand({ Filter: ["Role"], MaxItems: PAGE, ...(marker === undefined ? {} : { Marker: marker }) });
    const answer = await call("iam:GetAccountAuthorizationDetails", "the account's roles", () => iamClient.send(command));
    roles.push(...(answer.RoleDetailList ?? []).map(toDetailedRole));
    marker = answer.IsTruncated === true ? answer.Marker : undefined;
  } while (marker !== undefined);
  return roles;
}

function toDetailedRole(detail: RoleDetail): RoleRead {
  const inline = (detail.RolePolicyList ?? []).map(({ PolicyName, PolicyDocument }) => [PolicyName ?? "", parseDocument(PolicyDocument ?? "")] as const);
  return toRoleRead(detail, {
    attached: (detail.AttachedManagedPolicies ?? []).flatMap(({ PolicyArn }) => PolicyArn ?? []),
    inline: new Map(inline),
    instanceProfiles: (detail.InstanceProfileList ?? []).flatMap(({ InstanceProfileName }) => InstanceProfileName ?? []),
  });
}

/** Session durations by ARN: the account's details leave them out, ListRoles has them. */
async function readDurations({ iamClient }: Sdk): Promise<ReadonlyMap<string, number>> {
  const durations = new Map<string, number>();
  let marker: string | undefined;
  do {
    const command = new ListRolesCommand({ PathPrefix: ROLE_PATH, MaxItems: PAGE, ...(marker === undefined ? {} : { Marker: marker }) });
    const answer = await call("iam:ListRoles", ROLE_PATH, () => iamClient.send(command));
    for (const role of answer.Roles ?? []) {
      if (role.Arn !== undefined && role.MaxSessionDuration !== undefined) durations.set(role.Arn, role.MaxSessionDuration);
    }
    marker = answer.IsTruncated === true ? answer.Marker : undefined;
  } while (marker !== undefined);
  return durations;
}
