import type { CommandContext, CommandDefinition, CommandResult } from "../../../src/commands/command.ts";
import { run } from "../../../src/commands/run.ts";
import type { World } from "../../../src/commands/world.ts";

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** All three streams are a terminal. */
  readonly terminal?: boolean;
  /** What the person types; null: the input ends. */
  readonly line?: string | null;
  readonly signal?: AbortSignal;
}

/** A command whose behaviour a test decides. */
export function commandThat(behave: (context: CommandContext) => Promise<Partial<CommandResult>>, rest: Partial<CommandDefinition> = {}): CommandDefinition {
  return {
    path: ["setup", "testcloud"],
    kind: "SetupResult",
    summary: "a command of a test",
    options: [],
    examples: ["kubeassume setup testcloud"],
    run: async (context) => ({ data: {}, warnings: [], text: "", ...(await behave(context)) }),
    ...rest,
  };
}

/** Runs a command line in a world of its own: no process, no files but those named. */
export async function runIn(argv: readonly string[], definitions: readonly CommandDefinition[], options: WorldOptions = {}): Promise<Ran> {
  const out: string[] = [];
  const errors: string[] = [];
  const isTTY = options.terminal === true;
  const world: World = {
    argv,
    env: options.env ?? {},
    cwd: "/",
    stdout: { write: (text) => void out.push(text), isTTY, columns: 80 },
    stderr: { write: (text) => void errors.push(text), isTTY, columns: 80 },
    stdin: { isTTY, readAll: () => new Promise(() => undefined), readLine: () => (options.line === undefined ? new Promise(() => undefined) : Promise.resolve(options.line)) },
    now: () => new Date(0),
    signal: options.signal ?? new AbortController().signal,
  };
  const exit = await run(world, "1.2.3", definitions);
  return { exit, stdout: out.join(""), stderr: errors.join("") };
}
