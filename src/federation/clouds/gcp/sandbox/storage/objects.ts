import { member } from "../../../../oidc/json.ts";
import type { StandInAnswer } from "../../../../sandbox/http-core.ts";
import { enter } from "./access.ts";
import { answerJson, bodyOf, bucketOf, pageOf, type StorageCall, type StorageMethod } from "./call.ts";
import { invalid, noObject, required } from "./errors.ts";
import { hashesOf, readObjectFields, toObjectResource } from "./object-resource.ts";
import { checkPreconditions } from "./preconditions.ts";
import { nextGeneration, type StoredObject } from "./state.ts";
import { readUpload } from "./upload.ts";

/** Objects (storage v1, `objects`), by HTTP method and what the path names. */
export const objectMethods: Readonly<Record<string, StorageMethod>> = {
  "GET objects": { permission: "storage.objects.list", run: list },
  "POST upload": { permission: "storage.objects.create", run: insert },
  "POST objects": { permission: "storage.objects.create", run: insert },
  "GET object": { permission: "storage.objects.get", run: get },
  "GET download": { permission: "storage.objects.get", run: download },
  "PATCH object": { permission: "storage.objects.update", run: patch },
  "DELETE object": { permission: "storage.objects.delete", run: remove },
  "GET object acl": { permission: "storage.objects.get", run: refuseAcl },
  "POST object acl": { permission: "storage.objects.update", run: refuseAcl },
};

function objectOf(call: StorageCall): StoredObject {
  const object = bucketOf(call).objects.get(call.objectName);
  const generation = call.query.get("generation");
  if (object === undefined || (generation !== null && generation !== object.generation)) throw noObject(call.bucketName, call.objectName);
  return object;
}

function list(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  const [prefix, delimiter] = [call.query.get("prefix") ?? "", call.query.get("delimiter") ?? ""];
  const [from, to] = [call.query.get("startOffset") ?? "", call.query.get("endOffset")];
  const glob = globOf(call.query.get("matchGlob"));
  const names = [...bucket.objects.keys()].filter((name) => name.startsWith(prefix) && name >= from && (to === null || to === "" || name < to) && glob.test(name)).sort();
  const folders = new Set<string>();
  const items = names.filter((name) => {
    const at = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
    if (at !== -1) folders.add(name.slice(0, at + delimiter.length));
    return at === -1;
  });
  const { page, next } = pageOf(call, items, 1000);
  const resources = page.flatMap((name) => bucket.objects.get(name) ?? []).map((object) => toObjectResource(bucket.name, object));
  return answerJson({
    kind: "storage#objects",
    ...(resources.length === 0 ? {} : { items: resources }),
    ...(folders.size === 0 ? {} : { prefixes: [...folders].sort() }),
    ...(next === undefined ? {} : { nextPageToken: next }),
  });
}

/** `**` stands for anything, `*` and `?` for anything but slashes (cloud.google.com/storage/docs/json_api/v1/objects/list). */
function globOf(glob: string | null): RegExp {
  const forms: Readonly<Record<string, string>> = { "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const source = (glob ?? "**").replace(/\*\*|[*?]|[.+^$()|[\]{}\\]/g, (token) => forms[token] ?? `\\${token}`);
  return new RegExp(`^${source}$`, "s");
}

function insert(call: StorageCall): StandInAnswer {
  const { world, query } = call;
  const bucket = bucketOf(call);
  const upload = readUpload(call.request, query.get("uploadType"));
  const named = query.get("name") ?? member(upload.resource, "name");
  if (typeof named !== "string" || named === "") throw required("name");
  if (Buffer.byteLength(named) > 1024 || /[\r\n]/.test(named) || named === "." || named === "..") throw invalid(`Invalid object name: '${named}'.`);
  if (bucket.uniform && (query.get("predefinedAcl") !== null || member(upload.resource, "acl") !== undefined)) {
    throw invalid("Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access");
  }
  const before = bucket.objects.get(named);
  // Writing over an object takes the right to delete it.
  if (before !== undefined) enter(world, call.request, "storage.objects.delete", bucket, `projects/_/buckets/${bucket.name}/objects/${named}`);
  checkPreconditions(call, before?.generation ?? "0", before?.metageneration ?? 0, false);
  refuseOtherHashes(upload.resource, upload.body);
  const empty = { contentType: upload.contentType ?? "application/octet-stream", cacheControl: undefined, contentEncoding: undefined, contentDisposition: undefined, contentLanguage: undefined, metadata: {} };
  const [generation, at] = [nextGeneration(world.storage, world.now()), world.now()];
  const object = { name: named, body: upload.body, generation, metageneration: 1, timeCreated: at, updated: at, ...readObjectFields(upload.resource, empty) };
  bucket.objects.set(named, object);
  return answerJson(toObjectResource(bucket.name, object));
}

function refuseOtherHashes(resource: Readonly<Record<string, unknown>>, body: Buffer): void {
  for (const [name, actual] of Object.entries(hashesOf(body))) {
    const given = member(resource, name);
    if (given !== undefined && given !== actual) throw invalid(`Provided ${name === "crc32c" ? "CRC32C" : "MD5 hash"} "${String(given)}" doesn't match calculated value "${actual}".`);
  }
}

function get(call: StorageCall): StandInAnswer {
  if (call.query.get("alt") === "media") return download(call);
  const object = objectOf(call);
  checkPreconditions(call, object.generation, object.metageneration, true);
  return answerJson(toObjectResource(call.bucketName, object));
}

function download(call: StorageCall): StandInAnswer {
  const object = objectOf(call);
  checkPreconditions(call, object.generation, object.metageneration, true);
  // The JSON API is not what caches read: the object's own Cache-Control is for the public URL.
  return { status: 200, headers: { ...contentHeaders(object), "cache-control": "no-cache, no-store, max-age=0, must-revalidate" }, body: object.body };
}

/** The headers that say what an object is, with either API. */
export function contentHeaders(object: StoredObject): Readonly<Record<string, string>> {
  const { md5Hash, crc32c } = hashesOf(object.body);
  return {
    "content-type": object.contentType,
    ...(object.contentEncoding === undefined ? {} : { "content-encoding": object.contentEncoding }),
    ...(object.contentDisposition === undefined ? {} : { "content-disposition": object.contentDisposition }),
    ...(object.contentLanguage === undefined ? {} : { "content-language": object.contentLanguage }),
    "x-goog-generation": object.generation,
    "x-goog-metageneration": String(object.metageneration),
    "x-goog-hash": `crc32c=${crc32c},md5=${md5Hash}`,
    "x-goog-storage-class": "STANDARD",
    "x-goog-stored-content-length": String(object.body.length),
    "x-goog-stored-content-encoding": object.contentEncoding ?? "identity",
  };
}

function patch(call: StorageCall): StandInAnswer {
  const object = objectOf(call);
  checkPreconditions(call, object.generation, object.metageneration, false);
  const changed = { ...object, ...readObjectFields(bodyOf(call), object), metageneration: object.metageneration + 1, updated: call.world.now() };
  bucketOf(call).objects.set(object.name, changed);
  return answerJson(toObjectResource(call.bucketName, changed));
}

function remove(call: StorageCall): StandInAnswer {
  const object = objectOf(call);
  checkPreconditions(call, object.generation, object.metageneration, false);
  bucketOf(call).objects.delete(object.name);
  return { status: 204 };
}

function refuseAcl(call: StorageCall): StandInAnswer {
  objectOf(call);
  throw invalid("Cannot get legacy ACL for an object when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access");
}
