import type { Outcome } from "../../federation/apply/apply.ts";
import { summarize } from "../../federation/apply/summarize.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import { parseKeySources } from "../../federation/publish/keys.ts";
import { applyPlace, preparePlace } from "../../federation/publish/make-place.ts";
import { preparePublish, type PublishTarget } from "../../federation/publish/publish.ts";
import type { KeySources } from "../../federation/publish/read-keys.ts";
import { reportOutcome, reportPlanned } from "../../federation/report/envelope.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { applyOptions, locate, writeDocuments } from "./documents.ts";

/**
 * Publishes where the host name, and with it the issuer, is known only once the place exists: plans and asks as always,
 * makes the place, reads its name, then writes the documents. Keys that cannot be published are refused before.
 */
export async function publishInNewPlace(target: PublishTarget, read: () => Promise<KeySources>, context: CommandContext): Promise<CommandResult> {
  const world = await context.cloudWorld();
  const keys = await read();
  parseKeySources(keys.sources);
  const place = await preparePlace(target, world);
  context.ui.plan(place.plan);
  context.ui.note("discovery document and keys follow: the issuer is known once the place exists");
  if (context.dryRun) return { kind: "Plan", data: { steps: reportPlanned(place.plan) }, warnings: place.warnings, text: "" };
  await context.ui.confirm("make this, and publish in it?", "go-ahead");
  const outcome = await applyPlace(place, applyOptions(context));
  if (outcome.error !== null) return stopped(outcome, outcome.error);
  try {
    const spec = await locate(target.store, target.spec, context);
    if (spec === null) throw new TypeError(`${target.spec.place} was made and is not there`);
    context.ui.note(`the issuer is ${spec.issuer}`);
    return await writeDocuments(await preparePublish({ ...target, spec }, world, async () => keys, false, outcome.steps), context);
  } catch (error) {
    // The place is there: whoever reads the report must not think that nothing was done.
    if (!(error instanceof KubeassumeError)) throw error;
    return stopped(outcome, summarize(outcome.steps, [error], { resume: context.commandLine, interrupted: context.signal.aborted }) ?? error);
  }
}

function stopped({ steps }: Outcome, error: KubeassumeError): CommandResult {
  return { data: { issuer: null, discoveryUrl: null, jwksUrl: null, keys: [], steps: reportOutcome(steps) }, warnings: [], text: "", error };
}
