import { codes } from "../errors/codes.ts";
import { KubeassumeError, type Problem } from "../errors/error.ts";
import type { Fields, Plan, Step, StepStatus } from "../plan/step.ts";
import { summarize } from "./summarize.ts";

/** A step after applying, as it stands in `data.steps`. */
export interface StepOutcome {
  readonly step: Step;
  readonly status: StepStatus;
  /** Why it failed or was skipped. */
  readonly problem: Problem | null;
  /** What the owner of the resource answered that the report needs, such as an assigned identifier. */
  readonly result: Fields | null;
}

export interface Outcome {
  readonly steps: readonly StepOutcome[];
  /** Null when every step is done. */
  readonly error: KubeassumeError | null;
}

/** Performs one step. Must be safe to repeat: it may run again after a failure whose effect is unknown. */
export type Perform = (step: Step) => Promise<Fields | void>;

export interface ApplyOptions {
  readonly perform: Perform;
  /** Told before and after each step that writes. */
  readonly onStep?: (step: Step, status: "started" | StepStatus) => void;
  readonly signal?: AbortSignal;
  /** How many independent steps run together. Default 8. */
  readonly concurrency?: number;
  /** The command that resumes, for the hint of a partial failure. */
  readonly resume: string;
}

/**
 * Performs the steps in the order of their `needs`, independent ones together unless they are of one series. A failed step
 * skips those that need it and nothing else; an interruption skips all that has not begun. Never throws for a failed step: the outcome says it,
 * also for an error that nobody foresaw (DEFECT). Needs that are not in the plan count as done.
 * Throws TypeError for a plan with two steps of one id or with a circle of needs: nothing is performed then.
 */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<Outcome> {
  const graph = toGraph(plan);
  const outcomes = new Map<string, StepOutcome>();
  const failures: KubeassumeError[] = [];
  const running = new Set<Promise<void>>();
  const ready = plan.steps.filter((step) => graph.open.get(step.id) === 0);
  const finish = (outcome: StepOutcome) => {
    outcomes.set(outcome.step.id, outcome);
    for (const dependent of graph.dependents.get(outcome.step.id) ?? []) {
      const open = (graph.open.get(dependent.id) ?? 0) - 1;
      graph.open.set(dependent.id, open);
      if (open === 0) ready.push(dependent);
    }
  };
  const busy = new Set<string | undefined>();
  const begin = (step: Step) => {
    busy.add(step.series);
    const work: Promise<void> = performStep(step, options).then(({ outcome, failure }) => {
      running.delete(work);
      busy.delete(step.series);
      if (failure !== null) failures.push(failure);
      finish(outcome);
    });
    running.add(work);
  };
  while (ready.length > 0 || running.size > 0) {
    const next = running.size >= (options.concurrency ?? 8) ? -1 : ready.findIndex(({ series }) => series === undefined || !busy.has(series));
    const [step] = next === -1 ? [] : ready.splice(next, 1);
    if (step === undefined) {
      await Promise.race(running);
      continue;
    }
    const blocked = reasonToSkip(step, outcomes, options.signal);
    if (blocked !== null) {
      finish({ step, status: "skipped", problem: blocked, result: null });
      options.onStep?.(step, "skipped");
    } else if (step.action === "none") finish({ step, status: "done", problem: null, result: null });
    else begin(step);
  }
  const steps = plan.steps.map((step) => outcomes.get(step.id) as StepOutcome);
  return { steps, error: summarize(steps, failures, { resume: options.resume, interrupted: options.signal?.aborted === true }) };
}

interface Graph {
  /** How many needs of a step are not finished. */
  readonly open: Map<string, number>;
  readonly dependents: ReadonlyMap<string, readonly Step[]>;
}

function toGraph(plan: Plan): Graph {
  const ids = new Set(plan.steps.map((step) => step.id));
  if (ids.size !== plan.steps.length) throw new TypeError("a plan has two steps of one id");
  const open = new Map<string, number>();
  const dependents = new Map<string, Step[]>();
  for (const step of plan.steps) {
    const needs = new Set(step.needs.filter((id) => ids.has(id)));
    open.set(step.id, needs.size);
    for (const id of needs) {
      const others = dependents.get(id);
      if (others === undefined) dependents.set(id, [step]);
      else others.push(step);
    }
  }
  refuseCircle(plan, open, dependents);
  return { open, dependents };
}

function refuseCircle(plan: Plan, open: ReadonlyMap<string, number>, dependents: ReadonlyMap<string, readonly Step[]>): void {
  const left = new Map(open);
  const free = plan.steps.filter((step) => left.get(step.id) === 0);
  for (const step of free) {
    for (const dependent of dependents.get(step.id) ?? []) {
      left.set(dependent.id, (left.get(dependent.id) ?? 0) - 1);
      if (left.get(dependent.id) === 0) free.push(dependent);
    }
  }
  if (free.length < plan.steps.length) throw new TypeError("the steps of a plan need each other in a circle");
}

function reasonToSkip(step: Step, outcomes: ReadonlyMap<string, StepOutcome>, signal: AbortSignal | undefined): Problem | null {
  const bad = step.needs.find((id) => outcomes.has(id) && outcomes.get(id)?.status !== "done");
  if (bad !== undefined) return skipped(`${step.target} was not touched: ${bad} is not done`);
  if (signal?.aborted === true && step.action !== "none") return skipped(`${step.target} was not touched: interrupted`);
  return null;
}

function skipped(message: string): Problem {
  return { code: codes.STEP_SKIPPED.code, message, hint: codes.STEP_SKIPPED.fix, details: {} };
}

async function performStep(step: Step, options: ApplyOptions): Promise<{ outcome: StepOutcome; failure: KubeassumeError | null }> {
  options.onStep?.(step, "started");
  try {
    const result = (await options.perform(step)) ?? null;
    options.onStep?.(step, "done");
    return { outcome: { step, status: "done", problem: null, result }, failure: null };
  } catch (cause) {
    const failure = cause instanceof KubeassumeError ? cause : toDefect(step, cause);
    options.onStep?.(step, "failed");
    return { outcome: { step, status: "failed", problem: failure.toProblem(), result: null }, failure };
  }
}

/** The steps beside it are real, so a defect in one must not lose the report of the others. */
function toDefect(step: Step, cause: unknown): KubeassumeError {
  const words = cause instanceof Error ? `${cause.name}: ${cause.message}` : "something that is not an error was thrown";
  return new KubeassumeError(codes.DEFECT, { message: `${step.target}: ${words}`, cause });
}
