import { describe, expect, it } from "vitest";
import { codes } from "../../../src/federation/errors/codes.ts";
import { KubeassumeError, warning } from "../../../src/federation/errors/error.ts";
import type { Envelope } from "../../../src/federation/report/envelope.ts";
import { commandThat, runIn } from "./worlds.ts";

const SETUP = ["setup", "testcloud"];
const refused = new KubeassumeError(codes.ISSUER_UNREACHABLE, { message: "oidc.example.com: the connection is refused" });
const partly = new KubeassumeError(codes.PARTLY_APPLIED, { message: "1 done, 1 failed", details: { done: ["a"], failed: ["b"] } });
const failing = (error: Error) => commandThat(() => Promise.reject(error));
const document = (stdout: string) => JSON.parse(stdout) as Envelope;

describe("what a command ends with", () => {
  it("is its text on stdout, and 0", async () => {
    expect(await runIn(SETUP, [commandThat(async () => ({ text: "made\n" }))])).toEqual({ exit: 0, stdout: "made\n", stderr: "" });
  });

  it("is one JSON document with -o json, and nothing else on stdout", async () => {
    const command = commandThat(async () => ({ text: "made\n", data: { a: 1 }, warnings: [warning(codes.NOT_OURS, { message: "look" })] }));
    const { exit, stdout } = await runIn([...SETUP, "-o", "json"], [command]);
    expect(exit).toBe(0);
    expect(document(stdout)).toMatchObject({ apiVersion: "kubeassume.dev/v1", kind: "SetupResult", ok: true, data: { a: 1 }, warnings: [{ code: "NOT_OURS", message: "look" }], error: null });
  });

  it("is a document with its error, also when there is a result beside it", async () => {
    const { exit, stdout, stderr } = await runIn([...SETUP, "-o", "json"], [commandThat(async () => ({ data: { steps: [] }, error: partly }))]);
    expect(exit).toBe(5);
    expect(document(stdout)).toMatchObject({ ok: false, data: { steps: [] }, error: { code: "PARTLY_APPLIED" } });
    expect(stderr).toContain("error: 1 done, 1 failed");
  });

  it("is the kind Plan for a dry run, whether it succeeds or not", async () => {
    expect(document((await runIn([...SETUP, "--dry-run", "-o", "json"], [failing(refused)])).stdout)).toMatchObject({ kind: "Plan", ok: false, data: null });
    expect(document((await runIn([...SETUP, "--dry-run", "-o", "json"], [commandThat(async () => ({}))])).stdout)).toMatchObject({ kind: "Plan", ok: true });
  });

  it("is the exit code of a command that was run inside, when it says so", async () => {
    expect((await runIn(SETUP, [commandThat(async () => ({ exit: 42 }))])).exit).toBe(42);
  });

  it("is the error's own exit code, and its words on stderr", async () => {
    expect(await runIn(SETUP, [failing(refused)])).toEqual({
      exit: 4,
      stdout: "",
      stderr: `error: oidc.example.com: the connection is refused\n  hint: ${codes.ISSUER_UNREACHABLE.fix}\n  code: ISSUER_UNREACHABLE (kubeassume explain ISSUER_UNREACHABLE)\n`,
    });
  });
});

describe("an error that nobody foresaw", () => {
  const error = new RangeError("index 7 of eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl", { cause: new Error("AKIAABCDEFGHIJKLMNOP") });

  it("is a defect, exit 1, with what a report needs", async () => {
    const { exit, stderr } = await runIn(SETUP, [failing(error)]);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^error: RangeError: index 7 of \[token removed\]\n {2}hint: .*report.*\n {2}code: DEFECT/);
    expect(stderr).toContain("run.test.ts");
  });

  it("leaks nothing on either stream, in either form, at any verbosity", async () => {
    for (const flags of [[], ["-o", "json"], ["--verbose"], ["--verbose", "-o", "json"]]) {
      const { stdout, stderr } = await runIn([...SETUP, ...flags], [failing(error)]);
      expect(stdout + stderr).not.toMatch(/c2lnbmF0dXJl|AKIAABCDEFGHIJKLMNOP/);
      if (stdout !== "") expect(document(stdout)).toMatchObject({ ok: false, error: { code: "DEFECT" } });
    }
  });

  it("is a defect also when it is no error at all", async () => {
    expect((await runIn(SETUP, [commandThat(() => Promise.reject("text" as unknown as Error))])).stderr).toContain("something that is not an error was thrown");
  });
});

describe("a signal and --timeout", () => {
  const hanging = (onStart: () => void = () => undefined) =>
    commandThat(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(refused));
          onStart();
        }),
    );

  it("make it 130 for a signal, whatever the command then says", async () => {
    const interruption = new AbortController();
    const { exit, stdout } = await runIn([...SETUP, "-o", "json"], [hanging(() => interruption.abort())], { signal: interruption.signal });
    expect(exit).toBe(130);
    expect(document(stdout)).toMatchObject({ error: { code: "INTERRUPTED" } });
  });

  it("make it TIMED_OUT after --timeout, and say what was going on", async () => {
    const { exit, stderr } = await runIn([...SETUP, "--timeout", "1"], [hanging()]);
    expect(exit).toBe(4);
    expect(stderr).toMatch(/^error: not finished within --timeout; it was at: oidc\.example\.com/);
    expect(stderr).toContain("code: TIMED_OUT");
  });

  it("keep the report of what was done until then, and call it partly applied", async () => {
    const interrupted = new KubeassumeError(codes.INTERRUPTED, { message: "interrupted: 1 done", details: { done: ["a"], untouched: ["b"] } });
    const command = commandThat(({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve({ data: { steps: [1] }, error: interrupted }))));
    const { exit, stdout } = await runIn([...SETUP, "--timeout", "1", "-o", "json"], [command]);
    expect(exit).toBe(5);
    expect(document(stdout)).toMatchObject({ data: { steps: [1] }, error: { code: "TIMED_OUT", details: { done: ["a"], untouched: ["b"] } } });
  });

  it("leave the report of a half-applied plan as it is", async () => {
    const interruption = new AbortController();
    interruption.abort();
    expect((await runIn(SETUP, [commandThat(async () => ({ error: partly }))], { signal: interruption.signal })).exit).toBe(5);
  });

  it.each(["0", "-1", "0.5", "86401", "x", "1e9", "", "Infinity"])("refuse a --timeout of %j", async (seconds) => {
    const { exit, stderr } = await runIn([...SETUP, `--timeout=${seconds}`], [commandThat(async () => ({}))]);
    expect(exit).toBe(2);
    expect(stderr).toContain(`--timeout is ${JSON.stringify(seconds)}`);
  });

  it.each(["1", "1.5", "86400"])("take a --timeout of %s", async (seconds) => {
    expect((await runIn([...SETUP, "--timeout", seconds], [commandThat(async () => ({}))])).exit).toBe(0);
  });

  it("do not hold a server that was told to serve until it is interrupted", async () => {
    const interruption = new AbortController();
    const server = commandThat(
      async () => ({ text: "serving\n", serve: (signal) => new Promise<void>((resolve) => void (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve()))) }),
      { unbounded: true },
    );
    const running = runIn([...SETUP, "--timeout", "1"], [server], { signal: interruption.signal });
    interruption.abort();
    expect(await running).toMatchObject({ exit: 0, stdout: "serving\n" });
  });
});

describe("what people see", () => {
  const talkative = commandThat(async ({ ui }) => {
    ui.progress("reading");
    ui.note("a note");
    ui.debug("a detail");
    return { warnings: [warning(codes.NOT_OURS, { message: "a warning" })] };
  });

  it("is progress, notes and warnings on stderr, details only with --verbose", async () => {
    const { stdout, stderr } = await runIn(SETUP, [talkative]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^reading\na note\nwarning: a warning\n/);
    expect((await runIn([...SETUP, "--verbose"], [talkative])).stderr).toContain("a detail\n");
  });

  it("is nothing with --quiet, but errors", async () => {
    expect((await runIn([...SETUP, "--quiet"], [talkative])).stderr).toBe("");
    expect((await runIn(["--quiet", ...SETUP], [talkative])).stderr).toBe("");
    expect((await runIn([...SETUP, "--quiet"], [failing(refused)])).stderr).toMatch(/^error: /);
  });

  it("is a live line on a terminal, taken away at the end", async () => {
    const busy = commandThat(async ({ ui }) => {
      ui.progress("reading");
      return {};
    });
    const { stderr } = await runIn(SETUP, [busy], { terminal: true, env: { NO_COLOR: "1" } });
    expect(stderr).toBe("reading …\r\u001b[2K");
  });

  it.each([
    ["on a terminal", { terminal: true }, [], true],
    ["elsewhere", {}, [], false],
    ["on a terminal with NO_COLOR", { terminal: true, env: { NO_COLOR: "1" } }, [], false],
    ["on a terminal with an empty NO_COLOR", { terminal: true, env: { NO_COLOR: "" } }, [], true],
    ["on a terminal with --no-color", { terminal: true }, ["--no-color"], false],
    ["on a dumb terminal", { terminal: true, env: { TERM: "dumb" } }, [], false],
    ["elsewhere with FORCE_COLOR", { env: { FORCE_COLOR: "1" } }, [], true],
    ["on a terminal with FORCE_COLOR=0", { terminal: true, env: { FORCE_COLOR: "0" } }, [], false],
    ["with both NO_COLOR and FORCE_COLOR", { env: { FORCE_COLOR: "1", NO_COLOR: "1" } }, [], false],
  ] as const)("has colour or not: %s", async (_, options, flags, colored) => {
    const { stderr } = await runIn([...SETUP, ...flags], [failing(refused)], options);
    expect(stderr.includes("\u001b[31merror:\u001b[39m")).toBe(colored);
    expect(stderr).toContain("error:");
  });
});

describe("the question before a change", () => {
  const asking = (whenSilent: "go-ahead" | "refuse") =>
    commandThat(async ({ ui }) => {
      await ui.confirm("apply this plan?", whenSilent);
      return { text: "applied\n" };
    });

  it.each(["y", "Y", "yes", " YES "])("takes %j for a yes", async (line) => {
    const { stdout, stderr } = await runIn(SETUP, [asking("go-ahead")], { terminal: true, line });
    expect(stderr).toContain("apply this plan? [y/N]");
    expect(stdout).toBe("applied\n");
  });

  it.each(["", "n", "no", "yess", null])("takes %j for a no: exit 6, nothing done", async (line) => {
    const { exit, stdout, stderr } = await runIn(SETUP, [asking("go-ahead")], { terminal: true, line });
    expect([exit, stdout]).toEqual([6, ""]);
    expect(stderr).toContain("DECLINED");
  });

  it("is not asked without a terminal: the command goes ahead, or wants --yes", async () => {
    expect(await runIn(SETUP, [asking("go-ahead")])).toMatchObject({ exit: 0, stderr: "" });
    expect(await runIn(SETUP, [asking("refuse")])).toMatchObject({ exit: 6, stderr: expect.stringContaining("--yes") as string });
    expect(await runIn([...SETUP, "-y"], [asking("refuse")])).toMatchObject({ exit: 0 });
  });

  it("does not outlive a signal", async () => {
    const interruption = new AbortController();
    const running = runIn(SETUP, [asking("go-ahead")], { terminal: true, signal: interruption.signal });
    interruption.abort();
    expect((await running).exit).toBe(130);
  });

  it("does not outlive --timeout", async () => {
    expect((await runIn([...SETUP, "--timeout", "1"], [asking("go-ahead")], { terminal: true })).stderr).toContain("TIMED_OUT");
  });
});
