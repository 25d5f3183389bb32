import type { MarkedResource } from "../../cloud.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { gcpErrorCodes } from "../codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { KIND, policyId, type PolicyOwner, policyTarget } from "../ids.ts";
import { bindingsOf, isUnconditional, membersOf } from "./policy-document.ts";
import { readPolicy } from "./policies.ts";
import { restPages } from "./rest.ts";
import { mapBounded, type Session } from "./session.ts";
import type { Account } from "./marked.ts";

/** Subjects of a pool that are one issuer's. */
export interface OwnSubjects {
  /** With the project's number, as members have it. */
  readonly pool: string;
  /** How the issuer's subjects begin, before `system:serviceaccount:`; null when all of the pool are its own. */
  readonly prefixes: readonly string[] | null;
}

/**
 * Members of the issuer's subjects in the policies of the project, of these service accounts and of the project's
 * buckets. Those in conditional bindings, and groups of subjects of a pool that goes, are somebody's own: they are
 * listed as what stays.
 */
export async function findBindings(session: Session, project: string, accounts: readonly Account[], subjects: readonly OwnSubjects[]): Promise<readonly MarkedResource[]> {
  const [ofProject, buckets] = await Promise.all([readPolicy(session, { kind: "project", project }), listBuckets(session, project)]);
  const ofBuckets = await mapBounded(buckets, async (name): Promise<Found> => ({ owner: { kind: "bucket", name }, policy: await readPolicy(session, { kind: "bucket", name }) }));
  const ofAccounts = accounts.map(({ email, policy }): Found => ({ owner: { kind: "serviceAccount", email }, policy }));
  return [{ owner: { kind: "project", project } as const, policy: ofProject }, ...ofAccounts, ...ofBuckets].flatMap((found) => toResources(found, subjects));
}

/** Whether a member is one subject of the issuer. */
export function isOwnMember({ pool, prefixes }: OwnSubjects, member: string): boolean {
  const start = `principal://iam.googleapis.com/${pool}/subject/`;
  return member.startsWith(start) && (prefixes === null || prefixes.some((prefix) => member.startsWith(`${start}${prefix}system:serviceaccount:`)));
}

interface Found {
  readonly owner: PolicyOwner;
  readonly policy: JsonObject | null;
}

function toResources({ owner, policy }: Found, subjects: readonly OwnSubjects[]): readonly MarkedResource[] {
  const target = policyTarget(owner);
  const bindings = bindingsOf(policy ?? {});
  const own = new Map<string, string[]>();
  const foreign: MarkedResource[] = [];
  for (const binding of bindings) {
    const role = String(binding["role"]);
    for (const member of membersOf(binding)) {
      if (isUnconditional(binding) && subjects.some((one) => isOwnMember(one, member))) own.set(role, [...(own.get(role) ?? []), member]);
      else if (subjects.some((one) => isOfGone(one, member))) foreign.push(toForeign(target, role, member, isUnconditional(binding)));
    }
  }
  if (own.size === 0) return foreign;
  return [{ id: policyId(target), kind: KIND.policy, target, fields: Object.fromEntries(own), role: "grant", needs: [], remains: {} }, ...foreign];
}

/** Whatever names a pool that goes as a whole, or one of the issuer's own subjects. */
function isOfGone(subjects: OwnSubjects, member: string): boolean {
  if (isOwnMember(subjects, member)) return true;
  return subjects.prefixes === null && /^principal(?:Set)?:\/\/iam\.googleapis\.com\//.test(member) && member.includes(`.com/${subjects.pool}/`);
}

function toForeign(target: string, role: string, member: string, unconditional: boolean): MarkedResource {
  const keep = unconditional ? "kubeassume gives access to single subjects only, so somebody else wrote it" : "it has a condition, so somebody else wrote it";
  return { id: `${policyId(target)}/${role}/${member}`, kind: KIND.policy, target: `${role} for ${member} in the policy of ${target}`, fields: {}, role: "grant", needs: [], keep };
}

/** None where Cloud Storage is off: then there are no buckets. */
async function listBuckets({ rest }: Session, project: string): Promise<readonly string[]> {
  const request = { service: "storage", method: "GET", path: "storage/v1/b", query: { project, maxResults: 1000, fields: "items(name),nextPageToken" }, action: "storage.buckets.list", resource: `project ${project}` } as const;
  try {
    return (await restPages(rest, request, "items")).flatMap(({ name }) => (typeof name === "string" ? [name] : []));
  } catch (error) {
    if (error instanceof KubeassumeError && error.code === gcpErrorCodes.GCP_API_DISABLED.code) return [];
    throw error;
  }
}
