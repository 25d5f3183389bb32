import { AssumeRoleWithWebIdentityCommand } from "@aws-sdk/client-sts";
import type { Caller, CloudInput, ExchangeAnswer } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { roleArn } from "../arn.ts";
import { textOf } from "../input/values.ts";
import { DEFAULT_SESSION_NAME } from "../judge/facts.ts";
import type { Sdk } from "./calls.ts";
import { chooseRole } from "./chosen-role.ts";
import { awsCodeOf, toAwsError } from "./errors.ts";
import { TransportError } from "./transport.ts";

/** STS's own minimum and maximum, in seconds. */
const DURATION = { min: 900, max: 43_200 } as const;

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
  const DurationSeconds = readDuration(input);
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

function readDuration(input: CloudInput): number | null {
  const given = textOf(input.flags["durationSeconds"]);
  if (given === null) return null;
  if (/^\d{1,6}$/.test(given) && Number(given) >= DURATION.min && Number(given) <= DURATION.max) return Number(given);
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `--duration-seconds ${given.slice(0, 60)} is not ${DURATION.min} to ${DURATION.max}` });
}
