import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The built command: what people run. `npm test` builds it first. */
export const COMMAND = resolve(import.meta.dirname, "../../dist/kubeassume.js");

export interface Ran {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  json<T = Record<string, never>>(): T;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Called with the process once it runs: to send it a signal. */
  readonly onSpawn?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the built command in an environment of its own: nothing of the person's cloud, cluster or home leaks in. */
export async function kubeassume(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const home = await mkdtemp(join(tmpdir(), "kubeassume-home-"));
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, AWS_EC2_METADATA_DISABLED: "true", NO_PROXY: "127.0.0.1", ...options.env };
  const child = spawn(process.execPath, [COMMAND, ...args], { env, cwd: options.cwd ?? home, stdio: "pipe" });
  options.onSpawn?.((signal) => child.kill(signal));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const { exit, signal } = await new Promise<Pick<Ran, "exit" | "signal">>((done) => child.once("close", (code, name) => done({ exit: code, signal: name })));
  const texts = { stdout: await stdout, stderr: await stderr };
  return { exit, signal, ...texts, json: <T>() => JSON.parse(texts.stdout) as T };
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
