import { KubeassumeError } from "../errors/error.ts";
import type { Step } from "../plan/step.ts";
import type { ObservedObject } from "./cluster.ts";
import { clusterCodes } from "./codes.ts";

/** One field that server-side apply refuses to take from its manager. */
export interface FieldConflict {
  readonly field: string;
  readonly manager: string;
}

/**
 * The conflicts that applying these steps would end in, seen from what was read: fields that somebody else manages
 * with another value. Pure; the API server still has the last word when the step is performed.
 */
export function judgeConflicts(steps: readonly Step[], observed: readonly ObservedObject[]): readonly KubeassumeError[] {
  const byId = new Map(observed.map((object) => [object.id, object]));
  return steps.flatMap((step) => {
    const foreign = byId.get(step.id)?.foreign;
    if (foreign === undefined || step.after === null || step.action === "none") return [];
    const conflicts = Object.entries(step.after).flatMap(([field, value]) => {
      const held = foreign.get(field);
      return held === undefined || held.value === value ? [] : [{ field, manager: held.manager }];
    });
    return conflicts.length === 0 ? [] : [toConflictError(step.target, conflicts)];
  });
}

/** CLUSTER_CONFLICT with every field and its manager. */
export function toConflictError(target: string, conflicts: readonly FieldConflict[]): KubeassumeError {
  const listed = conflicts.map(({ field, manager }) => `${field} (managed by ${manager})`).join(", ");
  return new KubeassumeError(clusterCodes.CLUSTER_CONFLICT, {
    message: `${target} in the cluster has other values than kubeassume would set: ${listed}`,
    details: { target, conflicts },
  });
}
