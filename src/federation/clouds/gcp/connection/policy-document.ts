import { isJsonObject, type JsonObject } from "../../../oidc/json.ts";
import type { Fields } from "../../../plan/step.ts";

/** Members by role, as fields of a step have them. */
export type Members = ReadonlyMap<string, readonly string[]>;

/** A binding as it came: whatever else it has is kept. */
type Binding = JsonObject;

/** The bindings of an IAM policy; empty for a policy that has none yet. */
export function bindingsOf(policy: JsonObject): readonly Binding[] {
  const { bindings } = policy;
  return Array.isArray(bindings) ? bindings.filter(isJsonObject) : [];
}

/** Members of steps' fields; fields that are no lists are about something else. */
export function toMembers(fields: Fields | null): Members {
  const lists = Object.entries(fields ?? {}).flatMap(([role, members]) => (Array.isArray(members) ? [[role, members.filter((member): member is string => typeof member === "string")] as const] : []));
  return new Map(lists);
}

/** Those of the wanted members that a binding without a condition has: one with a condition gives access only at times. */
export function presentMembers(policy: JsonObject, wanted: Members): Members {
  const present = [...wanted].flatMap(([role, members]) => {
    const has = new Set(bindingsOf(policy).filter((binding) => isUnconditional(binding, role)).flatMap(membersOf));
    const found = members.filter((member) => has.has(member));
    return found.length === 0 ? [] : [[role, found] as const];
  });
  return new Map(present);
}

/** How many principals all bindings name, each occurrence counted, as Google's limit does. */
export function countPrincipals(policy: JsonObject): number {
  return bindingsOf(policy).reduce((sum, binding) => sum + membersOf(binding).length, 0);
}

/**
 * The policy with members added to and removed from bindings without a condition; null when that changes nothing. All
 * else stays as it came, to the byte: conditions, other members and their order, audit configuration, etag. A binding
 * that is left without members goes: Google takes no empty one. Version 3 where there are conditions, as IAM demands.
 */
export function changePolicy(policy: JsonObject, add: Members, remove: Members): JsonObject | null {
  const removed = bindingsOf(policy).flatMap((binding) => withoutMembers(binding, remove));
  const bindings = [...add].reduce(withMembers, removed);
  if (JSON.stringify(bindings) === JSON.stringify(bindingsOf(policy))) return null;
  return { ...policy, bindings, version: versionFor(policy, bindings) };
}

/** The members of a binding. */
export function membersOf(binding: Binding): readonly string[] {
  const { members } = binding;
  return Array.isArray(members) ? members.filter((member): member is string => typeof member === "string") : [];
}

/** Whether a binding gives a role (by default: any) at all times. */
export function isUnconditional(binding: Binding, role: unknown = binding["role"]): boolean {
  return binding["role"] === role && (binding["condition"] === undefined || binding["condition"] === null);
}

function withoutMembers(binding: Binding, remove: Members): readonly Binding[] {
  const gone = new Set(remove.get(String(binding["role"])) ?? []);
  if (gone.size === 0 || !isUnconditional(binding)) return [binding];
  const members = membersOf(binding).filter((member) => !gone.has(member));
  if (members.length === membersOf(binding).length) return [binding];
  return members.length === 0 ? [] : [{ ...binding, members }];
}

function withMembers(bindings: readonly Binding[], [role, members]: readonly [string, readonly string[]]): readonly Binding[] {
  const present = new Set(bindings.filter((binding) => isUnconditional(binding, role)).flatMap(membersOf));
  const missing = [...new Set(members)].filter((member) => !present.has(member));
  if (missing.length === 0) return bindings;
  const at = bindings.findIndex((binding) => isUnconditional(binding, role));
  if (at === -1) return [...bindings, { role, members: missing }];
  return bindings.map((binding, index) => (index === at ? { ...binding, members: [...membersOf(binding), ...missing] } : binding));
}

function versionFor(policy: JsonObject, bindings: readonly Binding[]): number {
  if (bindings.some((binding) => !isUnconditional(binding))) return 3;
  const { version } = policy;
  return typeof version === "number" && version > 1 ? version : 1;
}
