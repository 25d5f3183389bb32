import type { CloudInput } from "../../cloud.ts";
import { awsErrorCodes, awsInputCodes } from "../codes.ts";
import { defaultAudience, partitionOfRegion } from "../partition.ts";
import { cloudConfigOf, listOf, type Problems, textOf } from "../../input.ts";

const MAX_AUDIENCES = 100;
const MAX_AUDIENCE_LENGTH = 255;

/** What audiences tokens may carry, as far as it is known without the caller. */
export interface AudienceChoice {
  /** Never empty: the convention of the region's partition when none is given. */
  readonly audiences: readonly string[];
  /** False when `audiences` is that convention and gives way to the one of the caller's partition. */
  readonly audiencesGiven: boolean;
}

/** From `--audience` or `clouds.aws.audiences`: at most 100, each of 1 to 255 characters (IAM CreateOpenIDConnectProvider). */
export function readAudiences(input: CloudInput, problems: Problems): AudienceChoice {
  const given = listOf(input.flags["audience"]) ?? listOf(cloudConfigOf(input, "aws")["audiences"]) ?? [];
  const audiences = [...new Set(given)];
  for (const audience of audiences) {
    const shown = JSON.stringify(audience.length > 300 ? `${audience.slice(0, 300)}...` : audience);
    if (audience === "" || audience.length > MAX_AUDIENCE_LENGTH) {
      problems.add(awsInputCodes.AWS_AUDIENCE_INVALID, `audience ${shown} has ${audience.length} characters, not 1 to ${MAX_AUDIENCE_LENGTH}`);
    } else if (/[^\x21-\x7e]/.test(audience)) {
      problems.add(awsInputCodes.AWS_AUDIENCE_INVALID, `audience ${shown} contains white space, control or non-ASCII characters`);
    }
  }
  if (audiences.length > MAX_AUDIENCES) {
    problems.add(awsInputCodes.AWS_TOO_MANY_AUDIENCES, `${audiences.length} audiences are given, more than ${MAX_AUDIENCES}`);
  }
  if (audiences.length > 0) return { audiences, audiencesGiven: true };
  const region = textOf(input.flags["region"]) ?? textOf(cloudConfigOf(input, "aws")["region"]);
  return { audiences: [defaultAudience(region === null ? "aws" : partitionOfRegion(region))], audiencesGiven: false };
}

/** From `--region` or `clouds.aws.region`; null leaves it to the environment and the profile. */
export function readRegion(input: CloudInput, problems: Problems): string | null {
  const region = textOf(input.flags["region"]) ?? textOf(cloudConfigOf(input, "aws")["region"]);
  if (region !== null && !isRegion(region)) {
    problems.add(awsErrorCodes.AWS_REGION_INVALID, `${JSON.stringify(region)} is not the name of a region`);
  }
  return region;
}

/** The form of region names. The list itself grows every year, so it is not here. */
export function isRegion(text: string): boolean {
  return /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/.test(text);
}
