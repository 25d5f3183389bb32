import type { CloudInput, ServiceAccount, TrustTexts } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import type { Problem } from "../../../errors/error.ts";
import { parseServiceAccountName } from "../../../oidc/subject.ts";
import { createProblems, listOf, type Problems, readIssuerUrl, textOf, uniqueAccounts } from "../../input.ts";
import { gcpInputCodes } from "../codes.ts";
import { judgeCondition } from "../desired/condition.ts";
import { IMPERSONATION_ROLE } from "../desired/grants.ts";
import { toMapping } from "../desired/mapping.ts";
import { policyTarget } from "../ids.ts";
import { checkSubject, givenText, quote, readAudiences, readIds, readProject } from "../input/common.ts";
import { type GcpAccess, readAccess } from "../input/grant-spec.ts";
import { readCondition, readKeySource, readPoolName } from "../input/setup-spec.ts";
import { withMark } from "../marks.ts";
import { defaultAudience, isProjectNumber, poolName, providerName, subjectFor, subjectMember } from "../names.ts";
import { bindingCommands, credentialCommand, trustCommands } from "./commands.ts";
import { DEFAULT_UNIVERSE } from "./credential-config.ts";
import { clientProject, toTexts } from "./describe.ts";
import { TOKEN_PATH } from "./manifests.ts";
import { type BindingInput, toRecords, type TrustInput } from "./records.ts";

/**
 * `trust-policy gcp`: everything from flags and config, nothing from the network. Members need the project's number; the
 * ID is for the commands alone. Throws all problems at once: FLAG_MISSING, FLAGS_CONFLICT, ISSUER_*,
 * SERVICE_ACCOUNT_INVALID, GCP_PROJECT_NUMBER_INVALID and what setup and grant say of the same flags.
 */
export function trustPolicy(input: CloudInput): TrustTexts {
  const problems = createProblems();
  const trust = readTrust(input, problems);
  const number = readNumber(input, problems);
  const project = givenText(input, "project") === null ? null : readProject(input, problems);
  const accounts = readAccounts(input, trust.subjectPrefix, problems);
  const access = readAccessIfAny(input, project, accounts, problems);
  const { poolId, providerId, subjectPrefix, audiences } = trust;
  const provider = providerName({ project: number, poolId, providerId });
  const pool = poolName({ project: number, poolId });
  const [audience = defaultAudience(provider)] = audiences;
  const judged = judgeCondition({ issuer: trust.issuer, audience, mapping: toMapping(subjectPrefix), condition: trust.condition, accounts });
  problems.include(judged.problems);
  problems.throwAll();
  const binding = access === null ? null : toBinding(access, project ?? number, accounts.map((account) => subjectMember(pool, subjectFor(account, subjectPrefix))));
  return toOutput({ trust: { ...trust, pool, provider, mapping: toMapping(subjectPrefix), jwksJson: "" }, input, number, project, accounts, access, binding, audience, warnings: judged.warnings });
}

interface Output {
  readonly trust: TrustInput;
  readonly input: CloudInput;
  readonly number: string;
  readonly project: string | null;
  readonly accounts: readonly ServiceAccount[];
  readonly access: GcpAccess | null;
  readonly binding: BindingInput | null;
  readonly audience: string;
  readonly warnings: readonly Problem[];
}

function toOutput({ trust, input, number, project, accounts, access, binding, audience, warnings }: Output): TrustTexts {
  const impersonate = access?.kind === "impersonate" ? access.email : null;
  const universe = textOf(input.flags["universeDomain"]) ?? DEFAULT_UNIVERSE;
  const jwksFile = givenText(input, "keys") === "upload" ? (textOf(input.flags["jwksFile"]) ?? "jwks.json") : null;
  return {
    ...toTexts({ serviceAccounts: accounts, provider: trust.provider, audience, impersonate, project: clientProject(access, project), universe }),
    trustPolicy: toRecords(trust, binding),
    commands: [
      ...trustCommands(trust, project ?? number, jwksFile),
      ...(binding === null ? [] : bindingCommands(binding, access?.kind === "impersonate" && access.create ? trust.issuer : null)),
      credentialCommand(trust.provider, TOKEN_PATH, impersonate),
    ],
    warnings,
  };
}

function readTrust(input: CloudInput, problems: Problems) {
  const issuer = readIssuerUrl(input, problems);
  readKeySource(input, problems);
  return {
    issuer,
    ...readIds(input, problems),
    audiences: readAudiences(input, problems),
    displayName: readPoolName(input, problems),
    condition: readCondition(input, problems) ?? "",
    description: withMark("", issuer) ?? "",
  };
}

function readNumber(input: CloudInput, problems: Problems): string {
  const number = textOf(input.flags["projectNumber"]);
  if (number === null) problems.add(codes.FLAG_MISSING, "no project number is given", "give --project-number: gcloud projects describe PROJECT --format='value(projectNumber)' prints it");
  else if (!isProjectNumber(number)) problems.add(gcpInputCodes.GCP_PROJECT_NUMBER_INVALID, `project number ${quote(number)} is not a number`);
  return number ?? "";
}

function readAccounts(input: CloudInput, subjectPrefix: string, problems: Problems): readonly ServiceAccount[] {
  const named = listOf(input.flags["serviceAccount"]) ?? [];
  if (named.length === 0) problems.add(codes.FLAG_MISSING, "no service account is given", "give --service-account NAMESPACE/NAME");
  const parsed = named.map((text) => problems.try(() => parseServiceAccountName(text)));
  const accounts = uniqueAccounts(parsed.filter((account): account is ServiceAccount => account !== undefined));
  for (const account of accounts) checkSubject(account, subjectPrefix, problems);
  return accounts;
}

/** Without a flag about access the texts are about pool, provider and pods alone. */
function readAccessIfAny(input: CloudInput, project: string | null, accounts: readonly ServiceAccount[], problems: Problems): GcpAccess | null {
  const { role, on, impersonate, createServiceAccount } = input.flags;
  if ([role, on, impersonate, createServiceAccount].every((value) => value === undefined)) return null;
  const names = accounts.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
  return readAccess(project, names, { roles: role, on, impersonate, createServiceAccount }, problems);
}

function toBinding(access: GcpAccess, project: string, members: readonly string[]): BindingInput {
  if (access.kind === "impersonate") return { target: policyTarget({ kind: "serviceAccount", email: access.email }), roles: [IMPERSONATION_ROLE], members };
  return { target: access.on.kind === "bucket" ? policyTarget(access.on) : policyTarget({ kind: "project", project }), roles: access.roles, members };
}
