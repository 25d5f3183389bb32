import { evaluatePolicyCondition } from "../judge/cel-evaluate.ts";
import { allowsImpersonation, judgeMember, membersOf as federatedMembersOf, parsePolicy } from "../judge/policy.ts";
import type { RoleMatch } from "../judge/policy.ts";
import { effectivePolicy } from "./policies.ts";
import { GET_ACCESS_TOKEN, gives } from "./roles.ts";
import type { Binding, Policy, Principal } from "./state.ts";
import type { GcpWorld } from "./world.ts";

/**
 * Whether somebody has a permission: the operator all that the options leave, everybody else what a binding of the
 * project or of the resource (`policyKey`: `serviceAccounts/EMAIL`) gives. Conditions count when the time alone
 * decides them; all others give nothing.
 */
export function isAllowed(principal: Principal, permission: string, policyKey: string | undefined, world: GcpWorld): boolean {
  const { state } = world;
  if (principal.kind === "operator") return !state.denyPermissions.has(permission) && (state.allowPermissions?.has(permission) ?? true);
  const keys = [`projects/${state.project.id}`, ...(policyKey === undefined ? [] : [policyKey])];
  const policies = keys.map((key) => effectivePolicy(key, world));
  if (principal.kind === "federated" && permission === GET_ACCESS_TOKEN) return policies.some((policy) => mayImpersonate(principal, policy, world));
  const members = new Set(membersOf(principal));
  return policies.some(({ bindings }) => bindings.some((binding) => binding.members.some((member) => members.has(member)) && gives(binding.role, permission, state.customRoles) && holds(binding, world)));
}

/** The judge of `verify` decides, so that the two cannot differ; what it cannot know of custom roles is known here. */
function mayImpersonate({ identity }: Extract<Principal, { kind: "federated" }>, policy: Policy, { state, now }: GcpWorld): boolean {
  const parsed = parsePolicy(policy);
  const matches = (role: string): RoleMatch => (state.customRoles.has(role) ? (gives(role, GET_ACCESS_TOKEN, state.customRoles) ? "yes" : "no") : allowsImpersonation(role));
  return "bindings" in parsed && judgeMember(parsed.bindings, identity, matches, now()).decision === "granted";
}

function holds({ condition }: Binding, { now }: GcpWorld): boolean {
  if (condition === undefined) return true;
  const outcome = evaluatePolicyCondition(condition.expression, now());
  return outcome.kind === "value" && outcome.value === true;
}

/** Every member of a policy that stands for somebody. */
export function membersOf(principal: Principal): readonly string[] {
  if (principal.kind === "operator") return [principal.name, "allUsers"];
  return principal.kind === "federated" ? federatedMembersOf(principal.identity) : [`serviceAccount:${principal.email}`, "allAuthenticatedUsers", "allUsers"];
}
