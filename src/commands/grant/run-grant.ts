import type { Cloud } from "../../federation/clouds/cloud.ts";
import { type GrantTexts, planGrants } from "../../federation/flow/grant.ts";
import { renderManifests } from "../../federation/report/render-manifests.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { confirmAndApply } from "../edge/confirm-and-apply.ts";
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
  const { plan, warnings, grants } = planned;
  const nextSteps = [...new Set(grants.flatMap((grant) => grant.nextSteps))];
  const text = renderManifests(grants.flatMap((grant) => grant.manifests));
  const report = { nextSteps, data: { cloud: cloud.name, ...toData(grants) }, text };
  return confirmAndApply({ plan, warnings, connection, cluster, report: () => report }, context);
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
