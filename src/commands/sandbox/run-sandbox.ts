import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Cloud } from "../../federation/clouds/cloud.ts";
import { clouds, findCloud } from "../../federation/clouds/registry.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import { makeFolders } from "../../federation/make-folders.ts";
import { codes as sandboxCodes } from "../../federation/sandbox/codes.ts";
import { startSandbox } from "../../federation/sandbox/start-sandbox.ts";
import type { Sandbox } from "../../federation/sandbox/start-sandbox.ts";
import type { StandIns } from "../../federation/sandbox/stand-ins.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { renderExports } from "./render-exports.ts";
import { runChild } from "./run-child.ts";

/** What the words of the command line ask for: clouds before `--`, a command after it. */
export interface SandboxRequest {
  readonly clouds: readonly Cloud[];
  /** Empty when the sandbox shall serve until it is interrupted. */
  readonly command: readonly string[];
}

/**
 * Starts the sandbox. With a command, runs it inside and answers with its exit code; without, answers the environment
 * and serves until the signal.
 *
 * @throws KubeassumeError SANDBOX_CLOUD_UNKNOWN, SANDBOX_COMMAND_NOT_FOUND, SANDBOX_FOLDER_UNUSABLE, FLAGS_CONFLICT
 */
export async function runSandbox(context: CommandContext): Promise<CommandResult> {
  const request = parseSandboxRequest(context.arguments, context.world.argv);
  if (request.command.length > 0 && context.flags["output"] === "json") {
    throw new KubeassumeError(codes.FLAGS_CONFLICT, {
      message: `-o json and a command, ${JSON.stringify(request.command[0])}`,
      hint: "with a command, stdout is the command's own; leave -o json out",
    });
  }
  const folder = await openFolder(context);
  try {
    const standIns = Object.fromEntries(await Promise.all(request.clouds.map(loadStandIns)));
    const { env, now } = context.world;
    const sandbox = await startSandbox({ clouds: standIns, dir: folder.path, now, env });
    const end = async (): Promise<void> => {
      await sandbox.close();
      await folder.remove();
    };
    return request.command.length > 0 ? await runInside(context, request.command, sandbox, end) : describe(context, request, sandbox, end);
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Commander drops the `--`, so the whole command line says how many of the words came after it. */
export function parseSandboxRequest(words: readonly string[], argv: readonly string[]): SandboxRequest {
  const at = argv.indexOf("--");
  const command = at === -1 ? [] : argv.slice(at + 1);
  const names = words.slice(0, words.length - command.length);
  const named = names.map((name) => {
    const cloud = findCloud(name);
    if (cloud !== undefined) return cloud;
    const known = clouds.map((one) => one.name).join(", ");
    throw new KubeassumeError(sandboxCodes.SANDBOX_CLOUD_UNKNOWN, {
      message: `no cloud is called ${JSON.stringify(name)}`,
      hint: `known are ${known}; a command to run comes after --`,
    });
  });
  return { clouds: named.length === 0 ? clouds : [...new Set(named)], command };
}

async function loadStandIns(cloud: Cloud): Promise<[string, StandIns]> {
  return [cloud.name, await cloud.loadStandIns()];
}

interface Folder {
  readonly path: string;
  /** Does nothing to a folder that was named with --dir. */
  remove(): Promise<void>;
}

async function openFolder(context: CommandContext): Promise<Folder> {
  const given = context.flags["dir"];
  const named = typeof given === "string" ? resolve(context.world.cwd, given) : null;
  try {
    if (named === null) {
      const path = await mkdtemp(join(tmpdir(), "kubeassume-sandbox-"));
      return { path, remove: () => rm(path, { recursive: true, force: true }) };
    }
    await makeFolders(named, 0o700);
    return { path: named, remove: async () => undefined };
  } catch (cause) {
    const path = named ?? tmpdir();
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new KubeassumeError(sandboxCodes.SANDBOX_FOLDER_UNUSABLE, { message: `cannot make the sandbox's folder in ${path} (${code})`, details: { path, code }, cause });
  }
}

async function runInside(context: CommandContext, command: readonly string[], sandbox: Sandbox, end: () => Promise<void>): Promise<CommandResult> {
  const { world } = context;
  const inherited = Object.entries(world.env).filter(([name]) => !sandbox.unset.includes(name));
  const env = { ...Object.fromEntries(inherited), ...sandbox.env };
  try {
    const exit = await runChild(command, { env, cwd: world.cwd, terminal: world.stdin.isTTY, signal: world.signal, takeSignals: world.takeSignals });
    return { data: { command, exit }, warnings: [], text: "", exit };
  } finally {
    await end();
  }
}

function describe(context: CommandContext, request: SandboxRequest, sandbox: Sandbox, end: () => Promise<void>): CommandResult {
  const { env, unset, issuerUrl: issuer } = sandbox;
  const data = { env, unset, issuer, clouds: request.clouds.map((cloud) => cloud.name) };
  const serve = async (signal: AbortSignal): Promise<void> => {
    context.ui.note("the sandbox serves until it is interrupted");
    await untilAborted(signal);
    await end();
  };
  return { data, warnings: [], text: renderExports(env, unset), serve };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolvePromise) => {
    if (signal.aborted) resolvePromise();
    else signal.addEventListener("abort", () => resolvePromise(), { once: true });
  });
}
