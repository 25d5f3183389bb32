import { differenceOf } from "../../../oidc/difference.ts";
import { isJsonObject, member, stringsOf } from "../../../oidc/json.ts";
import { quote, UNCONFIRMED } from "../../judge/rule.ts";
import { isProjectId, parseSubjectMember, subjectMember } from "../names.ts";
import { evaluatePolicyCondition } from "./cel-evaluate.ts";

/** A federated identity, as policies may name it. */
export interface Principal {
  /** Resource name of the pool, with the project's number. */
  readonly pool: string;
  readonly subject: string;
  /** By key of the mapping: `attribute.NAME`; others are ignored. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
}

/** Whether a role serves: `maybe` where nobody outside of Google knows what it contains. */
export type RoleMatch = "yes" | "maybe" | "no";

/** What a policy says of a principal and a role. */
export interface PolicyAnswer {
  readonly decision: "granted" | "unconfirmed" | "denied";
  /** One clause: the binding that decides, or what comes nearest. */
  readonly message: string;
}

/** A role binding, checked. */
interface Binding {
  /** Counted from 1, as messages do. */
  readonly number: number;
  readonly role: string;
  readonly members: readonly string[];
  readonly condition: { readonly expression: string; readonly title: string } | null;
}

export type Policy = { readonly bindings: readonly Binding[] } | { readonly problem: string };

/**
 * Reads an allow policy as IAM returns it. Bounds and members: IAM v1, Policy and Binding; a policy without bindings
 * is an empty one. Never throws.
 */
export function parsePolicy(value: unknown): Policy {
  if (!isJsonObject(value)) return { problem: "the policy is not an object" };
  const version = member(value, "version") ?? 0;
  if (version !== 0 && version !== 1 && version !== 3) return { problem: `version is ${quote(String(JSON.stringify(version)))} instead of 0, 1 or 3` };
  const list = member(value, "bindings") ?? [];
  if (!Array.isArray(list)) return { problem: "bindings is not a list" };
  const bindings: Binding[] = [];
  for (const [index, entry] of list.entries()) {
    const parsed = parseBinding(entry, index, version);
    if (typeof parsed === "string") return { problem: `bindings[${index}]${parsed}` };
    bindings.push(parsed);
  }
  return { bindings };
}

function parseBinding(value: unknown, index: number, version: number): Binding | string {
  if (!isJsonObject(value)) return " is not an object";
  const role = member(value, "role");
  if (typeof role !== "string" || role === "") return ".role is not a string";
  const members = member(value, "members") ?? [];
  const names = Array.isArray(members) ? stringsOf(members) : null;
  if (names === null) return ".members is not a list of strings";
  const condition = member(value, "condition") ?? null;
  if (condition === null) return { number: index + 1, role, members: names, condition: null };
  if (!isJsonObject(condition)) return ".condition is not an object";
  const expression = member(condition, "expression");
  if (typeof expression !== "string") return ".condition.expression is not a string";
  if (version !== 3) return ".condition stands in a policy that is not of version 3";
  const title = member(condition, "title");
  return { number: index + 1, role, members: names, condition: { expression, title: typeof title === "string" ? title : "" } };
}

/**
 * Every member that stands for the principal: its subject, each group and attribute, the whole pool, and everybody.
 * `allAuthenticatedUsers` is not among them: it leaves federated identities out. Source: IAM v1, Binding.members.
 */
export function membersOf({ pool, subject, attributes, groups }: Principal): readonly string[] {
  const set = `principalSet://iam.googleapis.com/${pool}`;
  const custom = Object.entries(attributes).filter(([key]) => key.startsWith("attribute."));
  return [
    subjectMember(pool, subject),
    ...groups.map((group) => `${set}/group/${group}`),
    ...custom.map(([key, value]) => `${set}/${key}/${value}`),
    `${set}/*`,
    "allUsers",
  ];
}

/**
 * Whether a policy gives a principal a role. Conditions are evaluated over `request.time`; one that asks for more,
 * such as the resource, leaves the answer unconfirmed. Policies above the resource and deny policies are not seen.
 */
export function judgeMember(bindings: readonly Binding[], principal: Principal, matches: (role: string) => RoleMatch, at: Date): PolicyAnswer {
  const names = new Set(membersOf(principal));
  const mine = bindings.flatMap((binding) => {
    const name = binding.members.find((one) => names.has(one));
    return name === undefined ? [] : [{ binding, name }];
  });
  const doubts: string[] = [];
  const failures: string[] = [];
  for (const { binding, name } of mine) {
    const outcome = judgeBinding(binding, matches, at);
    const where = `binding ${binding.number} (${binding.role})`;
    if (outcome.decision === "granted") return { decision: "granted", message: `${where} has the member ${quote(name)}` };
    if (outcome.decision === "unconfirmed") doubts.push(`${where} has the member ${quote(name)}, but ${outcome.why} ${UNCONFIRMED}`);
    else failures.push(`${where} has the member, but ${outcome.why}`);
  }
  if (doubts[0] !== undefined) return { decision: "unconfirmed", message: doubts[0] };
  if (failures.length > 0) return { decision: "denied", message: failures.slice(0, 3).join("; ") };
  return { decision: "denied", message: nearest(bindings, principal, matches) };
}

function judgeBinding(binding: Binding, matches: (role: string) => RoleMatch, at: Date): { readonly decision: PolicyAnswer["decision"]; readonly why: string } {
  // A policy read without requestedPolicyVersion 3 shows conditional roles under such names, and no conditions.
  const [, hidden] = /^(.+)_withcond_[0-9a-f]+$/.exec(binding.role) ?? [];
  const match = matches(hidden ?? binding.role);
  if (match === "no") return { decision: "denied", why: "the role is not one that serves" };
  if (hidden !== undefined) return { decision: "unconfirmed", why: "its condition was not read: read the policy with version 3" };
  if (binding.condition === null) return match === "yes" ? { decision: "granted", why: "" } : { decision: "unconfirmed", why: "what the role contains is not known here" };
  const outcome = evaluatePolicyCondition(binding.condition.expression, at);
  const title = binding.condition.title === "" ? "its condition" : `its condition ${quote(binding.condition.title)}`;
  if (outcome.kind === "value" && outcome.value === false) return { decision: "denied", why: `${title} does not hold at ${at.toISOString()}` };
  if (outcome.kind === "value" && outcome.value === true) return match === "yes" ? { decision: "granted", why: "" } : { decision: "unconfirmed", why: "what the role contains is not known here" };
  return { decision: "unconfirmed", why: `${title} cannot be judged here` };
}

/** No binding has the principal: which member was probably meant. */
function nearest(bindings: readonly Binding[], principal: Principal, matches: (role: string) => RoleMatch): string {
  const wanted = subjectMember(principal.pool, principal.subject);
  const serving = bindings.filter(({ role }) => matches(role) !== "no");
  if (serving.length === 0) return "no binding has a role that serves";
  const members = serving.flatMap((binding) => binding.members.map((name) => ({ binding, name })));
  const byProjectId = members.find(({ name }) => isProjectId(/^principal(?:Set)?:\/\/iam\.googleapis\.com\/projects\/([^/]+)\//.exec(name)?.[1] ?? ""));
  const sameKind = members.filter(({ name }) => parseSubjectMember(name) !== null);
  const close = sameKind.find(({ name }) => parseSubjectMember(name)?.subject === principal.subject) ?? sameKind[0];
  const everybody = members.find(({ name }) => name === "allAuthenticatedUsers");
  if (byProjectId !== undefined) return `binding ${byProjectId.binding.number} has ${quote(byProjectId.name)}, which names the project by its ID where the number belongs`;
  if (close !== undefined) return `binding ${close.binding.number} (${close.binding.role}) has ${quote(close.name)} instead of ${quote(wanted)}, ${differenceOf(wanted, close.name)?.words}`;
  if (everybody !== undefined) return `binding ${everybody.binding.number} has allAuthenticatedUsers, which leaves identities of workload identity pools out`;
  return `no binding has ${quote(wanted)} or a set that it belongs to`;
}

/** Contain iam.serviceAccounts.getAccessToken (IAM, service-account-permissions). */
export const IMPERSONATION_ROLES: readonly string[] = ["roles/iam.workloadIdentityUser", "roles/iam.serviceAccountTokenCreator"];

/**
 * Whether a role lets its members impersonate a service account. Basic roles and `roles/iam.serviceAccountUser` do not;
 * what custom roles and roles of service agents contain is not known here.
 */
export function allowsImpersonation(role: string): RoleMatch {
  if (IMPERSONATION_ROLES.includes(role)) return "yes";
  return !role.startsWith("roles/") || /serviceAgent$/i.test(role) ? "maybe" : "no";
}
