import { members } from "../xml.ts";
import type { XmlTree } from "../xml.ts";
import { encode } from "../signature.ts";
import type { Call, QueryAction, QueryService } from "../query.ts";
import type { Role } from "../state.ts";
import { IAM_FIELDS } from "./fields.ts";
import { pageOf } from "./paging.ts";
import { providerActions } from "./providers.ts";
import { rolePolicyActions, toWireAttached } from "./role-policies.ts";
import { attachmentsOf, roleActions, summaryOf } from "./roles.ts";

const accountActions: Readonly<Record<string, QueryAction>> = {
  GetAccountAuthorizationDetails: { required: [], optional: ["Filter", "Marker", "MaxItems"], resource: () => "*", run: getAccountDetails },
};

/** IAM: identity providers, roles and their policies. The stand-in has no users, groups and managed policies of its own to list. */
export const iam: QueryService = {
  name: "iam",
  namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
  version: "2010-05-08",
  fields: IAM_FIELDS,
  unsigned: [],
  actions: { ...providerActions, ...roleActions, ...rolePolicyActions, ...accountActions },
};

function getAccountDetails({ form, state }: Call): XmlTree {
  const filter = form.list("Filter");
  const wanted = filter.length === 0 || filter.includes("Role");
  const { items, truncation } = pageOf(wanted ? [...state.roles.values()] : [], ({ name }) => name, form);
  return { UserDetailList: {}, GroupDetailList: {}, RoleDetailList: members(items.map(toRoleDetail)), Policies: {}, ...truncation };
}

function toRoleDetail(role: Role): XmlTree {
  const inline = [...role.inlinePolicies].map(([name, document]) => ({ PolicyName: name, PolicyDocument: encode(document) }));
  return {
    ...summaryOf(role),
    InstanceProfileList: {},
    RolePolicyList: members(inline),
    AttachedManagedPolicies: members(toWireAttached(role)),
    ...attachmentsOf(role),
  };
}
