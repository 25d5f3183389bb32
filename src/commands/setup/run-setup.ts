import type { Cloud, SetupDescription } from "../../federation/clouds/cloud.ts";
import type { ClusterTarget } from "../../federation/cluster/cluster.ts";
import { toObjectFields } from "../../federation/cluster/fields.ts";
import { applyToCloud, type PlannedSetup, planSetup } from "../../federation/flow/setup.ts";
import { parseServiceAccountName } from "../../federation/oidc/subject.ts";
import { type Fields, isUnchanged } from "../../federation/plan/step.ts";
import { reportOutcome, reportPlanned } from "../../federation/report/envelope.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { chainReader } from "../edge/chain-reader.ts";

/** Plans, shows, asks, applies, reports. */
export async function runSetup(cloud: Cloud, context: CommandContext): Promise<CommandResult> {
  const provider = await cloud.load();
  const input = { flags: context.flags, config: await context.config() };
  const spec = provider.toSetupSpec(input);
  const target = boilerplateTarget(context);
  const cluster = target === null ? null : await context.cluster();
  context.ui.progress(`reading ${spec.issuer} and ${cloud.title}`);
  const [connection, http] = await Promise.all([context.cloudWorld().then((world) => provider.connect(world, input)), context.http()]);
  const planned = await planSetup({
    provider,
    connection,
    spec,
    http,
    readChain: cloud.capabilities.usesThumbprint ? chainReader(context) : null,
    now: context.world.now(),
    inCluster: cluster === null || target === null ? null : { cluster, target, fields: boilerplateFields },
  });
  context.ui.plan(planned.plan);
  if (context.dryRun) return { kind: "Plan", data: { steps: reportPlanned(planned.plan) }, warnings: planned.warnings, text: "" };
  if (!isUnchanged(planned.plan)) await context.ui.confirm("apply this plan?", "go-ahead");
  const outcome = await applyToCloud(planned.plan, {
    connection,
    cluster,
    onStep: context.ui.step,
    signal: context.signal,
    resume: context.commandLine,
    serialWrites: cloud.capabilities.serialWrites,
  });
  if (outcome.error === null) for (const next of planned.description.nextSteps) context.ui.note(`next: ${next}`);
  return {
    data: { ...toData(cloud, spec.issuer, planned), steps: reportOutcome(outcome.steps), nextSteps: planned.description.nextSteps },
    warnings: planned.warnings,
    text: outcome.error === null ? `${planned.description.provider}\n` : "",
    ...(outcome.error === null ? {} : { error: outcome.error }),
  };
}

function toData(cloud: Cloud, issuer: string, planned: PlannedSetup): object {
  const { provider, audiences, thumbprint, trustPolicy } = planned.description;
  return { cloud: cloud.name, issuer, provider, audiences, thumbprint, trustPolicy };
}

function boilerplateTarget(context: CommandContext): ClusterTarget | null {
  const given = context.flags["boilerplateConfigmap"];
  if (typeof given !== "string") return null;
  // The grammar of NAMESPACE/NAME is that of service accounts: a DNS label and a DNS subdomain.
  return { kind: "cluster.config-map", ...parseServiceAccountName(given) };
}

function boilerplateFields(description: SetupDescription): Fields {
  return toObjectFields({ data: { "provider": description.provider, "trust-policy.json": `${JSON.stringify(description.trustPolicy, null, 2)}\n` } });
}
