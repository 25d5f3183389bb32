import type { CloudInput, JudgeInput, Provider } from "../cloud.ts";
import { audiencesFor } from "./desired/account.ts";
import { judgeIssuer } from "./desired/judge-issuer.ts";
import { desiredSetup } from "./desired/provider.ts";
import { desiredGrants } from "./desired/role.ts";
import { type AwsGrantSpec, toGrantSpecs } from "./input/grant-spec.ts";
import { readSessionSeconds } from "./input/request.ts";
import { type AwsSetupSpec, toSetupSpec } from "./input/setup-spec.ts";
import { readAudiences } from "./input/common.ts";
import { createProblems, textOf } from "../input.ts";
import { judgeAws } from "./judge/judge.ts";
import { parseTrustFile, toTrustRecords } from "./judge/trust-file.ts";
import { permissions } from "./permissions/permissions.ts";
import { judgeStatus } from "./status/judge-status.ts";
import { describeGrant, describeSetup } from "./texts/describe.ts";
import { trustPolicy } from "./texts/trust-policy.ts";

/** AWS without its network; the SDK is loaded by `connect` alone. */
export const awsProvider: Provider<AwsSetupSpec, AwsGrantSpec> = {
  toSetupSpec,
  toGrantSpecs,
  judgeIssuer,
  desiredSetup,
  desiredGrants,
  describeSetup,
  describeGrant,
  trustPolicy,
  permissions,
  judge,
  audiences: audiencesFor,
  audienceOf,
  principalOf: (trust, { flags }) => textOf(flags["roleArn"]) ?? toTrustRecords(trust).role?.Arn,
  parseTrustFile: (text) => ({ ...parseTrustFile(text) }),
  judgeStatus,
  connect: async (world, input) => (await import("./connection/connect.ts")).connect(world, input),
};

function judge({ token, discovery, jwks, trust, flags, at }: JudgeInput) {
  const { provider, role } = toTrustRecords(trust);
  const request = {
    roleArn: textOf(flags["roleArn"]) ?? undefined,
    roleSessionName: textOf(flags["roleSessionName"]) ?? undefined,
    durationSeconds: readSessionSeconds(flags) ?? undefined,
  };
  return judgeAws({ token, discovery, jwks, provider, role, request, at });
}

/** The first that is given, else the convention of the region's partition. */
async function audienceOf(input: CloudInput): Promise<string> {
  const problems = createProblems();
  const { audiences } = readAudiences(input, problems);
  problems.throwAll();
  return audiences[0] ?? "";
}
