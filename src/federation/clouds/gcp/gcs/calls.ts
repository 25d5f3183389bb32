import { isJsonObject, type JsonObject, member } from "../../../oidc/json.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { codes as publishCodes } from "../../../publish/codes.ts";
import type { DocumentWrite, StoredDocument } from "../../../publish/store.ts";
import { isAnswered } from "../connection/errors.ts";
import { type Rest, type RestAnswer, restIfExists, type RestRequest } from "../connection/rest.ts";
import { codes } from "./codes.ts";
import { type Labels, objectMetadata, readObjectMarks } from "./marks.ts";
import { toMultipart } from "./multipart.ts";
import type { BucketPolicy } from "./policy.ts";

/** A bucket that belongs, or shall belong, to a project. */
export interface BucketRef {
  readonly rest: Rest;
  readonly bucket: string;
  /** The project's ID. */
  readonly project: string;
}

/** What is read of a bucket. */
export interface BucketFacts {
  readonly location: string;
  readonly labels: Labels;
  /** Null when the store has no such settings: an emulator. */
  readonly access: { readonly uniform: boolean; readonly publicAccessPrevention: string } | null;
}

export interface ListedObject {
  readonly name: string;
  /** Written by kubeassume, for any issuer. */
  readonly managed: boolean;
  readonly issuer: string | null;
}

/** More than any key set that relying parties read. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;
const READ_TRIES = 10;

/** Null when it does not exist. */
export async function readBucket(ref: BucketRef): Promise<BucketFacts | null> {
  const answer = await restIfExists(ref.rest, on(ref, "GET", "", "storage.buckets.get"));
  return answer === null ? null : toBucketFacts(answer.json);
}

/** Whether the bucket is one of the project's: names are shared by all projects, and its owner can mint tokens. */
export async function isOfProject({ rest, project, bucket }: BucketRef): Promise<boolean> {
  // The list is sorted: a bucket of exactly this name comes before all that only begin with it.
  const query = { project, prefix: bucket, maxResults: 1, fields: "items(name)" };
  const { json } = await rest({ service: "storage", method: "GET", path: "storage/v1/b", query, action: "storage.buckets.list", resource: `project ${project}` });
  return itemsOf(json).some((item) => item["name"] === bucket);
}

/** All buckets of a project with their labels. */
export async function listBuckets(rest: Rest, project: string): Promise<readonly { readonly bucket: string; readonly labels: Labels }[]> {
  const found: { bucket: string; labels: Labels }[] = [];
  const request: RestRequest = { service: "storage", method: "GET", path: "storage/v1/b", action: "storage.buckets.list", resource: `project ${project}` };
  await eachPage(rest, request, { project, maxResults: 1000, fields: "items(name,labels),nextPageToken" }, (items) => {
    found.push(...items.map((item) => ({ bucket: textOf(item["name"]), labels: textsOf(item["labels"]) })));
    return true;
  });
  return found;
}

/** The bucket's policy as it is; null when there is none to read: no bucket, or an emulator without policies. */
export async function readPolicy(ref: BucketRef): Promise<BucketPolicy | null> {
  const query = { optionsRequestedPolicyVersion: 3 };
  return (await restIfExists(ref.rest, { ...on(ref, "GET", "/iam", "storage.buckets.getIamPolicy"), query }))?.json ?? null;
}

/**
 * Writes the policy over the one that its etag names; null when that was done. Otherwise the refusal: 412 is Google's
 * answer to a writer that is too late and to readers that are prevented.
 */
export async function writePolicy(ref: BucketRef, policy: BucketPolicy): Promise<KubeassumeError | null> {
  try {
    await ref.rest({ ...on(ref, "PUT", "/iam", "storage.buckets.setIamPolicy"), body: policy });
    return null;
  } catch (error) {
    if (isAnswered(error, 412, 409)) return error;
    throw error;
  }
}

/** Names and marks of objects, page by page, as long as `goOn` says so of all that was found. */
export async function listObjects(ref: BucketRef, goOn: (found: readonly ListedObject[]) => boolean, matchGlob?: string): Promise<readonly ListedObject[]> {
  const found: ListedObject[] = [];
  const query = { fields: "items(name,metadata),nextPageToken", matchGlob };
  try {
    await eachPage(ref.rest, on(ref, "GET", "/o", "storage.objects.list"), query, (items) => {
      found.push(...items.map(toListedObject));
      return goOn(found);
    });
  } catch (error) {
    if (isAnswered(error, 404)) return [];
    throw error;
  }
  return found;
}

/**
 * Reads what an object is and its content side by side. When they are of two generations, because somebody wrote in
 * between, the content of the generation that was read is asked for.
 *
 * @param issuer whose mark counts
 */
export async function readObject(ref: BucketRef, name: string, issuer: string): Promise<StoredDocument | null> {
  const readResource = () => restIfExists(ref.rest, onObject(ref, "GET", name, "storage.objects.get"));
  const [first, media] = await Promise.all([readResource(), readMedia(ref, name)]);
  if (first === null && media === null) return null;
  if (first !== null && media !== null && media.headers["x-goog-generation"] === first.json["generation"]) return toDocument(first.json, media.text, issuer);
  for (let attempt = 1; attempt <= READ_TRIES; attempt += 1) {
    const resource = await readResource();
    if (resource === null) return null;
    const content = await readMedia(ref, name, textOf(resource.json["generation"]));
    if (content !== null) return toDocument(resource.json, content.text, issuer);
  }
  const target = `gs://${ref.bucket}/${name}`;
  throw new KubeassumeError(publishCodes.PUBLISH_CONFLICT, { message: `${target} was changed each of ${READ_TRIES} times while it was read`, details: { target } });
}

/** Writes a document with our mark under the condition of the write; `conflict` when its generation is another one (412). */
export async function writeObject(ref: BucketRef, write: DocumentWrite, issuer: string): Promise<"written" | "conflict"> {
  const { name, contentType, cacheControl } = write;
  const { headers, body } = toMultipart({ name, contentType, cacheControl, metadata: objectMetadata(issuer) }, write.body, contentType);
  const path = `upload/storage/v1/b/${encodeURIComponent(ref.bucket)}/o`;
  const query = { uploadType: "multipart", ifGenerationMatch: write.replaces ?? "0" };
  try {
    // Conditional, so sending it twice writes once.
    await ref.rest({ ...on(ref, "POST", "", "storage.objects.create"), path, query, headers, body, repeatable: true });
    return "written";
  } catch (error) {
    if (isAnswered(error, 412)) return "conflict";
    throw explainMissing(ref, error);
  }
}

/** Deletes an object; fine when there is none. */
export async function removeObject(ref: BucketRef, name: string): Promise<void> {
  await restIfExists(ref.rest, onObject(ref, "DELETE", name, "storage.objects.delete"));
}

/** Makes the bucket as `resource` says; fine when the project has it already. Throws GCS_BUCKET_FOREIGN. */
export async function createBucket(ref: BucketRef, resource: Readonly<Record<string, unknown>>): Promise<void> {
  const { rest, project, bucket } = ref;
  const request = { ...on(ref, "POST", "", "storage.buckets.create"), path: "storage/v1/b", query: { project }, body: { name: bucket, ...resource }, repeatable: true };
  try {
    await rest(request);
  } catch (error) {
    if (!isAnswered(error, 409)) throw error;
    if (await isOfProject(ref)) return;
    throw new KubeassumeError(codes.GCS_BUCKET_FOREIGN, { message: `bucket name ${bucket} is taken by another project`, details: { bucket, project }, cause: error });
  }
}

/** Changes what `change` names; everything else stays. */
export async function patchBucket(ref: BucketRef, change: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    await ref.rest({ ...on(ref, "PATCH", "", "storage.buckets.update"), body: change });
  } catch (error) {
    throw explainMissing(ref, error);
  }
}

/** Deletes the bucket; fine when it is gone. Throws GCS_BUCKET_NOT_EMPTY. */
export async function removeBucket(ref: BucketRef): Promise<void> {
  try {
    await restIfExists(ref.rest, on(ref, "DELETE", "", "storage.buckets.delete"));
  } catch (error) {
    if (!isAnswered(error, 409, 412)) throw error;
    throw new KubeassumeError(codes.GCS_BUCKET_NOT_EMPTY, { message: `bucket ${ref.bucket} is not empty`, details: { bucket: ref.bucket }, cause: error });
  }
}

function on({ bucket }: BucketRef, method: RestRequest["method"], sub: string, action: string): RestRequest {
  return { service: "storage", method, path: `storage/v1/b/${encodeURIComponent(bucket)}${sub}`, action, resource: `bucket ${bucket}` };
}

function onObject(ref: BucketRef, method: RestRequest["method"], name: string, action: string): RestRequest {
  return { ...on(ref, method, `/o/${encodeURIComponent(name)}`, action), resource: `gs://${ref.bucket}/${name}` };
}

async function readMedia(ref: BucketRef, name: string, generation?: string): Promise<RestAnswer | null> {
  try {
    return await restIfExists(ref.rest, { ...onObject(ref, "GET", name, "storage.objects.get"), query: { alt: "media", generation }, maxBytes: MAX_DOCUMENT_BYTES });
  } catch (error) {
    if (!(error instanceof KubeassumeError) || error.details["reason"] !== "too-large") throw error;
    const target = `gs://${ref.bucket}/${name}`;
    throw new KubeassumeError(publishCodes.PUBLISHED_DOCUMENT_FOREIGN, { message: `${target} is larger than ${MAX_DOCUMENT_BYTES} bytes`, details: { target }, cause: error });
  }
}

/** A write to a bucket that is not there. */
function explainMissing(ref: BucketRef, error: unknown): unknown {
  if (!isAnswered(error, 404)) return error;
  return new KubeassumeError(codes.GCS_BUCKET_MISSING, { message: `bucket ${ref.bucket} does not exist`, details: { bucket: ref.bucket }, cause: error });
}

async function eachPage(rest: Rest, request: RestRequest, query: NonNullable<RestRequest["query"]>, take: (items: readonly JsonObject[]) => boolean): Promise<void> {
  let pageToken: string | undefined;
  do {
    const { json } = await rest({ ...request, query: { ...query, pageToken } });
    const next = textOf(member(json, "nextPageToken"));
    pageToken = take(itemsOf(json)) && next !== "" && next !== pageToken ? next : undefined;
  } while (pageToken !== undefined);
}

function toBucketFacts(json: JsonObject): BucketFacts {
  const iam = member(json, "iamConfiguration");
  const uniform = isJsonObject(iam) ? member(iam, "uniformBucketLevelAccess") : undefined;
  const prevention = isJsonObject(iam) ? textOf(member(iam, "publicAccessPrevention")) : "";
  return {
    location: textOf(member(json, "location")).toUpperCase(),
    labels: textsOf(member(json, "labels")),
    // Older buckets say "unspecified", which is what "inherited" was called.
    access: isJsonObject(iam) ? { uniform: isJsonObject(uniform) && member(uniform, "enabled") === true, publicAccessPrevention: prevention === "enforced" ? "enforced" : "inherited" } : null,
  };
}

function toListedObject(item: JsonObject): ListedObject {
  return { name: textOf(item["name"]), ...readObjectMarks(textsOf(item["metadata"])) };
}

function toDocument(json: JsonObject, body: string, issuer: string): StoredDocument {
  const marks = readObjectMarks(textsOf(json["metadata"]));
  return {
    body,
    contentType: textOf(json["contentType"]),
    cacheControl: textOf(json["cacheControl"]),
    marked: marks.managed && marks.issuer === issuer,
    version: textOf(json["generation"]),
  };
}

function itemsOf(json: JsonObject): readonly JsonObject[] {
  const items = member(json, "items");
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): Labels {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
