import { spawn } from "node:child_process";
import { constants } from "node:os";
import { codes } from "../../federation/sandbox/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import type { World } from "../world.ts";

export interface ChildOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Stdin is a terminal, which sends its Ctrl-C to the child by itself. */
  readonly terminal: boolean;
  /** Ends the child when signals cannot be taken. */
  readonly signal: AbortSignal;
  readonly takeSignals: World["takeSignals"];
}

/**
 * Runs a command on this process's own streams and answers its exit code; 128 and the signal's number when a signal
 * ended it, as shells do. Signals to this process go to the command, which decides what they mean.
 *
 * @throws KubeassumeError SANDBOX_COMMAND_NOT_FOUND
 */
export async function runChild(command: readonly string[], options: ChildOptions): Promise<number> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: "inherit", env: { ...options.env }, cwd: options.cwd });
  const forward = (name: NodeJS.Signals): void => {
    if (name === "SIGINT" && options.terminal) return;
    child.kill(name);
  };
  const terminate = (): void => forward("SIGTERM");
  const release = options.takeSignals?.(forward);
  options.signal.addEventListener("abort", terminate, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", (cause: NodeJS.ErrnoException) => reject(notStarted(program, cause)));
      child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    options.signal.removeEventListener("abort", terminate);
    release?.();
  }
}

function notStarted(program: string, cause: NodeJS.ErrnoException): KubeassumeError {
  const code = cause.code ?? "unknown";
  return new KubeassumeError(codes.SANDBOX_COMMAND_NOT_FOUND, { message: `cannot start ${JSON.stringify(program)} (${code})`, details: { program, code }, cause });
}
