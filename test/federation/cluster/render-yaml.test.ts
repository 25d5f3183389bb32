import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderYaml, type YamlValue } from "../../../src/federation/cluster/render-yaml.ts";

const tricky = fc.constantFrom("yes", "No", "on", "~", "null", "", " ", "0777", "0x1", "1e3", ".inf", "12:30:45", "2026-01-31", "- a", "a: b", "a #b", "a:", "#", "&a", "*a", "!a", "|", ">", "%", "@", "`", "'", '"', "{}", "[]", "a\nb", "\t", "<<", "=", "é", "\u2028");
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string(), tricky);
const { tree } = fc.letrec<{ tree: YamlValue }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, text, fc.integer(), fc.boolean(), fc.array(tie("tree"), { maxLength: 4 }), fc.dictionary(text, tie("tree"), { maxKeys: 4, noNullPrototype: true })),
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

  it("folds no line, however long", () => {
    const arn = `arn:aws:iam::123456789012:role/${"long/".repeat(60)}name`;
    expect(renderYaml({ arn })).toBe(`arn: ${arn}\n`);
  });
});
