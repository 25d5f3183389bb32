import { alreadyExists, AwsError, limitExceeded, noSuchEntity } from "../errors.ts";
import { encode } from "../signature.ts";
import type { Call, QueryAction } from "../query.ts";
import { newId, wholeSeconds } from "../state.ts";
import type { Role } from "../state.ts";
import { members } from "../xml.ts";
import type { XmlTree } from "../xml.ts";
import { findRole, refuseUnknownPolicy, roleResource } from "./lookup.ts";
import { pageOf } from "./paging.ts";
import { addTags, refuseNoTags, removeTags, roleTagKey, toWireTags } from "./tags.ts";
import { acceptTrustPolicy } from "./trust-policy.ts";

const DEFAULT_SESSION_SECONDS = 3600;

/** Roles (docs.aws.amazon.com IAM API); shapes of the answers as recorded against AWS. */
export const roleActions: Readonly<Record<string, QueryAction>> = {
  CreateRole: {
    required: ["RoleName", "AssumeRolePolicyDocument"],
    optional: ["Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"],
    tagging: "iam:TagRole",
    resource: ({ form, state }) => `arn:${state.partition}:iam::${state.account}:role${form.optional("Path") ?? "/"}${form.text("RoleName")}`,
    run: createRole,
  },
  GetRole: { required: ["RoleName"], optional: [], resource: roleResource, run: (call) => ({ Role: { ...summaryOf(findRole(call)), ...detailsOf(findRole(call)) } }) },
  UpdateRole: { required: ["RoleName"], optional: ["Description", "MaxSessionDuration"], resource: roleResource, run: updateRole },
  UpdateAssumeRolePolicy: { required: ["RoleName", "PolicyDocument"], optional: [], resource: roleResource, run: updateTrustPolicy },
  DeleteRole: { required: ["RoleName"], optional: [], resource: roleResource, run: deleteRole },
  ListRoles: {
    required: [],
    optional: ["PathPrefix", "Marker", "MaxItems"],
    resource: ({ form, state }) => `arn:${state.partition}:iam::${state.account}:role${form.optional("PathPrefix") ?? "/"}`,
    run: listRoles,
  },
  TagRole: { required: ["RoleName"], optional: ["Tags"], resource: roleResource, run: tagRole },
  UntagRole: { required: ["RoleName"], optional: ["TagKeys"], resource: roleResource, run: untagRole },
  ListRoleTags: { required: ["RoleName"], optional: ["Marker", "MaxItems"], resource: roleResource, run: listRoleTags },
  PutRolePermissionsBoundary: { required: ["RoleName", "PermissionsBoundary"], optional: [], resource: roleResource, run: putBoundary },
  DeleteRolePermissionsBoundary: { required: ["RoleName"], optional: [], resource: roleResource, run: deleteBoundary },
};

/** What every answer about a role has. Policies are URL-encoded by RFC 3986. */
export function summaryOf(role: Role): XmlTree {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: role.createDate,
    AssumeRolePolicyDocument: encode(role.assumeRolePolicyDocument),
  };
}

/** Boundary, tags and last use: what GetRole has beyond ListRoles. */
export function attachmentsOf(role: Role): XmlTree {
  return {
    PermissionsBoundary: boundaryOf(role),
    Tags: role.tags.length === 0 ? undefined : members(toWireTags(role.tags)),
    RoleLastUsed: role.lastUsed === undefined ? {} : { LastUsedDate: role.lastUsed.date, Region: role.lastUsed.region },
  };
}

function detailsOf(role: Role): XmlTree {
  return { Description: role.description, MaxSessionDuration: role.maxSessionDuration, ...attachmentsOf(role) };
}

function boundaryOf({ permissionsBoundary }: Role): XmlTree | undefined {
  if (permissionsBoundary === undefined) return undefined;
  return { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: permissionsBoundary };
}

function createRole(call: Call): XmlTree {
  const { form, state } = call;
  const name = form.text("RoleName");
  const path = form.optional("Path") ?? "/";
  const assumeRolePolicyDocument = acceptTrustPolicy(form.text("AssumeRolePolicyDocument"), state);
  const tags = addTags([], form.tags("Tags"), roleTagKey);
  if (state.roles.has(name.toLowerCase())) throw alreadyExists(`Role with name ${name} already exists.`);
  if (state.roles.size >= state.quotas.rolesPerAccount) throw limitExceeded(`Cannot exceed quota for RolesPerAccount: ${state.quotas.rolesPerAccount}`);
  const permissionsBoundary = form.optional("PermissionsBoundary");
  if (permissionsBoundary !== undefined) refuseUnknownPolicy(permissionsBoundary, state, boundaryMissing(permissionsBoundary));
  const role: Role = {
    name,
    path,
    roleId: newId("AROA"),
    arn: `arn:${state.partition}:iam::${state.account}:role${path}${name}`,
    createDate: wholeSeconds(call.now()),
    assumeRolePolicyDocument,
    description: form.optional("Description"),
    maxSessionDuration: form.number("MaxSessionDuration") ?? DEFAULT_SESSION_SECONDS,
    permissionsBoundary,
    tags,
    attachedPolicies: new Set(),
    inlinePolicies: new Map(),
    lastUsed: undefined,
  };
  state.roles.set(name.toLowerCase(), role);
  return { Role: { ...summaryOf(role), PermissionsBoundary: boundaryOf(role), Tags: tags.length === 0 ? undefined : members(toWireTags(tags)) } };
}

function boundaryMissing(arn: string): AwsError {
  return noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
}

function updateRole(call: Call): XmlTree {
  const role = findRole(call);
  role.description = call.form.optional("Description") ?? role.description;
  role.maxSessionDuration = call.form.number("MaxSessionDuration") ?? role.maxSessionDuration;
  return {};
}

function updateTrustPolicy(call: Call): undefined {
  const role = findRole(call);
  role.assumeRolePolicyDocument = acceptTrustPolicy(call.form.text("PolicyDocument"), call.state);
}

function deleteRole(call: Call): undefined {
  const role = findRole(call);
  if (role.attachedPolicies.size > 0) throw deleteConflict("must detach all policies first.");
  if (role.inlinePolicies.size > 0) throw deleteConflict("must delete policies first.");
  call.state.roles.delete(role.name.toLowerCase());
}

function deleteConflict(reason: string): AwsError {
  return new AwsError("DeleteConflict", 409, `Cannot delete entity, ${reason}`);
}

function listRoles({ form, state }: Call): XmlTree {
  const prefix = form.optional("PathPrefix") ?? "/";
  const matching = [...state.roles.values()].filter(({ path }) => path.startsWith(prefix));
  const { items, truncation } = pageOf(matching, ({ name }) => name, form);
  const roles = items.map((role) => ({ ...summaryOf(role), Description: role.description, MaxSessionDuration: role.maxSessionDuration }));
  return { Roles: members(roles), ...truncation };
}

function tagRole(call: Call): undefined {
  const role = findRole(call);
  const added = call.form.tags("Tags");
  refuseNoTags(added);
  role.tags = addTags(role.tags, added, roleTagKey);
}

function untagRole(call: Call): undefined {
  const role = findRole(call);
  role.tags = removeTags(role.tags, call.form.list("TagKeys"), roleTagKey);
}

function listRoleTags(call: Call): XmlTree {
  const { items, truncation } = pageOf(findRole(call).tags, ({ key }) => key, call.form);
  return { Tags: members(toWireTags(items)), ...truncation };
}

function putBoundary(call: Call): undefined {
  const role = findRole(call);
  const arn = call.form.text("PermissionsBoundary");
  refuseUnknownPolicy(arn, call.state, boundaryMissing(arn));
  role.permissionsBoundary = arn;
}

function deleteBoundary(call: Call): undefined {
  findRole(call).permissionsBoundary = undefined;
}
