import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { issuerTagValue, marksOf, parseTagText, readMarks, toTagText } from "../../../../../src/federation/clouds/aws/marks.ts";
import { parsePolicyArn, parseRoleArn, roleArn } from "../../../../../src/federation/clouds/aws/arn.ts";

describe("the marks", () => {
  it("carry the issuer as it is", () => {
    expect(marksOf("https://oidc.example.com:8443/prod_1")[1]?.Value).toBe("https://oidc.example.com:8443/prod_1");
  });

  it("are tag values that AWS takes, different for different issuers", () => {
    const text = fc.string({ maxLength: 255, unit: "grapheme-ascii" });
    fc.assert(fc.property(text, text, (left, right) => /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(issuerTagValue(left)) && (left === right) === (issuerTagValue(left) === issuerTagValue(right))));
    expect(issuerTagValue(`https://x.example.com/${"~".repeat(100)}`)).toHaveLength(256);
  });

  it("are texts in a plan, and tags again from there", () => {
    const tags = marksOf("https://a.example.com/~b");
    expect(tags.map(toTagText).map(parseTagText)).toEqual(tags);
  });

  it("are read again", () => {
    expect(readMarks(marksOf("https://a.example.com"))).toEqual({ managed: true, issuerTag: "https://a.example.com" });
    expect(readMarks([])).toEqual({ managed: false, issuerTag: null });
  });
});

describe("ARNs", () => {
  it.each(["arn:aws:iam::123456789012:role/x", "arn:aws-us-gov:iam::123456789012:role/a/b/X+=,.@-_"])("of roles are read and written: %s", (text) => {
    const parsed = parseRoleArn(text);
    expect(parsed === null ? null : roleArn(parsed)).toBe(text);
  });

  it.each(["", "x", "arn:aws:iam::123456789012:role/", "arn:aws:iam::12345678901:role/x", "arn:mars:iam::123456789012:role/x", "arn:aws:iam::123456789012:user/x", "arn:aws:sts::123456789012:assumed-role/x/y", "arn:aws:iam::123456789012:role//x", "arn:aws:iam::123456789012:role/x "])(
    "that name no role are not taken for one: %j",
    (text) => {
      expect(parseRoleArn(text)).toBeNull();
    },
  );

  it.each([
    ["arn:aws:iam::aws:policy/job-function/Billing", "aws"],
    ["arn:aws:iam::123456789012:policy/x", "123456789012"],
  ])("of policies say whose they are: %s", (text, account) => {
    expect(parsePolicyArn(text)).toEqual({ partition: "aws", account });
  });
});
