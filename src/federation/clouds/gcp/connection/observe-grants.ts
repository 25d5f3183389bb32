import type { Caller } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { isJsonObject, type JsonObject } from "../../../oidc/json.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import { gcpErrorCodes } from "../codes.ts";
import { bindingsOf as wantedBindings } from "../desired/grants.ts";
import { parsePolicyTarget, policyId, type PolicyOwner, PRINCIPALS_FIELD, serviceAccountId } from "../ids.ts";
import type { GcpGrantSpec } from "../input/grant-spec.ts";
import { readMarks } from "../marks.ts";
import { observeTrust } from "./observe-setup.ts";
import { countPrincipals, presentMembers } from "./policy-document.ts";
import { readPolicy, serviceAccountName } from "./policies.ts";
import { restIfExists } from "./rest.ts";
import { mapBounded, type Session } from "./session.ts";

/**
 * Pool and provider that the grants stand on, service accounts that are impersonated, and each policy once, however
 * many grants it serves, at most 8 at a time. Throws GCP_BUCKET_MISSING.
 */
export async function observeGrants(session: Session, specs: readonly GcpGrantSpec[], caller: Caller | Promise<Caller>): Promise<readonly ObservedResource[]> {
  const [first] = specs;
  if (first === undefined) return [];
  const emails = [...new Set(specs.flatMap(({ access }) => (access.kind === "impersonate" ? [access.email] : [])))];
  const reads = Promise.all([observeTrust(session, first), mapBounded(emails, (email) => observeAccount(session, email)), readPolicies(session, specs)]);
  reads.catch(() => undefined);
  // Who cannot be told cannot read either: that is the failure to show.
  const who = await caller;
  const [trust, accounts, policies] = await reads;
  return [...trust, ...accounts.flat(), ...toObservedPolicies(specs, who, policies)];
}

/** A service account as IAM has it; null when there is none of that e-mail. */
export async function readServiceAccount({ rest }: Session, email: string): Promise<JsonObject | null> {
  const request = { service: "iam", method: "GET", path: `v1/${serviceAccountName(email)}`, action: "iam.serviceAccounts.get", resource: `serviceAccounts/${email}` } as const;
  return (await restIfExists(rest, request))?.json ?? null;
}

/** A service account as the plan sees it. */
export function accountFields(account: JsonObject): Fields {
  const [displayName, description] = [account["displayName"], account["description"]].map((text) => (typeof text === "string" ? text : ""));
  return { displayName: displayName ?? "", description: description ?? "", disabled: account["disabled"] === true };
}

async function observeAccount(session: Session, email: string): Promise<readonly ObservedResource[]> {
  const found = await readServiceAccount(session, email);
  if (found === null) return [];
  const fields = accountFields(found);
  return [{ id: serviceAccountId(email), marked: readMarks(String(fields["description"])).managed, fields }];
}

/** By target. Whom the members name does not matter yet: the targets are known without the caller. */
async function readPolicies(session: Session, specs: readonly GcpGrantSpec[]): Promise<ReadonlyMap<string, JsonObject>> {
  const nobody: Caller = { name: "", account: "" };
  const targets = [...new Set(specs.map((spec) => wantedBindings(spec, nobody).target))];
  const read = await mapBounded(targets, async (target) => [target, await readPolicy(session, ownerOf(target))] as const);
  const missing = read.flatMap(([target, policy]) => (policy === null && target.startsWith("buckets/") ? [target] : []));
  if (missing[0] !== undefined) {
    throw new KubeassumeError(gcpErrorCodes.GCP_BUCKET_MISSING, { message: `bucket ${missing.map((target) => target.slice("buckets/".length)).join(", ")} does not exist`, details: { buckets: missing } });
  }
  return new Map(read.filter((entry): entry is readonly [string, JsonObject] => isJsonObject(entry[1])));
}

function toObservedPolicies(specs: readonly GcpGrantSpec[], caller: Caller, policies: ReadonlyMap<string, JsonObject>): readonly ObservedResource[] {
  const wanted = new Map<string, Map<string, Set<string>>>();
  for (const spec of specs) {
    const { target, roles, members } = wantedBindings(spec, caller);
    const byRole = wanted.get(target) ?? new Map<string, Set<string>>();
    wanted.set(target, byRole);
    for (const role of roles) byRole.set(role, new Set([...(byRole.get(role) ?? []), ...members]));
  }
  return [...wanted].flatMap(([target, byRole]) => {
    const policy = policies.get(target);
    if (policy === undefined) return [];
    const present = presentMembers(policy, new Map([...byRole].map(([role, members]) => [role, [...members]])));
    return [{ id: policyId(target), marked: true, fields: { ...Object.fromEntries(present), [PRINCIPALS_FIELD]: countPrincipals(policy) } }];
  });
}

/** The owner of a policy that a step names. */
export function ownerOf(target: string): PolicyOwner {
  const owner = parsePolicyTarget(target);
  if (owner === null) throw new TypeError(`a step names the policy of ${target}, which is nothing that has one`);
  return owner;
}
