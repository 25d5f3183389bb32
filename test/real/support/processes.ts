import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { lastLines } from "./command.ts";
import { makeTemporaryFolder } from "./temporary.ts";
import type { TemporaryFolder } from "./temporary.ts";
import { waitUntil } from "./wait.ts";

const READY_MS = 60_000;
const STOP_MS = 10_000;
const PORT_ATTEMPTS = 3;

export interface ServerProcess {
  /** A folder of the process's own, removed by `stop`. */
  readonly directory: string;
  /** What the process printed, both streams. */
  readonly logFile: string;
  /** Ends the process and removes its folder; does nothing the second time. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Asked until it says true; an error counts as no, since a server that starts refuses connections. */
  readonly isReady: () => Promise<boolean>;
}

/** What still runs when the tests are interrupted: a worker of vitest exits then, without its `afterAll`. */
const running = new Set<ChildProcess>();
process.prependOnceListener("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a server on a free port of 127.0.0.1 and waits, at most a minute, until it answers. Another process can take
 * the port before the server does, so a server that ends for that reason is started again on another one.
 */
export async function startServer(
  name: string,
  toCommand: (place: { port: number; directory: string }) => Promise<ServerCommand> | ServerCommand,
): Promise<ServerProcess & { readonly port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    const folder = await makeTemporaryFolder(name);
    try {
      return { port, ...(await startProcess(name, folder, await toCommand({ port, directory: folder.directory }))) };
    } catch (error) {
      await folder.remove();
      const portTaken = error instanceof Error && /address already in use/i.test(error.message);
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** A port that nothing listens on at the moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startProcess(name: string, folder: TemporaryFolder, command: ServerCommand): Promise<ServerProcess> {
  const { directory } = folder;
  const logFile = join(directory, `${name}.log`);
  const log = await open(logFile, "w");
  const child = spawn(command.command, command.args, {
    cwd: directory,
    env: { ...process.env, ...command.env },
    stdio: ["ignore", log.fd, log.fd],
  });
  running.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  await log.close();
  const stop = async (): Promise<void> => {
    await endProcess(child, ended);
    running.delete(child);
    await folder.remove();
  };
  try {
    await waitUntil(() => isAnswering(child, name, command.isReady), { what: `${name} to answer`, timeoutMs: READY_MS });
  } catch (error) {
    const printed = lastLines(await readFile(logFile, "utf8"));
    await stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}; it printed:\n${printed}`, { cause: error });
  }
  return { directory, logFile, stop };
}

async function isAnswering(child: ChildProcess, name: string, isReady: () => Promise<boolean>): Promise<boolean> {
  if (child.pid === undefined) throw new Error(`${name} could not be started`);
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode} before it answered`);
  }
  return isReady().catch(() => false);
}

async function endProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill("SIGTERM");
  const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(impatience);
}
