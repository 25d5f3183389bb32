import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { kubeassume } from "../support/kubeassume.ts";
import { hasProgram } from "../support/programs.ts";

const run = promisify(execFile);
const [zsh, fish] = await Promise.all([hasProgram("zsh", ["--version"]), hasProgram("fish", ["--version"])]);
// CI installs both: there a missing shell is a failure, not a reason to skip.
const inCi = process.env["CI"] === "true";

async function scriptFile(shell: string): Promise<string> {
  const { exit, stdout } = await kubeassume(["completion", shell]);
  expect(exit).toBe(0);
  const file = join(await mkdtemp(join(tmpdir(), "kubeassume-completion-")), `completion.${shell}`);
  await writeFile(file, stdout);
  return file;
}

/** What each shell must offer behind a command line whose last word is being typed. */
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["kubeassume ", ["setup", "grant", "publish", "status", "teardown", "completion"], ["aws", "--issuer-url"]],
  ["kubeassume se", ["setup"], ["status"]],
  ["kubeassume setup ", ["aws"], ["s3"]],
  ["kubeassume publish ", ["s3", "dir"], ["aws"]],
  ["kubeassume setup aws --", ["--issuer-url", "--dry-run", "--output", "--help"], ["--role-name"]],
  ["kubeassume setup aws --issuer-url https://x --re", ["--region"], ["--issuer-url"]],
  ["kubeassume status --", ["--strict"], ["--dry-run"]],
  ["kubeassume completion ", ["bash", "zsh", "fish"], []],
  ["kubeassume setup aws --output ", ["text", "json"], ["--region"]],
];

describe("completion", () => {
  it("answers with the script in JSON too", async () => {
    expect((await kubeassume(["completion", "bash", "-o", "json"])).json()).toMatchObject({ kind: "Completion", data: { shell: "bash", script: expect.stringContaining("complete ") as string } });
  });

  it("is a script that bash can read", async () => {
    await run("bash", ["-n", await scriptFile("bash")]);
  });

  it.each(CASES)("offers in bash, behind %j, what may stand there", async (line, offered, notOffered) => {
    const words = line.split(" ");
    const program = 'source "$1"; shift; COMP_CWORD=$(($# - 1)); COMP_WORDS=("$@"); _kubeassume; printf "%s\\n" "${COMPREPLY[@]}"';
    const { stdout } = await run("bash", ["-c", program, "bash", await scriptFile("bash"), ...words]);
    judge(stdout.split("\n"), offered, notOffered);
  });

  it.skipIf(!zsh && !inCi).each(CASES)("offers in zsh, behind %j, what may stand there", async (line, offered, notOffered) => {
    const last = line.split(" ").at(-1) ?? "";
    // Outside of a line editor compadd is no builtin: a function of that name shows what it would be given.
    const program = 'file=$1; shift; compdef() { : }; _files() { : }; compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "$@" }; source $file; words=("$@"); CURRENT=$#; _kubeassume';
    const { stdout } = await run("zsh", ["-f", "-c", program, "zsh", await scriptFile("zsh"), ...line.split(" ")]);
    judge(stdout.split("\n").filter((word) => word.startsWith(last)), offered, notOffered);
  });

  it.skipIf(!fish && !inCi).each(CASES)("offers in fish, behind %j, what may stand there", async (line, offered, notOffered) => {
    const { stdout } = await run("fish", ["--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', await scriptFile("fish"), line]);
    judge(stdout.split("\n").map((one) => one.split("\t")[0] ?? ""), offered, notOffered);
  });
});

function judge(found: readonly string[], offered: readonly string[], notOffered: readonly string[]): void {
  for (const word of offered) expect(found).toContain(word);
  for (const word of notOffered) expect(found).not.toContain(word);
}
