import { createHash } from "node:crypto";
import { checksumOf, DEFAULT_CHECKSUM } from "../checksums.ts";
import { AwsError } from "../errors.ts";
import { wholeSeconds } from "../state.ts";
import type { Bucket, StoredObject } from "../state.ts";
import { mayList } from "./access.ts";
import { acceptObjectAcl } from "./acl.ts";
import { bucketOf } from "./call-bucket.ts";
import type { S3Action, S3Answer, S3Call } from "./call.ts";
import { accessDenied, noSuchKey, notImplemented, preconditionFailed } from "./errors.ts";

/** Objects (docs.aws.amazon.com S3 API). */
export const objectActions: Readonly<Record<string, S3Action>> = {
  "PUT object": { permission: "s3:PutObject", run: putObject },
  "GET object": { permission: "s3:GetObject", run: getObject },
  "HEAD object": { permission: "s3:GetObject", run: (call) => ({ ...getObject(call), body: Buffer.alloc(0) }) },
  "DELETE object": { permission: "s3:DeleteObject", run: deleteObject },
};

/** Headers that are kept with an object and come back with it. */
const KEPT = /^(content-type|cache-control|content-disposition|content-language|expires|x-amz-meta-.+)$/;
/** Headers of PutObject that the stand-in leaves out. */
const LEFT_OUT = /^x-amz-(tagging|copy-source.*|object-lock-.*|website-redirect-location|write-offset-bytes|server-side-encryption-(customer|aws-kms).*)$/;
const MAX_KEY_BYTES = 1024;

function putObject(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  refuseLeftOut(call.headers);
  if (Buffer.byteLength(call.key) > MAX_KEY_BYTES) throw new AwsError("KeyTooLongError", 400, "Your key is too long");
  const publicAcl = acceptObjectAcl(call.headers, bucket, call.state);
  refuseWriteConditions(call, bucket);
  const object: StoredObject = {
    key: call.key,
    body: call.body,
    etag: `"${createHash("md5").update(call.body).digest("hex")}"`,
    lastModified: wholeSeconds(call.now()),
    headers: keptHeaders(call.headers),
    checksum: call.checksum ?? { header: `x-amz-checksum-${DEFAULT_CHECKSUM}`, value: checksumOf(DEFAULT_CHECKSUM, call.body) ?? "" },
    publicAcl,
  };
  bucket.objects.set(call.key, object);
  return { headers: { etag: object.etag, "x-amz-server-side-encryption": "AES256", ...checksumHeaders(object) } };
}

function refuseLeftOut(headers: Readonly<Record<string, string>>): void {
  const name = Object.keys(headers).find((header) => LEFT_OUT.test(header));
  if (name !== undefined) throw notImplemented(name);
  if ((headers["x-amz-storage-class"] ?? "STANDARD") !== "STANDARD") throw notImplemented("x-amz-storage-class");
  if ((headers["x-amz-server-side-encryption"] ?? "AES256") !== "AES256") throw notImplemented("x-amz-server-side-encryption");
}

function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT.test(name)));
  const encodings = (headers["content-encoding"] ?? "").split(",").map((name) => name.trim());
  const encoding = encodings.filter((name) => name !== "" && name !== "aws-chunked").join(",");
  return { "content-type": "binary/octet-stream", ...kept, ...(encoding === "" ? {} : { "content-encoding": encoding }) };
}

/** Conditional writes and deletes (S3 User Guide, "How to prevent object overwrites with conditional writes"). */
function refuseWriteConditions(call: S3Call, bucket: Bucket): void {
  const [ifMatch, ifNoneMatch] = [call.headers["if-match"], call.headers["if-none-match"]];
  const object = bucket.objects.get(call.key);
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") throw notImplemented("If-None-Match");
  if (call.state.writeConflicts.delete(`${bucket.name}/${call.key}`)) {
    throw new AwsError("ConditionalRequestConflict", 409, "The conditional request cannot succeed due to a conflicting operation against this resource.", { members: { Key: call.key } });
  }
  if (ifNoneMatch !== undefined && object !== undefined) throw preconditionFailed("If-None-Match");
  if (ifMatch === undefined) return;
  if (object === undefined) throw noSuchKey(call.key);
  if (!matches(ifMatch, object.etag)) throw preconditionFailed("If-Match");
}

/** One or several ETags, with or without quotes, or `*`. */
function matches(header: string, etag: string): boolean {
  return header.split(",").some((entry) => ["*", etag, etag.replaceAll('"', "")].includes(entry.trim()));
}

function getObject(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  const object = bucket.objects.get(call.key);
  if (object === undefined) throw mayList(call, bucket) ? noSuchKey(call.key) : accessDenied();
  const [ifMatch, ifNoneMatch] = [call.headers["if-match"], call.headers["if-none-match"]];
  if (ifMatch !== undefined && !matches(ifMatch, object.etag)) throw preconditionFailed("If-Match");
  const headers = {
    ...object.headers,
    etag: object.etag,
    "last-modified": object.lastModified.toUTCString(),
    "accept-ranges": "bytes",
    "x-amz-server-side-encryption": "AES256",
    ...(call.headers["x-amz-checksum-mode"] === "ENABLED" ? checksumHeaders(object) : {}),
  };
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, object.etag)) return { status: 304, headers: { etag: object.etag, "last-modified": headers["last-modified"] } };
  return { headers: { ...headers, "content-length": String(object.body.length) }, body: object.body };
}

function checksumHeaders({ checksum }: StoredObject): Record<string, string> {
  return { [checksum.header]: checksum.value, "x-amz-checksum-type": "FULL_OBJECT" };
}

/** Deleting what is not there succeeds, unless a condition asks for it. */
function deleteObject(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  refuseWriteConditions(call, bucket);
  bucket.objects.delete(call.key);
  return { status: 204 };
}
