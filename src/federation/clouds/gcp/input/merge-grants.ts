import { type Problems, uniqueAccounts } from "../../input.ts";
import { gcpInputCodes } from "../codes.ts";
import type { GcpAccess, GcpGrantSpec } from "./grant-spec.ts";

/**
 * One spec per identity and target: grants that impersonate one e-mail become one with all their accounts, direct grants
 * of one account on one target become one with all their roles. Adds GCP_GRANTS_CONFLICT for an account that would need
 * two credential files.
 */
export function mergeGrants(specs: readonly GcpGrantSpec[], problems: Problems): readonly GcpGrantSpec[] {
  const byKey = new Map<string, GcpGrantSpec[]>();
  for (const spec of specs) {
    const key = keyOf(spec);
    const same = byKey.get(key) ?? [];
    byKey.set(key, same);
    same.push(spec);
  }
  const merged = [...byKey.values()].flatMap(([first, ...rest]) => (first === undefined ? [] : [unite(first, rest)]));
  addConflicts(merged, problems);
  return merged;
}

function keyOf({ access, serviceAccounts: [first] }: GcpGrantSpec): string {
  if (access.kind === "impersonate") return access.email;
  return `${first?.namespace}/${first?.name} ${access.on.kind === "bucket" ? access.on.name : ""}`;
}

function unite(first: GcpGrantSpec, rest: readonly GcpGrantSpec[]): GcpGrantSpec {
  if (rest.length === 0) return first;
  const all = [first, ...rest];
  return { ...first, serviceAccounts: uniqueAccounts(all.flatMap(({ serviceAccounts }) => serviceAccounts)), access: uniteAccess(all.map(({ access }) => access)) };
}

function uniteAccess(all: readonly GcpAccess[]): GcpAccess {
  const [first] = all;
  if (first?.kind === "impersonate") return { ...first, create: all.some((one) => one.kind === "impersonate" && one.create) };
  const roles = all.flatMap((one) => (one.kind === "direct" ? one.roles : []));
  return { kind: "direct", on: { kind: "project" }, ...first, roles: [...new Set(roles)] };
}

/** Linear, since thousands of grants are usual for some. */
function addConflicts(specs: readonly GcpGrantSpec[], problems: Problems): void {
  const identities = new Map<string, string | null>();
  for (const { access, serviceAccounts } of specs) {
    const identity = access.kind === "impersonate" ? access.email : null;
    for (const { namespace, name } of serviceAccounts) {
      const account = `${namespace}/${name}`;
      const earlier = identities.get(account);
      if (earlier !== undefined && earlier !== identity) {
        problems.add(gcpInputCodes.GCP_GRANTS_CONFLICT, `the grants of ${account} want ${wordsOf(earlier)} and ${wordsOf(identity)}`);
      }
      identities.set(account, identity);
    }
  }
}

function wordsOf(identity: string | null): string {
  return identity === null ? "direct access" : `to impersonate ${identity}`;
}
