import type { Outcome } from "../../federation/apply/apply.ts";
import type { Cloud, Connection } from "../../federation/clouds/cloud.ts";
import type { Cluster } from "../../federation/cluster/cluster.ts";
import type { Problem } from "../../federation/errors/error.ts";
import { applyToCloud } from "../../federation/flow/setup.ts";
import { isUnchanged, type Plan } from "../../federation/plan/step.ts";
import { reportOutcome, reportPlanned } from "../../federation/report/envelope.ts";
import type { CommandContext, CommandResult } from "../command.ts";

/** A plan of one cloud and the cluster, with those who perform it. */
export interface Undertaking {
  readonly cloud: Cloud;
  readonly plan: Plan;
  readonly warnings: readonly Problem[];
  readonly connection: Pick<Connection, "perform">;
  readonly cluster: Cluster | null;
  /** Commands to type when all is done. */
  readonly nextSteps: readonly string[];
  /** Members of `data` beside `steps` and `nextSteps`. */
  readonly data: object;
  /** stdout in text mode when all is done. */
  readonly text: string;
}

/** Shows a plan, stops there on a dry run, asks, applies, and makes the result. Throws DECLINED. */
export async function confirmAndApply(undertaking: Undertaking, context: CommandContext): Promise<CommandResult> {
  const { plan, warnings, nextSteps } = undertaking;
  context.ui.plan(plan);
  if (context.dryRun) return { kind: "Plan", data: { steps: reportPlanned(plan) }, warnings, text: "" };
  if (!isUnchanged(plan)) await context.ui.confirm("apply this plan?", "go-ahead");
  const { steps, error } = await apply(undertaking, context);
  if (error === null) for (const next of nextSteps) context.ui.note(`next: ${next}`);
  const data = { ...undertaking.data, steps: reportOutcome(steps), nextSteps };
  return error === null ? { data, warnings, text: undertaking.text } : { data, warnings, text: "", error };
}

function apply({ cloud, plan, connection, cluster }: Undertaking, context: CommandContext): Promise<Outcome> {
  return applyToCloud(plan, {
    connection,
    cluster,
    onStep: context.ui.step,
    signal: context.signal,
    resume: context.commandLine,
    serialWrites: cloud.capabilities.serialWrites,
  });
}
