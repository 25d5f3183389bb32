import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startSandbox } from "../src/federation/sandbox/start-sandbox.ts";
import { clouds } from "../src/federation/clouds/registry.ts";

/** A command of a `console` block with what the block says it prints. */
export interface Example {
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```console\n([\s\S]*?)^```$/gm;

/** All commands (`$ ...`) of all console blocks, in order. */
export function readExamples(markdown: string): readonly Example[] {
  return [...markdown.matchAll(BLOCK)].flatMap((block) => splitBlock(block[1] ?? ""));
}

function splitBlock(text: string): readonly Example[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const lines = part.replace(/\\\n\s*/g, "").split("\n");
      return { command: lines[0] ?? "", output: lines.slice(1).join("\n").trimEnd() };
    });
}

/** Puts what the commands really print behind them. */
export function replaceOutputs(markdown: string, outputs: readonly string[]): string {
  let next = 0;
  return markdown.replace(BLOCK, (_, text: string) => {
    const parts = text.split(/^\$ /m).slice(1);
    const body = parts.map((part) => {
      const command = /^(?:[^\n]*\\\n)*[^\n]*/.exec(part)?.[0] ?? "";
      const output = outputs[next++] ?? "";
      return `$ ${command}\n${output === "" ? "" : `${output}\n`}`;
    });
    return `\`\`\`console\n${body.join("")}\`\`\``;
  });
}

/** What differs from run to run, made the same: ports, thumbprints, key ids, times. */
export function normalize(output: string, dir: string): string {
  return output
    .replaceAll(dir, "/tmp/sandbox")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:8443")
    .replace(/\bport \d{4,5}\b/g, "port 8443")
    .replace(/\bKubeassume[0-9a-f]{16}\b/g, "Kubeassume64a98cdbbe2cb92b")
    .replace(/\b[0-9a-f]{64}\b/g, "5e9aa6ab18a915102ef8f29fe3df8e5cf5e693b20a2957556d6559c7ebb077ee")
    .replace(/\((\d+) s\)/g, "(2 s)")
    .replace(/has \d{3} characters/g, "has 854 characters")
    .replace(/\b[0-9a-f]{40}\b/g, "0123456789abcdef0123456789abcdef01234567")
    .replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, "GkzDGmfnKyTAW5VSI1dDfgPEvVmqSJbW3wDDGkZK7Cg")
    .replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, "2026-01-31T12:00:00Z")
    .replace(/in \d+\.\d s/g, "in 1.0 s")
    .replace(/^export (AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY)=.*$/gm, "export $1=...")
    .trimEnd();
}

/** Runs commands one after the other in one sandbox, as a reader would, and answers what each printed (both streams). */
export async function runExamples(commands: readonly string[]): Promise<readonly { readonly output: string; readonly exit: number }[]> {
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-readme-"));
  const standIns = await Promise.all(clouds.map(async (cloud) => [cloud.name, await cloud.loadStandIns()] as const));
  const sandbox = await startSandbox({ clouds: Object.fromEntries(standIns), dir: join(dir, "sandbox"), now: () => new Date() });
  try {
    const bin = join(dir, "bin");
    const home = join(dir, "home");
    await Promise.all([mkdir(bin), mkdir(home)]);
    const shim = join(bin, "kubeassume");
    await writeFile(shim, `#!/bin/sh\nexec "${process.execPath}" "${resolve("dist/kubeassume.js")}" "$@"\n`);
    await chmod(shim, 0o755);
    const env = { ...sandbox.env, PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: home };
    const results: { output: string; exit: number }[] = [];
    for (const command of commands) {
      const { output, exit } = await runShell(command, env, home);
      results.push({ output: normalize(output, join(dir, "sandbox")), exit });
    }
    return results;
  } finally {
    await sandbox.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function runShell(command: string, env: Readonly<Record<string, string>>, cwd: string): Promise<{ output: string; exit: number }> {
  return new Promise((done) => {
    const child = spawn("sh", ["-c", `${command} 2>&1`], { env, cwd, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.once("close", (code) => done({ output, exit: code ?? -1 }));
  });
}

/** Rewrites the outputs in README.md. */
export async function writeReadme(): Promise<void> {
  const markdown = await readFile("README.md", "utf8");
  const results = await runExamples(readExamples(markdown).map((example) => example.command));
  await writeFile("README.md", replaceOutputs(markdown, results.map((result) => result.output)));
}
