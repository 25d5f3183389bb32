import type { StepOutcome } from "../../federation/apply/apply.ts";
import type { Cloud, CloudInput, SetupDescription, SetupSpec } from "../../federation/clouds/cloud.ts";
import type { ClusterTarget } from "../../federation/cluster/cluster.ts";
import { toObjectFields } from "../../federation/cluster/fields.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import { readIssuer } from "../../federation/flow/issuer.ts";
import { planSetup, type SetupJourney } from "../../federation/flow/setup.ts";
import { parseServiceAccountName } from "../../federation/oidc/subject.ts";
import type { Fields } from "../../federation/plan/step.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { chainReader } from "../edge/chain-reader.ts";
import { confirmAndApply, type UndertakingReport } from "../edge/confirm-and-apply.ts";

/** Plans, shows, asks, applies, reports. */
export async function runSetup(cloud: Cloud, context: CommandContext): Promise<CommandResult> {
  const provider = await cloud.load();
  const input = { flags: context.flags, config: await context.config() };
  const spec = provider.toSetupSpec(input);
  const target = boilerplateTarget(context);
  const cluster = target === null ? null : await context.cluster();
  context.ui.progress(`reading ${spec.issuer} and ${cloud.title}`);
  const connection = await provider.connect(await context.cloudWorld(), input);
  const planned = await planSetup({
    provider,
    connection,
    spec,
    readFacts: spec.keySource === "upload" ? await keysToUpload(spec.issuer, input, context) : strangersView(cloud, spec.issuer, context),
    now: context.world.now(),
    inCluster: cluster === null || target === null ? null : { cluster, target, fields: boilerplateFields },
  });
  const { plan, warnings } = planned;
  const report = (steps: readonly StepOutcome[]) => toReport(cloud, spec.issuer, planned.describeAfter(steps));
  return confirmAndApply({ plan, warnings, connection, cluster, report, inCluster: (answers) => boilerplateFields(planned.describeAfter(answers)) }, context);
}

type ReadFacts = SetupJourney<SetupSpec>["readFacts"];

function strangersView(cloud: Cloud, issuer: string, context: CommandContext): ReadFacts {
  const readChain = cloud.capabilities.usesThumbprint ? chainReader(context) : null;
  return async () => ({ facts: await readIssuer(await context.http(), issuer, readChain), warnings: [] });
}

async function keysToUpload(issuer: string, input: CloudInput, context: CommandContext): Promise<ReadFacts> {
  const { readKeysToUpload } = await import("./keys-to-upload.ts");
  return readKeysToUpload(issuer, input, context);
}

function toReport(cloud: Cloud, issuer: string, { provider, audiences, thumbprint, trustPolicy, nextSteps }: SetupDescription): UndertakingReport {
  return { nextSteps, data: { cloud: cloud.name, issuer, provider, audiences, thumbprint, trustPolicy }, text: `${provider}\n` };
}

function boilerplateTarget(context: CommandContext): ClusterTarget | null {
  const given = context.flags["boilerplateConfigmap"];
  if (typeof given !== "string") return null;
  try {
    // The grammar of NAMESPACE/NAME is that of service accounts: a DNS label and a DNS subdomain.
    return { kind: "cluster.config-map", ...parseServiceAccountName(given) };
  } catch (cause) {
    throw new KubeassumeError(codes.FLAG_INVALID, {
      message: `--boilerplate-configmap ${JSON.stringify(given.slice(0, 300))} is not NAMESPACE/NAME`,
      hint: "give --boilerplate-configmap a namespace and the name of a ConfigMap, as in kube-system/aws-trust",
      cause,
    });
  }
}

function boilerplateFields(description: SetupDescription): Fields {
  return toObjectFields({ data: { "provider": description.provider, "trust-policy.json": `${JSON.stringify(description.trustPolicy, null, 2)}\n` } });
}
