import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import * as s3 from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checksumOf } from "../../../../../src/federation/clouds/aws/sandbox/checksums.ts";
import { decodeChunked } from "../../../../../src/federation/clouds/aws/sandbox/s3/chunked.ts";
import { itConforms, refusalOf, startTestAws } from "./support/start.ts";
import type { TestAws } from "./support/start.ts";

const Bucket = "objects";

let aws: TestAws;
let count = 0;

beforeAll(async () => {
  aws = await startTestAws();
  await aws.s3.send(new s3.CreateBucketCommand({ Bucket }));
});

afterAll(() => aws.stop());

function newKey(): string {
  count += 1;
  return `prefix/key ${count}+ü(*)!'~.json`;
}

function put(Key: string, input: Partial<s3.PutObjectCommandInput> = {}): Promise<s3.PutObjectCommandOutput> {
  return aws.s3.send(new s3.PutObjectCommand({ Bucket, Key, Body: "{}", ...input }));
}

function get(Key: string, input: Partial<s3.GetObjectCommandInput> = {}): Promise<s3.GetObjectCommandOutput> {
  return aws.s3.send(new s3.GetObjectCommand({ Bucket, Key, ...input }));
}

describe("an object", () => {
  it("comes back as it was put, headers and metadata too", async () => {
    const Key = newKey();
    const { ETag } = await put(Key, { Body: '{"a":1}', ContentType: "application/json", CacheControl: "max-age=60", Metadata: { who: "me" } });
    expect(ETag).toBe(`"${createHash("md5").update('{"a":1}').digest("hex")}"`);
    const answer = await get(Key);
    expect(answer).toMatchObject({ ETag, ContentType: "application/json", CacheControl: "max-age=60", Metadata: { who: "me" }, ContentLength: 7 });
    expect(await answer.Body?.transformToString()).toBe('{"a":1}');
    expect(await aws.s3.send(new s3.HeadObjectCommand({ Bucket, Key }))).toMatchObject({ ETag, ContentLength: 7 });
  });

  it("has a content type of its own when none was given", async () => {
    const Key = newKey();
    await put(Key, { Body: Buffer.from("x"), ContentType: undefined });
    expect((await get(Key)).ContentType).toBe("application/octet-stream");
  });

  it("that is not there is not found, and deleting it succeeds", async () => {
    expect(await refusalOf(get("absent"))).toEqual({ code: "NoSuchKey", status: 404, message: "The specified key does not exist." });
    expect((await refusalOf(aws.s3.send(new s3.HeadObjectCommand({ Bucket, Key: "absent" })))).status).toBe(404);
    await aws.s3.send(new s3.DeleteObjectCommand({ Bucket, Key: "absent" }));
  });

  it("cannot have an ACL in a bucket that has ACLs off, except one that changes nothing", async () => {
    const refusal = await refusalOf(put(newKey(), { ACL: "public-read" }));
    expect(refusal).toEqual({ code: "AccessControlListNotSupported", status: 400, message: "The bucket does not allow ACLs" });
    await put(newKey(), { ACL: "bucket-owner-full-control" });
  });
});

describe("conditional writes", () => {
  it("with If-None-Match: * create and never overwrite", async () => {
    const Key = newKey();
    await put(Key, { IfNoneMatch: "*" });
    expect(await refusalOf(put(Key, { IfNoneMatch: "*" }))).toEqual({ code: "PreconditionFailed", status: 412, message: "At least one of the pre-conditions you specified did not hold" });
  });

  it("have one winner among sixteen", async () => {
    const Key = newKey();
    const results = await Promise.allSettled(Array.from({ length: 16 }, (_, index) => put(Key, { Body: String(index), IfNoneMatch: "*" })));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("with If-Match replace the version that was read and no other", async () => {
    const Key = newKey();
    const { ETag } = await put(Key, { Body: "1" });
    await put(Key, { Body: "2", IfMatch: ETag });
    expect(await refusalOf(put(Key, { Body: "3", IfMatch: ETag }))).toMatchObject({ code: "PreconditionFailed", status: 412 });
    expect(await refusalOf(put(newKey(), { IfMatch: ETag }))).toMatchObject({ code: "NoSuchKey", status: 404 });
    expect(await (await get(Key)).Body?.transformToString()).toBe("2");
  });

  it("may lose a race, once, and write nothing then", async () => {
    const Key = newKey();
    aws.state.writeConflicts.add(`${Bucket}/${Key}`);
    expect(await refusalOf(put(Key, { IfNoneMatch: "*" }))).toMatchObject({ code: "ConditionalRequestConflict", status: 409 });
    await put(Key, { IfNoneMatch: "*" });
  });

  it("guard deletes too", async () => {
    const Key = newKey();
    await put(Key);
    const remove = (IfMatch: string | undefined): Promise<unknown> => aws.s3.send(new s3.DeleteObjectCommand({ Bucket, Key, IfMatch }));
    expect((await refusalOf(remove('"0"'))).code).toBe("PreconditionFailed");
    await remove("*");
  });
});

describe("conditional reads", () => {
  it("answer 304 for what the reader has, and 412 for what it has not", async () => {
    const Key = newKey();
    const { ETag } = await put(Key);
    expect((await refusalOf(get(Key, { IfNoneMatch: ETag }))).status).toBe(304);
    expect(await refusalOf(get(Key, { IfMatch: '"0"' }))).toMatchObject({ code: "PreconditionFailed", status: 412 });
  });
});

describe("checksums", () => {
  it.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)("of kind %s are taken from the SDK and given back", async (ChecksumAlgorithm) => {
    const Key = newKey();
    const name = `Checksum${ChecksumAlgorithm}` as const;
    const written = await put(Key, { Body: "check", ChecksumAlgorithm });
    expect(written[name]).toBe(checksumOf(ChecksumAlgorithm.toLowerCase(), Buffer.from("check")));
    expect((await get(Key, { ChecksumMode: "ENABLED" }))[name]).toBe(written[name]);
  });

  // The check values of the catalogue of parametrised CRC algorithms: each CRC of the text "123456789".
  it.each([
    ["crc32", "cbf43926"],
    ["crc32c", "e3069283"],
    ["crc64nvme", "ae8b14860a799888"],
  ])("%s is the one of its standard", (name, hex) => {
    expect(Buffer.from(checksumOf(name, Buffer.from("123456789")) ?? "", "base64").toString("hex")).toBe(hex);
  });

  it("that are wrong refuse the object", async () => {
    const Key = newKey();
    expect(await refusalOf(put(Key, { ChecksumSHA256: Buffer.alloc(32).toString("base64") }))).toMatchObject({ code: "BadDigest", status: 400 });
    expect(await refusalOf(put(Key, { ContentMD5: Buffer.alloc(16).toString("base64") }))).toMatchObject({ code: "BadDigest", status: 400 });
    expect((await refusalOf(get(Key))).code).toBe("NoSuchKey");
  });

  it("come as trailers of a stream, which is undone", async () => {
    const Key = newKey();
    const text = "y".repeat(200_000);
    await put(Key, { Body: Readable.from([text.slice(0, 70_000), text.slice(70_000)].map((part) => Buffer.from(part))), ContentLength: text.length });
    const { request } = aws.exchanges.at(-1) ?? {};
    expect(request?.headers["x-amz-content-sha256"]).toBe("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    const answer = await get(Key);
    expect(answer.ContentEncoding).toBeUndefined();
    expect(await answer.Body?.transformToString()).toBe(text);
  });

  it("of the body itself are what was signed", async () => {
    const client = aws.clients(aws.credentials).s3;
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign(args.request as object, { body: "other" });
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    const Key = newKey();
    expect(await refusalOf(client.send(new s3.PutObjectCommand({ Bucket, Key, Body: "{}{}{" })))).toMatchObject({ code: "XAmzContentSHA256Mismatch", status: 400 });
  });
});

/** Unsigned chunks, as the SDK and the CLI send them. */
function chunked(parts: readonly Uint8Array[], trailer: string): Buffer {
  const chunks = parts.filter((part) => part.length > 0).map((part) => Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]));
  return Buffer.concat([...chunks, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

describe("aws-chunked", () => {
  it("gives back what was cut into chunks, however it was cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (parts) => {
        const { data, trailers } = decodeChunked(chunked(parts, "X-Amz-Checksum-CRC32:AAAAAA==\r\n"), null);
        expect(data.equals(Buffer.concat(parts))).toBe(true);
        expect(trailers).toEqual({ "x-amz-checksum-crc32": "AAAAAA==" });
      }),
    );
  });

  it("refuses a body that ends early, wherever it ends before the last chunk", () => {
    const whole = chunked([Buffer.from("hello"), Buffer.from("world")], "");
    const upTo = whole.lastIndexOf("0\r\n");
    for (let length = 0; length < upTo; length += 1) expect(() => decodeChunked(whole.subarray(0, length), null)).toThrow("The request body terminated unexpectedly");
  });
});

describe("listing", () => {
  it("pages through keys in the order of their bytes, and groups by a delimiter", async () => {
    const list = "listing";
    await aws.s3.send(new s3.CreateBucketCommand({ Bucket: list }));
    const keys = ["a", "b/1", "b/2", "b/c/3", "d e", "z"];
    for (const Key of keys.toReversed()) await aws.s3.send(new s3.PutObjectCommand({ Bucket: list, Key, Body: "x" }));
    const seen: string[] = [];
    for await (const page of s3.paginateListObjectsV2({ client: aws.s3, pageSize: 2 }, { Bucket: list })) seen.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""));
    expect(seen).toEqual(keys);
    const grouped = await aws.s3.send(new s3.ListObjectsV2Command({ Bucket: list, Prefix: "b/", Delimiter: "/", EncodingType: "url" }));
    expect(grouped).toMatchObject({ KeyCount: 3, IsTruncated: false, CommonPrefixes: [{ Prefix: "b/c/" }] });
    expect(grouped.Contents?.map(({ Key }) => Key)).toEqual(["b/1", "b/2"]);
    expect((await aws.s3.send(new s3.ListObjectsV2Command({ Bucket: list, StartAfter: "b/c/3" }))).Contents?.map(({ Key }) => Key)).toEqual(["d e", "z"]);
  });
});

itConforms(() => aws);
