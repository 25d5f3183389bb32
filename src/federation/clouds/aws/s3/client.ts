import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import type { CloudInput, CloudWorld } from "../../cloud.ts";
import { readCaller } from "../connection/caller.ts";
import { chooseRegion, requireRegion, toClientConfig } from "../connection/client.ts";

/** A client for the buckets of one region. */
export async function createS3Client(world: CloudWorld, region: string): Promise<S3Client> {
  const config = await toClientConfig(world, "S3", region);
  // Behind an endpoint of one's own, buckets have no host names.
  return new S3Client({ ...config, ...("endpoint" in config ? { forcePathStyle: true } : {}) });
}

/** The account whose credentials these are: every call to a bucket says that it must own it. */
export async function readAccount(world: CloudWorld, region: string): Promise<string> {
  const { account } = await readCaller(new STSClient(await toClientConfig(world, "STS", region)));
  return account;
}

/** The region for calls that concern the whole account: by flag, config, environment or profile. Throws AWS_REGION_MISSING. */
export async function readHomeRegion(world: CloudWorld, input: CloudInput): Promise<string> {
  return chooseRegion(world, input) ?? requireRegion(new STSClient(await toClientConfig(world, "STS", null)));
}
