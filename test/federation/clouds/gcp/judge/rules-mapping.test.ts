import { describe, expect, test } from "vitest";
import type { ProviderRecord } from "../../../../../src/federation/clouds/gcp/judge/trust-file.ts";
import { checkOf, claims, expectRefusal, judge, judgeProvider, mapping, member, poolName, provider, subject, token, words } from "./scenario.ts";

const mapped = (attributeMapping: Record<string, string>, parts = {}) => judgeProvider({ attributeMapping }, {}, parts);
const longSubject = (bytes: number): string => `${"system:serviceaccount:ns:"}${"a".repeat(bytes - 25)}`;

describe("google.subject", () => {
  test("of 127 bytes is the last that fits, counted in bytes", () => {
    const policy = (sub: string) => ({ bindings: [{ role: "roles/viewer", members: [`principal://iam.googleapis.com/${poolName}/subject/${sub}`] }] });
    const fits = longSubject(127);
    expect(judge({ token: token({ claims: { sub: fits } }), projectPolicy: policy(fits) }).accepted).toBe(true);
    const refusal = /^The size of mapped attribute google\.subject exceeds the 127 bytes limit\./;
    expectRefusal(judge({ token: token({ claims: { sub: longSubject(128) } }) }), "gcp-subject-length", "invalid_request", refusal);
    expectRefusal(judge({ token: token({ claims: { sub: "ü".repeat(64) } }) }), "gcp-subject-length", "invalid_request", refusal);
  });

  test.each([
    ["a claim that is missing", "assertion.email"],
    ["an empty text", "''"],
    ["null", "null"],
    ["a part that is not there", "assertion.sub.extract('tenant:{x}')"],
  ])("must have a value, not %s", (_, expression) => {
    expectRefusal(mapped({ "google.subject": expression }), "gcp-subject", "unauthorized_client", words.noSubject);
  });

  test.each(["assertion.sub == 'x'", "assertion.exp", "[assertion.sub]", "assertion", "type(assertion.sub)"])("must be a text, not %s", (expression) => {
    expectRefusal(mapped({ "google.subject": expression }), "gcp-subject", "unauthorized_client", "The mapped attribute 'google.subject' must be of type STRING.");
  });

  test("with a prefix is what the policy must name", () => {
    const prefixed = { "google.subject": "'prod/' + assertion.sub" };
    expect(mapped(prefixed).refusedBy).toBe("gcp-direct-access");
    const bindings = [{ role: "roles/viewer", members: [member.replace(subject, `prod/${subject}`)] }];
    expect(mapped(prefixed, { projectPolicy: { bindings } }).session?.subject).toBe(`prod/${subject}`);
  });
});

describe("the mapping", () => {
  test.each<[string, Record<string, string>, string]>([
    ["nothing", {}, "does not map google.subject"],
    ["a key that Google does not know", { ...mapping, "google.name": "assertion.sub" }, "the key is neither"],
    ["an attribute with a capital letter", { ...mapping, "attribute.Pod": "assertion.sub" }, "the key is neither"],
    ["an expression that does not parse", { "google.subject": "assertion.sub +" }, "cannot be evaluated: unexpected"],
    ["an expression that is too long", { "google.subject": `assertion.sub${" ".repeat(2048)}` }, "more than 2048"],
    ["a function that Google does not have", { "google.subject": "assertion.sub.reverse()" }, "undeclared reference to the function 'reverse' (line 1, column 14)"],
    ["a variable that is not there", { "google.subject": "attribute.x" }, "undeclared reference to 'attribute'"],
    ["51 attributes", { ...mapping, ...Object.fromEntries(Array.from({ length: 48 }, (_, index) => [`attribute.a${index}`, "'x'"])) }, "51 attributes, more than 50"],
  ])("refuses %s", (_, attributeMapping, why) => {
    const verdict = mapped(attributeMapping);
    expectRefusal(verdict, "gcp-attribute-mapping", "unauthorized_client", words.noSubject);
    expect(checkOf(verdict, "gcp-attribute-mapping").message).toContain(why);
  });

  test("without any in the record refuses as well", () => {
    const { attributeMapping: _, ...bare } = provider;
    expect(judge({ provider: bare satisfies ProviderRecord }).refusedBy).toBe("gcp-attribute-mapping");
  });

  test("leaves out an attribute for which the claims hold nothing, with a warning", () => {
    const verdict = mapped({ ...mapping, "attribute.pod": "assertion['kubernetes.io']['pod']['name']" });
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "gcp-attribute-mapping")).toMatchObject({ status: "warn", message: expect.stringMatching(/attribute\.pod .*\(unconfirmed\)/) });
  });

  test.each([
    ["attribute.n", "assertion.exp", "The mapped attribute 'attribute.n' must be of type STRING."],
    ["attribute.l", "assertion.aud", "The mapped attribute 'attribute.l' must be of type STRING."],
    ["google.groups", "assertion.sub", "The mapped attribute 'google.groups' must be of type LIST<STRING>."],
    ["google.groups", "[1]", "The mapped attribute 'google.groups' must be of type LIST<STRING>."],
  ])("refuses %s as %s", (key, expression, message) => {
    expectRefusal(mapped({ ...mapping, [key]: expression }), "gcp-attributes", "unauthorized_client", message);
  });

  test("refuses more than 8 KB altogether", () => {
    const big = { token: token({ claims: { note: "x".repeat(8200) } }) };
    expectRefusal(mapped({ ...mapping, "attribute.note": "assertion.note" }, big), "gcp-attributes", "invalid_request", /mapped attributes exceeds the 8 KB limit/);
  });
});

describe("the condition", () => {
  const judged = (attributeCondition: string) => judgeProvider({ attributeCondition });

  test.each([
    "assertion.sub.startsWith('system:serviceaccount:payments:')",
    "attribute.namespace == 'payments'",
    "google.subject == assertion.sub && attribute.cluster == assertion.iss",
    "'payments' in [attribute.namespace]",
    "has(assertion.nope) || assertion['kubernetes.io'].serviceaccount.name.matches('^a.i$')",
    "assertion.aud.exists(a, a.endsWith('/kubernetes'))",
    "",
  ])("lets the token in: %s", (condition) => {
    expect(judged(condition).accepted).toBe(true);
  });

  test.each([
    ["false", "it is false for this token"],
    ["attribute.namespace == 'other'", "it is false for this token"],
    ["assertion.environment == 'prod'", "field not found: environment"],
    ["attribute.pod == ''", "field not found: pod"],
    ["'admins' in google.groups", "it is false for this token"],
    ["assertion.sub", "it yields a text instead of true or false"],
    ["assertion.sub ==", "unexpected = (line 1, column 15)"],
    ["[1,2,3].all(a, [1,2,3].all(b, a.foo()))", "undeclared reference to the function 'foo'"],
  ])("refuses by %s", (condition, why) => {
    const verdict = judged(condition);
    expectRefusal(verdict, "gcp-attribute-condition", "unauthorized_client", words.condition);
    expect(checkOf(verdict, "gcp-attribute-condition").message).toContain(why);
  });

  test("refuses by a condition of more than 4,096 characters", () => {
    expect(judged(`true${" ".repeat(4092)}`).accepted).toBe(true);
    expect(checkOf(judged(`true${" ".repeat(4093)}`), "gcp-attribute-condition").message).toContain("more than 4096");
  });

  test("sees the groups as mapped", () => {
    const groups = { ...mapping, "google.groups": "['admins', assertion['kubernetes.io'].namespace]" };
    expect(judgeProvider({ attributeMapping: groups, attributeCondition: "'payments' in google.groups" }).accepted).toBe(true);
    expect(judgeProvider({ attributeMapping: groups, attributeCondition: "'staff' in google.groups" }).accepted).toBe(false);
  });

  test("is judged before google.subject, as recorded", () => {
    const both = judgeProvider({ attributeMapping: { "google.subject": "assertion.email" }, attributeCondition: "has(assertion.email)" });
    expect(both.refusedBy).toBe("gcp-attribute-condition");
  });

  test("reads claims by any name", () => {
    const odd = token({ claims: { constructor: "c", __proto__: "p", toString: "t" } });
    expect(judgeProvider({ attributeCondition: "assertion.constructor == 'c' && assertion.toString == 't' && !has(assertion.valueOf)" }, {}, { token: odd }).accepted).toBe(true);
    expect(claims).not.toHaveProperty("email");
  });
});
