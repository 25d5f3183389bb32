import type { Problem } from "../errors/error.ts";
import type { StepOutcome } from "../apply/apply.ts";
import type { Plan, Step, StepStatus } from "../plan/step.ts";

export const API_VERSION = "kubeassume.dev/v1";

/** The one JSON document on stdout, on success and on failure (contract, Output). */
export interface Envelope {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: string;
  readonly ok: boolean;
  readonly data: object | null;
  readonly warnings: readonly Problem[];
  readonly error: Problem | null;
}

/** Wraps a result; `ok` is whether there is no error. */
export function toEnvelope(kind: string, data: object | null, warnings: readonly Problem[], error: Problem | null): Envelope {
  return { apiVersion: API_VERSION, kind, ok: error === null, data, warnings, error };
}

/** A step as `data.steps` has it. */
export interface ReportedStep {
  readonly id: string;
  readonly cloud: string | null;
  readonly action: Step["action"];
  readonly target: string;
  readonly status: StepStatus;
  readonly reason: string;
  readonly before: Step["before"];
  readonly after: Step["after"];
}

/** Steps of a plan that was not applied. */
export function reportPlanned(plan: Plan): readonly ReportedStep[] {
  return plan.steps.map((step) => reportStep(step, "planned", step.reason));
}

/** Steps after applying: a failed or skipped one says why in `reason`. */
export function reportOutcome(steps: readonly StepOutcome[]): readonly ReportedStep[] {
  return steps.map(({ step, status, problem }) => reportStep(step, status, problem?.message ?? step.reason));
}

function reportStep(step: Step, status: StepStatus, reason: string): ReportedStep {
  const { id, cloud, action, target, before, after } = step;
  return { id, cloud, action, target, status, reason, before, after };
}
