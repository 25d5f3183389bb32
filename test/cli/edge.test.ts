import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandDefinitions } from "../../src/commands/commands.ts";
import { canDryRun } from "../../src/commands/edge/program.ts";
import { COMMAND, kubeassume } from "../support/kubeassume.ts";

const definitions = commandDefinitions();
const paths = definitions.map((definition) => definition.path.join(" "));
const groups = [...new Set(definitions.filter((definition) => definition.path.length > 1).map((definition) => definition.path[0] ?? ""))];

describe("help and version", () => {
  it("answers no arguments with the help on stderr, and 2", async () => {
    const { exit, stdout, stderr } = await kubeassume([]);
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Usage: kubeassume /);
  });

  it.each(groups)("answers %s alone with its help on stderr, and 2", async (group) => {
    const { exit, stdout, stderr } = await kubeassume([group]);
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(new RegExp(`^Usage: kubeassume ${group} `));
  });

  it.each(["", ...groups, ...paths])("has help of one screen for %j, with examples at the end", async (path) => {
    const { exit, stdout, stderr } = await kubeassume([...path.split(" ").filter((word) => word !== ""), "--help"]);
    expect([exit, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(24);
    expect(lines.length).toBeLessThanOrEqual(60);
    const examples = lines.slice(lines.indexOf("Examples:") + 1);
    expect(examples.length).toBeGreaterThanOrEqual(1);
    for (const example of examples) expect(example).toMatch(/^ {2}.*kubeassume/);
    // Examples are whole command lines, to be pasted; all else fits a terminal.
    for (const line of lines.slice(0, -examples.length)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([["--version"], ["-V"], ["status", "--version"]])("prints the version of the package: %s", async (...args) => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    expect(await kubeassume(args)).toMatchObject({ exit: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a command line that is not understood", () => {
  it.each([
    ["setpu aws", "unknown command 'setpu'", "did you mean setup?"],
    ["setup awss", "unknown command 'awss'", "did you mean aws?"],
    ["setup aws --issuer-ulr x", "unknown option '--issuer-ulr'", "did you mean --issuer-url? see kubeassume setup aws --help"],
    ["setup aws --issuer-url", "option '--issuer-url <URL>' argument missing", "see kubeassume setup aws --help"],
    ["status -o yaml", "argument 'yaml' is invalid; allowed choices are text, json", "see kubeassume status --help"],
    ["status nowhere", "'nowhere' is invalid", "see kubeassume status --help"],
    ["completion tcsh", "allowed choices are bash, zsh, fish", "see kubeassume completion --help"],
    ["thumbprint", "missing required argument 'url'", "see kubeassume thumbprint --help"],
    ["status aws aws", "too many arguments for 'status'; expected 1 argument but got 2", "see kubeassume status --help"],
  ])("%s: USAGE and what was meant", async (line, message, hint) => {
    const { exit, stdout, stderr } = await kubeassume(line.split(" "));
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr.split("\n")[0]).toContain(message);
    expect(stderr.split("\n")[1]).toContain(hint);
    expect(stderr).toContain("code: USAGE");
  });

  it.each([
    ["nonsense -o json", "Explanation"],
    ["-o json nonsense", "Explanation"],
    ["setup aws --nonsense --output=json", "SetupResult"],
    ["setup -o json", "SetupResult"],
    ["-ojson", "Explanation"],
    ["status --nonsense -o json", "StatusReport"],
    ["status --timeout 0 -o json", "StatusReport"],
    ["explain NOTHING_LIKE_IT -o json", "Explanation"],
  ])("%s: one JSON document with the error", async (line, kind) => {
    const { exit, stdout } = await kubeassume(line.split(" "));
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ apiVersion: "kubeassume.dev/v1", kind, ok: false, data: null, warnings: [], error: { code: expect.any(String) as string, message: expect.any(String) as string, hint: expect.any(String) as string, details: expect.any(Object) as object } });
  });

  it.each(definitions.filter((definition) => !canDryRun(definition)).map((definition) => definition.path.join(" ")))("refuses --dry-run of %s, which changes nothing", async (path) => {
    const words = (definitions.find((definition) => definition.path.join(" ") === path)?.arguments ?? []).filter(({ syntax }) => syntax.startsWith("<")).map(({ choices }) => choices?.[0] ?? "x");
    const { exit, stderr } = await kubeassume([...path.split(" "), ...words, "--dry-run"]);
    expect(exit).toBe(2);
    expect(stderr).toContain(`--dry-run has no meaning for ${path}`);
  });

  it("takes common flags in front of the command as well", async () => {
    const { exit, stdout } = await kubeassume(["-o", "json", "explain", "USAGE"]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "Explanation", ok: true });
  });

  it("lets a flag behind the command win over the same flag in front of it", async () => {
    expect((await kubeassume(["-o", "json", "explain", "USAGE", "-o", "text"])).stdout).toMatch(/^USAGE: /);
  });
});

describe("streams and signals", () => {
  it("ends quietly when the reader of stdout goes away", async () => {
    const child = spawn("bash", ["-c", `set -o pipefail; "$0" "$1" explain -o json | head -c 10 >/dev/null; echo "$?"`, process.execPath, COMMAND], { stdio: ["ignore", "pipe", "pipe"] });
    const texts = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (texts.stderr += chunk.toString()));
    await new Promise((resolve) => child.once("close", resolve));
    expect(texts).toEqual({ stdout: "0\n", stderr: "" });
  });

  it("writes a large document whole before it ends", async () => {
    const { stdout } = await kubeassume(["explain", "-o", "json"]);
    expect(stdout.length).toBeGreaterThan(65_536);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  });

  it("has no colour where there is no terminal, and some when it is forced", async () => {
    expect((await kubeassume(["nonsense"])).stderr).not.toContain("\u001b");
    expect((await kubeassume(["nonsense"], { env: { FORCE_COLOR: "1" } })).stderr).toContain("\u001b[31merror:");
    expect((await kubeassume(["nonsense"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stderr).not.toContain("\u001b");
    expect((await kubeassume(["nonsense", "--no-color"], { env: { FORCE_COLOR: "1" } })).stderr).not.toContain("\u001b");
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends with 130 and a true report after %s, while it waits for a server", async (name) => {
    const { createServer } = await import("node:net");
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const connected = new Promise((resolve) => server.once("connection", resolve));
    const { exit, stdout } = await kubeassume(["thumbprint", `https://127.0.0.1:${port}`, "-o", "json"], { onSpawn: (kill) => void connected.then(() => kill(name)) });
    server.close();
    expect(exit).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "INTERRUPTED" } });
  });
});
