import { S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { CloudWorld } from "../../cloud.ts";
import { toClientConfig } from "../connection/client.ts";
import { toAwsError } from "../connection/errors.ts";

/** A client for the buckets of one region. */
export async function createS3Client(world: CloudWorld, region: string): Promise<S3Client> {
  const config = await toClientConfig(world, "S3", region);
  // Behind an endpoint of one's own, buckets have no host names.
  return new S3Client({ ...config, ...("endpoint" in config ? { forcePathStyle: true } : {}) });
}

/** The account whose credentials these are: every call to a bucket says that it must own it. */
export async function readAccount(world: CloudWorld, region: string): Promise<string> {
  const client = new STSClient(await toClientConfig(world, "STS", region));
  try {
    const answer = await client.send(new GetCallerIdentityCommand({}));
    return answer.Account ?? "";
  } catch (cause) {
    throw toAwsError(cause, { action: "sts:GetCallerIdentity", resource: "the caller" });
  }
}
