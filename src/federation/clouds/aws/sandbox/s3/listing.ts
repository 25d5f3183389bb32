import { encode } from "../signature.ts";
import type { StoredObject } from "../state.ts";
import type { XmlTree } from "../xml.ts";
import { bucketOf } from "./call-bucket.ts";
import type { S3Action, S3Answer, S3Call } from "./call.ts";
import { invalidArgument } from "./errors.ts";

/** ListObjectsV2 (docs.aws.amazon.com S3 API). */
export const listingActions: Readonly<Record<string, S3Action>> = {
  "GET bucket list-type": { permission: "s3:ListBucket", run: listObjects },
};

const MAX_KEYS = 1000;

type Entry = { readonly sort: string; readonly object: StoredObject | null };

function listObjects(call: S3Call): S3Answer {
  const { query } = call;
  const bucket = bucketOf(call);
  if (query.get("list-type") !== "2") throw invalidArgument("Invalid List Type specified", "list-type", query.get("list-type") ?? "");
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const encoding = query.get("encoding-type");
  const shown = (text: string): string => (encoding === "url" ? encode(text).replaceAll("%2F", "/") : text);
  const limit = maxKeysOf(query.get("max-keys"));
  const after = startOf(query.get("continuation-token")) ?? query.get("start-after") ?? "";
  const entries = entriesOf([...bucket.objects.values()], prefix, delimiter).filter(({ sort }) => compareBytes(sort, after) > 0);
  const page = entries.slice(0, limit);
  const truncated = entries.length > page.length && page.length > 0;
  const result = {
    Name: bucket.name,
    Prefix: shown(prefix),
    Delimiter: delimiter === "" ? undefined : shown(delimiter),
    MaxKeys: limit,
    EncodingType: encoding,
    KeyCount: page.length,
    IsTruncated: truncated,
    ContinuationToken: query.get("continuation-token"),
    NextContinuationToken: truncated ? tokenOf(page.at(-1)?.sort ?? "") : undefined,
    StartAfter: query.get("start-after"),
    Contents: page.flatMap(({ object }) => (object === null ? [] : [toContent(object, shown)])),
    CommonPrefixes: page.filter(({ object }) => object === null).map(({ sort }) => ({ Prefix: shown(sort) })),
  };
  return { xml: ["ListBucketResult", result] };
}

function toContent({ key, lastModified, etag, checksum, body }: StoredObject, shown: (text: string) => string): XmlTree {
  return {
    Key: shown(key),
    LastModified: lastModified,
    ETag: etag,
    ChecksumAlgorithm: checksum.header.slice("x-amz-checksum-".length).toUpperCase(),
    ChecksumType: "FULL_OBJECT",
    Size: body.length,
    StorageClass: "STANDARD",
  };
}

/** Keys in the order of their UTF-8 bytes; keys that share a part up to the delimiter become one entry. */
function entriesOf(objects: readonly StoredObject[], prefix: string, delimiter: string): Entry[] {
  const found = new Map<string, Entry>();
  for (const object of objects) {
    if (!object.key.startsWith(prefix)) continue;
    const end = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    const sort = end === -1 ? object.key : object.key.slice(0, end + delimiter.length);
    found.set(sort, { sort, object: end === -1 ? object : null });
  }
  return [...found.values()].toSorted((left, right) => compareBytes(left.sort, right.sort));
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function maxKeysOf(text: string | undefined): number {
  if (text === undefined) return MAX_KEYS;
  if (!/^\d{1,9}$/.test(text)) throw invalidArgument("Provided max-keys not an integer or within integer range", "max-keys", text);
  return Math.min(Number(text), MAX_KEYS);
}

function tokenOf(sort: string): string {
  return Buffer.from(`after:${sort}`).toString("base64");
}

function startOf(token: string | undefined): string | null {
  if (token === undefined) return null;
  const text = Buffer.from(token, "base64").toString("utf8");
  if (!text.startsWith("after:")) throw invalidArgument("The continuation token provided is incorrect", "continuation-token", token);
  return text.slice("after:".length);
}
