import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** Milliseconds of one run. Throws when it does not end with 0: a failing command is no measurement. */
export function time(command: Command): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command.program, command.args, { stdio: ["ignore", "ignore", "pipe"], env: command.env ?? process.env, cwd: command.cwd });
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString("utf8")));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(performance.now() - started);
      else reject(new Error(`${command.program} ${command.args.join(" ")} ended with ${code}: ${words}`));
    });
  });
}

/** The median of each command, run in turns, so that a busy moment of the machine hits all of them. One run each is not counted. */
export async function mediansOf<K extends string>(commands: Readonly<Record<K, Command>>, runs: number): Promise<Readonly<Record<K, number>>> {
  const entries = Object.entries<Command>(commands);
  const times = new Map(entries.map(([name]) => [name, [] as number[]]));
  for (let run = 0; run <= runs; run += 1) {
    for (const [name, command] of entries) {
      const took = await time(command);
      if (run > 0) times.get(name)?.push(took);
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, median(all)])) as Record<K, number>;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The most memory that a node program held at a time, in MB (resident set). */
export async function peakMemory(args: readonly string[], env: Readonly<Record<string, string | undefined>>, cwd: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "kubeassume-bench-"));
  try {
    const [hook, file] = [join(folder, "hook.cjs"), join(folder, "rss")];
    await writeFile(hook, `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)));\n`);
    await time({ program: process.execPath, args: ["--require", hook, ...args], env, cwd });
    return Number(await readFile(file, "utf8")) / 1024;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
