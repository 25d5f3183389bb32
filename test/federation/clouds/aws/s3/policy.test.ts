import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonItems, skipSpace } from "../../../../../src/federation/clouds/aws/s3/json-text.ts";
import { publicStatement, publishedNames, readPolicyFacts, statementId, withoutStatement, withStatement } from "../../../../../src/federation/clouds/aws/s3/policy.ts";
import { s3SpecOf } from "../../../../../src/federation/clouds/aws/s3/spec.ts";
import { codeOf } from "../../../oidc/expect-code.ts";

const issuerAt = (prefix: string) => `https://oidc.example.com/${prefix}`;
const specAt = (prefix: string, region = "eu-west-1") => s3SpecOf({ bucket: "acme", region, prefix }, issuerAt(prefix), false);
const prod = specAt("prod");
const ours = publicStatement(prod);
const statements = (text: string) => (JSON.parse(text) as { Statement: unknown[] }).Statement;

describe("the policy of a bucket", () => {
  it("lets everybody read exactly the two documents, and nothing else", () => {
    expect(ours).toEqual({
      Sid: expect.stringMatching(/^Kubeassume[0-9a-f]{16}$/) as string,
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: ["arn:aws:s3:::acme/prod/.well-known/openid-configuration", "arn:aws:s3:::acme/prod/openid/v1/jwks"],
    });
    expect(publicStatement(specAt("", "cn-north-1"))["Resource"]).toEqual(["arn:aws-cn:s3:::acme/.well-known/openid-configuration", "arn:aws-cn:s3:::acme/openid/v1/jwks"]);
  });

  it("has one statement for each issuer, always the same", () => {
    expect(new Set(["", "prod", "dev", "prod/"].map(issuerAt).map(statementId)).size).toBe(4);
    const both = withStatement(withStatement(null, ours), publicStatement(specAt("dev")));
    expect(statements(both)).toEqual([ours, publicStatement(specAt("dev"))]);
    expect(withStatement(both, ours)).toBe(withStatement(withStatement(both, ours), ours));
  });

  it("is recognised in every form that means the same", () => {
    const forms = [ours, { ...ours, Principal: { AWS: "*" } }, { ...ours, Action: ["s3:GetObject"] }, { ...ours, Resource: [...(ours["Resource"] as string[])].reverse() }];
    for (const form of forms) expect(readPolicyFacts(JSON.stringify({ Statement: [form] }), prod).statement).toEqual(ours);
    expect(readPolicyFacts(JSON.stringify({ Statement: [{ ...ours, Condition: {} }] }), prod).statement).not.toEqual(ours);
  });

  it("keeps foreign statements to the byte, over adding and removing ours", () => {
    const space = fc.stringMatching(/^[ \n\t]{0,3}$/);
    const foreign = fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.string(), space).map(([value, name, gap]) => `{${gap}"Sid"${gap}:${JSON.stringify(`x${name}`)},${gap}"Condition":${JSON.stringify(value, null, gap.replaceAll("\t", " "))}${gap}}`);
    fc.assert(
      fc.property(fc.array(foreign, { minLength: 1, maxLength: 4 }), space, fc.boolean(), (texts, gap, alone) => {
        const list = alone ? (texts[0] ?? "") : `[${gap}${texts.join(`${gap},${gap}`)}${gap}]`;
        const policy = `${gap}{"Id":"\\u0041, {","Version":"2012-10-17",${gap}"Statement":${gap}${list}${gap}}${gap}`;
        const kept = alone ? texts.slice(0, 1) : texts;
        const added = withStatement(policy, ours);
        expect(statements(added)).toHaveLength(kept.length + 1);
        for (const text of kept) expect(added).toContain(text);
        const removed = withoutStatement(added, statementId(issuerAt("prod"))) ?? "";
        expect(statements(removed)).toEqual(kept.map((text) => JSON.parse(text) as unknown));
        for (const text of kept) expect(removed).toContain(text);
        expect(removed).toContain('"Id":"\\u0041, {"');
      }),
    );
  });

  it("leaves nothing behind when ours was the only statement", () => {
    expect(withoutStatement(withStatement(null, ours), statementId(issuerAt("prod")))).toBeNull();
  });

  it.each([
    [{ Effect: "Allow", Principal: "*" }, true],
    [{ Effect: "Allow", Principal: { AWS: ["*"] } }, true],
    [{ Effect: "Deny", Principal: "*" }, false],
    [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::123456789012:root" } }, false],
    [{ Effect: "Allow", Principal: "*", Condition: { StringEquals: { "aws:SourceVpc": "vpc-1" } } }, false],
    [publicStatement(specAt("dev")), false],
  ])("knows whether %j of somebody else lets everybody in", (statement, isPublic) => {
    expect(readPolicyFacts(JSON.stringify({ Statement: [statement] }), prod).othersArePublic).toBe(isPublic);
  });

  it.each(["", "<html>", "[]", "{}", '{"Statement":"x"}', '{"Statement":["x"]}'])("refuses to write over %j", (text) => {
    expect(codeOf(() => withStatement(text, ours))).toBe("BUCKET_POLICY_MALFORMED");
  });

  it("tells which objects the statement of an issuer shows", () => {
    const others = JSON.stringify({ Statement: [{ Sid: "x", Resource: "arn:aws:s3:::acme/other" }, publicStatement(specAt("dev"))] });
    const policy = withStatement(others, ours);
    expect(publishedNames(policy, issuerAt("prod"), "acme")).toEqual(["prod/.well-known/openid-configuration", "prod/openid/v1/jwks"]);
    expect(publishedNames(policy, issuerAt("prod"), "other")).toEqual([]);
    expect(publishedNames(others, issuerAt("prod"), "acme")).toEqual([]);
  });
});

describe("jsonItems", () => {
  it("cuts every array and object where a parser does", () => {
    const container = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(container, fc.constantFrom(0, 1, "\t"), (value, indent) => {
        const text = ` ${JSON.stringify(value, null, indent)}`;
        const items = jsonItems(text, skipSpace(text, 0));
        const parsed = items.map(({ key, text: item }) => [key, JSON.parse(item) as unknown]);
        const wanted = Array.isArray(value) ? value.map((item) => [null, item]) : Object.entries(value);
        expect(parsed).toEqual(JSON.parse(JSON.stringify(wanted)));
      }),
    );
  });
});
