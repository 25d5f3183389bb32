import { createHash, randomBytes } from "node:crypto";
import type { Binding, Policy, PolicyRecord } from "./state.ts";
import type { GcpWorld } from "./world.ts";

/** What Google answers for a resource whose policy nobody has ever set. */
const NO_POLICY: Policy = { version: 1, etag: "ACAB", bindings: [] };
const NO_RECORD: PolicyRecord = { versions: [] };

/** The policy as it was last set; `key` as in the state: `projects/ID`, `serviceAccounts/EMAIL`. */
export function currentPolicy(key: string, { state }: Pick<GcpWorld, "state">): Policy {
  return state.policies.get(key)?.versions.at(-1)?.policy ?? NO_POLICY;
}

/** The policy as those who judge by it know it: a change takes the world's propagation to arrive. */
export function effectivePolicy(key: string, { state, now, propagationMs }: GcpWorld): Policy {
  const known = now().getTime() - propagationMs;
  return (state.policies.get(key) ?? NO_RECORD).versions.findLast(({ at }) => at.getTime() <= known)?.policy ?? NO_POLICY;
}

/** Writes a policy under a new etag. */
export function storePolicy(key: string, policy: Omit<Policy, "etag">, world: GcpWorld): Policy {
  const { state, now, propagationMs } = world;
  const stored = { ...policy, etag: newEtag(now()) };
  const versions = state.policies.get(key)?.versions ?? [];
  // What everybody has forgotten is dropped: all before the last one that has arrived.
  const arrived = versions.findLastIndex(({ at }) => at.getTime() <= now().getTime() - propagationMs);
  state.policies.set(key, { versions: [...versions.slice(Math.max(0, arrived)), { policy: stored, at: now() }] });
  return stored;
}

/** Eight bytes that begin with the time, as Google's look: `BwY...=`. */
function newEtag(at: Date): string {
  const bytes = Buffer.concat([Buffer.from([7, 6]), Buffer.from(at.getTime().toString(16).padStart(12, "0"), "hex").subarray(3), randomBytes(3)]);
  return bytes.toString("base64");
}

/**
 * As getIamPolicy answers it. Somebody who does not ask for version 3 is not shown conditions: the role's name says that
 * there is one (cloud.google.com/iam/docs/troubleshooting-withcond).
 */
export function renderPolicy(policy: Policy, requestedVersion: number): Policy {
  if (requestedVersion >= 3) return policy;
  const bindings = policy.bindings.map(({ role, members, condition }) => (condition === undefined ? { role, members } : { role: `${role}_withcond_${hashOf(condition)}`, members }));
  return { ...policy, version: 1, bindings };
}

function hashOf(condition: NonNullable<Binding["condition"]>): string {
  return createHash("sha256").update(JSON.stringify(condition)).digest("hex").slice(0, 20);
}

/** Bindings of the same role and condition become one, each member named once. */
export function mergeBindings(bindings: readonly Binding[]): readonly Binding[] {
  const merged = new Map<string, Binding>();
  for (const binding of bindings) {
    const key = JSON.stringify([binding.role, binding.condition ?? null]);
    const members = [...new Set([...(merged.get(key)?.members ?? []), ...binding.members])];
    if (members.length > 0) merged.set(key, { ...binding, members });
  }
  return [...merged.values()];
}

export function hasConditions(policy: { readonly bindings: readonly Binding[] }): boolean {
  return policy.bindings.some(({ condition }) => condition !== undefined);
}
