import { isDeepStrictEqual } from "node:util";
import { awsInputCodes } from "../codes.ts";
import type { AwsGrantSpec } from "./grant-spec.ts";
import { type Problems, uniqueAccounts } from "../../input.ts";

/**
 * One spec per role: grants that name the same role become one with all their service accounts. Adds AWS_GRANTS_CONFLICT
 * when they disagree about anything else: the second would otherwise undo the first.
 */
export function mergeGrants(specs: readonly AwsGrantSpec[], problems: Problems): readonly AwsGrantSpec[] {
  const byRole = new Map<string, AwsGrantSpec>();
  for (const spec of specs) {
    const key = roleKey(spec);
    const earlier = byRole.get(key);
    if (earlier === undefined) {
      byRole.set(key, spec);
      continue;
    }
    const [ours, theirs] = [withoutAccounts(earlier), withoutAccounts(spec)];
    const members = (Object.keys(ours) as (keyof typeof ours)[]).filter((member) => !isDeepStrictEqual(ours[member], theirs[member]));
    if (members.length > 0) {
      const accounts = [earlier, spec].map(({ serviceAccounts: [first] }) => `${first?.namespace}/${first?.name}`).join(" and ");
      problems.add(awsInputCodes.AWS_GRANTS_CONFLICT, `the grants of ${accounts} name one role (${key}) and differ in ${members.join(", ")}`);
    }
    byRole.set(key, { ...earlier, serviceAccounts: uniqueAccounts([...earlier.serviceAccounts, ...spec.serviceAccounts]) });
  }
  return [...byRole.values()];
}

function withoutAccounts({ serviceAccounts: _, ...rest }: AwsGrantSpec): Omit<AwsGrantSpec, "serviceAccounts"> {
  return rest;
}

/** IAM compares role names without regard to case, whatever their path. */
export function roleKey({ role }: AwsGrantSpec): string {
  return (role.kind === "own" ? role.name : role.arn.name).toLowerCase();
}
