import { isUnchanged } from "../../federation/plan/step.ts";
import { chooseEntry } from "../../federation/publish/input.ts";
import { plannedData, preparePublish } from "../../federation/publish/publish.ts";
import { readKeys, toKeyInput } from "../../federation/publish/read-keys.ts";
import type { StoreDefinition } from "../../federation/publish/store.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { locate, writeDocuments } from "./documents.ts";

/** Plans, shows, asks, writes, reads back, reports. */
export async function runPublish(definition: StoreDefinition, context: CommandContext): Promise<CommandResult> {
  const config = await context.config();
  const { cwd, env } = context.world;
  const entry = chooseEntry(definition, context.flags, config);
  const input = { flags: context.flags, entry, config, cwd, env };
  const store = await definition.load();
  const given = store.toSpec(input);
  const keyInput = toKeyInput(input);
  const read = () => readKeys(keyInput, context.cluster);
  context.ui.progress(`reading the keys and ${given.place}`);
  const spec = given.issuer === "" ? await locate(store, given, context) : given;
  if (spec === null) {
    const { publishInNewPlace } = await import("./new-place.ts");
    return publishInNewPlace({ definition, store, spec: given }, read, context);
  }
  const prepared = await preparePublish({ definition, store, spec }, await context.cloudWorld(), read, keyInput.prune);
  const { plan, warnings } = prepared.planned;
  context.ui.plan(plan);
  if (context.dryRun) return { kind: "Plan", data: plannedData(prepared), warnings, text: "" };
  if (!isUnchanged(plan)) await context.ui.confirm("publish this?", "go-ahead");
  return writeDocuments(prepared, context);
}
