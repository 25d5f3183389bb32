import fc from "fast-check";
import { XMLParser } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { parseXml } from "../../../../../src/federation/clouds/aws/sandbox/parse-xml.ts";
import { renderXml } from "../../../../../src/federation/clouds/aws/sandbox/xml.ts";

const reference = new XMLParser({ ignoreAttributes: true, removeNSPrefix: true, parseTagValue: false, ignoreDeclaration: true, ignorePiTags: true });

describe("parseXml", () => {
  it("reads elements, repeated ones as an array, without attributes and prefixes", () => {
    const text = '<?xml version="1.0"?>\n<!-- a comment --><s3:A xmlns:s3="x"><B/><C d=\'1\'> one </C><C>two</C></s3:A>\n';
    expect(parseXml(text)).toEqual({ A: { B: "", C: ["one", "two"] } });
  });

  it("reads entities and CDATA", () => {
    expect(parseXml("<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;<![CDATA[<&]]></a>")).toEqual({ a: "<&>\"'AB<&" });
  });

  it.each([
    ["nothing", ""],
    ["text alone", "hello"],
    ["JSON", '{"a":1}'],
    ["an element that is not closed", "<a><b></b>"],
    ["elements that overlap", "<a><b></a></b>"],
    ["two roots", "<a/><b/>"],
    ["the same root twice", "<a/><a/>"],
    ["text behind the root", "<a/>x"],
    ["an entity that nobody defined", "<a>&x;</a>"],
    ["a bare ampersand", "<a>a & b</a>"],
    ["an attribute without quotes", "<a b=c/>"],
    ["a document type", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ["a closing tag alone", "</a>"],
    ["a comment that does not end", "<a><!-- </a>"],
  ])("refuses %s", (_, text) => {
    expect(parseXml(text)).toBeNull();
  });

  it("reads back what renderXml writes, as another parser does", () => {
    const name = fc.constantFrom("One", "Two", "member", "Three");
    const word = fc.string({ unit: "grapheme-ascii", minLength: 1 }).filter((text) => text.trim() === text && text !== "");
    const tree = fc.dictionary(name, fc.oneof(word, fc.dictionary(name, word, { minKeys: 1 }), fc.array(word, { minLength: 2, maxLength: 3 })), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(tree, (value) => {
        const text = renderXml("Root", "urn:x", value);
        expect(parseXml(text)).toEqual({ Root: value });
        expect(parseXml(text)).toEqual(reference.parse(text));
      }),
    );
  });

  it("answers hostile text at once", () => {
    for (const text of ["<a".repeat(100_000), "<a ".repeat(100_000), "<!--".repeat(50_000), "&".repeat(200_000), `<a ${"b='c' ".repeat(50_000)}`]) expect(parseXml(text)).toBeNull();
    expect(parseXml("<a>".repeat(50_000) + "</a>".repeat(50_000))).not.toBeNull();
  });
});
