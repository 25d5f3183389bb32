/** Anything that JSON can say. Plans are plain data: they can be printed, stored and compared. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** The members of one resource that kubeassume compares and repairs, by name. */
export type Fields = Readonly<Record<string, Json>>;

export type Action = "create" | "update" | "adopt" | "delete" | "none";

export type StepStatus = "planned" | "done" | "failed" | "skipped";

/** One step of a plan. It holds all that is needed to perform it; performing asks nothing else of the planner. */
export interface Step {
  /** Stable and unique in a plan: `aws.provider`, `aws.role/payments-api`. */
  readonly id: string;
  /** What knows how to perform it: `aws.provider`, `s3.object`, `cluster.service-account`. */
  readonly kind: string;
  /** The cloud's name, or null for the cluster and for plain files. */
  readonly cloud: string | null;
  readonly action: Action;
  /** The resource in its owner's own words: an ARN, a URL, `namespace/name`. */
  readonly target: string;
  /** One line: why this action and no other. */
  readonly reason: string;
  /** What is there now; null when there is nothing. */
  readonly before: Fields | null;
  /** What will be there; null when it will be gone. */
  readonly after: Fields | null;
  /** Ids of steps that must be done first. */
  readonly needs: readonly string[];
  /** Steps of one series never run together: writes to one identity that its cloud takes one by one. */
  readonly series?: string;
}

export interface Plan {
  readonly steps: readonly Step[];
}

/** True when applying the plan would write nothing. */
export function isUnchanged(plan: Plan): boolean {
  return plan.steps.every((step) => step.action === "none");
}
