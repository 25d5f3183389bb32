import { isJsonObject, member } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { GoogleError, invalidArgument } from "./errors.ts";
import { parseMask, textOf } from "./fields.ts";
import type { Message } from "./fields.ts";
import { checkMember } from "./members.ts";
import { currentPolicy, hasConditions, mergeBindings, renderPolicy, storePolicy } from "./policies.ts";
import type { Call } from "./rest.ts";
import { isPredefinedRole } from "./roles.ts";
import type { Binding, Policy } from "./state.ts";

const BINDING: Message = { members: { role: "string", members: "strings", condition: { members: { expression: "string", title: "string", description: "string", location: "string" } } } };
const POLICY: Message = { members: { version: "integer", etag: "string", bindings: { list: BINDING }, auditConfigs: "messages" } };

/** google.iam.v1, the same for every resource. */
export const GET_POLICY: Message = { members: { options: { members: { requestedPolicyVersion: "integer" } } } };
export const SET_POLICY: Message = { members: { policy: POLICY, updateMask: "string" } };
export const TEST_PERMISSIONS: Message = { members: { permissions: "strings" } };

const MASK = new Set(["bindings", "etag", "version", "auditConfigs"]);

/** What carries the policy: it decides which roles fit. */
export type Carrier = "project" | "service-account";

/** @throws GoogleError INVALID_ARGUMENT */
export function getPolicy(key: string, requestedVersion: unknown, call: Call): Policy {
  const version = requestedVersion ?? 0;
  if (version !== 0 && version !== 1 && version !== 3) throw invalidArgument("Invalid requested policy version. Valid values are 0, 1, and 3.");
  return toAnswer(renderPolicy(currentPolicy(key, call), version));
}

/** The version that a body's `options` ask for. */
export function requestedVersionOf(body: JsonObject): unknown {
  const options = member(body, "options");
  return isJsonObject(options) ? member(options, "requestedPolicyVersion") : undefined;
}

/**
 * Replaces the whole policy, when the etag is that of the current one or absent.
 *
 * @throws GoogleError INVALID_ARGUMENT, ABORTED
 */
export function setPolicy(key: string, carrier: Carrier, call: Call): Policy {
  const given = member(call.body, "policy");
  const policy = isJsonObject(given) ? given : {};
  const mask = textOf(call.body, "updateMask");
  const paths = mask === "" ? ["bindings", "etag"] : parseMask(mask, MASK);
  if (call.state.policyRaces.delete(key)) storePolicy(key, currentPolicy(key, call), call);
  const current = currentPolicy(key, call);
  checkVersion(policy, current);
  const etag = textOf(policy, "etag");
  if (etag !== "" && !isSameEtag(etag, current.etag)) throw lostRace(etag, current.etag);
  const bindings = paths.includes("bindings") ? readBindings(policy, current, carrier, call) : current.bindings;
  const audit = paths.includes("auditConfigs") ? member(policy, "auditConfigs") : current.auditConfigs;
  const auditConfigs = Array.isArray(audit) ? { auditConfigs: audit as readonly unknown[] } : {};
  return toAnswer(storePolicy(key, { version: hasConditions({ bindings }) ? 3 : 1, bindings, ...auditConfigs }, call));
}

/** google.iam.v1.Policy, `version`: what has conditions is only touched by those who know of them. */
function checkVersion(policy: JsonObject, current: Policy): void {
  const version = member(policy, "version") ?? 0;
  if (version !== 0 && version !== 1 && version !== 3) throw invalidArgument("Invalid policy version. Valid values are 0, 1, and 3.");
  const bindings = member(policy, "bindings");
  const conditional = Array.isArray(bindings) && bindings.some((binding) => isJsonObject(binding) && isJsonObject(member(binding, "condition")));
  if (conditional && version !== 3) throw invalidArgument("A policy with conditional role bindings must specify version 3.");
  if (hasConditions(current) && version !== 3 && textOf(policy, "etag") !== "") throw invalidArgument("The current policy has conditional role bindings: the policy must specify version 3.");
}

function readBindings(policy: JsonObject, current: Policy, carrier: Carrier, call: Call): readonly Binding[] {
  const given = member(policy, "bindings");
  const known = new Set(current.bindings.flatMap(({ members }) => members));
  const bindings = (Array.isArray(given) ? given.filter(isJsonObject) : []).map((binding): Binding => {
    const role = textOf(binding, "role");
    const members = member(binding, "members");
    const condition = member(binding, "condition");
    const named = Array.isArray(members) ? members.map(String) : [];
    checkRole(role, carrier, isJsonObject(condition), call);
    // What stands in the policy already stays, even when nothing of that name exists any more.
    for (const one of named) if (!known.has(one)) checkMember(one, call.state);
    return { role, members: named, ...(isJsonObject(condition) ? { condition: { ...condition, expression: textOf(condition, "expression") } } : {}) };
  });
  return mergeBindings(bindings);
}

function checkRole(role: string, carrier: Carrier, conditional: boolean, { state }: Call): void {
  if (!isPredefinedRole(role, carrier) && !state.customRoles.has(role)) throw invalidArgument(`Role ${role} is not supported for this resource.`);
  if (conditional && /^roles\/(?:owner|editor|viewer)$/.test(role)) throw invalidArgument(`Conditions cannot be set on the basic role ${role}.`);
}

/** Bytes in base64: gcloud sends them back in the alphabet for URLs, and Google takes both (protocol buffers, JSON mapping). */
function isSameEtag(one: string, other: string): boolean {
  return Buffer.from(one, "base64").equals(Buffer.from(other, "base64"));
}

function lostRace(given: string, current: string): GoogleError {
  return new GoogleError("ABORTED", `There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '${given}' did not match the current policy's ETag '${current}'.`);
}

/** An empty list is left out, as is version 1 of a policy that was never set. */
function toAnswer(policy: Policy): Policy {
  const { version, etag, bindings, auditConfigs } = policy;
  const answer = { ...(bindings.length === 0 ? {} : { version, bindings }), etag, ...(auditConfigs === undefined ? {} : { auditConfigs }) };
  return answer as Policy;
}
