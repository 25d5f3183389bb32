import type { AwsState, Bucket } from "../state.ts";
import type { S3Call } from "./call.ts";
import { noSuchBucket } from "./errors.ts";

export function bucketArn(name: string, { partition }: AwsState): string {
  return `arn:${partition}:s3:::${name}`;
}

/** @throws AwsError NoSuchBucket */
export function bucketOf(call: S3Call): Bucket {
  const bucket = call.state.buckets.get(call.bucketName);
  if (bucket === undefined) throw noSuchBucket(call.bucketName);
  return bucket;
}
