import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileCondition, compileMapping, evaluateMapping } from "../../../../../src/federation/clouds/gcp/judge/cel.ts";
import { claims, subject } from "./scenario.ts";

const valueOf = (expression: string): string | undefined => {
  const result = evaluateMapping({ "google.subject": expression }, undefined, claims);
  return result.ok ? result.attributes["google.subject"] : undefined;
};
const isTrue = (condition: string): boolean => {
  const result = evaluateMapping({ "google.subject": "assertion.sub" }, condition, claims);
  return result.ok && result.accepted;
};

describe("compileCondition", () => {
  test.each(["", "true", "assertion.sub == 'x'", "google.subject in ['a'] && attribute.x != ''", "assertion.aud.exists(a, a == 'x')", "has(assertion.x) ? assertion.x : false", "type(assertion.sub) == string"])("takes %s", (text) => {
    expect(compileCondition(text)).toBeNull();
  });

  test.each<[string, string, number, number]>([
    ["assertion.sub = 'x'", "unexpected =", 1, 15],
    ["assertion.sub == 'x' &&\n  foo.bar", "undeclared reference to 'foo'", 2, 3],
    ["true &&\n\n assertion.sub.reverse() == ''", "undeclared reference to the function 'reverse'", 3, 15],
    ["assertion.aud.all(a, b == a)", "undeclared reference to 'b'", 1, 22],
    [" ", "unexpected end of input", 1, 2],
    ["'x'", "it yields a text instead of true or false", 1, 1],
    ["[true]", "it yields a list instead of true or false", 1, 1],
    ["1", "it yields a value instead of true or false", 1, 1],
    ["google.protobuf.Timestamp{seconds: 1} == null", "a message of type google.protobuf.Timestamp cannot be made here", 1, 1],
    ["(".repeat(4096), "it nests too deep", 1, 1],
    [`${"\n".repeat(5)}${"x".repeat(4096)}`, "it has 4101 characters, more than 4096", 6, 4092],
  ])("refuses %.50j with its place", (text, message, line, column) => {
    expect(compileCondition(text)).toEqual({ message, line, column });
  });

  test("never throws, and what compiles is evaluated without throwing", () => {
    const piece = fc.constantFrom("assertion", ".sub", "['kubernetes.io']", "==", "&&", "'x'", "(", ")", "[", "]", "1", "+", "?", ":", " in ", "google", "attribute.x", ".all(a, a)", "!", "has(", "\n", "{", "}", ".matches('('", "\\", "\ud800");
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""))), (text) => {
        const problem = compileCondition(text);
        if (problem !== null) expect([problem.line >= 1, problem.column >= 1, problem.message !== ""]).toEqual([true, true, true]);
        expect(typeof isTrue(text)).toBe("boolean");
      }),
    );
  });
});

test("compileMapping knows the claims only", () => {
  expect(compileMapping("'prod/' + assertion.sub")).toBeNull();
  expect(compileMapping("attribute.x")).toEqual({ message: "undeclared reference to 'attribute'", line: 1, column: 1 });
  expect(compileMapping("x".repeat(2049))?.message).toBe("it has 2049 characters, more than 2048");
});

describe("what Google adds to CEL", () => {
  test.each<[string, string]>([
    ["assertion.sub.extract('system:{kind}:')", "serviceaccount"],
    ["assertion.sub.extract('{all}')", subject],
    ["assertion.sub.extract('{start}:payments')", "system:serviceaccount"],
    ["assertion.sub.extract('payments:{end}')", "api"],
    ["assertion.sub.extract('payments:{none}/') + 'empty'", "empty"],
    ["assertion.sub.extract('absent{none}') + 'empty'", "empty"],
    ["assertion.sub.extract(':{x}count') ", "serviceac"],
    ["assertion.sub.split(':')[2]", "payments"],
    ["assertion.sub.split(':').join('/')", "system/serviceaccount/payments/api"],
    ["['a', 'b'].join()", "ab"],
    ["'ÄbC'.lowerAscii() + 'äBc'.upperAscii()", "ÄbcäBC"],
    ["string(assertion.exp - assertion.iat)", "3600"],
    ["assertion['kubernetes.io'].serviceaccount.name", "api"],
    ["assertion.aud.filter(a, a.startsWith('https:'))[0].extract('providers/{p}')", "kubernetes"],
    ["assertion.aud.map(a, size(a) > 5 ? 'long' : 'short').join(',')", "long"],
  ])("%s", (expression, value) => {
    expect(valueOf(expression)).toBe(value);
  });

  test.each(["assertion.sub.extract('no name')", "assertion.sub.extract('{a}{b}')", "[1].join(',')", "assertion.sub.split(1)"])("%s has no value", (expression) => {
    expect(valueOf(expression)).toBeUndefined();
  });
});

describe("an evaluation", () => {
  const numbers = `[${Array.from({ length: 300 }, (_, index) => index).join(",")}]`;
  const doubled = (start: string, step: string, times: number): string => start + `.map(x, ${step})`.repeat(times);

  test.each<[string, string]>([
    ["three nested loops", `${numbers}.all(a, ${numbers}.all(b, ${numbers}.all(c, a >= 0)))`],
    ["loops that build lists", `${numbers}.map(a, ${numbers}.map(b, ${numbers}.map(c, a))).size() > 0`],
    ["lists that double", `${doubled("[1]", "[x, x]", 250)} == [1]`],
    ["texts that double", `${doubled("['aaaaaaaa']", "x + x", 250)}[0].size() > 1`],
    ["heavy patterns", `${numbers}.all(a, ${numbers}.exists(b, assertion.sub.matches('${"(a|a)*".repeat(100)}b')))`],
  ])("ends in spite of %s", (_, condition) => {
    expect(compileCondition(condition)).toBeNull();
    const result = evaluateMapping({ "google.subject": "assertion.sub" }, condition, claims);
    expect(result).toMatchObject({ ok: false, expression: "attributeCondition", message: "it takes too long to evaluate" });
  });

  test("ends within the mapping too, and hides behind no ||", () => {
    const loop = `${numbers.slice(0, 300).replace(/,?\d*$/, "]")}`;
    const nested = `${loop}.all(a, ${loop}.all(b, ${loop}.all(c, ${loop}.all(d, true))))`;
    expect(evaluateMapping({ "google.subject": `${nested} ? 'a' : 'b'` }, undefined, claims)).toMatchObject({ ok: false, reason: "expression", message: "it takes too long to evaluate" });
    expect(isTrue(`${nested} || true`)).toBe(false);
  });

  test("has room for what real conditions do", () => {
    expect(isTrue(`${numbers}.exists(a, a == 299) && assertion.aud.all(a, a.matches('^https://[a-z.]+/.*$'))`)).toBe(true);
  });

  test("asks a standard error as CEL does: || and && decide where they can", () => {
    expect(isTrue("assertion.nope == 1 || true")).toBe(true);
    expect(isTrue("assertion.nope == 1 && true")).toBe(false);
    expect(isTrue("1 / 0 == 1")).toBe(false);
  });
});
