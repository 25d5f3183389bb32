import { applyPlan, type Outcome } from "../apply/apply.ts";
import type { CloudWorld } from "../clouds/cloud.ts";
import { combineProblems } from "../errors/codes.ts";
import type { Problem } from "../errors/error.ts";
import { planResources } from "../plan/plan-resources.ts";
import type { Plan } from "../plan/step.ts";
import type { ApplyPublishOptions, PublishTarget } from "./publish.ts";
import type { StoreConnection, StoreSpec } from "./store.ts";

/** A place without its documents, read and planned. */
export interface PreparedPlace {
  readonly connection: StoreConnection;
  readonly plan: Plan;
  readonly warnings: readonly Problem[];
}

/** Plans the place alone: what documents say of their issuer is known once it is there. Throws all problems at once. */
export async function preparePlace<S extends StoreSpec>({ store, spec }: PublishTarget<S>, world: CloudWorld): Promise<PreparedPlace> {
  const connection = await store.connect(world, spec);
  const { place } = await connection.observe();
  const desired = store.desiredPlace(spec, place);
  const { plan, refusals } = planResources(desired.resources, place, { adopt: false });
  const problems = [...desired.problems, ...refusals];
  if (problems.length > 0) throw combineProblems(problems);
  return { connection, plan, warnings: desired.warnings };
}

/** Makes it. Never throws for a step that failed: the outcome says it. */
export function applyPlace({ connection, plan }: PreparedPlace, { signal, onStep, resume }: Pick<ApplyPublishOptions, "signal" | "onStep" | "resume">): Promise<Outcome> {
  return applyPlan(plan, { perform: (step) => connection.perform(step), resume, ...(signal === undefined ? {} : { signal }), ...(onStep === undefined ? {} : { onStep }) });
}
