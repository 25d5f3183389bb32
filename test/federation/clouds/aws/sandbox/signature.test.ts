import { describe, expect, it } from "vitest";
import { decodeChunked } from "../../../../../src/federation/clouds/aws/sandbox/s3/chunked.ts";
import { keysOf, parseAuthorization, sha256Hex, signatureMatches } from "../../../../../src/federation/clouds/aws/sandbox/signature.ts";
import type { SignedHeader } from "../../../../../src/federation/clouds/aws/sandbox/signature.ts";
import type { WireRequest } from "../../../../../src/federation/clouds/aws/sandbox/wire.ts";

/** The example account and bucket of the S3 API reference ("Authenticating requests: using the Authorization header"). */
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const DATE = "20130524T000000Z";
const EMPTY = sha256Hex("");

interface Example {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hash?: string;
  readonly signed: string;
  readonly signature: string;
}

function toRequest({ method = "GET", target, headers = {}, hash = EMPTY, signed, signature }: Example): { readonly request: WireRequest; readonly header: SignedHeader; readonly hash: string } {
  const own = { host: "examplebucket.s3.amazonaws.com", "x-amz-date": DATE, "x-amz-content-sha256": hash };
  const authorization = `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signed},Signature=${signature}`;
  const request = { method, target, headers: { ...own, ...headers, authorization }, body: Buffer.alloc(0) };
  const header = parseAuthorization(request.headers);
  if (header === null || header === "malformed") throw new Error("the example has no signature");
  return { request, header, hash };
}

const EXAMPLES: readonly (readonly [string, Example])[] = [
  [
    "GetObject with a range",
    { target: "/test.txt", headers: { range: "bytes=0-9" }, signed: "host;range;x-amz-content-sha256;x-amz-date", signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
  ],
  [
    "PutObject with a dollar in its key",
    {
      method: "PUT",
      target: "/test%24file.text",
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      hash: sha256Hex("Welcome to Amazon S3."),
      signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    },
  ],
  ["GetBucketLifecycle", { target: "/?lifecycle", signed: "host;x-amz-content-sha256;x-amz-date", signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" }],
  ["ListObjects", { target: "/?max-keys=2&prefix=J", signed: "host;x-amz-content-sha256;x-amz-date", signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" }],
];

describe("signatures of AWS's own examples", () => {
  it.each(EXAMPLES)("%s is accepted, and refused with anything changed", (_name, example) => {
    const { request, header, hash } = toRequest(example);
    const keys = keysOf(header, SECRET);
    expect(signatureMatches(request, header, keys, hash)).toBe(true);
    expect(signatureMatches({ ...request, method: "POST" }, header, keys, hash)).toBe(false);
    expect(signatureMatches({ ...request, target: `${request.target}x` }, header, keys, hash)).toBe(false);
    expect(signatureMatches({ ...request, headers: { ...request.headers, host: "other" } }, header, keys, hash)).toBe(false);
    expect(signatureMatches(request, header, keys, sha256Hex("x"))).toBe(false);
    expect(signatureMatches(request, header, keysOf(header, "other"), hash)).toBe(false);
  });

  it("do not cover a request whose host or day is not signed", () => {
    const { request, header, hash } = toRequest(EXAMPLES[0]?.[1] ?? { target: "", signed: "", signature: "" });
    expect(signatureMatches(request, { ...header, signedHeaders: header.signedHeaders.filter((name) => name !== "host") }, keysOf(header, SECRET), hash)).toBe(false);
    expect(signatureMatches(request, { ...header, day: "20130525" }, keysOf({ ...header, day: "20130525" }, SECRET), hash)).toBe(false);
  });
});

function chunk(size: number, signature: string): string {
  return `${size.toString(16)};chunk-signature=${signature}\r\n${"a".repeat(size)}\r\n`;
}

describe("signed chunks of AWS's own example", () => {
  // S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks".
  const seed: SignedHeader = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    day: "20130524",
    region: "us-east-1",
    service: "s3",
    signedHeaders: [],
    signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    date: DATE,
  };
  const signer = { signed: seed, keys: keysOf(seed, SECRET) };
  const body = (second = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"): Buffer =>
    Buffer.from(
      chunk(65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
        chunk(1024, second) +
        chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    );

  it("are accepted", () => {
    expect(decodeChunked(body(), signer).data.toString()).toBe("a".repeat(66_560));
  });

  it("are refused when one signature is another, or absent", () => {
    expect(() => decodeChunked(body("0".repeat(64)), signer)).toThrow("signature we calculated does not match");
    expect(() => decodeChunked(Buffer.from("1\r\na\r\n0\r\n\r\n"), signer)).toThrow("signature we calculated does not match");
  });
});
