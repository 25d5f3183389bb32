#!/usr/bin/env node
import { VERSION } from "../src/commands/version.ts";
import { run } from "../src/commands/run.ts";
import type { Output, World } from "../src/commands/world.ts";

/** Node makes its standard streams on first sight, some milliseconds each: only those that are used are looked at. */
function toOutput(name: "stdout" | "stderr"): Output & { readonly flush: () => Promise<void> } {
  let opened: NodeJS.WriteStream | null = null;
  const open = (): NodeJS.WriteStream => {
    if (opened !== null) return opened;
    opened = process[name];
    // A reader that goes away (head, less) is no error of ours.
    opened.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
    return opened;
  };
  return {
    write: (text) => void open().write(text),
    get isTTY() {
      return open().isTTY === true;
    },
    get columns() {
      return open().columns || 80;
    },
    flush: () => new Promise((done) => (opened === null ? done() : opened.write("", () => done()))),
  };
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function readLine(): Promise<string | null> {
  const { createInterface } = await import("node:readline");
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

const stdout = toOutput("stdout");
const stderr = toOutput("stderr");
const world: World = {
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdout,
  stderr,
  stdin: {
    get isTTY() {
      return process.stdin.isTTY === true;
    },
    readAll,
    readLine,
  },
  now: () => new Date(),
  signal: interruption.signal,
  takeSignals,
};

const exit = await run(world, VERSION);
// Kept-alive connections of SDKs would hold the process; what was written is flushed first.
await Promise.all([stdout.flush(), stderr.flush()]);
process.exit(exit);
