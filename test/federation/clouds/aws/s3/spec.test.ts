import { describe, expect, it } from "vitest";
import { toS3Spec } from "../../../../../src/federation/clouds/aws/s3/spec.ts";
import type { StoreInput } from "../../../../../src/federation/publish/store.ts";
import { codeOf, refusalOf } from "../../../oidc/expect-code.ts";

type Given = Partial<Omit<StoreInput, "cwd">>;
const spec = (given: Given) => toS3Spec({ flags: {}, entry: {}, config: null, cwd: "/", env: {}, ...given });
const config = { file: "kubeassume.yaml", issuer: "https://oidc.example.com/prod", publish: [], clouds: { aws: { region: "eu-north-1" } }, grants: [] };
const BASE = { bucket: "acme", region: "eu-west-1" };

describe("the place of publish s3", () => {
  it("is S3's own URL when no issuer is given", () => {
    expect(spec({ flags: { ...BASE, prefix: "prod" } })).toMatchObject({
      issuer: "https://acme.s3.eu-west-1.amazonaws.com/prod",
      jwks: { name: "prod/openid/v1/jwks", target: "s3://acme/prod/openid/v1/jwks" },
      discovery: { name: "prod/.well-known/openid-configuration" },
      create: false,
    });
    expect(spec({ flags: BASE })).toMatchObject({ issuer: "https://acme.s3.eu-west-1.amazonaws.com", jwks: { name: "openid/v1/jwks" } });
  });

  it("is taken from an issuer that S3 serves", () => {
    expect(spec({ flags: { issuerUrl: "https://acme.s3.eu-west-1.amazonaws.com/prod" } })).toMatchObject({ bucket: "acme", region: "eu-west-1", prefix: "prod" });
  });

  it.each([
    ["a CDN in front", { ...BASE, issuerUrl: "https://oidc.example.com/prod" }, "prod"],
    ["a CDN that adds a path", { ...BASE, issuerUrl: "https://oidc.example.com", prefix: "clusters/prod" }, "clusters/prod"],
    ["an S3-compatible endpoint", { ...BASE, issuerUrl: "https://s3.example.com/acme/prod" }, "prod"],
    ["the root of one", { ...BASE, issuerUrl: "https://s3.example.com/acme" }, ""],
  ])("follows the issuer's path for %s", (_, flags, prefix) => {
    expect(spec({ flags }).prefix).toBe(prefix);
  });

  it("prefers flags to the config's entry, the entry to the config's cloud, and that to the environment", () => {
    const env = { AWS_REGION: "us-west-2" };
    const entry = { bucket: "entry", region: "eu-central-1" };
    expect(spec({ flags: { bucket: "flag" }, entry, config, env })).toMatchObject({ bucket: "flag", region: "eu-central-1", issuer: config.issuer, prefix: "prod" });
    expect(spec({ entry: { bucket: "entry" }, config, env }).region).toBe("eu-north-1");
    expect(spec({ entry: { bucket: "entry" }, env }).region).toBe("us-west-2");
    expect(spec({ flags: { region: "eu-west-3" }, entry, config, env }).region).toBe("eu-west-3");
  });

  it.each([
    ["no region", { bucket: "acme" }, "FLAG_MISSING"],
    ["no bucket", { region: "eu-west-1" }, "FLAG_MISSING"],
    ["a region that is none", { ...BASE, region: "evil.example/" }, "FLAG_INVALID"],
    ["a bucket name that S3 refuses", { ...BASE, bucket: "Acme_" }, "BUCKET_NAME_INVALID"],
    ["dots in a bucket that is a host", { ...BASE, bucket: "oidc.acme" }, "BUCKET_NAME_HAS_DOTS"],
    ["a prefix that is no path", { ...BASE, prefix: "/prod/" }, "BUCKET_PREFIX_INVALID"],
    ["the URL of another bucket", { ...BASE, issuerUrl: "https://other.s3.eu-west-1.amazonaws.com" }, "BUCKET_ISSUER_MISMATCH"],
    ["the URL of another region", { ...BASE, issuerUrl: "https://acme.s3.us-east-1.amazonaws.com" }, "BUCKET_ISSUER_MISMATCH"],
    ["the URL of another prefix", { ...BASE, prefix: "prod", issuerUrl: "https://acme.s3.eu-west-1.amazonaws.com/dev" }, "BUCKET_ISSUER_MISMATCH"],
    ["an issuer with a trailing slash", { ...BASE, issuerUrl: "https://oidc.example.com/" }, "ISSUER_TRAILING_SLASH"],
    ["an issuer over http", { ...BASE, issuerUrl: "http://oidc.example.com" }, "ISSUER_NOT_HTTPS"],
  ])("refuses %s", (_, flags, code) => {
    expect(codeOf(() => spec({ flags }))).toBe(code);
  });

  it("takes dots in a bucket name behind a CDN", () => {
    expect(spec({ flags: { ...BASE, bucket: "oidc.acme", issuerUrl: "https://oidc.example.com" } }).bucket).toBe("oidc.acme");
  });

  it("reports everything that is wrong at once", () => {
    expect(refusalOf(() => spec({ flags: { bucket: "A", prefix: "/x", issuerUrl: "http://h" } })).details["problems"]).toHaveLength(4);
  });
});
