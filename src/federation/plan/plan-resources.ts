import { isDeepStrictEqual } from "node:util";
import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import type { Action, Fields, Json, Plan, Step } from "./step.ts";

/** A resource as it shall be. `fields` are compared one by one with what is observed under the same id. */
export interface DesiredResource {
  readonly id: string;
  readonly kind: string;
  readonly cloud: string | null;
  readonly target: string;
  readonly fields: Fields;
  readonly needs?: readonly string[];
  /** Names of array fields whose order and repetition mean nothing. */
  readonly sets?: readonly string[];
  /**
   * True for a part of something bigger that has no mark of its own (a policy of a role, a key in a ConfigMap):
   * it is repaired without asking whose it is.
   */
  readonly part?: boolean;
  /** As in {@link Step}. */
  readonly series?: string;
}

/** A resource as it is. One that does not exist is simply not in the list. */
export interface ObservedResource {
  readonly id: string;
  /** Whether it carries kubeassume's mark. */
  readonly marked: boolean;
  readonly fields: Fields;
  /** Why it cannot be adopted, where that is so: said in the refusal. */
  readonly adoptionRefusal?: string;
}

export interface PlanOptions {
  /** Take over what exists without our mark. Default false: refuse. */
  readonly adopt: boolean;
}

/**
 * Compares field by field what shall be with what is.
 * A resource without our mark becomes `adopt` on request; otherwise it is a refusal with code NOT_OURS.
 * All refusals come together.
 */
export function planResources(
  desired: readonly DesiredResource[],
  observed: readonly ObservedResource[],
  options: PlanOptions,
): { readonly plan: Plan; readonly refusals: readonly KubeassumeError[] } {
  const byId = new Map(observed.map((resource) => [resource.id, resource]));
  const steps: Step[] = [];
  const refusals: KubeassumeError[] = [];
  for (const resource of desired) {
    const found = byId.get(resource.id);
    const refusal = found === undefined ? null : refusalOf(resource, found, options);
    if (refusal !== null) refusals.push(refusal);
    else steps.push(toStep(resource, found));
  }
  return { plan: { steps }, refusals };
}

function refusalOf(desired: DesiredResource, found: ObservedResource, options: PlanOptions): KubeassumeError | null {
  if (found.marked || desired.part === true) return null;
  if (options.adopt && found.adoptionRefusal === undefined) return null;
  const message = found.adoptionRefusal === undefined ? `${desired.target} exists and does not carry kubeassume's mark` : `${desired.target} cannot be made: its name is taken`;
  const hint = found.adoptionRefusal ?? "look at it, and repeat with --adopt to take it over, or choose another name";
  return new KubeassumeError(codes.NOT_OURS, { message, hint, details: { target: desired.target } });
}

function toStep(desired: DesiredResource, found: ObservedResource | undefined): Step {
  const common = {
    id: desired.id,
    kind: desired.kind,
    cloud: desired.cloud,
    target: desired.target,
    needs: desired.needs ?? [],
    after: desired.fields,
    ...(desired.series === undefined ? {} : { series: desired.series }),
  };
  if (found === undefined) return { ...common, action: "create", reason: "does not exist", before: null };
  const changed = changedFields(found.fields, desired.fields, desired.sets ?? []);
  const action: Action = changed.length === 0 && (found.marked || desired.part === true) ? "none" : found.marked || desired.part === true ? "update" : "adopt";
  const reason = action === "none" ? "as it should be" : action === "adopt" ? adoptReason(changed) : `differs in ${changed.join(", ")}`;
  return { ...common, action, reason, before: found.fields };
}

function adoptReason(changed: readonly string[]): string {
  return changed.length === 0 ? "exists without a mark" : `exists without a mark, differs in ${changed.join(", ")}`;
}

/** Names of the fields of `after` that `before` does not have or has otherwise. Fields only in `before` are not ours. */
export function changedFields(before: Fields, after: Fields, sets: readonly string[]): readonly string[] {
  return Object.keys(after).filter((name) => !isEqual(before[name], after[name], sets.includes(name)));
}

function isEqual(before: Json | undefined, after: Json | undefined, asSet: boolean): boolean {
  if (!asSet || !Array.isArray(before) || !Array.isArray(after)) return isDeepStrictEqual(before, after);
  const normal = (list: readonly Json[]) => [...new Set(list.map((item) => JSON.stringify(item)))].sort();
  return isDeepStrictEqual(normal(before), normal(after));
}
