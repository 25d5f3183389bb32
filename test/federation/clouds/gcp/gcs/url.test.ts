import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketNameProblem, gcsUrl, parseGcsUrl } from "../../../../../src/federation/clouds/gcp/gcs/url.ts";
import { isBucketName } from "../../../../../src/federation/clouds/gcp/sandbox/storage/bucket-resource.ts";

describe("URLs of Cloud Storage", () => {
  it("lead back to bucket and prefix, in both forms", () => {
    const part = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{1,20}[a-z0-9]$/).filter((text) => bucketNameProblem(text) === null);
    const prefix = fc.array(fc.stringMatching(/^[A-Za-z0-9_-]{1,10}$/), { maxLength: 3 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(part, prefix, (bucket, prefix) => {
        expect(parseGcsUrl(gcsUrl({ bucket, prefix }))).toEqual({ bucket, prefix });
        expect(parseGcsUrl(`https://${bucket}.storage.googleapis.com${prefix === "" ? "" : `/${prefix}`}`)).toEqual({ bucket, prefix });
      }),
    );
  });

  it.each(["https://storage.googleapis.com", "https://oidc.example.com/acme", "https://storage.googleapis.com.example.com/acme", "https://storage.googleapis.com:8443/acme", "https://xstorage.googleapis.com/acme", "https://.storage.googleapis.com/acme", "no url"])("are no others: %s", (issuer) => {
    expect(parseGcsUrl(issuer)).toBeNull();
  });
});

describe("bucket names of Cloud Storage", () => {
  it.each(["acme-oidc", "acme_oidc", "oidc.example.com", "0ab", "a".repeat(63), `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.de`])("may be %s", (name) => {
    expect(bucketNameProblem(name)).toBeNull();
  });

  it.each([
    ["ab", "2 characters"],
    ["a".repeat(64), "64 characters"],
    [`${"a".repeat(64)}.b`, "63 characters between"],
    [`${"a.".repeat(111)}ab`, "224 characters"],
    ["Acme", "other characters"],
    ["acme/oidc", "other characters"],
    ["-acme", "begin and end"],
    ["acme_", "begin and end"],
    ["acme..oidc", "two dots"],
    ["acme.-oidc", "dot beside a dash"],
    ["192.168.5.4", "IP address"],
    ["goog-acme", "begins with goog"],
    ["my-g00gle-bucket", "looks like it"],
  ])("cannot be %s", (name, words) => {
    expect(bucketNameProblem(name)).toContain(words);
  });

  it("are refused by us whenever the stand-in refuses them", () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z0-9._-]{1,70}$/), (name) => bucketNameProblem(name) !== null || isBucketName(name)), { numRuns: 500 });
  });
});
