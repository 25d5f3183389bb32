import { createHash } from "node:crypto";
import type { StandInAnswer } from "../../../../sandbox/http-core.ts";
import type { PublishedAnswer } from "../../../../sandbox/stand-ins.ts";
import { allows } from "./access.ts";
import { renderXmlError } from "./errors.ts";
import { contentHeaders } from "./objects.ts";
import type { StoredObject } from "./state.ts";
import type { StorageCaller, StorageWorld } from "./world.ts";

/** What Google serves of public objects when their writer said nothing (storage v1, Object.cacheControl). */
const DEFAULT_CACHE_CONTROL = "public, max-age=3600";

/**
 * An object as `storage.googleapis.com/BUCKET/OBJECT` serves it (XML API). Who may read and not list is told nothing of
 * objects that do not exist.
 *
 * @param caller null: a stranger
 */
export function serveObject(world: StorageWorld, bucketName: string, objectName: string, caller: StorageCaller | null, mayRead: boolean): StandInAnswer {
  const bucket = world.storage.buckets.get(bucketName);
  if (bucket === undefined) return renderXmlError(404, "NoSuchBucket", "The specified bucket does not exist.");
  const permitted = (permission: string) => mayRead || allows(world, bucket, permission, caller);
  const object = bucket.objects.get(objectName);
  if (object === undefined && permitted("storage.objects.list")) return renderXmlError(404, "NoSuchKey", "The specified key does not exist.", `No such object: ${bucketName}/${objectName}`);
  if (object === undefined || !permitted("storage.objects.get")) {
    const who = caller?.name ?? "Anonymous caller";
    return renderXmlError(403, "AccessDenied", "Access denied.", `${who} does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).`);
  }
  return { status: 200, headers: headersOf(object, allows(world, bucket, "storage.objects.get", null)), body: object.body };
}

function headersOf(object: StoredObject, isPublic: boolean): Readonly<Record<string, string>> {
  const cacheControl = object.cacheControl ?? (isPublic ? DEFAULT_CACHE_CONTROL : "private, max-age=0");
  const metadata = Object.entries(object.metadata).map(([key, value]) => [`x-goog-meta-${key.toLowerCase()}`, value]);
  return {
    ...contentHeaders(object),
    ...(Object.fromEntries(metadata) as Readonly<Record<string, string>>),
    "cache-control": cacheControl,
    etag: `"${createHash("md5").update(object.body).digest("hex")}"`,
    "last-modified": object.updated.toUTCString(),
    "accept-ranges": "bytes",
  };
}

/** What a stranger reads of an object; null when there is no such bucket. */
export function readPublished(bucket: string, object: string, world: StorageWorld): PublishedAnswer | null {
  if (!world.storage.buckets.has(bucket)) return null;
  const { status, headers = {}, body = "" } = serveObject(world, bucket, object, null, false);
  return { status, headers, body: typeof body === "string" ? Buffer.from(body) : body };
}
