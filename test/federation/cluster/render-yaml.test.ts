import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderYaml, type YamlValue } from "../../../src/federation/cluster/render-yaml.ts";

const tricky = fc.constantFrom("yes", "No", "on", "~", "null", "", " ", "0777", "0x1", "1e3", ".inf", "12:30:45", "2026-01-31", "- a", "a: b", "a #b", "a:", "#", "&a", "*a", "!a", "|", ">", "%", "@", "`", "'", '"', "{}", "[]", "a\nb", "\t", "<<", "=", "é", "\u2028");
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string(), tricky);
const line = fc.oneof(fc.string(), fc.constantFrom("", "  {", "- a", "# no comment", "---", "a: |", "end "));
const file = fc.tuple(fc.array(line, { minLength: 1, maxLength: 5 }), fc.boolean()).map(([lines, ends]) => `${lines.join("\n")}${ends ? "\n" : ""}`);
const { tree } = fc.letrec<{ tree: YamlValue }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, text, file, fc.integer(), fc.boolean(), fc.array(tie("tree"), { maxLength: 4 }), fc.dictionary(text, tie("tree"), { maxKeys: 4, noNullPrototype: true })),
}));

describe("renderYaml", () => {
  it.each(["1.1", "1.2"] as const)("is read back as the same data by a reader of YAML %s", (version) => {
    fc.assert(
      fc.property(tree, (value) => {
        // A key __proto__ is no member that a parser may set.
        fc.pre(!JSON.stringify(value).includes("__proto__"));
        expect(parse(renderYaml(value), { version, uniqueKeys: false, merge: false })).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it("looks like what people write", () => {
    const value = { kind: "Pod", list: [{ name: "A", value: "arn:aws:iam::1:role/x y" }, ["b", []], {}], id: "123", url: "https://a.example:8443/p", ready: true, none: {} };
    expect(renderYaml(value)).toBe(
      ["kind: Pod", "list:", "  - name: A", "    value: arn:aws:iam::1:role/x y", "  - - b", "    - []", "  - {}", 'id: "123"', "url: https://a.example:8443/p", "ready: true", "none: {}", ""].join("\n"),
    );
  });

  it("writes a text of several lines as lines, and keeps whether it ends with a line break", () => {
    const value = { data: { "a.json": '{\n  "x": 1\n}', b: "one\n\ntwo\n" }, list: ["x\ny"], odd: " a\nb" };
    expect(renderYaml(value)).toBe(
      ["data:", "  a.json: |-", "    {", '      "x": 1', "    }", "  b: |", "    one", "", "    two", "list:", "  - |-", "    x", "    y", 'odd: " a\\nb"', ""].join("\n"),
    );
    expect(parse(renderYaml(value))).toEqual(value);
  });

  it("folds no line, however long", () => {
    const arn = `arn:aws:iam::123456789012:role/${"long/".repeat(60)}name`;
    expect(renderYaml({ arn })).toBe(`arn: ${arn}\n`);
  });
});
