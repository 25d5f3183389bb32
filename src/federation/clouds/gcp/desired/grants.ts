import type { Caller, Desired } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import type { DesiredResource, ObservedResource } from "../../../plan/plan-resources.ts";
import { gcpErrorCodes, gcpInputCodes } from "../codes.ts";
import { KIND, policyId, policyTarget, PRINCIPALS_FIELD, serviceAccountId } from "../ids.ts";
import type { GcpGrantSpec } from "../input/grant-spec.ts";
import { withMark } from "../marks.ts";
import { parseServiceAccountEmail, poolName, subjectFor, subjectMember } from "../names.ts";
import { gcpWarningCodes } from "../warning-codes.ts";
import { judgeProviderOfGrants } from "./grant-provider.ts";

/** All bindings of one policy together may name so many principals (IAM v1, Policy.bindings). */
const MAX_PRINCIPALS = 1500;
/** Who may get tokens of a service account. */
export const IMPERSONATION_ROLE = "roles/iam.workloadIdentityUser";

/** One policy that grants write to, with the members that each role shall have. */
interface PolicyPart {
  readonly roles: Map<string, Set<string>>;
  readonly needs: Set<string>;
}

/** Service accounts that are to be made, and one step per policy, however many grants it serves. One pass. */
export function desiredGrants(specs: readonly GcpGrantSpec[], caller: Caller, observed: readonly ObservedResource[]): Desired {
  const byId = new Map(observed.map((resource) => [resource.id, resource]));
  const accounts = new Map<string, { readonly spec: GcpGrantSpec; readonly create: boolean }>();
  const policies = new Map<string, PolicyPart>();
  for (const spec of specs) {
    const { access } = spec;
    if (access.kind === "impersonate") accounts.set(access.email, { spec, create: access.create });
    addMembers(policies, spec, caller);
  }
  const judged = [...accounts].map(([email, { spec, create }]) => desiredAccount(email, spec, create, byId));
  const parts = [...policies].map(([target, part]) => desiredPolicy(target, part, byId));
  const provider = judgeProviderOfGrants(specs, caller, byId);
  const all = [...judged, ...parts, provider];
  return {
    resources: [...judged, ...parts].flatMap(({ resources }) => resources),
    problems: all.flatMap(({ problems }) => problems),
    warnings: all.flatMap(({ warnings }) => warnings),
  };
}

/** The role, the policy and the members of one grant. */
export function bindingsOf(spec: GcpGrantSpec, caller: Caller): { readonly target: string; readonly roles: readonly string[]; readonly members: readonly string[] } {
  const { access } = spec;
  const members = spec.serviceAccounts.map((account) => subjectMember(poolName({ project: caller.account, poolId: spec.poolId }), subjectFor(account, spec.subjectPrefix)));
  if (access.kind === "impersonate") return { target: policyTarget({ kind: "serviceAccount", email: access.email }), roles: [IMPERSONATION_ROLE], members };
  const target = access.on.kind === "bucket" ? policyTarget(access.on) : policyTarget({ kind: "project", project: spec.project });
  return { target, roles: access.roles, members };
}

function addMembers(policies: Map<string, PolicyPart>, spec: GcpGrantSpec, caller: Caller): void {
  const { target, roles, members } = bindingsOf(spec, caller);
  const part = policies.get(target) ?? { roles: new Map<string, Set<string>>(), needs: new Set<string>() };
  policies.set(target, part);
  if (spec.access.kind === "impersonate" && spec.access.create) part.needs.add(serviceAccountId(spec.access.email));
  for (const role of roles) {
    const wanted = part.roles.get(role) ?? new Set<string>();
    part.roles.set(role, wanted);
    for (const member of members) wanted.add(member);
  }
}

function desiredPolicy(target: string, { roles, needs }: PolicyPart, byId: ReadonlyMap<string, ObservedResource>): Desired {
  const fields = Object.fromEntries([...roles].map(([role, members]) => [role, [...members].sort()]));
  const resource: DesiredResource = { id: policyId(target), kind: KIND.policy, cloud: "gcp", target, fields, needs: [...needs], sets: Object.keys(fields), part: true };
  return { resources: [resource], warnings: [], problems: sizeProblems(target, fields, byId.get(resource.id)) };
}

function sizeProblems(target: string, fields: Readonly<Record<string, readonly string[]>>, found: ObservedResource | undefined): readonly KubeassumeError[] {
  const principals = found?.fields[PRINCIPALS_FIELD];
  const missing = Object.entries(fields).flatMap(([role, members]) => {
    const present = new Set(Array.isArray(found?.fields[role]) ? (found.fields[role] as readonly unknown[]) : []);
    return members.filter((member) => !present.has(member));
  }).length;
  const total = (typeof principals === "number" ? principals : 0) + missing;
  if (missing === 0 || total <= MAX_PRINCIPALS) return [];
  const message = `the policy of ${target} would name ${total} principals, more than ${MAX_PRINCIPALS}`;
  return [new KubeassumeError(gcpInputCodes.GCP_POLICY_TOO_LARGE, { message, details: { target, principals: total } })];
}

function desiredAccount(email: string, spec: GcpGrantSpec, create: boolean, byId: ReadonlyMap<string, ObservedResource>): Desired {
  const found = byId.get(serviceAccountId(email));
  const findings = { problems: accountProblems(email, create, found), warnings: elsewhereWarnings(email, spec) };
  if (!create) return { resources: [], ...findings };
  const common = { id: serviceAccountId(email), kind: KIND.serviceAccount, cloud: "gcp", target: email, part: true };
  // One that exists is somebody's: it is used as it is, whatever it is called.
  if (found !== undefined) return { resources: [{ ...common, fields: {} }], ...findings };
  return { resources: [{ ...common, fields: { ...newAccountTexts(email, spec.issuer) } }], ...findings };
}

function accountProblems(email: string, create: boolean, found: ObservedResource | undefined): readonly KubeassumeError[] {
  if (found === undefined) return create ? [] : [new KubeassumeError(gcpErrorCodes.GCP_SERVICE_ACCOUNT_MISSING, { message: `service account ${email} does not exist`, details: { email } })];
  if (found.fields["disabled"] !== true) return [];
  const hint = `enable it if that is right: gcloud iam service-accounts enable ${email}`;
  return [new KubeassumeError(gcpInputCodes.GCP_SERVICE_ACCOUNT_DISABLED, { message: `service account ${email} is disabled`, hint, details: { email } })];
}

function elsewhereWarnings(email: string, { project }: GcpGrantSpec): readonly Problem[] {
  const owner = parseServiceAccountEmail(email);
  // The default account of Compute Engine names its project by number, which says nothing here.
  if (owner === null || owner.project === project || /^\d+$/.test(owner.project)) return [];
  const message = `service account ${email} belongs to project ${owner.project}, the pool to ${project}`;
  const hint = `remember it at the end: kubeassume teardown gcp --project ${owner.project} finds the binding`;
  return [warning(gcpWarningCodes.GCP_SERVICE_ACCOUNT_ELSEWHERE, { message, hint, details: { email, project: owner.project } })];
}

/** What a service account that is made says of itself; the name has at most 100 bytes (IAM v1, ServiceAccount.displayName). */
export function newAccountTexts(email: string, issuer: string): { readonly displayName: string; readonly description: string } {
  return { displayName: `${email.slice(0, email.indexOf("@"))} (kubeassume)`, description: withMark("", issuer) ?? "" };
}

