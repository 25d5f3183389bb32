import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { findStaleFiles } from "./check-generated.ts";
import { findPackageFaults } from "./check-package.ts";

interface Check {
  readonly name: string;
  /** What is wrong; empty when nothing is. */
  readonly run: () => Promise<string>;
}

/** Runs a program of node_modules/.bin or of this repository; its output when it fails. */
function program(...command: readonly string[]): Check["run"] {
  return () =>
    new Promise((done) => {
      const child = spawn("npx", ["--no-install", ...command], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, FORCE_COLOR: "0", npm_config_loglevel: "error" } });
      const output: string[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk.toString("utf8")));
      child.once("error", (error) => done(error.message));
      child.once("close", (code) => done(code === 0 ? "" : output.join("") || `ended with ${code}`));
    });
}

const lines = (find: () => Promise<readonly string[]>): Check["run"] => async () => (await find()).join("\n");

const checks: readonly Check[] = [
  { name: "build", run: program("tsx", "scripts/build.ts") },
  { name: "types", run: program("tsc", "-p", ".") },
  { name: "lint", run: program("oxlint") },
  { name: "tests", run: program("vitest", "run") },
  { name: "unused files, exports and dependencies", run: program("knip") },
  { name: "package entry points", run: program("publint", "run", "--strict", "--pack", "false") },
  { name: "package contents", run: lines(findPackageFaults) },
  { name: "generated files", run: lines(findStaleFiles) },
];

/** Runs every check whatever the others say, and lists all failures at the end. `--skip-tests`: they ran already. */
async function main(): Promise<void> {
  process.chdir(resolve(import.meta.dirname, ".."));
  const failures: string[] = [];
  for (const { name, run } of checks) {
    if (name === "tests" && process.argv.includes("--skip-tests")) continue;
    const started = performance.now();
    const wrong = await run().catch((error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)));
    console.log(`${wrong === "" ? "ok  " : "FAIL"}  ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    if (wrong !== "") failures.push(`== ${name}\n${wrong.trimEnd()}`);
  }
  if (failures.length === 0) return;
  console.log(`\n${failures.join("\n\n")}\n\n${failures.length} of ${checks.length} checks failed`);
  process.exitCode = 1;
}

await main();
