import { setMaxListeners } from "node:events";
import type { FlagValues } from "../federation/clouds/options.ts";
import { codes } from "../federation/errors/codes.ts";
import { EXIT, KubeassumeError } from "../federation/errors/error.ts";
import { toEnvelope } from "../federation/report/envelope.ts";
import { redact, toRedactedJson } from "../federation/report/redact.ts";
import { renderProblem } from "../federation/report/render-problem.ts";
import { commandDefinitions } from "./commands.ts";
import type { CommandDefinition, CommandResult } from "./command.ts";
import { boundInput } from "./edge/bounded-input.ts";
import { createContext } from "./edge/context.ts";
import { parseArguments } from "./edge/parse.ts";
import { createUi, styleFor, wantsColor } from "./edge/ui.ts";
import type { World } from "./world.ts";

const DEFAULT_TIMEOUT_SECONDS = 300;

/** Runs one command line in its world: prints one result on stdout, the rest on stderr, and answers the exit code. */
export async function run(world: World, version: string, definitions: readonly CommandDefinition[] = commandDefinitions()): Promise<number> {
  try {
    const parsed = await parseArguments(world.argv, definitions, version);
    if (parsed.what === "command") return await runCommand(world, parsed.definition, parsed.flags, parsed.arguments);
    if (parsed.exit !== 0 && modeBeforeParsing(world, definitions).json) throw new KubeassumeError(codes.USAGE, { message: "no command is given" });
    (parsed.exit === 0 ? world.stdout : world.stderr).write(parsed.text);
    return parsed.exit;
  } catch (error) {
    return reportFailure(world, toKnown(error), modeBeforeParsing(world, definitions));
  }
}

async function runCommand(world: World, definition: CommandDefinition, flags: FlagValues, positional: readonly string[]): Promise<number> {
  const mode: Mode = {
    json: flags["output"] === "json",
    kind: flags["dryRun"] === true ? "Plan" : definition.kind,
    verbose: flags["verbose"] === true,
    quiet: flags["quiet"] === true,
    color: wantsColor(world, flags["color"] === false),
  };
  const bound = new AbortController();
  const signal = AbortSignal.any([world.signal, bound.signal]);
  // Every request that is under way listens to it, and there may be many: Node takes more than ten for a leak and says so.
  setMaxListeners(0, signal);
  const bounded = { ...world, stdin: boundInput(world.stdin, signal) };
  const ui = createUi(bounded, { ...mode, yes: flags["yes"] === true });
  let timer: NodeJS.Timeout | undefined;
  try {
    const timeoutMs = readTimeout(flags) * 1000;
    if (definition.unbounded !== true) timer = setTimeout(() => bound.abort(), timeoutMs);
    const context = createContext({ world: bounded, flags, arguments: positional, ui, signal, timeoutMs });
    const result = await definition.run(context);
    ui.close();
    const exit = print(world, result.error === undefined ? result : { ...result, error: aborted(result.error, world, bound.signal) }, mode);
    await result.serve?.(signal);
    return exit;
  } catch (error) {
    ui.close();
    return reportFailure(world, aborted(toKnown(error), world, bound.signal), mode);
  } finally {
    clearTimeout(timer);
  }
}

function readTimeout(flags: FlagValues): number {
  const given = flags["timeout"];
  if (given === undefined) return DEFAULT_TIMEOUT_SECONDS;
  const seconds = Number(given);
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 86_400) return seconds;
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `--timeout is ${JSON.stringify(given)}`, hint: "give seconds, from 1 to 86400" });
}

interface Mode {
  readonly json: boolean;
  readonly kind: string;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

function print(world: World, result: CommandResult, mode: Mode): number {
  const problem = result.error?.toProblem() ?? null;
  if (mode.json) world.stdout.write(toRedactedJson(toEnvelope(result.kind ?? mode.kind, result.data, result.warnings, problem)));
  else if (result.text !== "") world.stdout.write(redact(result.text));
  const style = styleFor(mode.color);
  for (const warning of mode.quiet ? [] : result.warnings) world.stderr.write(redact(renderProblem("warning", warning, style)));
  if (result.error !== undefined) showError(world, result.error, mode);
  return result.exit ?? result.error?.exit ?? EXIT.done;
}

function reportFailure(world: World, error: KubeassumeError, mode: Mode): number {
  if (mode.json) world.stdout.write(toRedactedJson(toEnvelope(mode.kind, null, [], error.toProblem())));
  showError(world, error, mode);
  return error.exit;
}

function showError(world: World, error: KubeassumeError, mode: Mode): void {
  world.stderr.write(redact(renderProblem("error", error.toProblem(), styleFor(mode.color))));
  if (mode.verbose || error.code === codes.DEFECT.code) world.stderr.write(redact(stackOf(error)));
}

/** Stacks name only our own files; causes are where an SDK would put a request, so they stay out below --verbose. */
function stackOf(error: KubeassumeError): string {
  const lines: string[] = [];
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) lines.push(`caused by ${cause.stack ?? cause.message}`);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function toKnown(error: unknown): KubeassumeError {
  if (error instanceof KubeassumeError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : "something that is not an error was thrown";
  return new KubeassumeError(codes.DEFECT, { message, cause: error });
}

/** The same error, unless a signal or --timeout is what really ended the command. */
function aborted(error: KubeassumeError, world: World, bound: AbortSignal): KubeassumeError {
  if (world.signal.aborted) {
    if (error.code === codes.INTERRUPTED.code || error.exit === EXIT.partly) return error;
    return new KubeassumeError(codes.INTERRUPTED, { message: "interrupted", details: error.details, cause: error });
  }
  if (!bound.aborted || error.exit === EXIT.partly) return error;
  const { done } = error.details;
  const written = Array.isArray(done) && done.length > 0;
  return new KubeassumeError(codes.TIMED_OUT, {
    message: `not finished within --timeout; it was at: ${error.message}`,
    details: error.details,
    cause: error,
    ...(written ? { exit: EXIT.partly } : {}),
  });
}

/** The command line is not understood, so flags are looked for as they stand. */
function modeBeforeParsing(world: World, definitions: readonly CommandDefinition[]): Mode {
  const end = world.argv.indexOf("--");
  const words = end === -1 ? world.argv : world.argv.slice(0, end);
  const json = words.some((word, index) => /^(--output=|-o)json$/.test(word) || (word === "json" && /^(--output|-[a-z]*o)$/.test(words[index - 1] ?? "")));
  const color = wantsColor(world, words.includes("--no-color"));
  return { json, kind: kindFor(words, definitions), verbose: words.includes("--verbose"), quiet: words.includes("--quiet"), color };
}

function kindFor(words: readonly string[], definitions: readonly CommandDefinition[]): string {
  const names = words.filter((word) => !word.startsWith("-"));
  const exact = definitions.find((definition) => definition.path.every((word, index) => names[index] === word));
  return (exact ?? definitions.find((definition) => definition.path[0] === names[0]))?.kind ?? "Explanation";
}
