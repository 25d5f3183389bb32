import { KubeassumeError } from "../../../errors/error.ts";
import { awsCodeOf, toAwsError } from "../connection/errors.ts";
import { codes } from "./codes.ts";

/** The status of the answer that an SDK error stands for; null when there was none. */
export function statusOf(cause: unknown): number | null {
  const { $metadata, $response } = (cause ?? {}) as SdkError;
  return $metadata?.httpStatusCode ?? $response?.statusCode ?? null;
}

/** S3 answers 404 for a bucket, an object, and every setting that was never made. */
export function isMissing(cause: unknown): boolean {
  return statusOf(cause) === 404;
}

/** An error of an S3 call as ours, with what is particular to buckets. A defect stays what it is. */
export function toS3Error(cause: unknown, action: string, bucket: string): unknown {
  if (cause instanceof KubeassumeError) return cause;
  const code = awsCodeOf(cause);
  if (code === "BucketAlreadyExists") {
    return new KubeassumeError(codes.BUCKET_FOREIGN_OWNER, { message: `bucket name ${bucket} is taken by another account`, details: { bucket }, cause });
  }
  if (code === "BucketNotEmpty") {
    return new KubeassumeError(codes.BUCKET_NOT_EMPTY, { message: `bucket ${bucket} is not empty`, details: { bucket }, cause });
  }
  if (code === "NoSuchBucket") {
    return new KubeassumeError(codes.BUCKET_MISSING, { message: `bucket ${bucket} does not exist`, details: { bucket }, cause });
  }
  if (statusOf(cause) === 301 || code === "PermanentRedirect") return wrongRegion(cause, bucket);
  return toAwsError(cause, { action, resource: bucket === "" ? "the account's buckets" : `bucket ${bucket}` });
}

function wrongRegion(cause: unknown, bucket: string): KubeassumeError {
  // S3 names the right region in a header of every redirect, also of one without a body.
  const region = (cause as SdkError).$response?.headers?.["x-amz-bucket-region"];
  const message = region === undefined ? `bucket ${bucket} is in another region` : `bucket ${bucket} is in ${region}`;
  return new KubeassumeError(codes.BUCKET_REGION, { message, details: { bucket, ...(region === undefined ? {} : { region }) }, cause });
}

interface SdkError {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}
