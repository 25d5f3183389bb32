import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketNameProblem, parseS3Url, s3Url } from "../../../../../src/federation/clouds/aws/s3/url.ts";

describe("the URL of a bucket", () => {
  it.each([
    ["eu-west-1", "https://acme.s3.eu-west-1.amazonaws.com/prod"],
    ["cn-north-1", "https://acme.s3.cn-north-1.amazonaws.com.cn/prod"],
    ["us-gov-west-1", "https://acme.s3.us-gov-west-1.amazonaws.com/prod"],
    ["eusc-de-east-1", "https://acme.s3.eusc-de-east-1.amazonaws.eu/prod"],
  ])("follows the partition of %s", (region, url) => {
    expect(s3Url({ bucket: "acme", region, prefix: "prod" })).toBe(url);
  });

  it("leads back to bucket, region and prefix", () => {
    const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}[a-z0-9]$/).filter((name) => bucketNameProblem(name) === null);
    const region = fc.constantFrom("us-east-1", "eu-west-1", "cn-northwest-1", "us-gov-east-1", "ap-southeast-2", "us-isob-east-1");
    const prefix = fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,8}$/), { maxLength: 3 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(bucket, region, prefix, (name, where, path) => {
        const location = { bucket: name, region: where, prefix: path };
        expect(parseS3Url(s3Url(location))).toEqual(location);
      }),
    );
  });

  it.each([
    ["https://acme.s3.dualstack.eu-west-1.amazonaws.com", { bucket: "acme", region: "eu-west-1", prefix: "" }],
    ["https://acme.s3-eu-west-1.amazonaws.com/a/b", { bucket: "acme", region: "eu-west-1", prefix: "a/b" }],
    ["https://s3.eu-west-1.amazonaws.com/acme/prod", { bucket: "acme", region: "eu-west-1", prefix: "prod" }],
    ["https://acme.s3.amazonaws.com/prod", { bucket: "acme", region: "us-east-1", prefix: "prod" }],
    ["https://a.b.s3.eu-west-1.amazonaws.com", { bucket: "a.b", region: "eu-west-1", prefix: "" }],
  ])("is understood in the form %s", (issuer, location) => {
    expect(parseS3Url(issuer)).toEqual(location);
  });

  it.each(["https://oidc.example.com/prod", "https://acme.s3.eu-west-1.amazonaws.com.evil.example", "https://amazonaws.com", "https://s3.eu-west-1.amazonaws.com", "nonsense"])(
    "is not seen in %s",
    (issuer) => expect(parseS3Url(issuer)).toBeNull(),
  );
});

describe("bucket names", () => {
  it.each(["abc", "acme-oidc", "a.b.c", "x".repeat(63), "1st"])("accepts %s", (name) => expect(bucketNameProblem(name)).toBeNull());

  it.each(["ab", "x".repeat(64), "Acme", "a_b", "-abc", "abc-", ".abc", "a..b", "192.168.5.4", "xn--abc", "sthree-abc", "amzn-s3-demo-x", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3", "abc--table-s3", ""])(
    "refuses %s",
    (name) => expect(bucketNameProblem(name)).not.toBeNull(),
  );
});
