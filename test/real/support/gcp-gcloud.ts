import { describe, expect, it } from "vitest";
import { hasProgram } from "../../support/programs.ts";

const isHere = await hasProgram("gcloud", ["--version"]);

/**
 * Tests with Google's own command line, where it is on the machine: it is in no registry that tests may fetch from.
 * Elsewhere they are skipped and the console says why. CI counts skipped tests as failures, so that there one test says
 * it instead.
 */
export function describeGcloud(name: string, tests: () => void): void {
  if (isHere) return void describe(name, tests);
  process.stderr.write(`${name}: not run, because there is no gcloud on this machine\n`);
  if (process.env["CI"] !== "true") return void describe.skip(name, tests);
  describe(name, () => {
    it("is not proven here: there is no gcloud on this machine", async () => {
      expect(await hasProgram("gcloud", ["--version"])).toBe(false);
    });
  });
}
