import type { AwsSecurityCredentials, AwsSecurityCredentialsSupplier } from "google-auth-library";
import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { HttpFailure } from "../../../http/http.ts";
import { type JsonObject, parseJsonObject } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { gcpErrorCodes } from "../codes.ts";
import { withAttempts } from "../../../http/attempts.ts";
import { toUnreachable } from "./errors.ts";

/**
 * AWS credentials for an external account of AWS (AIP-4117): from the environment that was handed in, else from the
 * instance's metadata at the URLs that the credential file names. The library's own reads the process's environment.
 */
export function createAwsSupplier(world: CloudWorld, source: JsonObject): AwsSecurityCredentialsSupplier {
  return {
    getAwsRegion: async () => textOf(world.env["AWS_REGION"]) ?? textOf(world.env["AWS_DEFAULT_REGION"]) ?? (await readRegion(world, source)),
    getAwsSecurityCredentials: async () => fromEnv(world.env) ?? (await readKeys(world, source)),
  };
}

function fromEnv(env: CloudWorld["env"]): AwsSecurityCredentials | null {
  const [accessKeyId, secretAccessKey, token] = [textOf(env["AWS_ACCESS_KEY_ID"]), textOf(env["AWS_SECRET_ACCESS_KEY"]), textOf(env["AWS_SESSION_TOKEN"])];
  return accessKeyId === null || secretAccessKey === null ? null : toCredentials(accessKeyId, secretAccessKey, token);
}

/** The region is the availability zone without its last letter. */
async function readRegion(world: CloudWorld, source: JsonObject): Promise<string> {
  const zone = await readText(world, source, textOf(source["region_url"]), "the region");
  return zone.slice(0, -1);
}

async function readKeys(world: CloudWorld, source: JsonObject): Promise<AwsSecurityCredentials> {
  const url = textOf(source["url"]);
  const role = await readText(world, source, url, "the role");
  const json = parseJsonObject(await readText(world, source, `${url}/${encodeURIComponent(role)}`, "the keys"));
  const [accessKeyId, secretAccessKey] = [textOf(json?.["AccessKeyId"]), textOf(json?.["SecretAccessKey"])];
  if (accessKeyId === null || secretAccessKey === null) throw missing("the keys");
  return toCredentials(accessKeyId, secretAccessKey, textOf(json?.["Token"]));
}

function toCredentials(accessKeyId: string, secretAccessKey: string, token: string | null): AwsSecurityCredentials {
  return { accessKeyId, secretAccessKey, ...(token === null ? {} : { token }) };
}

async function readText(world: CloudWorld, source: JsonObject, url: string | null, what: string): Promise<string> {
  if (url === null) throw missing(what);
  const sessionUrl = textOf(source["imdsv2_session_token_url"]);
  const session = sessionUrl === null ? null : await request(world, sessionUrl, "PUT", { "x-aws-ec2-metadata-token-ttl-seconds": "300" });
  const text = await request(world, url, "GET", session === null ? {} : { "x-aws-ec2-metadata-token": session });
  if (text === null || text.trim() === "") throw missing(what);
  return text.trim();
}

async function request(world: CloudWorld, url: string, method: string, headers: Readonly<Record<string, string>>): Promise<string | null> {
  try {
    const attempts = { timeoutMs: world.timeoutMs, signal: world.signal, repeatable: true };
    const answer = await withAttempts(attempts, (timeoutMs) => world.http({ url, method, headers, timeoutMs }));
    return answer.status === 200 ? answer.body : null;
  } catch (error) {
    if (error instanceof HttpFailure) throw toUnreachable(error, { action: "the AWS credentials", resource: new URL(url).host });
    throw error;
  }
}

function missing(what: string): KubeassumeError {
  return new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_INVALID, {
    message: `the external account needs AWS credentials, and neither the environment nor the instance's metadata tells ${what}`,
    hint: "set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run on an EC2 instance with a role",
  });
}
