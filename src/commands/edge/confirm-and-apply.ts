import type { Outcome, StepOutcome } from "../../federation/apply/apply.ts";
import type { Connection } from "../../federation/clouds/cloud.ts";
import type { Cluster } from "../../federation/cluster/cluster.ts";
import type { Problem } from "../../federation/errors/error.ts";
import { type Answer, applyToCloud } from "../../federation/flow/setup.ts";
import { type Fields, isUnchanged, type Plan } from "../../federation/plan/step.ts";
import { reportOutcome, reportPlanned } from "../../federation/report/envelope.ts";
import type { CommandContext, CommandResult } from "../command.ts";

/** A plan of one cloud and the cluster, with those who perform it. */
export interface Undertaking {
  readonly plan: Plan;
  readonly warnings: readonly Problem[];
  readonly connection: Pick<Connection, "perform">;
  readonly cluster: Cluster | null;
  /** As in ApplyJourney. */
  readonly inCluster?: (answers: readonly Answer[]) => Fields;
  /** What is said of it, now that the steps are done or not. */
  readonly report: (steps: readonly StepOutcome[]) => UndertakingReport;
}

export interface UndertakingReport {
  /** Commands to type when all is done. */
  readonly nextSteps: readonly string[];
  /** Members of `data` beside `steps` and `nextSteps`. */
  readonly data: object;
  /** stdout in text mode when all is done. */
  readonly text: string;
}

/** Shows a plan, stops there on a dry run, asks, applies, and makes the result. Throws DECLINED. */
export async function confirmAndApply(undertaking: Undertaking, context: CommandContext): Promise<CommandResult> {
  const { plan, warnings } = undertaking;
  context.ui.plan(plan);
  if (context.dryRun) return { kind: "Plan", data: { steps: reportPlanned(plan) }, warnings, text: "" };
  if (!isUnchanged(plan)) await context.ui.confirm("apply this plan?", "go-ahead");
  const { steps, error } = await apply(undertaking, context);
  const report = undertaking.report(steps);
  const { nextSteps, text } = report;
  if (error === null) for (const next of nextSteps) context.ui.note(`next: ${next}`);
  const data = { ...report.data, steps: reportOutcome(steps), nextSteps };
  return error === null ? { data, warnings, text } : { data, warnings, text: "", error };
}

function apply({ plan, connection, cluster, inCluster }: Undertaking, context: CommandContext): Promise<Outcome> {
  return applyToCloud(plan, {
    connection,
    cluster,
    ...(inCluster === undefined ? {} : { inCluster }),
    onStep: context.ui.step,
    signal: context.signal,
    resume: context.commandLine,
  });
}
