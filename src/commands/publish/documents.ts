import { setTimeout as pause } from "node:timers/promises";
import { applyPublish, type ApplyPublishOptions, type PreparedPublish, type PublishData } from "../../federation/publish/publish.ts";
import type { Store, StoreSpec } from "../../federation/publish/store.ts";
import type { CommandContext, CommandResult } from "../command.ts";

/** Null when the place does not exist yet. */
export async function locate(store: Store, spec: StoreSpec, context: CommandContext): Promise<StoreSpec | null> {
  if (store.locate === undefined) throw new TypeError(`no issuer is known for ${spec.place}`);
  return store.locate(await context.cloudWorld(), spec);
}

/** Writes what was planned and confirmed, reads it back, reports. */
export async function writeDocuments(prepared: PreparedPublish, context: CommandContext): Promise<CommandResult> {
  const published = await applyPublish(prepared, { http: await context.http(), ...applyOptions(context) });
  if (published.error === null) for (const line of nextSteps(published.data)) context.ui.note(line);
  return {
    data: published.data,
    warnings: published.warnings,
    text: published.error === null ? render(published.data) : "",
    ...(published.error === null ? {} : { error: published.error }),
  };
}

/** How every step of a publication is performed. */
export function applyOptions(context: CommandContext): Omit<ApplyPublishOptions, "http"> {
  return { wait: waitUnless(context.signal), signal: context.signal, onStep: context.ui.step, notify: context.ui.progress, resume: context.commandLine };
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
