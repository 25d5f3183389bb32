import { accessDenied } from "./errors.ts";
import { managedPolicyOf } from "./managed-policies.ts";
import { decide } from "./policy.ts";
import type { AwsState, Principal, Role } from "./state.ts";

/**
 * Lets a signed request of the account itself through, or refuses it in AWS's words. The operator may do everything
 * but `denyActions`; a role's session may do what the role's policies allow, within its permissions boundary.
 *
 * @throws AwsError AccessDenied
 */
export function authorize(principal: Principal, action: string, resource: string, state: AwsState, shownResource = resource): void {
  if (principal.roleName === null) {
    if (state.denyActions.has(action)) throw accessDenied(principal.arn, action, shownResource, nothingAllows("identity-based policy", action));
    return;
  }
  const role = state.roles.get(principal.roleName.toLowerCase());
  const context = new Map<string, { readonly values: readonly string[] }>();
  const request = { action, resource, arn: principal.arn, account: principal.account, context };
  const identity = role === undefined ? "none" : decide(identityPolicies(role, state), request);
  if (identity === "deny") throw accessDenied(principal.arn, action, shownResource, "with an explicit deny in an identity-based policy");
  if (identity === "none") throw accessDenied(principal.arn, action, shownResource, nothingAllows("identity-based policy", action));
  const within = (kind: string, documents: readonly string[]): void => {
    const decision = decide(documents, request);
    if (decision === "deny") throw accessDenied(principal.arn, action, shownResource, `with an explicit deny in a ${kind}`);
    if (decision === "none") throw accessDenied(principal.arn, action, shownResource, nothingAllows(kind, action));
  };
  if (role?.permissionsBoundary !== undefined) within("permissions boundary", [policyDocument(role.permissionsBoundary, state)]);
  if (principal.sessionPolicies.length > 0) within("session policy", principal.sessionPolicies);
}

function nothingAllows(kind: string, action: string): string {
  return `because no ${kind} allows the ${action} action`;
}

function identityPolicies(role: Role, state: AwsState): readonly string[] {
  return [...role.inlinePolicies.values(), ...[...role.attachedPolicies].map((arn) => policyDocument(arn, state))];
}

/** The text of a managed policy; one that allows nothing when there is none. */
export function policyDocument(arn: string, state: AwsState): string {
  return managedPolicyOf(arn)?.document ?? state.policies.get(arn) ?? "{}";
}
