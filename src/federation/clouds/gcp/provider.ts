import type { Caller, CloudInput, JudgeInput, Provider } from "../cloud.ts";
import { configGrants, createProblems, listOf, membersOf, textOf } from "../input.ts";
import { audiencesFor } from "./desired/audiences.ts";
import { desiredGrants } from "./desired/grants.ts";
import { judgeIssuer } from "./desired/judge-issuer.ts";
import { desiredSetup } from "./desired/setup.ts";
import { readAudiences, readIds } from "./input/common.ts";
import { type GcpGrantSpec, toGrantSpecs } from "./input/grant-spec.ts";
import { type GcpSetupSpec, toSetupSpec } from "./input/setup-spec.ts";
import { judgeGcp } from "./judge/judge.ts";
import { parseTrustFile, toTrustRecords } from "./judge/trust-file.ts";
import { isProjectNumber, serviceAccountMember } from "./names.ts";
import { permissions } from "./permissions/permissions.ts";
import { judgeStatus } from "./status/judge-status.ts";
import { describeGrant, describeSetup } from "./texts/describe.ts";
import { trustPolicy } from "./texts/trust-policy.ts";

/** GCP without its network; the SDK is loaded by `connect` alone. */
export const gcpProvider: Provider<GcpSetupSpec, GcpGrantSpec> = {
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
  principalOf,
  parseTrustFile: (text) => ({ ...parseTrustFile(text) }),
  judgeStatus,
  connect: async (world, input) => (await import("./connection/connect.ts")).connect(world, input),
};

function judge({ token, discovery, jwks, trust, flags, at }: JudgeInput) {
  const records = toTrustRecords(trust);
  const serviceAccount = textOf(flags["impersonate"]) ?? records.serviceAccount;
  // Without any records nobody looked: what is no token is refused whatever there is.
  const target = Object.keys(trust).length === 0 ? { pool: undefined, provider: undefined } : {};
  return judgeGcp({ ...records, ...target, token, discovery, jwks, serviceAccount, roles: listOf(flags["role"]) ?? [], at });
}

/** The service account that flags, records or the grant of the config name; undefined for direct access. */
function principalOf(trust: Readonly<Record<string, unknown>>, input: CloudInput): string | undefined {
  const email = textOf(input.flags["impersonate"]) ?? toTrustRecords(trust).serviceAccount ?? emailOfGrant(input);
  return email === null ? undefined : serviceAccountMember(email);
}

function emailOfGrant(input: CloudInput): string | null {
  const account = input.flags["serviceAccount"];
  const grant = configGrants(input, "gcp").find(({ serviceAccount }) => serviceAccount === account);
  return grant === undefined ? null : textOf(membersOf(grant, "gcp")["impersonate"]);
}

/** The first that is given, else the provider's own name: with the number that is given, or that of the caller's project. */
async function audienceOf(input: CloudInput, identify: () => Promise<Caller>): Promise<string> {
  const problems = createProblems();
  const audiences = readAudiences(input, problems);
  if (audiences[0] !== undefined) {
    problems.throwAll();
    return audiences[0];
  }
  const place = { project: "", ...readIds(input, problems), audiences };
  problems.throwAll();
  const number = textOf(input.flags["projectNumber"]);
  const caller = number !== null && isProjectNumber(number) ? { name: "", account: number } : await identify();
  return audiencesFor(place, caller)[0] ?? "";
}
