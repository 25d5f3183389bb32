import type { CloudInput, SetupSpec } from "../../cloud.ts";
import { awsInputCodes } from "../codes.ts";
import { type AudienceChoice, readAudiences, readRegion } from "./common.ts";
import { cloudConfigOf, createProblems, type Problems, readIssuerUrl, textOf } from "../../input.ts";

/** `auto` computes them where AWS uses one, `none` leaves them out and alone; else a SHA-1 in lower-case hex. */
export type ThumbprintChoice = "auto" | "none" | { readonly sha1: string };

export interface AwsSetupSpec extends SetupSpec, AudienceChoice {
  readonly audiences: readonly string[];
  readonly region: string | null;
  readonly thumbprint: ThumbprintChoice;
}

/**
 * `setup aws` from flags and config. Throws all problems at once: FLAG_MISSING, ISSUER_*, AWS_AUDIENCE_INVALID,
 * AWS_TOO_MANY_AUDIENCES, AWS_THUMBPRINT_INVALID, AWS_REGION_INVALID.
 */
export function toSetupSpec(input: CloudInput): AwsSetupSpec {
  const problems = createProblems();
  const spec = {
    issuer: readIssuerUrl(input, problems),
    ...readAudiences(input, problems),
    region: readRegion(input, problems),
    thumbprint: readThumbprint(input, problems),
    adopt: input.flags["adopt"] === true,
    keySource: "discovery" as const,
  };
  problems.throwAll();
  return spec;
}

function readThumbprint(input: CloudInput, problems: Problems): ThumbprintChoice {
  const given = textOf(input.flags["thumbprint"]) ?? textOf(cloudConfigOf(input, "aws")["thumbprint"]) ?? "auto";
  if (given === "auto" || given === "none") return given;
  // openssl prints colons between the bytes; IAM wants none.
  const sha1 = given.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{40}$/.test(sha1)) {
    problems.add(awsInputCodes.AWS_THUMBPRINT_INVALID, `thumbprint ${JSON.stringify(given.slice(0, 120))} is neither auto, none, nor 40 hex digits`);
  }
  return { sha1 };
}
