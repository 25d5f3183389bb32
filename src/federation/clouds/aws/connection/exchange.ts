import { AssumeRoleWithWebIdentityCommand } from "@aws-sdk/client-sts";
import type { Caller, CloudInput, ExchangeAnswer } from "../../cloud.ts";
import { roleArn } from "../arn.ts";
import { readSessionSeconds } from "../input/request.ts";
import { textOf } from "../../input.ts";
import { DEFAULT_SESSION_NAME } from "../judge/facts.ts";
import type { Sdk } from "./calls.ts";
import { chooseRole } from "./chosen-role.ts";
import { awsCodeOf, toAwsError } from "./errors.ts";
import { TransportError } from "./transport.ts";

/** How AWS words a refusal of the token, as against trouble on the way; statuses from 400 to 499 that are not throttling. */
const THROTTLING: ReadonlySet<string> = new Set(["Throttling", "ThrottlingException", "RequestLimitExceeded"]);

/**
 * Asks the real STS: AssumeRoleWithWebIdentity, unsigned. The credentials that it hands out are dropped at once; what is
 * kept is who the session would be. Throws AWS_UNREACHABLE, AWS_THROTTLED, AWS_UNAVAILABLE for trouble that says nothing
 * about the token, and FLAG_INVALID.
 */
export async function exchange({ stsClient }: Sdk, token: string, input: CloudInput, identify: () => Promise<Caller>, principal?: string): Promise<ExchangeAnswer> {
  const RoleArn = principal ?? textOf(input.flags["roleArn"]) ?? roleArn(chooseRole(input, await identify()));
  const RoleSessionName = textOf(input.flags["roleSessionName"]) ?? DEFAULT_SESSION_NAME;
  const DurationSeconds = readSessionSeconds(input.flags);
  const command = new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName, WebIdentityToken: token, ...(DurationSeconds === null ? {} : { DurationSeconds }) });
  try {
    const answer = await stsClient.send(command);
    return { accepted: true, code: null, cloudMessage: null, principal: answer.AssumedRoleUser?.Arn ?? null };
  } catch (error) {
    if (isRefusal(error)) return { accepted: false, code: wireCodeOf(error), cloudMessage: error.message, principal: null };
    throw toAwsError(error, { action: "sts:AssumeRoleWithWebIdentity", resource: RoleArn });
  }
}

function isRefusal(error: unknown): error is Error & { readonly Code?: string } {
  if (!(error instanceof Error) || error instanceof TransportError || awsCodeOf(error) === "") return false;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500 && status !== 429 && !THROTTLING.has(wireCodeOf(error));
}

/** AWS's code as it is on the wire: the SDK's name of the class may have `Exception` appended. */
function wireCodeOf(error: Error & { readonly Code?: unknown }): string {
  return typeof error.Code === "string" && error.Code !== "" ? error.Code : error.name;
}
