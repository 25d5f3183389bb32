import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Entry, readEntries } from "../../src/commands/explain/entries.ts";
import { readSources } from "../support/import-graph.ts";
import { kubeassume } from "../support/kubeassume.ts";

const entries = await readEntries();
const sources = readSources();

/** Every row of every table of codes and checks, as it stands in the source. */
function definedIn(define: "defineCodes" | "defineChecks"): readonly { readonly code: string; readonly path: string }[] {
  const key = define === "defineCodes" ? /^ {2}([A-Z][A-Z0-9_]+): \{/gm : /^ {2}"?([a-z][a-z0-9-]+)"?: \{/gm;
  return sources.filter((source) => source.code.includes(`= ${define}(`)).flatMap((source) => [...source.code.matchAll(key)].map((match) => ({ code: match[1] ?? "", path: source.path })));
}

/** All code but comments and the rows of the tables themselves. */
const uses = sources
  .map(({ path }) => readFileSync(path, "utf8").replace(/^\s*(\*|\/\*|\/\/).*$/gm, ""))
  .map((code) => (/= define(Codes|Checks)\(/.test(code) ? code.replace(/^ {2}"?[\w-]+"?: \{$[\s\S]*?^ {2}\},$/gm, "") : code))
  .join("\n");

describe("the tables of codes and checks", () => {
  it("are all known to explain", () => {
    const known = new Set(entries.map((entry) => entry.code));
    const defined = [...definedIn("defineCodes"), ...definedIn("defineChecks")];
    expect(defined.length).toBeGreaterThan(100);
    expect(defined.filter(({ code }) => !known.has(code))).toEqual([]);
    expect([...known].filter((code) => !defined.some((row) => row.code === code))).toEqual([]);
  });

  it("define each code once", () => {
    const codes = [...definedIn("defineCodes"), ...definedIn("defineChecks")].map(({ code }) => code);
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  it("hold no code that nothing can print", () => {
    // A check that every cloud has is made as `${cloud.name}-access`.
    const used = ({ code, kind }: Entry) => new RegExp(`[.["'\`]${code}\\b`).test(uses) || (kind === "check" && uses.includes(`.name}${code.replace(/^[a-z0-9]+/, "")}\``));
    expect(entries.filter((entry) => !used(entry)).map((entry) => entry.code)).toEqual([]);
  });

  it.each(entries.map((entry) => [entry.code, entry] as const))("say of %s what it means, why, and what to do", (_, { summary, why, fix, kind, exit }) => {
    for (const words of [summary, why, fix]) expect(words.trim()).toBe(words);
    expect(summary).toMatch(/^\S.{9,}[^.]$/);
    expect(why.length).toBeGreaterThan(20);
    expect(fix.length).toBeGreaterThan(5);
    if (kind === "code") expect([0, 1, 2, 3, 4, 5, 6, 130]).toContain(exit);
  });
});

describe("kubeassume explain", () => {
  it("lists everything, one line each", async () => {
    const { exit, stdout } = await kubeassume(["explain"]);
    expect(exit).toBe(0);
    expect(stdout.trimEnd().split("\n").map((line) => line.split(" ")[0])).toEqual(entries.map((entry) => entry.code));
  });

  it("says what one code means, in any case of letters", async () => {
    const { exit, stdout } = await kubeassume(["explain", "issuer_unreachable"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^ISSUER_UNREACHABLE: .+\n\nWhy: .+\n\nWhat to do: .+\n\nExit code: 4\n$/);
  });

  it("names the nearest code for a typo", async () => {
    const { exit, stdout, stderr } = await kubeassume(["explain", "ISUER_UNREACHABLE"]);
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toContain('error: there is no code "ISUER_UNREACHABLE"; the nearest is ISSUER_UNREACHABLE');
  });

  it("answers with the same words in JSON", async () => {
    const [entry] = entries;
    expect((await kubeassume(["explain", entry?.code ?? "", "-o", "json"])).json()).toMatchObject({ kind: "Explanation", ok: true, data: entry });
  });
});
