import { existsSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMAND } from "../support/kubeassume.ts";
import { startSandboxCommand } from "./support/sandbox.ts";
import type { SandboxCommand } from "./support/sandbox.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

/** util-linux's `script` runs a command on a real pseudo-terminal. */
const SCRIPT = "/usr/bin/script";
const isMissing = !existsSync(SCRIPT) && process.env["CI"] !== "true";
if (isMissing) process.stderr.write(`the tests on a real terminal are skipped: there is no ${SCRIPT}\n`);

describe.skipIf(isMissing)("on a real terminal", () => {
  const running = stoppedAfterAll();
  let sandbox: SandboxCommand;

  /** What the terminal shows at the end, and the exit code, when somebody types this. */
  const type = (keys: string, ...args: readonly string[]) => {
    const command = [process.execPath, COMMAND, ...args].map((word) => `'${word}'`).join(" ");
    return sandbox.run("sh", ["-c", 'printf "%b" "$KEYS" | exec "$SCRIPT" --quiet --return --command "$TYPED" /dev/null'], { KEYS: keys, SCRIPT, TYPED: command });
  };
  const setup = ["setup", "aws", "--no-color"];

  beforeAll(async () => {
    sandbox = await running(startSandboxCommand());
  });

  it("writes nothing after a no, and says what the answer was", async () => {
    const { code, stdout } = await type("n\\n", ...setup, "--issuer-url", sandbox.issuer);
    expect(stdout).toContain("apply this plan? [y/N]");
    expect(stdout).toContain('not confirmed: "n"');
    expect(code).toBe(6);
  });

  it("applies the plan after a yes", async () => {
    const { code, stdout } = await type("y\\n", ...setup, "--issuer-url", sandbox.issuer);
    expect(stdout).toContain("apply this plan? [y/N]");
    expect(stdout).toContain("✓ create arn:aws:iam::");
    expect(code).toBe(0);
  });

  it("asks before a teardown, and takes the end of the input for a no", async () => {
    const { code, stdout } = await type("", "teardown", "aws", "--issuer-url", sandbox.issuer, "--no-color");
    expect(stdout).toContain("remove all of this? [y/N]");
    expect(code).toBe(6);
  });

  it("shows the help and ends with 2 when no command is typed", async () => {
    const { code, stdout } = await type("");
    expect(stdout).toContain("Usage: kubeassume");
    expect(code).toBe(2);
  });
});
