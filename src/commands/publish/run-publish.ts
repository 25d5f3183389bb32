import { setTimeout as pause } from "node:timers/promises";
import { isUnchanged } from "../../federation/plan/step.ts";
import { chooseEntry } from "../../federation/publish/input.ts";
import { applyPublish, plannedData, preparePublish, type PublishData } from "../../federation/publish/publish.ts";
import { readKeys, toKeyInput } from "../../federation/publish/read-keys.ts";
import type { StoreDefinition } from "../../federation/publish/store.ts";
import type { CommandContext, CommandResult } from "../command.ts";

/** Plans, shows, asks, writes, reads back, reports. */
export async function runPublish(definition: StoreDefinition, context: CommandContext): Promise<CommandResult> {
  const config = await context.config();
  const { cwd, env } = context.world;
  const entry = chooseEntry(definition, context.flags, config);
  const input = { flags: context.flags, entry, config, cwd, env };
  const store = await definition.load();
  const spec = store.toSpec(input);
  const keyInput = toKeyInput(input);
  context.ui.progress(`reading the keys and ${spec.place}`);
  const prepared = await preparePublish({ definition, store, spec }, await context.cloudWorld(), () => readKeys(keyInput, context.cluster), keyInput.prune);
  const { plan, warnings } = prepared.planned;
  context.ui.plan(plan);
  if (context.dryRun) return { kind: "Plan", data: plannedData(prepared), warnings, text: "" };
  if (!isUnchanged(plan)) await context.ui.confirm("publish this?", "go-ahead");
  const published = await applyPublish(prepared, {
    http: await context.http(),
    wait: waitUnless(context.signal),
    signal: context.signal,
    onStep: context.ui.step,
    notify: context.ui.progress,
    resume: context.commandLine,
  });
  if (published.error === null) for (const line of nextSteps(published.data)) context.ui.note(line);
  return {
    data: published.data,
    warnings: published.warnings,
    text: published.error === null ? render(published.data) : "",
    ...(published.error === null ? {} : { error: published.error }),
  };
}

function render(data: PublishData): string {
  const keys = data.keys.map(({ kid, status }) => `  ${status.padEnd(7)} ${kid}`);
  return `${data.issuer}\n${keys.join("\n")}\n`;
}

function nextSteps(data: PublishData): readonly string[] {
  return data.steps.some((step) => step.action !== "none") ? [`the API server must sign as this issuer: --service-account-issuer=${data.issuer}`] : [];
}

/** An interrupted run does not go on waiting: whatever comes next says that it was interrupted. */
function waitUnless(signal: AbortSignal): (milliseconds: number) => Promise<void> {
  return async (milliseconds) => {
    await pause(milliseconds, undefined, { signal }).catch(() => undefined);
  };
}
