import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { renderExports } from "../../../src/commands/sandbox/render-exports.ts";

it("writes lines that a shell reads back as they were", () => {
  const value = fc.string({ unit: fc.constantFrom("'", '"', "$", "\\", "`", " ", "\n", "!", "é", "a") });
  fc.assert(
    fc.property(value, (text) => {
      const script = `GONE=1\n${renderExports({ FIRST: text, SECOND: "x" }, ["GONE"])}printf '%s|%s|%s' "$FIRST" "$SECOND" "\${GONE-unset}"`;
      expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(`${text}|x|unset`);
    }),
    { numRuns: 30 },
  );
});
