import type { Cloud, CloudInput } from "../../federation/clouds/cloud.ts";
import { clouds, findCloud } from "../../federation/clouds/registry.ts";
import type { LoadedConfig } from "../../federation/config/loaded-config.ts";
import { codes, combineProblems } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import { applyTeardown, planTeardown, type PlannedTeardown, type TeardownStore } from "../../federation/flow/teardown.ts";
import { checkIssuerUrl } from "../../federation/oidc/issuer.ts";
import { stores } from "../../federation/publish/registry.ts";
import { reportOutcome, reportPlanned } from "../../federation/report/envelope.ts";
import type { CommandContext, CommandResult } from "../command.ts";

/** Finds, shows, asks, removes, and lists what is left. */
export async function runTeardown(context: CommandContext): Promise<CommandResult> {
  const config = await context.config();
  const input = { flags: context.flags, config };
  const issuer = readIssuerFlag(input);
  const wanted = wantedClouds(context, config);
  refuseConflicts(context);
  const world = await context.cloudWorld();
  context.ui.progress(`looking for what was made for ${issuer}`);
  const planned = await planTeardown({
    issuer,
    world,
    clouds: await Promise.all(wanted.map(async (cloud) => ({ name: cloud.name, connection: await (await cloud.load()).connect(world, input) }))),
    stores: await wantedStores(wanted, config, context),
    grantsOnly: context.flags["grantsOnly"] === true,
    keepDocuments: context.flags["keepDocuments"] === true,
    deletePlace: context.flags["deleteBucket"] === true,
  });
  if (planned.plan.steps.length === 0) context.ui.note(`nothing carries kubeassume's mark for ${issuer}`);
  else context.ui.plan(planned.plan);
  const { leftBehind } = planned;
  if (context.dryRun) return { kind: "Plan", data: { issuer, steps: reportPlanned(planned.plan) }, warnings: leftBehind, text: "" };
  if (planned.plan.steps.length > 0) await context.ui.confirm("remove all of this?", "refuse");
  return apply(issuer, planned, context);
}

async function apply(issuer: string, planned: PlannedTeardown, context: CommandContext): Promise<CommandResult> {
  const outcome = await applyTeardown(planned, { onStep: context.ui.step, signal: context.signal, resume: context.commandLine });
  // Of what is only partly ours the rest stays: nobody shall read that a project was removed.
  const removed = outcome.steps.filter((one) => one.status === "done").map(({ step }) => (step.action === "delete" ? step.target : `our part of ${step.target}`));
  const undone = outcome.steps.filter((one) => one.status !== "done").map((one) => one.step.target);
  const leftBehind = [...undone, ...planned.leftBehind.map((problem) => problem.message)];
  // The cluster is not asked: a teardown needs the cloud's credentials alone.
  if (removed.length > 0) context.ui.note("in the cluster, annotations that grant --apply-manifests wrote and a boilerplate ConfigMap stay; they give no access any more");
  const error = outcome.error ?? (planned.leftBehind.length > 0 ? leftError(planned) : undefined);
  return {
    data: { issuer, steps: reportOutcome(outcome.steps), leftBehind },
    warnings: planned.leftBehind,
    text: removed.length === 0 ? "" : `${removed.map((target) => `removed ${target}`).join("\n")}\n`,
    ...(error === undefined ? {} : { error }),
  };
}

function leftError(planned: PlannedTeardown): KubeassumeError {
  const words = planned.leftBehind.map((problem) => problem.message);
  return new KubeassumeError(codes.LEFT_BEHIND, { message: `left behind: ${words.join("; ")}`, details: { leftBehind: words } });
}

function readIssuerFlag(input: CloudInput): string {
  const given = input.flags["issuerUrl"] ?? input.config?.issuer;
  if (typeof given !== "string") {
    throw new KubeassumeError(codes.FLAG_MISSING, { message: "no issuer is named", hint: "give --issuer-url, or issuer in kubeassume.yaml" });
  }
  const { problems } = checkIssuerUrl(given);
  if (problems.length > 0) throw combineProblems(problems);
  return given;
}

function wantedClouds(context: CommandContext, config: LoadedConfig | null): readonly Cloud[] {
  const [name] = context.arguments;
  const named = name === undefined ? undefined : findCloud(name);
  if (named !== undefined) return [named];
  const inConfig = clouds.filter((cloud) => config?.clouds[cloud.name] !== undefined);
  if (inConfig.length > 0) return inConfig;
  return clouds.filter((cloud) => {
    const missing = cloud.searchNeeds.filter((need) => context.flags[need] === undefined);
    if (missing.length > 0) context.ui.note(`${cloud.title} is not searched: it needs ${missing.map((need) => `--${need.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`).join(", ")}`);
    return missing.length === 0;
  });
}

function refuseConflicts(context: CommandContext): void {
  const { grantsOnly, keepDocuments, deleteBucket } = context.flags;
  if (deleteBucket !== true || (grantsOnly !== true && keepDocuments !== true)) return;
  const other = grantsOnly === true ? "--grants-only" : "--keep-documents";
  throw new KubeassumeError(codes.FLAGS_CONFLICT, { message: `--delete-bucket and ${other} contradict each other`, hint: "leave one of them out" });
}

/** The stores that the config names; without a config those of the clouds, which then find the place by the issuer and our marks. */
async function wantedStores(wanted: readonly Cloud[], config: LoadedConfig | null, context: CommandContext): Promise<readonly TeardownStore[]> {
  const common = { flags: context.flags, config, cwd: context.world.cwd, env: context.world.env };
  const names = new Set(wanted.map((cloud) => cloud.name));
  const ours = stores.filter((store) => store.cloud === null || names.has(store.cloud));
  const entries = (config?.publish ?? []).flatMap((entry) => Object.entries(entry));
  const listed = entries.flatMap(([name, entry]) => ours.filter((store) => store.name === name).map((store) => ({ definition: store, entry })));
  const searched = ours.filter((store) => store.cloud !== null).map((store) => ({ definition: store, entry: {} }));
  const chosen = config === null ? searched : listed;
  return Promise.all(chosen.map(async ({ definition, entry }) => ({ name: definition.name, store: await definition.load(), input: { ...common, entry } })));
}
