import { run } from "../../src/commands/run.ts";
import type { World } from "../../src/commands/world.ts";
import type { Ran } from "./kubeassume.ts";
import type { Scene } from "./scene.ts";

export interface HereOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs the command in this process, in the scene's environment: what a process of its own does, without its start. For
 * tests that are about what is asked and answered; those about the process itself (signals, warnings of Node) take `scene.run`.
 */
export async function runHere(scene: Scene, args: readonly string[], { env = {}, input = "", signal }: HereOptions = {}): Promise<Pick<Ran, "exit" | "stdout" | "stderr">> {
  const [out, errors]: [string[], string[]] = [[], []];
  // The end of a process ends the requests that it no longer waits for.
  const ended = new AbortController();
  const world: World = {
    argv: args,
    env: { HOME: scene.dir, NO_PROXY: "127.0.0.1", ...scene.env, ...env },
    cwd: scene.dir,
    stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
    stderr: { write: (text) => void errors.push(text), isTTY: false, columns: 80 },
    stdin: { isTTY: false, readAll: async () => input, readLine: async () => null },
    now: () => new Date(),
    signal: signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]),
  };
  try {
    const exit = await run(world, "0.0.0");
    return { exit, stdout: out.join(""), stderr: errors.join("") };
  } finally {
    ended.abort();
  }
}
