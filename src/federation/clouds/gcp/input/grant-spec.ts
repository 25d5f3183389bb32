import type { CloudInput, GrantSpec, ServiceAccount } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { parseServiceAccountName } from "../../../oidc/subject.ts";
import { configGrants, createProblems, listOf, membersOf, type Problems, readIssuerUrl, textOf, uniqueAccounts } from "../../input.ts";
import { gcpInputCodes } from "../codes.ts";
import { isBucketName, isNewServiceAccountName, isRoleName, parseServiceAccountEmail } from "../names.ts";
import { checkSubject, type GcpPlace, quote, readAudiences, readPlace } from "./common.ts";
import { mergeGrants } from "./merge-grants.ts";

/** Where direct access is given. */
export type GrantTarget = { readonly kind: "project" } | { readonly kind: "bucket"; readonly name: string };

/** The account's own subject gets roles, or it becomes a service account of Google's. */
export type GcpAccess =
  | { readonly kind: "direct"; readonly roles: readonly string[]; readonly on: GrantTarget }
  | { readonly kind: "impersonate"; readonly email: string; readonly create: boolean };

export interface GcpGrantSpec extends GrantSpec, GcpPlace {
  /** As of the setup: empty when the provider's own name is the audience. */
  readonly audiences: readonly string[];
  /** Of direct access there is one spec per service account: each is an identity of its own. */
  readonly access: GcpAccess;
}

type Members = Readonly<Record<string, unknown>>;
export type Shared = Omit<GcpGrantSpec, "serviceAccounts" | "access">;

/** Flags of an access, each with its name in the config. */
const ACCESS_FLAGS = [["role", "roles"], ["on", "on"], ["impersonate", "impersonate"], ["createServiceAccount", "createServiceAccount"]] as const;

/**
 * The grants of `grant gcp` and `status`: one spec per service account with direct access, one per impersonated e-mail.
 * From the flags when they name service accounts; without a flag that says what access, the config's grants of those
 * accounts. Otherwise every grant of the config that has a `gcp` member; FLAG_MISSING when there is none.
 *
 * Throws all problems at once: FLAG_MISSING, FLAGS_CONFLICT, SERVICE_ACCOUNT_INVALID, ISSUER_*, GCP_PROJECT_INVALID,
 * GCP_ID_INVALID, GCP_AUDIENCE_*, GCP_ROLE_INVALID, GCP_TARGET_INVALID, GCP_SERVICE_ACCOUNT_*, GCP_SUBJECT_TOO_LONG,
 * GCP_GRANTS_CONFLICT.
 */
export function toGrantSpecs(input: CloudInput): readonly GcpGrantSpec[] {
  const problems = createProblems();
  const named = listOf(input.flags["serviceAccount"]) ?? [];
  const members: Members = Object.fromEntries(ACCESS_FLAGS.filter(([flag]) => input.flags[flag] !== undefined).map(([flag, name]) => [name, input.flags[flag]]));
  const byFlags = Object.keys(members).length > 0;
  const configured = configGrants(input, "gcp");
  if (named.length === 0 && (byFlags || configured.length === 0)) problems.add(codes.FLAG_MISSING, "no service account is given", "give --service-account NAMESPACE/NAME");
  const shared: Shared = { issuer: readIssuerUrl(input, problems), ...readPlace(input, problems), audiences: readAudiences(input, problems), adopt: input.flags["adopt"] === true };
  const wanted = new Set(named);
  const chosen = byFlags ? [] : configured.filter(({ serviceAccount }) => named.length === 0 || wanted.has(serviceAccount));
  const known = new Set(chosen.map(({ serviceAccount }) => serviceAccount));
  const specs = [
    ...toSpecs(shared, named.filter((account) => !known.has(account)), members, problems),
    ...chosen.flatMap((grant) => toSpecs(shared, [grant.serviceAccount], membersOf(grant, "gcp"), problems)),
  ];
  const merged = mergeGrants(specs, problems);
  problems.throwAll();
  return merged;
}

function toSpecs(shared: Shared, accounts: readonly string[], members: Members, problems: Problems): readonly GcpGrantSpec[] {
  const parsed = accounts.map((text) => problems.try(() => parseServiceAccountName(text)));
  const serviceAccounts = uniqueAccounts(parsed.filter((account): account is ServiceAccount => account !== undefined));
  for (const account of serviceAccounts) checkSubject(account, shared.subjectPrefix, problems);
  if (accounts.length === 0 && Object.keys(members).length === 0) return [];
  const access = readAccess(shared.project, accounts.join(", ") || "nobody", members, problems);
  if (access === null) return [];
  if (access.kind === "direct") return serviceAccounts.map((account) => ({ ...shared, serviceAccounts: [account], access }));
  return [{ ...shared, serviceAccounts, access }];
}

export function readAccess(project: string | null, accounts: string, members: Members, problems: Problems): GcpAccess | null {
  const roles = [...new Set(listOf(members["roles"]) ?? [])];
  const email = textOf(members["impersonate"]);
  const create = members["createServiceAccount"] === true;
  if (email !== null && (roles.length > 0 || members["on"] !== undefined)) {
    const hint = "give --role for direct access, or --impersonate EMAIL for a service account that has its roles already";
    problems.add(codes.FLAGS_CONFLICT, `--impersonate is given together with ${roles.length > 0 ? "--role" : "--on"} (${accounts})`, hint);
  }
  if (create && email === null) problems.add(codes.FLAGS_CONFLICT, `--create-service-account is given without --impersonate (${accounts})`, "give --impersonate EMAIL: the service account that is to be made");
  if (email !== null) return readImpersonation(project, email, create, problems);
  if (roles.length === 0 && members["on"] !== undefined) problems.add(codes.FLAGS_CONFLICT, `--on is given without --role (${accounts})`, "give --role ROLE: what shall be allowed there");
  else if (roles.length === 0 && !create) problems.add(codes.FLAG_MISSING, `no access is given for ${accounts}`, "give --role ROLE for direct access, or --impersonate EMAIL");
  for (const role of roles) if (!isRoleName(role)) problems.add(gcpInputCodes.GCP_ROLE_INVALID, `${quote(role)} is not the name of a role`);
  return { kind: "direct", roles, on: readTarget(members["on"], problems) };
}

function readTarget(value: unknown, problems: Problems): GrantTarget {
  const text = textOf(value) ?? "project";
  const bucket = /^bucket:(.*)$/.exec(text)?.[1];
  if (bucket !== undefined && isBucketName(bucket)) return { kind: "bucket", name: bucket };
  if (bucket !== undefined) problems.add(gcpInputCodes.GCP_TARGET_INVALID, `${quote(bucket)} is not the name of a bucket`);
  else if (text !== "project") problems.add(gcpInputCodes.GCP_TARGET_INVALID, `--on is ${quote(text)}, neither project nor bucket:NAME`);
  return { kind: "project" };
}

function readImpersonation(project: string | null, email: string, create: boolean, problems: Problems): GcpAccess {
  const parsed = parseServiceAccountEmail(email);
  if (parsed === null) problems.add(gcpInputCodes.GCP_SERVICE_ACCOUNT_INVALID, `${quote(email)} is not the e-mail of a service account`);
  else if (create && (parsed.kind === "default" || !isNewServiceAccountName(parsed.name))) {
    const words = parsed.kind === "default" ? "is a default account, which Google makes itself" : "has a name that IAM does not take: 6 to 30 of a-z, 0-9 and -, a letter first, no hyphen last";
    problems.add(gcpInputCodes.GCP_SERVICE_ACCOUNT_INVALID, `service account ${quote(email)} ${words}`);
  } else if (create && project !== null && parsed.project !== project) {
    problems.add(gcpInputCodes.GCP_SERVICE_ACCOUNT_OTHER_PROJECT, `service account ${email} belongs to project ${parsed.project}, not to ${project}, so it cannot be made there`);
  }
  return { kind: "impersonate", email, create };
}
