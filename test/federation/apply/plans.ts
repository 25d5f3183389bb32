import fc from "fast-check";
import type { Action, Plan, Step } from "../../../src/federation/plan/step.ts";

export function toStep(id: string, needs: readonly string[] = [], action: Action = "create"): Step {
  return { id, kind: "test.thing", cloud: "testcloud", action, target: `target of ${id}`, reason: "does not exist", before: null, after: {}, needs };
}

/** Any plan without a circle, its steps in any order, some of them with needs that other plans have done. */
export const anyPlan: fc.Arbitrary<Plan> = fc
  .array(fc.record({ needs: fc.array(fc.nat(11), { maxLength: 4 }), series: fc.option(fc.constantFrom("one", "other"), { nil: undefined }), action: fc.constantFrom<Action>("create", "update", "adopt", "delete", "none"), foreign: fc.boolean() }), { maxLength: 12 })
  .chain((nodes) => {
    const steps = nodes.map((node, index) => {
      const earlier = node.needs.filter((need) => need < index).map((need) => `s${need}`);
      const step = toStep(`s${index}`, node.foreign ? [...earlier, "of-another-plan"] : earlier, node.action);
      return node.series === undefined ? step : { ...step, series: node.series };
    });
    return fc.shuffledSubarray(steps, { minLength: steps.length, maxLength: steps.length }).map((shuffled) => ({ steps: shuffled }));
  });

/** Ids of all steps that a step needs, directly or through others. */
export function allNeeds(plan: Plan, id: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (one: string) => {
    for (const need of plan.steps.find((step) => step.id === one)?.needs ?? []) {
      if (found.has(need) || !plan.steps.some((step) => step.id === need)) continue;
      found.add(need);
      visit(need);
    }
  };
  visit(id);
  return found;
}
