import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cloud } from "../../federation/clouds/cloud.ts";
import { clouds } from "../../federation/clouds/registry.ts";
import { codes } from "../../federation/errors/codes.ts";
import { EXIT, KubeassumeError } from "../../federation/errors/error.ts";
import type { Envelope } from "../../federation/report/envelope.ts";
import { toShellWord } from "../../federation/report/shell-word.ts";
import type { DemoStep } from "../../federation/sandbox/demo-script.ts";
import { ISSUER_BUCKET } from "../../federation/sandbox/issuer.ts";
import { type Sandbox, startSandbox } from "../../federation/sandbox/start-sandbox.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { run } from "../run.ts";
import { VERSION } from "../version.ts";
import type { World } from "../world.ts";

/** One command of the demo, as it ran. */
interface Shown {
  readonly cloud: string;
  readonly title: string;
  readonly command: string;
  readonly exit: number;
  /** Whether it showed what it shall show. */
  readonly ok: boolean;
  readonly told: string;
  readonly durationMs: number;
}

/** Starts the stand-ins, then runs kubeassume's own commands against them, the way a person would. */
export async function runDemo(context: CommandContext): Promise<CommandResult> {
  const [name = "all"] = context.arguments;
  const chosen = clouds.filter((cloud) => name === "all" || cloud.name === name);
  const started = context.world.now().getTime();
  const shown: Shown[] = [];
  for (const cloud of chosen) shown.push(...(await showCloud(cloud, context)));
  const durationMs = context.world.now().getTime() - started;
  const failed = shown.filter((one) => !one.ok);
  const data = { clouds: chosen.map((cloud) => cloud.name), steps: shown, durationMs };
  const result = { data, warnings: [], text: render(shown, durationMs) };
  if (failed.length === 0) return result;
  const message = `${failed.length} of ${shown.length} steps did not show what they shall: ${failed.map((one) => one.title).join(", ")}`;
  return { ...result, error: new KubeassumeError(codes.DEFECT, { message }) };
}

async function showCloud(cloud: Cloud, context: CommandContext): Promise<readonly Shown[]> {
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-demo-"));
  const standIns = await cloud.loadStandIns();
  const sandbox = await startSandbox({ clouds: { [cloud.name]: standIns }, dir, now: context.world.now, env: context.world.env });
  try {
    const scene = { issuerUrl: sandbox.issuerUrl, bucket: ISSUER_BUCKET, dir, now: context.world.now() };
    const shown: Shown[] = [];
    for (const step of standIns.demo(scene)) {
      if (context.signal.aborted) throw new KubeassumeError(codes.INTERRUPTED, { message: "the demo was interrupted", hint: "its stand-ins are gone; run it again" });
      context.ui.progress(step.title);
      shown.push(await showStep(cloud, step, sandbox, context));
    }
    return shown;
  } finally {
    await sandbox.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function showStep(cloud: Cloud, step: DemoStep, sandbox: Sandbox, context: CommandContext): Promise<Shown> {
  const started = context.world.now().getTime();
  const out: string[] = [];
  const errors: string[] = [];
  const token = step.token === undefined ? "" : sandbox.cluster.mintToken(step.token.account, { audiences: [step.token.audience] });
  const world: World = {
    ...context.world,
    argv: [...step.args, "--output", "json"],
    env: { PATH: context.world.env["PATH"], HOME: sandbox.env["KUBEASSUME_SANDBOX_DIR"], ...sandbox.env },
    cwd: sandbox.env["KUBEASSUME_SANDBOX_DIR"] ?? context.world.cwd,
    stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
    stderr: { write: (text) => void errors.push(text), isTTY: false, columns: 80 },
    stdin: { isTTY: false, readAll: async () => token, readLine: async () => null },
  };
  const exit = await run(world, VERSION);
  const envelope = JSON.parse(out.join("")) as Envelope;
  const data = (envelope.data ?? {}) as Readonly<Record<string, unknown>>;
  const ok = exit === step.exit && (step.holds?.(data) ?? true);
  const told = ok ? step.tell(data) : (envelope.error?.message ?? `exit code ${exit}`);
  if (!ok) context.ui.note(errors.join(""));
  const piped = step.token === undefined ? "" : `kubectl create token ${step.token.account.name} -n ${step.token.account.namespace} --audience ${step.token.audience} | `;
  const command = `${piped}kubeassume ${step.args.map(toShellWord).join(" ")}`;
  return { cloud: cloud.name, title: step.title, command, exit, ok, told, durationMs: context.world.now().getTime() - started };
}

function render(shown: readonly Shown[], durationMs: number): string {
  const lines = shown.flatMap((one, index) => [
    `${index + 1}. ${one.title}`,
    `   $ ${one.command}`,
    ...one.told.split("\n").map((line) => `   ${line}`),
    one.exit === EXIT.done ? "" : `   exit code ${one.exit}${one.ok ? ", as it should be" : ""}\n`,
  ]);
  return `${lines.join("\n")}\n${shown.filter((one) => one.ok).length} of ${shown.length} steps as they should be, in ${(durationMs / 1000).toFixed(1)} s\n`;
}
