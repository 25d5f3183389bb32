import { parseJsonObject } from "../../../../oidc/json.ts";
import { limitExceeded, malformedPolicy, noSuchEntity } from "../errors.ts";
import { managedPolicyOf } from "../managed-policies.ts";
import { encode } from "../signature.ts";
import type { Call, QueryAction } from "../query.ts";
import type { Role } from "../state.ts";
import { members } from "../xml.ts";
import type { XmlTree } from "../xml.ts";
import { findRole, refuseUnknownPolicy, roleResource } from "./lookup.ts";
import { pageOf } from "./paging.ts";
import { lengthOf } from "./trust-policy.ts";

/** Policies of roles, attached and inline, and GetPolicy (docs.aws.amazon.com IAM API). */
export const rolePolicyActions: Readonly<Record<string, QueryAction>> = {
  AttachRolePolicy: { required: ["RoleName", "PolicyArn"], optional: [], resource: roleResource, run: attachPolicy },
  DetachRolePolicy: { required: ["RoleName", "PolicyArn"], optional: [], resource: roleResource, run: detachPolicy },
  ListAttachedRolePolicies: { required: ["RoleName"], optional: ["PathPrefix", "Marker", "MaxItems"], resource: roleResource, run: listAttached },
  PutRolePolicy: { required: ["RoleName", "PolicyName", "PolicyDocument"], optional: [], resource: roleResource, run: putInline },
  GetRolePolicy: { required: ["RoleName", "PolicyName"], optional: [], resource: roleResource, run: getInline },
  DeleteRolePolicy: { required: ["RoleName", "PolicyName"], optional: [], resource: roleResource, run: deleteInline },
  ListRolePolicies: { required: ["RoleName"], optional: ["Marker", "MaxItems"], resource: roleResource, run: listInline },
  GetPolicy: { required: ["PolicyArn"], optional: [], resource: ({ form }) => form.text("PolicyArn"), run: getPolicy },
};

/** As ListAttachedRolePolicies and GetAccountAuthorizationDetails name them. */
export function toWireAttached(role: Role): readonly { readonly PolicyName: string; readonly PolicyArn: string }[] {
  return [...role.attachedPolicies].map((arn) => ({ PolicyName: nameOf(arn), PolicyArn: arn }));
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

function attachPolicy(call: Call): undefined {
  const role = findRole(call);
  const arn = call.form.text("PolicyArn");
  refuseUnknownPolicy(arn, call.state, noSuchEntity(`Policy ${arn} does not exist or is not attachable.`));
  const limit = call.state.quotas.managedPoliciesPerRole;
  if (!role.attachedPolicies.has(arn) && role.attachedPolicies.size >= limit) throw limitExceeded(`Cannot exceed quota for PoliciesPerRole: ${limit}`);
  role.attachedPolicies.add(arn);
}

function detachPolicy(call: Call): undefined {
  const arn = call.form.text("PolicyArn");
  if (!findRole(call).attachedPolicies.delete(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
}

function listAttached(call: Call): XmlTree {
  const prefix = call.form.optional("PathPrefix") ?? "/";
  const matching = toWireAttached(findRole(call)).filter(({ PolicyArn }) => PolicyArn.slice(PolicyArn.indexOf(":policy/") + 7).startsWith(prefix));
  const { items, truncation } = pageOf(matching, ({ PolicyArn }) => PolicyArn, call.form);
  return { AttachedPolicies: members(items), ...truncation };
}

function putInline(call: Call): undefined {
  const role = findRole(call);
  const document = call.form.text("PolicyDocument");
  refuseMalformedInline(document);
  const name = call.form.text("PolicyName");
  const others = [...role.inlinePolicies].filter(([other]) => other !== name).map(([, text]) => text);
  const limit = call.state.quotas.inlinePoliciesLength;
  if (lengthOf([...others, document].join("")) > limit) throw limitExceeded(`Maximum policy size of ${limit} bytes exceeded for role ${role.name}`);
  role.inlinePolicies.set(name, document);
}

/** Enough of the grammar (IAM User Guide, reference_policies_grammar) to refuse what people get wrong. */
function refuseMalformedInline(text: string): void {
  const document = parseJsonObject(text);
  if (document === null) throw malformedPolicy("Syntax errors in policy.");
  const statement = document["Statement"];
  const list: unknown[] = Array.isArray(statement) ? statement : [statement];
  if (statement === undefined || list.length === 0) throw malformedPolicy("Syntax errors in policy.");
  for (const entry of list) {
    if (typeof entry !== "object" || entry === null) throw malformedPolicy("Syntax errors in policy.");
    if ("Principal" in entry || "NotPrincipal" in entry) throw malformedPolicy("Policy document should not specify a principal.");
    if (!("Effect" in entry) || (entry.Effect !== "Allow" && entry.Effect !== "Deny")) throw malformedPolicy("Syntax errors in policy.");
    if (!("Action" in entry) && !("NotAction" in entry)) throw malformedPolicy("Policy statement must contain actions.");
    if (!("Resource" in entry) && !("NotResource" in entry)) throw malformedPolicy("Policy statement must contain resources.");
  }
}

function findInline(call: Call): { readonly role: Role; readonly name: string; readonly document: string } {
  const role = findRole(call);
  const name = call.form.text("PolicyName");
  const document = role.inlinePolicies.get(name);
  if (document === undefined) throw noSuchEntity(`The role policy with name ${name} cannot be found.`);
  return { role, name, document };
}

function getInline(call: Call): XmlTree {
  const { role, name, document } = findInline(call);
  return { RoleName: role.name, PolicyName: name, PolicyDocument: encode(document) };
}

function deleteInline(call: Call): undefined {
  const { role, name } = findInline(call);
  role.inlinePolicies.delete(name);
}

function listInline(call: Call): XmlTree {
  const { items, truncation } = pageOf([...findRole(call).inlinePolicies.keys()], (name) => name, call.form);
  return { PolicyNames: members(items), ...truncation };
}

/** AWS's own policies are older than any account; the date of the oldest stands for all. */
const MANAGED_SINCE = new Date("2015-02-06T18:40:00Z");

function getPolicy({ form, state }: Call): XmlTree {
  const arn = form.text("PolicyArn");
  refuseUnknownPolicy(arn, state, noSuchEntity(`Policy ${arn} was not found.`));
  const roles = [...state.roles.values()];
  return {
    Policy: {
      PolicyName: nameOf(arn),
      PolicyId: policyIdOf(arn),
      Arn: arn,
      Path: managedPolicyOf(arn)?.path ?? arn.slice(arn.indexOf(":policy/") + 7, arn.lastIndexOf("/") + 1),
      DefaultVersionId: "v1",
      AttachmentCount: roles.filter(({ attachedPolicies }) => attachedPolicies.has(arn)).length,
      PermissionsBoundaryUsageCount: roles.filter(({ permissionsBoundary }) => permissionsBoundary === arn).length,
      IsAttachable: true,
      CreateDate: MANAGED_SINCE,
      UpdateDate: MANAGED_SINCE,
      Tags: members([]),
    },
  };
}

/** The same id for the same policy, in AWS's form. */
function policyIdOf(arn: string): string {
  const letters = Buffer.from(arn).toString("hex").toUpperCase().replace(/[^A-Z2-7]/g, "A");
  return `ANPA${letters.slice(-17).padStart(17, "A")}`;
}
