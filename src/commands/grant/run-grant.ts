import type { Cloud } from "../../federation/clouds/cloud.ts";
import { type GrantTexts, planGrants } from "../../federation/flow/grant.ts";
import { applyToCloud } from "../../federation/flow/setup.ts";
import { isUnchanged } from "../../federation/plan/step.ts";
import { reportOutcome, reportPlanned } from "../../federation/report/envelope.ts";
import { renderManifests } from "../../federation/report/render-manifests.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { readPolicyFiles } from "../edge/policy-files.ts";

/** Plans, shows, asks, applies, reports; one grant from flags, or all of the config. */
export async function runGrant(cloud: Cloud, context: CommandContext): Promise<CommandResult> {
  const provider = await cloud.load();
  const input = await readPolicyFiles({ flags: context.flags, config: await context.config() }, cloud.name, context.world.cwd);
  const specs = provider.toGrantSpecs(input);
  const cluster = context.flags["applyManifests"] === true ? await context.cluster() : null;
  context.ui.progress(`reading ${specs.length} grant${specs.length === 1 ? "" : "s"} at ${cloud.title}`);
  const connection = await provider.connect(await context.cloudWorld(), input);
  const planned = await planGrants({ provider, connection, specs, cluster });
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
  const nextSteps = [...new Set(planned.grants.flatMap((grant) => grant.nextSteps))];
  if (outcome.error === null) for (const next of nextSteps) context.ui.note(`next: ${next}`);
  const manifests = planned.grants.flatMap((grant) => grant.manifests);
  return {
    data: { cloud: cloud.name, ...toData(planned.grants), steps: reportOutcome(outcome.steps), nextSteps },
    warnings: planned.warnings,
    text: outcome.error === null ? renderManifests(manifests) : "",
    ...(outcome.error === null ? {} : { error: outcome.error }),
  };
}

/** The members of the contract for the first grant; all of them, when the config names several, in `grants`. */
function toData(grants: readonly GrantTexts[]): object {
  const all = grants.map(({ principal, serviceAccounts, trustPolicy, manifests, env, credentialConfig }) => ({
    principal,
    serviceAccounts: serviceAccounts.map(({ namespace, name }) => `${namespace}/${name}`),
    trustPolicy,
    manifests,
    env,
    credentialConfig,
  }));
  return all.length === 1 ? { ...all[0] } : { ...all[0], grants: all };
}
