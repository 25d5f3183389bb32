#!/usr/bin/env node
import { createInterface } from "node:readline";
import { VERSION } from "../src/commands/version.ts";
import { run } from "../src/commands/run.ts";
import type { Output, World } from "../src/commands/world.ts";

function toOutput(stream: NodeJS.WriteStream): Output {
  // A reader that goes away (head, less) is no error of ours.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return { write: (text) => void stream.write(text), isTTY: stream.isTTY === true, columns: stream.columns || 80 };
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function readLine(): Promise<string | null> {
  const lines = createInterface({ input: process.stdin });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      // Before closing, which says at once that there is no line.
      resolve(line);
      lines.close();
    });
    lines.once("close", () => resolve(null));
  });
}

const interruption = new AbortController();
let taken: ((name: NodeJS.Signals) => void) | null = null;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (taken !== null) return taken(name);
    // The second signal ends the process at once, as people expect of Ctrl-C twice.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

function takeSignals(handler: (name: NodeJS.Signals) => void): () => void {
  taken = handler;
  return () => {
    taken = null;
  };
}

// What Node and the SDKs have to say to programmers (deprecations, supported versions) is for --verbose.
if (!process.argv.includes("--verbose")) process.removeAllListeners("warning");

const world: World = {
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdout: toOutput(process.stdout),
  stderr: toOutput(process.stderr),
  stdin: { isTTY: process.stdin.isTTY === true, readAll, readLine },
  now: () => new Date(),
  signal: interruption.signal,
  takeSignals,
};

const exit = await run(world, VERSION);
// Kept-alive connections of SDKs would hold the process; what was written is flushed first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exit)));
