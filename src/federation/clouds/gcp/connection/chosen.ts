import type { Caller, CloudInput } from "../../cloud.ts";
import { configGrants, createProblems, membersOf, textOf } from "../../input.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { gcpInputCodes } from "../codes.ts";
import type { PolicyOwner } from "../ids.ts";
import { givenText, quote, readIds, readProject } from "../input/common.ts";
import { isBucketName, isProjectNumber, parsePrincipal, parseServiceAccountEmail } from "../names.ts";

/** Whom a token shall become, and whose policy has to allow it. */
export interface ChosenAccess {
  /** The service account to impersonate; null for direct access. */
  readonly email: string | null;
  readonly policyOwner: PolicyOwner;
}

/**
 * From `--impersonate` or `--on`, else from the grant that the config has for `--service-account`, else direct access to
 * the project. Throws GCP_SERVICE_ACCOUNT_INVALID, GCP_TARGET_INVALID; for direct access what readProject throws.
 */
export function chooseAccess(input: CloudInput, caller: Caller): ChosenAccess {
  const { impersonate, on } = { ...grantOf(input), ...given(input) };
  const email = textOf(impersonate);
  if (email !== null) {
    if (parseServiceAccountEmail(email) === null) throw new KubeassumeError(gcpInputCodes.GCP_SERVICE_ACCOUNT_INVALID, { message: `${quote(email)} is not the e-mail of a service account` });
    return { email, policyOwner: { kind: "serviceAccount", email } };
  }
  const target = textOf(on) ?? "project";
  if (target === "project") return { email: null, policyOwner: { kind: "project", project: projectOf(input, caller) } };
  const name = target.startsWith("bucket:") ? target.slice("bucket:".length) : "";
  if (!isBucketName(name)) throw new KubeassumeError(gcpInputCodes.GCP_TARGET_INVALID, { message: `--on is ${quote(target)}, neither project nor bucket:NAME` });
  return { email: null, policyOwner: { kind: "bucket", name } };
}

/** The project by its ID where it is given, else by its number: calls take both. */
export function projectOf(input: CloudInput, caller: Caller): string {
  if (givenText(input, "project") === null) return caller.account;
  const problems = createProblems();
  const project = readProject(input, problems);
  problems.throwAll();
  return project;
}

/** The provider that a token is for, as far as flags, config and principal name it without asking anybody. */
export interface ChosenProvider {
  readonly poolId: string;
  readonly providerId: string;
  /** Null: it has to be looked up. */
  readonly projectNumber: string | null;
}

/** Throws FLAG_MISSING when nothing names the pool, GCP_ID_INVALID, GCP_PROJECT_NUMBER_INVALID. */
export function chooseProvider(input: CloudInput, principal: string | undefined): ChosenProvider {
  const named = principal === undefined ? null : parsePrincipal(principal);
  const pool = named?.kind === "direct" ? /^projects\/([^/]+)\/.*\/([^/]+)$/.exec(named.pool) : null;
  const flags = pool === null || givenText(input, "poolId") !== null ? input.flags : { ...input.flags, poolId: pool[2] };
  const problems = createProblems();
  const { poolId, providerId } = readIds({ ...input, flags }, problems);
  const number = textOf(input.flags["projectNumber"]) ?? pool?.[1] ?? null;
  if (number !== null && !isProjectNumber(number)) problems.add(gcpInputCodes.GCP_PROJECT_NUMBER_INVALID, `${quote(number)} is not a project number`);
  problems.throwAll();
  return { poolId, providerId, projectNumber: number };
}

function given({ flags }: CloudInput): { readonly impersonate?: unknown; readonly on?: unknown } {
  if (textOf(flags["impersonate"]) !== null && textOf(flags["on"]) !== null) {
    throw new KubeassumeError(codes.FLAGS_CONFLICT, { message: "--impersonate is given together with --on", hint: "give one of them" });
  }
  if (textOf(flags["impersonate"]) !== null) return { impersonate: flags["impersonate"], on: undefined };
  return textOf(flags["on"]) === null ? {} : { impersonate: undefined, on: flags["on"] };
}

function grantOf(input: CloudInput): { readonly impersonate?: unknown; readonly on?: unknown } {
  const account = input.flags["serviceAccount"];
  const grant = configGrants(input, "gcp").find(({ serviceAccount }) => serviceAccount === account);
  if (grant === undefined) return {};
  const { impersonate, on } = membersOf(grant, "gcp");
  return { impersonate, on };
}
