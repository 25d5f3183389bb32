import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffLines } from "../../../src/federation/report/diff-lines.ts";

const lines = fc.array(fc.constantFrom("a", "b", "c", "{", "}"), { maxLength: 12 });

/** The textbook definition, slow and obvious. */
function longestCommon(before: readonly string[], after: readonly string[]): number {
  const [first, ...rest] = before;
  if (first === undefined || after.length === 0) return 0;
  const at = after.indexOf(first);
  const without = longestCommon(rest, after);
  return at === -1 ? without : Math.max(without, 1 + longestCommon(rest, after.slice(at + 1)));
}

describe("diffLines", () => {
  it("holds both texts, each in its order", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        expect(diff.filter(({ sign }) => sign !== "+").map(({ line }) => line)).toEqual(before);
        expect(diff.filter(({ sign }) => sign !== "-").map(({ line }) => line)).toEqual(after);
      }),
    );
  });

  it("keeps as many lines as can be kept", () => {
    fc.assert(fc.property(lines, lines, (before, after) => void expect(diffLines(before, after).filter(({ sign }) => sign === " ")).toHaveLength(longestCommon(before, after))));
  });

  it("stays true and quick for texts too long to compare line by line", () => {
    const before = Array.from({ length: 20_000 }, (_, index) => `before ${index}`);
    const diff = diffLines(["same", ...before, "end"], ["same", "after", "end"]);
    expect(diff).toHaveLength(20_003);
    expect(diff.at(-2)).toEqual({ sign: "+", line: "after" });
  });
});
