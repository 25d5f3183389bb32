import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readEntries } from "../../src/commands/explain/entries.ts";

const TESTS = resolve(import.meta.dirname, "..");

/** The text of all tests but the two that speak about all codes. */
const tests = readdirSync(TESTS, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !/codes-provoked|cli\/explain/.test(file.replaceAll("\\", "/")))
  .map((file) => readFileSync(join(TESTS, file), "utf8"))
  .join("\n");

const entries = await readEntries();

describe("every code and check", () => {
  it("is expected by a test that provokes it", () => {
    const expected = (code: string) => new RegExp(`(["'\`. ]|codes\\.)${code}\\b(?!-)`).test(tests);
    expect(entries.filter((entry) => !expected(entry.code)).map((entry) => entry.code)).toEqual([]);
  });
});
