import type { CloudInput, ServiceAccount } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { cloudConfigOf, listOf, type Problems, textOf } from "../../input.ts";
import { gcpInputCodes } from "../codes.ts";
import { DEFAULT_PROVIDER_ID, isPoolOrProviderId, isProjectId, MAX_SUBJECT_BYTES, subjectFor } from "../names.ts";

/** Where pool and provider are, and how subjects of this cluster begin. */
export interface GcpPlace {
  /** The project ID; its number is looked up. */
  readonly project: string;
  readonly poolId: string;
  readonly providerId: string;
  /** In front of `sub` in google.subject; empty unless clusters share a pool. */
  readonly subjectPrefix: string;
}

const MAX_AUDIENCES = 10;
const MAX_AUDIENCE_LENGTH = 256;
const SUBJECT_PREFIX = /^[A-Za-z0-9._:-]{1,60}$/;

/** A text of the flag, else of the same member of `clouds.gcp`. */
export function givenText(input: CloudInput, name: string): string | null {
  return textOf(input.flags[name]) ?? textOf(cloudConfigOf(input, "gcp")[name]);
}

/** Project, pool, provider and prefix. Adds FLAG_MISSING, GCP_PROJECT_INVALID, GCP_ID_INVALID, GCP_SUBJECT_PREFIX_INVALID. */
export function readPlace(input: CloudInput, problems: Problems): GcpPlace {
  return { project: readProject(input, problems), ...readIds(input, problems) };
}

/** From `--project` or `clouds.gcp.project`: the ID, never the number. An empty text when there is a problem. */
export function readProject(input: CloudInput, problems: Problems): string {
  const project = givenText(input, "project");
  if (project === null) {
    problems.add(codes.FLAG_MISSING, "no project is given", "give --project ID, or write clouds.gcp.project into kubeassume.yaml");
    return "";
  }
  if (isProjectId(project)) return project;
  const shown = quote(project);
  problems.add(gcpInputCodes.GCP_PROJECT_INVALID, /^\d+$/.test(project) ? `project ${shown} is a number: the project's ID is needed` : `project ${shown} is not a project ID`);
  return project;
}

/** Pool, provider and prefix alone: all that stays when the project is given by its number. */
export function readIds(input: CloudInput, problems: Problems): Omit<GcpPlace, "project"> {
  const poolId = givenText(input, "poolId");
  if (poolId === null) problems.add(codes.FLAG_MISSING, "no pool is given", "give --pool-id ID, or write clouds.gcp.poolId into kubeassume.yaml");
  const providerId = givenText(input, "providerId") ?? DEFAULT_PROVIDER_ID;
  for (const [what, id] of [["pool", poolId ?? "pool"], ["provider", providerId]] as const) {
    if (!isPoolOrProviderId(id)) problems.add(gcpInputCodes.GCP_ID_INVALID, `${what} id ${quote(id)} ${idComplaint(id)}`);
  }
  const flagged = input.flags["subjectPrefix"];
  // An empty flag outweighs the config: it says that there is no prefix.
  const subjectPrefix = typeof flagged === "string" ? flagged : (givenText(input, "subjectPrefix") ?? "");
  if (subjectPrefix !== "" && !SUBJECT_PREFIX.test(subjectPrefix)) {
    problems.add(gcpInputCodes.GCP_SUBJECT_PREFIX_INVALID, `subject prefix ${quote(subjectPrefix)} is not 1 to 60 of A-Z a-z 0-9 . _ : -`);
  }
  return { poolId: poolId ?? "", providerId, subjectPrefix };
}

function idComplaint(id: string): string {
  if (id.startsWith("gcp-")) return "begins with gcp-, which Google reserves";
  if (/[^a-z0-9-]/.test(id)) return "has other characters than a-z, 0-9 and -";
  return `has ${id.length} characters, not 4 to 32`;
}

/**
 * From `--audience` or `clouds.gcp.audiences`: at most 10, each of 1 to 256 characters (IAM v1, Oidc.allowedAudiences).
 * Empty when none is given: the provider's own name is then the audience. Adds GCP_AUDIENCE_INVALID, GCP_TOO_MANY_AUDIENCES.
 */
export function readAudiences(input: CloudInput, problems: Problems): readonly string[] {
  const audiences = [...new Set(listOf(input.flags["audience"]) ?? listOf(cloudConfigOf(input, "gcp")["audiences"]) ?? [])];
  for (const audience of audiences) {
    if (audience === "" || audience.length > MAX_AUDIENCE_LENGTH) {
      problems.add(gcpInputCodes.GCP_AUDIENCE_INVALID, `audience ${quote(audience)} has ${audience.length} characters, not 1 to ${MAX_AUDIENCE_LENGTH}`);
    } else if (/[^\x21-\x7e]/.test(audience)) {
      problems.add(gcpInputCodes.GCP_AUDIENCE_INVALID, `audience ${quote(audience)} contains white space, control or non-ASCII characters`);
    }
  }
  if (audiences.length > MAX_AUDIENCES) problems.add(gcpInputCodes.GCP_TOO_MANY_AUDIENCES, `${audiences.length} audiences are given, more than ${MAX_AUDIENCES}`);
  return audiences;
}

/** Adds GCP_SUBJECT_TOO_LONG for an account whose tokens Google would all refuse. */
export function checkSubject(account: ServiceAccount, subjectPrefix: string, problems: Problems): void {
  const subject = subjectFor(account, subjectPrefix);
  const bytes = Buffer.byteLength(subject);
  if (bytes <= MAX_SUBJECT_BYTES) return;
  problems.add(gcpInputCodes.GCP_SUBJECT_TOO_LONG, `the subject ${quote(subject)} has ${bytes} bytes, more than ${MAX_SUBJECT_BYTES}`);
}

/** A value of the input for messages: quoted and cut. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}...` : value);
}
