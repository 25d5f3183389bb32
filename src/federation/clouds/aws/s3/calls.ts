import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { codes as publishCodes } from "../../../publish/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { Fields } from "../../../plan/step.ts";
import type { DocumentWrite, StoredDocument } from "../../../publish/store.ts";
import { issuerTagValue, ISSUER_TAG, MANAGED_BY, MANAGED_BY_TAG, type Tag } from "../marks.ts";
import { awsErrorCodes } from "../codes.ts";
import { awsCodeOf } from "../connection/errors.ts";
import { isMissing, statusOf, toS3Error } from "./errors.ts";

/** A bucket of one account. Every call carries ExpectedBucketOwner: a bucket that changed hands is never touched. */
export interface BucketRef {
  readonly client: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** Account id. */
  readonly owner: string;
}

/** More than any key set that relying parties read. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** Object metadata: tags would cost a permission and a call more, and the name of a tag is no header. */
const MARK_METADATA = { managedBy: "kubeassume-managed-by", issuer: "kubeassume-issuer" } as const;

/** The bucket's region; null when it does not exist. */
export async function readRegion(ref: BucketRef): Promise<string | null> {
  return call(ref, "s3:ListBucket", async () => {
    const answer = await ref.client.send(new HeadBucketCommand(target(ref)));
    return answer.BucketRegion ?? ref.region;
  });
}

/** What a store answers for a setting that S3 has and it does not: nothing to repair there. */
const UNSUPPORTED: Fields = { supported: false };

/** Object ownership; null when it was never set. */
export async function readOwnership(ref: BucketRef): Promise<Fields | null> {
  return callForSetting(ref, "s3:GetBucketOwnershipControls", async () => {
    const answer = await ref.client.send(new GetBucketOwnershipControlsCommand(target(ref)));
    const found = answer.OwnershipControls?.Rules?.[0]?.ObjectOwnership;
    return found === undefined ? null : { ObjectOwnership: found };
  });
}

/** The bucket's four public-access flags; null when they were never set. */
export async function readPublicAccess(ref: BucketRef): Promise<Fields | null> {
  return callForSetting(ref, "s3:GetBucketPublicAccessBlock", async () => {
    const found = (await ref.client.send(new GetPublicAccessBlockCommand(target(ref)))).PublicAccessBlockConfiguration;
    if (found === undefined) return null;
    const { BlockPublicAcls = false, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false } = found;
    return { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets };
  });
}

/** The bucket policy's text, byte for byte; null when there is none. */
export async function readPolicy(ref: BucketRef): Promise<string | null> {
  return call(ref, "s3:GetBucketPolicy", async () => (await ref.client.send(new GetBucketPolicyCommand(target(ref)))).Policy ?? null);
}

/** The bucket's tags; empty when it has none. */
export async function readTags(ref: BucketRef): Promise<readonly Tag[]> {
  const found = await call(ref, "s3:GetBucketTagging", async () => (await ref.client.send(new GetBucketTaggingCommand(target(ref)))).TagSet ?? []);
  return (found ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [{ Key, Value: Value ?? "" }]));
}

/** The first names in the bucket, at most `limit`. */
export async function listNames(ref: BucketRef, limit: number): Promise<readonly string[]> {
  const found = await call(ref, "s3:ListBucket", () => ref.client.send(new ListObjectsV2Command({ ...target(ref), MaxKeys: limit })));
  return (found?.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
}

/** @param issuer whose mark counts */
export async function readObject(ref: BucketRef, name: string, issuer: string): Promise<StoredDocument | null> {
  return call(ref, "s3:GetObject", async () => {
    const answer = await ref.client.send(new GetObjectCommand({ ...target(ref), Key: name }));
    const metadata = answer.Metadata ?? {};
    const marked = metadata[MARK_METADATA.managedBy] === MANAGED_BY && metadata[MARK_METADATA.issuer] === issuerTagValue(issuer);
    const body = await readBody(answer.Body, `s3://${ref.bucket}/${name}`);
    return { body, contentType: answer.ContentType ?? "", cacheControl: answer.CacheControl ?? "", version: answer.ETag ?? "", marked };
  });
}

/** Writes a document with our mark under the condition of the write; `conflict` when S3 says that it does not hold (412, 409). */
export async function writeObject(ref: BucketRef, write: DocumentWrite, issuer: string): Promise<"written" | "conflict"> {
  const condition = write.replaces === null ? { IfNoneMatch: "*" } : { IfMatch: write.replaces };
  const { name: Key, body: Body, contentType: ContentType, cacheControl: CacheControl } = write;
  const Metadata = { [MARK_METADATA.managedBy]: MANAGED_BY, [MARK_METADATA.issuer]: issuerTagValue(issuer) };
  try {
    await ref.client.send(new PutObjectCommand({ ...target(ref), ...condition, Key, Body, ContentType, CacheControl, Metadata }));
    return "written";
  } catch (cause) {
    const code = awsCodeOf(cause);
    // S3 answers If-Match on an object that is gone with NoSuchKey, and a race of two writers with 409.
    const lost = statusOf(cause) === 412 || code === "ConditionalRequestConflict" || (code === "NoSuchKey" && write.replaces !== null);
    if (lost) return "conflict";
    throw toS3Error(cause, "s3:PutObject", ref.bucket);
  }
}

/** Deletes an object; fine when there is none. */
export async function removeObject(ref: BucketRef, name: string): Promise<void> {
  await call(ref, "s3:DeleteObject", () => ref.client.send(new DeleteObjectCommand({ ...target(ref), Key: name })));
}

/** Makes the bucket in its region; fine when the account has it already. */
export async function createBucket(ref: BucketRef): Promise<void> {
  // us-east-1 is the region without a name: S3 refuses its constraint.
  const constraint = ref.region as BucketLocationConstraint;
  const configuration = ref.region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: constraint } };
  try {
    await ref.client.send(new CreateBucketCommand({ Bucket: ref.bucket, ...configuration }));
  } catch (cause) {
    if (awsCodeOf(cause) !== "BucketAlreadyOwnedByYou") throw toS3Error(cause, "s3:CreateBucket", ref.bucket);
  }
}

/** Adds tags to those that the bucket has. */
export async function addTags(ref: BucketRef, tags: readonly Tag[]): Promise<void> {
  const others = (await readTags(ref)).filter(({ Key }) => Key !== MANAGED_BY_TAG && Key !== ISSUER_TAG);
  await write(ref, "s3:PutBucketTagging", () => ref.client.send(new PutBucketTaggingCommand({ ...target(ref), Tagging: { TagSet: [...others, ...tags] } })));
}

/** Switches access control lists off (BucketOwnerEnforced). */
export async function writeOwnership(ref: BucketRef): Promise<void> {
  const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
  await writeSetting(ref, "s3:PutBucketOwnershipControls", () => ref.client.send(new PutBucketOwnershipControlsCommand({ ...target(ref), OwnershipControls })));
}

/** Sets all four public-access flags. */
export async function writePublicAccess(ref: BucketRef, PublicAccessBlockConfiguration: Readonly<Record<string, boolean>>): Promise<void> {
  await writeSetting(ref, "s3:PutBucketPublicAccessBlock", () => ref.client.send(new PutPublicAccessBlockCommand({ ...target(ref), PublicAccessBlockConfiguration })));
}

/** @param text null removes the policy */
export async function writePolicy(ref: BucketRef, text: string | null): Promise<void> {
  if (text === null) await write(ref, "s3:DeleteBucketPolicy", () => ref.client.send(new DeleteBucketPolicyCommand(target(ref))));
  else await write(ref, "s3:PutBucketPolicy", () => ref.client.send(new PutBucketPolicyCommand({ ...target(ref), Policy: text })));
}

/** Deletes the bucket; fine when it is gone. Throws BUCKET_NOT_EMPTY. */
export async function removeBucket(ref: BucketRef): Promise<void> {
  await call(ref, "s3:DeleteBucket", () => ref.client.send(new DeleteBucketCommand(target(ref))));
}

/** Every bucket of the account whose name begins so, with its region. */
export async function listBuckets(client: S3Client, prefix: string): Promise<readonly { readonly bucket: string; readonly region: string | null }[]> {
  const found: { bucket: string; region: string | null }[] = [];
  let token: string | undefined;
  try {
    do {
      const page = { MaxBuckets: 1000, ...(prefix === "" ? {} : { Prefix: prefix }), ...(token === undefined ? {} : { ContinuationToken: token }) };
      const answer = await client.send(new ListBucketsCommand(page));
      for (const { Name, BucketRegion } of answer.Buckets ?? []) if (Name !== undefined) found.push({ bucket: Name, region: BucketRegion ?? null });
      token = answer.ContinuationToken;
    } while (token !== undefined && token !== "");
  } catch (cause) {
    throw toS3Error(cause, "s3:ListAllMyBuckets", "");
  }
  return found;
}

function target({ bucket, owner }: BucketRef): { readonly Bucket: string; readonly ExpectedBucketOwner: string } {
  return { Bucket: bucket, ExpectedBucketOwner: owner };
}

/** Null for whatever is not there. */
async function call<T>(ref: BucketRef, action: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof KubeassumeError) throw cause;
    if (isMissing(cause)) return null;
    throw toS3Error(cause, action, ref.bucket);
  }
}

async function write(ref: BucketRef, action: string, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (cause) {
    throw toS3Error(cause, action, ref.bucket);
  }
}

/** S3-compatible stores without such a setting answer 501; there is nothing in the way then. */
async function callForSetting(ref: BucketRef, action: string, work: () => Promise<Fields | null>): Promise<Fields | null> {
  return call(ref, action, () => work().catch((cause: unknown) => (statusOf(cause) === 501 ? UNSUPPORTED : Promise.reject(cause))));
}

async function writeSetting(ref: BucketRef, action: string, send: () => Promise<unknown>): Promise<void> {
  await write(ref, action, () => send().catch((cause: unknown) => (statusOf(cause) === 501 ? undefined : Promise.reject(cause))));
}

/** The SDK compares the checksum while the body is read; its error then has neither a code nor the answer. */
async function readBody(body: unknown, place: string): Promise<string> {
  try {
    return await readBounded(body, place);
  } catch (cause) {
    if (cause instanceof KubeassumeError) throw cause;
    throw new KubeassumeError(awsErrorCodes.AWS_UNREACHABLE, { message: `s3:GetObject of ${place} has a body that does not match its checksum`, details: { target: place }, cause });
  }
}

async function readBounded(body: unknown, place: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_DOCUMENT_BYTES) {
      const message = `${place} is larger than ${MAX_DOCUMENT_BYTES} bytes`;
      throw new KubeassumeError(publishCodes.PUBLISHED_DOCUMENT_FOREIGN, { message, details: { target: place } });
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString("utf8");
}
