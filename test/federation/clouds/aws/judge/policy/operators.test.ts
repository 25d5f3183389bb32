import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicyDocument } from "../../../../../../src/federation/clouds/aws/judge/policy/document.ts";
import { evaluatePolicy } from "../../../../../../src/federation/clouds/aws/judge/policy/evaluate.ts";
import { isInNetwork } from "../../../../../../src/federation/clouds/aws/judge/policy/network.ts";
import { parseOperator } from "../../../../../../src/federation/clouds/aws/judge/policy/operators.ts";
import { matchesAction, matchesPattern, toPattern } from "../../../../../../src/federation/clouds/aws/judge/policy/pattern.ts";

type Values = string | string[] | null;

/** Whether a statement with this condition applies to a request whose key `k:x` has these values; null: no such key. */
function isMet(operator: string, wanted: unknown, got: Values, version = "2012-10-17", more: Record<string, string> = {}): boolean {
  const statement = { Effect: "Allow", Principal: "*", Action: "sts:*", Condition: { [operator]: { "k:x": wanted } } };
  const context = new Map(Object.entries(more).map(([key, value]) => [key.toLowerCase(), { values: [value] }]));
  if (got !== null) context.set("k:x", { values: Array.isArray(got) ? got : [got] });
  return evaluatePolicy(parsePolicyDocument({ Version: version, Statement: statement }), { action: "sts:A", providerArn: "", context }).decision === "allow";
}

describe("operators", () => {
  test.each<[string, unknown, Values, boolean]>([
    ["StringEquals", "abc", "abc", true],
    ["StringEquals", "abc", "ABC", false],
    ["StringEquals", "a*", "abc", false],
    ["StringEquals", "a*", "a*", true],
    ["StringEquals", ["x", "abc"], "abc", true],
    ["StringEquals", [], "abc", false],
    ["StringEquals", "abc", null, false],
    ["stringequals", "abc", "abc", true],
    ["StringNotEquals", "abc", "abc", false],
    ["StringNotEquals", "abc", "abd", true],
    ["StringNotEquals", ["abc", "abd"], "abd", false],
    ["StringNotEquals", "abc", null, true],
    ["StringEqualsIgnoreCase", "abc", "ABC", true],
    ["StringEqualsIgnoreCase", "abc", "abd", false],
    ["StringNotEqualsIgnoreCase", "abc", "ABC", false],
    ["StringNotEqualsIgnoreCase", "abc", null, true],
    ["StringLike", "a*c", "abc", true],
    ["StringLike", "a?c", "abc", true],
    ["StringLike", "a?c", "abbc", false],
    ["StringLike", "A*", "abc", false],
    ["StringLike", "*", "", true],
    ["StringLike", "*", null, false],
    ["StringNotLike", "a*", "abc", false],
    ["StringNotLike", "a*", "xbc", true],
    ["StringNotLike", "a*", null, true],
    ["NumericEquals", "10", "10.0", true],
    ["NumericEquals", 10, "10", true],
    ["NumericEquals", "ten", "10", false],
    ["NumericEquals", "10", "ten", false],
    ["NumericEquals", "10", null, false],
    ["NumericNotEquals", "10", "11", true],
    ["NumericNotEquals", "10", "10", false],
    ["NumericNotEquals", "10", null, true],
    ["NumericLessThan", "10", "9", true],
    ["NumericLessThan", "10", "10", false],
    ["NumericLessThan", "10", null, false],
    ["NumericLessThanEquals", "10", "10", true],
    ["NumericLessThanEquals", "10", "11", false],
    ["NumericGreaterThan", "10", "11", true],
    ["NumericGreaterThan", "10", "10", false],
    ["NumericGreaterThanEquals", "10", "10", true],
    ["NumericGreaterThanEquals", "-3", "-4", false],
    ["DateEquals", "2026-11-23T12:00:00Z", "1795435200", true],
    ["DateEquals", "2026-11-23T13:00:00+01:00", "2026-11-23T12:00:00Z", true],
    ["DateEquals", "soon", "2026-11-23T12:00:00Z", false],
    ["DateNotEquals", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z", false],
    ["DateNotEquals", "2026-11-23T12:00:00Z", null, true],
    ["DateLessThan", "2026-11-24", "2026-11-23T12:00:00Z", true],
    ["DateLessThan", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z", false],
    ["DateLessThan", "1795435201", "2026-11-23T12:00:00Z", true],
    ["DateLessThanEquals", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z", true],
    ["DateGreaterThan", "2026", "2026-11-23T12:00:00Z", true],
    ["DateGreaterThan", "2027-01", "2026-11-23T12:00:00Z", false],
    ["DateGreaterThanEquals", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z", true],
    ["DateGreaterThanEquals", "2026-11-23T12:00:00Z", null, false],
    ["Bool", "true", "true", true],
    ["Bool", true, "true", true],
    ["Bool", "TRUE", "true", true],
    ["Bool", "false", "true", false],
    ["Bool", "yes", "yes", false],
    ["Bool", "true", null, false],
    ["Bool", "false", null, false],
    ["BinaryEquals", "QUJD", "QUJD", true],
    ["BinaryEquals", "QUJD", "QUJE", false],
    ["BinaryEquals", "*", "QUJD", false],
    ["IpAddress", "203.0.113.0/24", "203.0.113.7", true],
    ["IpAddress", "203.0.113.0/24", "203.0.114.7", false],
    ["IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8:1::1", true],
    ["IpAddress", "203.0.113.0/24", null, false],
    ["NotIpAddress", "203.0.113.0/24", "203.0.113.7", false],
    ["NotIpAddress", "203.0.113.0/24", "198.51.100.1", true],
    ["NotIpAddress", "203.0.113.0/24", null, true],
    ["ArnEquals", "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/a", true],
    ["ArnEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/a/b:c", true],
    ["ArnLike", "arn:aws:iam::1111*", "arn:aws:iam::111122223333:role/a", false],
    ["ArnLike", "arn:*:role/a", "arn:aws:iam::111122223333:role/a", false],
    ["ArnLike", "*", "arn:aws:iam::111122223333:role/a", true],
    ["ArnLike", "*", "no-arn", false],
    ["ArnLike", "arn:aws:iam::*:role/a", null, false],
    ["ArnEquals", "arn:aws:sns:::a:b", "arn:aws:sns:::a:b", true],
    ["ArnEquals", "arn:aws:sns:::a:b", "arn:aws:sns:::a:c", false],
    ["ArnNotEquals", "arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/a", false],
    ["ArnNotLike", "arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/b", true],
    ["ArnNotLike", "arn:aws:iam::*:role/a", null, true],
    ["Null", "true", null, true],
    ["Null", true, null, true],
    ["Null", "true", "x", false],
    ["Null", "false", "x", true],
    ["Null", "false", null, false],
    ["Null", ["true", "false"], "x", true],
  ])("%s %j against %j: %s", (operator, wanted, got, met) => {
    expect(isMet(operator, wanted, got)).toBe(met);
  });

  test.each<[string, unknown, Values, boolean]>([
    ["StringEqualsIfExists", "abc", null, true],
    ["StringEqualsIfExists", "abc", "abd", false],
    ["StringLikeIfExists", "a*", null, true],
    ["StringNotEqualsIfExists", "abc", null, true],
    ["StringNotEqualsIfExists", "abc", "abc", false],
    ["NumericLessThanIfExists", "1", null, true],
    ["DateGreaterThanIfExists", "2026", null, true],
    ["BoolIfExists", "true", null, true],
    ["BoolIfExists", "true", "false", false],
    ["IpAddressIfExists", "10.0.0.0/8", null, true],
    ["ArnLikeIfExists", "arn:aws:iam::*:role/a", null, true],
    ["BinaryEqualsIfExists", "QUJD", null, true],
  ])("IfExists: %s %j against %j: %s", (operator, wanted, got, met) => {
    expect(isMet(operator, wanted, got)).toBe(met);
  });

  test.each<[string, unknown, Values, boolean]>([
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
    ["ForAllValues:StringEquals", "a", null, true],
    ["ForAllValues:StringEquals", "a", [], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], false],
    ["ForAnyValue:StringEquals", "a", null, false],
    ["ForAnyValue:StringEquals", "a", [], false],
    ["ForAllValues:StringNotEquals", ["a"], ["b", "c"], true],
    ["ForAllValues:StringNotEquals", ["a"], ["b", "a"], false],
    ["ForAllValues:StringNotEquals", ["a"], null, true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a", "b"], true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a"], false],
    ["ForAnyValue:StringNotEquals", ["a"], null, false],
    ["ForAnyValue:StringLike", "a*", ["xa", "ab"], true],
    ["ForAllValues:StringLike", "a*", ["xa", "ab"], false],
    ["ForAnyValue:StringEqualsIfExists", "a", null, true],
    ["forallvalues:stringequals", "a", ["a"], true],
    ["ForAnyValue:Null", "true", null, true],
    ["StringEquals", "a", ["x", "a"], true],
    ["StringNotEquals", "a", ["x", "a"], false],
  ])("sets: %s %j against %j: %s", (operator, wanted, got, met) => {
    expect(isMet(operator, wanted, got)).toBe(met);
  });

  test.each(["MadeUp", "StringEqual", "NullIfExists", "ForSomeValues:StringEquals", "ForAnyValue:", "IfExists", "", "Bool ", "constructor"])("knows no operator %j", (name) => {
    expect(parseOperator(name)).toBeNull();
  });

  test("a negated operator is the opposite of its positive one, whatever the values", () => {
    const pairs = [
      ["StringEquals", "StringNotEquals"],
      ["StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
      ["StringLike", "StringNotLike"],
      ["NumericEquals", "NumericNotEquals"],
      ["DateEquals", "DateNotEquals"],
      ["IpAddress", "NotIpAddress"],
      ["ArnLike", "ArnNotLike"],
    ] as const;
    const value = fc.oneof(fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "1", ".", ":") }), fc.ipV4());
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.array(value), fc.option(value), ([positive, negative], wanted, got) => {
        expect(isMet(positive, wanted, got)).not.toBe(isMet(negative, wanted, got));
      }),
    );
  });
});

describe("policy variables", () => {
  const more = { "oidc.example.com:sub": "payments*", "aws:PrincipalType": "User" };

  test.each<[string, unknown, Values, boolean]>([
    ["StringEquals", "${aws:PrincipalType}", "User", true],
    ["StringEquals", "x-${AWS:principaltype}-y", "x-User-y", true],
    ["StringEquals", "${aws:nothing}", "", false],
    ["StringEquals", "${aws:nothing, 'fallback'}", "fallback", true],
    ["StringEquals", "${aws:PrincipalType, 'fallback'}", "User", true],
    ["StringEquals", "${*}", "*", true],
    ["StringLike", "a${*}c", "a*c", true],
    ["StringLike", "a${*}c", "abc", false],
    ["StringLike", "a${?}${$}", "a?$", true],
    ["StringLike", "${oidc.example.com:sub}", "payments*", true],
    ["StringLike", "${oidc.example.com:sub}", "paymentsX", false],
    ["StringLike", "${oidc.example.com:sub}*", "payments*-1", true],
    ["StringNotEquals", "${aws:nothing}", "x", true],
    ["ArnLike", "arn:aws:iam::*:${aws:PrincipalType}/x", "arn:aws:iam::1:User/x", true],
    ["StringEquals", "${unclosed", "${unclosed", true],
    ["NumericEquals", "${aws:PrincipalType}", "User", false],
  ])("%s %j against %j: %s", (operator, wanted, got, met) => {
    expect(isMet(operator, wanted, got, "2012-10-17", more)).toBe(met);
  });

  test("are plain text in version 2008-10-17", () => {
    expect(isMet("StringEquals", "${aws:PrincipalType}", "User", "2008-10-17", more)).toBe(false);
    expect(isMet("StringEquals", "${aws:PrincipalType}", "${aws:PrincipalType}", "2008-10-17", more)).toBe(true);
  });
});

describe("patterns", () => {
  test("agree with a regular expression", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "."), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (pattern, subject) => {
        const source = pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
        expect(matchesPattern(toPattern(pattern), subject)).toBe(new RegExp(`^${source}$`, "s").test(subject));
      }),
      { numRuns: 500 },
    );
  });

  test("stay fast on hostile ones", () => {
    expect(matchesPattern(toPattern(`${"a*".repeat(500)}b`), "a".repeat(5000))).toBe(false);
  });

  test("match actions without regard to case", () => {
    expect(matchesAction("STS:assumerole*", "sts:AssumeRoleWithWebIdentity")).toBe(true);
    expect(matchesAction("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity")).toBe(false);
    expect(matchesAction("sts:AssumeRoleWithWebIdent?ty", "sts:AssumeRoleWithWebIdentity")).toBe(true);
  });
});

describe("networks", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.8", false],
    ["203.0.113.7", "0.0.0.0/0", true],
    ["203.0.113.7", "::/0", false],
    ["2001:db8::1", "2001:db8:0:0::/64", true],
    ["2001:db8::1", "2001:db8:0:1::/64", false],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["203.0.113.7", "203.0.113.0/33", false],
    ["203.0.113.7", "203.0.113.0/-1", false],
    ["203.0.113.7", "203.0.113.0/24/8", false],
    ["203.0.113.7", "203.0.113", false],
    ["203.0.113.256", "0.0.0.0/0", false],
    ["1::2::3", "::/0", false],
    ["12345::", "::/0", false],
    ["", "", false],
  ])("%s in %s: %s", (address, network, inside) => {
    expect(isInNetwork(address, network)).toBe(inside);
  });
});
