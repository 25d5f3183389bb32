import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecked, runCommand } from "./command.ts";
import { COMPONENTS } from "./components.ts";
import type { Component, ComponentName, GoComponent, PythonComponent } from "./components.ts";
import { withLock } from "./lock.ts";

const SOURCES = fileURLToPath(new URL("..", import.meta.url));
const CACHE = fileURLToPath(new URL("../../../.cache/real", import.meta.url));
const GO_FLAGS = ["-ldflags=-s -w"];

/**
 * The path of a component's program, built into `.cache/real` on the first call. Processes that ask at the same time
 * build it once. Throws with the end of the build's output when the build fails.
 */
export async function obtainComponent(name: ComponentName): Promise<string> {
  const component: Component = COMPONENTS[name];
  const directory = join(CACHE, `${name}-${await readKey(component)}`);
  const program = toProgramPath(component, directory);
  if (await isComplete(directory)) return program;
  await mkdir(CACHE, { recursive: true });
  await withLock(`${directory}.lock`, async () => {
    if (await isComplete(directory)) return;
    const started = Date.now();
    process.stderr.write(`${name}: ${component.kind === "go" ? "building" : "installing"}\n`);
    await rm(directory, { recursive: true, force: true });
    await (component.kind === "go" ? buildGo(component, directory) : installPython(component, directory));
    await writeFile(toMarker(directory), "");
    process.stderr.write(`${name}: ready after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  });
  return program;
}

/**
 * Makes the components ready and says whether the tests that need them have to be skipped: true, with the reason on
 * stderr, when the toolchain of one is not on this machine. Under CI=true nothing is skipped: it throws.
 */
export async function cannotRun(...names: readonly ComponentName[]): Promise<boolean> {
  for (const name of names) {
    const reason = await readMissingToolchain(COMPONENTS[name].kind);
    if (reason === undefined) continue;
    const message = `${name} cannot be made: ${reason}`;
    if (process.env["CI"] === "true") throw new Error(message);
    process.stderr.write(`skipped, ${message}\n`);
    return true;
  }
  await Promise.all(names.map((name) => obtainComponent(name)));
  return false;
}

async function readMissingToolchain(kind: Component["kind"]): Promise<string | undefined> {
  if (kind === "go") return (await succeeds("go", ["version"])) ? undefined : "go is not installed";
  if (await succeeds("python3", ["-c", "import venv, ensurepip"])) return undefined;
  return "python3 with its venv module is not installed";
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  const result = await runCommand(command, args).catch(() => undefined);
  return result?.code === 0;
}

/** What a component depends on: its pinned versions, how it is built and for which machine. */
async function readKey(component: Component): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([component, process.platform, process.arch]));
  if (component.kind === "go") {
    hash.update(JSON.stringify(GO_FLAGS));
    for (const file of ["go.mod", "go.sum"]) hash.update(await readFile(join(SOURCES, component.folder, file)));
  } else {
    // Scripts of a virtual environment name their interpreter by its full path, so it cannot move.
    const python = await runChecked("python3", ["-c", "import sys; print(sys.version, sys.base_prefix)"]);
    hash.update(JSON.stringify([CACHE, python.stdout]));
    hash.update(await readFile(join(SOURCES, component.folder, "requirements.txt")));
  }
  return hash.digest("hex").slice(0, 12);
}

async function buildGo(component: GoComponent, directory: string): Promise<void> {
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const output = join(unfinished, component.program);
  // A workspace file in a parent folder would replace the pinned versions.
  const env = { GOWORK: "off" };
  await runChecked("go", ["build", ...GO_FLAGS, "-o", output, component.packagePath], { cwd: join(SOURCES, component.folder), env });
  await rename(unfinished, directory);
}

async function installPython(component: PythonComponent, directory: string): Promise<void> {
  await runChecked("python3", ["-m", "venv", directory]);
  const requirements = join(SOURCES, component.folder, "requirements.txt");
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "-r", requirements];
  await runChecked(join(directory, "bin", "python"), pip);
}

function toProgramPath(component: Component, directory: string): string {
  return component.kind === "go" ? join(directory, component.program) : join(directory, "bin", component.program);
}

function toMarker(directory: string): string {
  return join(directory, ".complete");
}

function isComplete(directory: string): Promise<boolean> {
  return access(toMarker(directory)).then(
    () => true,
    () => false,
  );
}
