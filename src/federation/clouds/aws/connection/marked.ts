import type { Caller, MarkedResource } from "../../cloud.ts";
import { accountOf, providerArn } from "../arn.ts";
import { KIND, PROVIDER_ID, roleId, roleTrustId } from "../ids.ts";
import { issuerTagValue, readMarks } from "../marks.ts";
import { countOthers, findStatement, removeStatement } from "../trust/merge.ts";
import { statementId } from "../trust/statement.ts";
import type { Sdk } from "./calls.ts";
import { observeProvider } from "./observe-provider.ts";
import { readAllRoles } from "./observe-roles.ts";
import { fieldsOf, type RoleRead } from "./role-fields.ts";

/**
 * Everything of one issuer: roles by their tags, our statements in other roles by their Sid, the provider by its
 * computed ARN. Needs neither the flags of the grants nor a state file.
 */
export async function findMarked(sdk: Sdk, issuer: string, caller: Caller): Promise<readonly MarkedResource[]> {
  const arn = providerArn(issuer, accountOf(caller));
  const [roles, observed] = await Promise.all([readAllRoles(sdk), observeProvider(sdk, arn)]);
  const grants = roles.flatMap((role) => toMarkedRole(role, issuer));
  const providers = observed.filter(({ marked }) => marked);
  const trusts = providers.map(({ fields }): MarkedResource => ({ id: PROVIDER_ID, kind: KIND.provider, target: arn, fields, role: "trust", needs: [] }));
  return [...grants, ...trusts];
}

function toMarkedRole(role: RoleRead, issuer: string): readonly MarkedResource[] {
  const { managed, issuerTag } = readMarks(role.tags);
  const isOurs = managed && issuerTag === issuerTagValue(issuer);
  const sid = statementId(issuer);
  const others = countOthers(role.trustPolicy, sid);
  if (!isOurs) return findStatement(role.trustPolicy, sid) === null ? [] : [toStatementRemoval(role, sid)];
  const whole = toRoleRemoval(role);
  if (others > 0) {
    const keep = "its trust policy has statements of somebody else";
    const removal = findStatement(role.trustPolicy, sid) === null ? [] : [toStatementRemoval(role, sid)];
    return [...removal, { ...whole, keep }];
  }
  const [profile] = role.instanceProfiles;
  return [profile === undefined ? whole : { ...whole, keep: `it is in the instance profile ${profile}` }];
}

function toRoleRemoval(role: RoleRead): MarkedResource {
  const fields = { ...fieldsOf(role), attachedPolicies: role.attached, inlinePolicies: [...role.inline.keys()] };
  return { id: roleId(role.name), kind: KIND.role, target: role.arn, fields, role: "grant", needs: [] };
}

/** Our statement goes, the rest stays as it is; a trust policy cannot be empty, so the last statement stays too. */
function toStatementRemoval(role: RoleRead, sid: string): MarkedResource {
  const rest = removeStatement(role.trustPolicy, sid);
  const fields = { roleName: role.name, trustPolicy: role.trustPolicy };
  const common: MarkedResource = { id: roleTrustId(role.name), kind: KIND.roleTrust, target: role.arn, fields, role: "grant", needs: [] };
  if (rest === null) return { ...common, keep: "its trust policy has no statement but ours, and IAM takes no empty one; delete the role if nobody needs it" };
  return { ...common, remains: { roleName: role.name, trustPolicy: rest } };
}
