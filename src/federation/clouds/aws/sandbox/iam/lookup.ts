import { invalidInput, noSuchEntity } from "../errors.ts";
import type { AwsError } from "../errors.ts";
import { managedPolicyOf } from "../managed-policies.ts";
import type { Call } from "../query.ts";
import type { AwsState, Role } from "../state.ts";

/** The ARN of the role that a call is about; of one at the root path when there is none. */
export function roleResource({ form, state }: Call): string {
  const name = form.text("RoleName");
  return state.roles.get(name.toLowerCase())?.arn ?? `arn:${state.partition}:iam::${state.account}:role/${name}`;
}

/** @throws AwsError NoSuchEntity */
export function findRole({ form, state }: Call): Role {
  const name = form.text("RoleName");
  const role = state.roles.get(name.toLowerCase());
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** Refuses the ARN of a managed policy that does not exist, with `missing` when the ARN is well-formed. */
export function refuseUnknownPolicy(arn: string, state: AwsState, missing: AwsError): void {
  if (!new RegExp(`^arn:${state.partition}:iam::(\\d{12}|aws):policy/[\\u0021-\\u007e]+$`).test(arn)) throw invalidInput(`ARN ${arn} is not valid.`);
  if (managedPolicyOf(arn) === null && !state.policies.has(arn)) throw missing;
}
