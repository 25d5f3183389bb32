import type { CloudInput, CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { awsErrorCodes } from "../codes.ts";
import { isRegion } from "../input/common.ts";
import { cloudConfigOf, textOf } from "../../input.ts";
import { chooseCredentials } from "./credentials.ts";
import { createRequestHandler } from "./transport.ts";

/** Attempts of the SDK's own standard retry; nothing repeats on top of it. */
const MAX_ATTEMPTS = 3;

/** The region by flag, config and environment, in this order; null leaves it to the profile. Throws AWS_REGION_INVALID. */
export function chooseRegion(world: Pick<CloudWorld, "env">, input: CloudInput): string | null {
  const { env } = world;
  const region = textOf(input.flags["region"]) ?? textOf(cloudConfigOf(input, "aws")["region"]) ?? textOf(env["AWS_REGION"]) ?? textOf(env["AWS_DEFAULT_REGION"]);
  if (region === null || isRegion(region)) return region;
  throw new KubeassumeError(awsErrorCodes.AWS_REGION_INVALID, { message: `${JSON.stringify(region.slice(0, 100))} is not the name of a region` });
}

/**
 * What every client of the SDK is made with: credentials and region through AWS's own chain (environment, shared files,
 * SSO, container, instance), endpoints from AWS_ENDPOINT_URL_SERVICE and AWS_ENDPOINT_URL, kubeassume's HTTP.
 */
export async function toClientConfig(world: CloudWorld, service: "IAM" | "STS" | "S3", region: string | null) {
  const endpoint = textOf(world.env[`AWS_ENDPOINT_URL_${service}`]) ?? textOf(world.env["AWS_ENDPOINT_URL"]);
  const requestHandler = createRequestHandler(world.http, world.timeoutMs);
  const common = { requestHandler, maxAttempts: MAX_ATTEMPTS, ...(region === null ? {} : { region }) };
  return { ...common, ...(endpoint === null ? {} : { endpoint }), credentials: await chooseCredentials(world.env, common) };
}

/** Throws AWS_REGION_MISSING when neither flag, environment, config nor profile names a region. */
export async function requireRegion(client: { readonly config: { readonly region: () => Promise<string> } }): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    throw new KubeassumeError(awsErrorCodes.AWS_REGION_MISSING, { message: "no AWS region is set", cause });
  }
}
