import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { DISCOVERY_PATH } from "../../../publish/documents.ts";
import { textOf } from "../../../publish/input.ts";
import { prefixOf } from "../../../publish/prefix.ts";
import type { StoreInput } from "../../../publish/store.ts";
import { awsErrorCodes } from "../codes.ts";
import { issuerTagValue, readMarks } from "../marks.ts";
import * as calls from "./calls.ts";
import { createS3Client, readAccount, readHomeRegion } from "./client.ts";
import { codes } from "./codes.ts";
import { publishedNames } from "./policy.ts";
import { type S3Spec, s3SpecOf, toS3Spec } from "./spec.ts";
import { parseS3Url } from "./url.ts";

/** How many buckets are looked at together. */
const TOGETHER = 8;

/**
 * Where an issuer's documents lie: in the bucket that flags or config name, in the one that the issuer URL names, or
 * in a bucket of the account whose policy has our statement for the issuer, or whose tags name it. Null when no bucket
 * has any of it. Reads only.
 */
export async function findPlace(world: CloudWorld, input: StoreInput, issuer: string): Promise<S3Spec | null> {
  const named = textOf(input.flags["bucket"]) ?? textOf(input.entry["bucket"]);
  // The bucket's own region outweighs --region, which a teardown gives for the cloud as a whole.
  const region = textOf(input.entry["region"]) ?? textOf(input.flags["region"]);
  if (named !== null) return toS3Spec({ ...input, flags: { ...input.flags, issuerUrl: issuer, ...(region === null ? {} : { region }) } });
  const served = parseS3Url(issuer);
  if (served !== null) return s3SpecOf(served, issuer, false);
  const home = await readHomeRegion(world, input);
  const client = await createS3Client(world, home);
  const [owner, buckets] = await Promise.all([readAccount(world, home), calls.listBuckets(client, "")]);
  for (let from = 0; from < buckets.length; from += TOGETHER) {
    const batch = buckets.slice(from, from + TOGETHER).map(async ({ bucket, region }) => {
      const at = region ?? home;
      return search({ client: at === home ? client : await createS3Client(world, at), bucket, region: at, owner }, issuer);
    });
    const found = (await Promise.all(batch)).find((spec) => spec !== null);
    if (found !== undefined) return found;
  }
  return null;
}

async function search(ref: calls.BucketRef, issuer: string): Promise<S3Spec | null> {
  const [policy, tags] = await Promise.all([readable(calls.readPolicy(ref), null), readable(calls.readTags(ref), [])]);
  const names = policy === null ? [] : publishedNames(policy, issuer, ref.bucket);
  const discovery = names.find((name) => name.endsWith(DISCOVERY_PATH));
  if (discovery !== undefined) return specAt(ref, issuer, discovery.slice(0, -DISCOVERY_PATH.length));
  const marks = readMarks(tags);
  // Made for this issuer, but the policy is gone or was never written: what is left lies where publish puts it by itself.
  if (marks.managed && marks.issuerTag === issuerTagValue(issuer)) return specAt(ref, issuer, prefixOf(issuer, ref.bucket));
  return null;
}

/** A bucket that this caller may not look into is not one that kubeassume made with the caller's rights. */
async function readable<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  return reading.catch((cause: unknown) => {
    const passing: readonly string[] = [awsErrorCodes.AWS_ACCESS_DENIED.code, codes.BUCKET_REGION.code, codes.BUCKET_POLICY_MALFORMED.code];
    if (cause instanceof KubeassumeError && passing.includes(cause.code)) return otherwise;
    throw cause;
  });
}

function specAt({ bucket, region }: calls.BucketRef, issuer: string, path: string): S3Spec {
  return s3SpecOf({ bucket, region, prefix: path.replace(/^\/|\/$/g, "") }, issuer, false);
}
