import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicyDocument } from "../../../../../../src/federation/clouds/aws/judge/policy/document.ts";
import { KubeassumeError } from "../../../../../../src/federation/errors/error.ts";
import { refusalOf } from "../../../../oidc/expect-code.ts";
import { policy, providerArn, statement } from "../scenario.ts";

const withStatement = (members: object): unknown => ({ Version: "2012-10-17", Statement: [{ ...statement, ...members }] });
const without = (name: string): unknown => withStatement({ [name]: undefined });

describe("parsePolicyDocument", () => {
  test("makes every list a list", () => {
    expect(parsePolicyDocument({ Statement: { ...statement, Sid: "One" } })).toMatchObject({
      version: "2008-10-17",
      statements: [
        {
          number: 1,
          sid: "One",
          effect: "Allow",
          principals: { negated: false, everyone: false, named: { Federated: [providerArn], AWS: [] } },
          actions: { negated: false, patterns: ["sts:AssumeRoleWithWebIdentity"] },
        },
      ],
    });
  });

  test("reads objects, JSON text and URL-encoded text alike", () => {
    const parsed = parsePolicyDocument(policy);
    const text = JSON.stringify(policy);
    expect(JSON.stringify(parsePolicyDocument(text))).toBe(JSON.stringify(parsed));
    expect(JSON.stringify(parsePolicyDocument(encodeURIComponent(text)))).toBe(JSON.stringify(parsed));
  });

  test.each<[string, unknown, string, string]>([
    ["text that is no JSON", "{", "document", "This policy contains invalid Json"],
    ["text with a broken escape", "%7B%", "document", "This policy contains invalid Json"],
    ["a list", [], "document", "Syntax errors in policy."],
    ["null", null, "document", "Syntax errors in policy."],
    ["an unknown member", { ...policy, Foo: "x" }, "Foo", "Syntax errors in policy."],
    ["another version", { ...policy, Version: "2020-01-01" }, "Version", "Policy document must be version 2012-10-17 or greater."],
    ["an Id that is no string", { ...policy, Id: 1 }, "Id", "Syntax errors in policy."],
    ["no statement", { Version: "2012-10-17" }, "Statement", "Syntax errors in policy."],
    ["an empty list of statements", { Statement: [] }, "Statement", "Syntax errors in policy."],
    ["a statement that is text", { Statement: ["x"] }, "Statement[0]", "Syntax errors in policy."],
    ["a Resource", withStatement({ Resource: "*" }), "Statement[0].Resource", "Has prohibited field Resource"],
    ["a NotResource", withStatement({ NotResource: "*" }), "Statement[0].NotResource", "Has prohibited field NotResource"],
    ["an unknown member of a statement", withStatement({ Actions: "x" }), "Statement[0].Actions", "Syntax errors in policy."],
    ["a Sid with a dash", withStatement({ Sid: "a-b" }), "Statement[0].Sid", "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"],
    ["no Effect", without("Effect"), "Statement[0].Effect", "Missing required field Effect"],
    ["an Effect in lower case", withStatement({ Effect: "allow" }), "Statement[0].Effect", "Syntax errors in policy."],
    ["no Principal", without("Principal"), "Statement[0].Principal", "Missing required field Principal"],
    ["both kinds of principal", withStatement({ NotPrincipal: "*" }), "Statement[0].Principal", "Syntax errors in policy."],
    ["a Principal that is text", withStatement({ Principal: "arn:x" }), "Statement[0].Principal", "Invalid principal in policy"],
    ["an empty Principal", withStatement({ Principal: {} }), "Statement[0].Principal", "Invalid principal in policy"],
    ["an unknown kind of principal", withStatement({ Principal: { federated: providerArn } }), "Statement[0].Principal.federated", "Invalid principal in policy"],
    ["a principal that is a number", withStatement({ Principal: { AWS: 1 } }), "Statement[0].Principal.AWS", "Invalid principal in policy"],
    ["an issuer instead of a provider", withStatement({ Principal: { Federated: "https://oidc.example.com" } }), "Statement[0].Principal.Federated", "Invalid principal in policy"],
    ["an empty NotPrincipal list", { Statement: [{ ...statement, Principal: undefined, NotPrincipal: { Federated: [] } }] }, "Statement[0].NotPrincipal.Federated", "Invalid principal in policy"],
    ["no Action", without("Action"), "Statement[0].Action", "Policy statement must contain actions."],
    ["an empty Action", withStatement({ Action: [] }), "Statement[0].Action", "Policy statement must contain actions."],
    ["both kinds of action", withStatement({ NotAction: "sts:x" }), "Statement[0].Action", "Syntax errors in policy."],
    ["an Action that is a number", withStatement({ Action: 1 }), "Statement[0].Action", "Syntax errors in policy."],
    ["an Action without service", withStatement({ Action: "AssumeRole" }), "Statement[0].Action", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."],
    ["an Action of another service", withStatement({ Action: ["sts:AssumeRole", "s3:GetObject"] }), "Statement[0].Action", "AssumeRole policy may only specify STS AssumeRole actions."],
    ["a Condition that is text", withStatement({ Condition: "x" }), "Statement[0].Condition", "Syntax errors in policy."],
    ["an unknown operator", withStatement({ Condition: { MadeUp: { "a:b": "c" } } }), "Statement[0].Condition.MadeUp", "Invalid Condition type : MadeUp"],
    ["an operator with text", withStatement({ Condition: { Bool: "true" } }), "Statement[0].Condition.Bool", "Syntax errors in policy."],
    ["a key without prefix", withStatement({ Condition: { Bool: { mfa: "true" } } }), "Statement[0].Condition.Bool", "Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."],
    ["a value that is an object", withStatement({ Condition: { Bool: { "a:b": {} } } }), "Statement[0].Condition.Bool.a:b", "Syntax errors in policy."],
    ["one Sid twice", { Statement: [{ ...statement, Sid: "A" }, { ...statement, Sid: "A" }] }, "Statement", "Statement IDs (SID) in a single policy must be unique."],
  ])("refuses %s", (_, document, where, awsMessage) => {
    const json = JSON.parse(JSON.stringify(document)) as unknown;
    const error = refusalOf(() => parsePolicyDocument(json));
    expect(error.code).toBe("POLICY_MALFORMED");
    expect(error.details).toEqual({ where, awsMessage });
  });

  test("throws nothing but its own errors on arbitrary values", () => {
    const name = fc.constantFrom("Version", "Statement", "Effect", "Principal", "NotPrincipal", "Action", "Condition", "StringEquals", "Federated", "Sid", "__proto__");
    const leaf = fc.oneof(fc.constantFrom<unknown>("Allow", "*", "sts:*", providerArn, "2012-10-17", "a:b"), fc.jsonValue());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(name, tie("value"))),
    }));
    fc.assert(
      fc.property(fc.oneof(value, fc.string(), fc.json(), fc.json().map(encodeURIComponent)), (document) => {
        try {
          expect(parsePolicyDocument(document).statements.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(KubeassumeError);
        }
      }),
    );
  });
});
