import type { CloudInput } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { createProblems, textOf } from "../../input.ts";
import { gcpErrorCodes, gcpInputCodes } from "../codes.ts";
import { givenText, quote, readProject } from "../input/common.ts";
import { isProjectNumber } from "../names.ts";
import type { GcpCaller } from "../texts/credential-config.ts";
import { isAnswered, toUnreadable } from "./errors.ts";
import type { Session } from "./session.ts";

/**
 * Who calls and in which project: the number of `--project` (Resource Manager v3, projects.get), which members and
 * audiences need. Without a project but with `--project-number` nothing is looked up. Throws FLAG_MISSING,
 * GCP_PROJECT_INVALID, GCP_PROJECT_NUMBER_INVALID, GCP_PROJECT_NOT_FOUND (Google answers 403 for both a missing project and a missing permission),
 * GCP_CREDENTIALS_*.
 */
export async function identify(session: Session, input: CloudInput): Promise<GcpCaller> {
  const number = textOf(input.flags["projectNumber"]);
  if (number !== null && !isProjectNumber(number)) throw new KubeassumeError(gcpInputCodes.GCP_PROJECT_NUMBER_INVALID, { message: `${quote(number)} is not a project number` });
  if (number !== null && givenText(input, "project") === null) return { name: await callerName(session), account: number, universe: session.rest.universe };
  const problems = createProblems();
  const project = readProject(input, problems);
  problems.throwAll();
  const account = await readProjectNumber(session, project);
  return { name: await session.rest.credentials.name(), account, universe: session.rest.universe };
}

async function callerName(session: Session): Promise<string> {
  await session.rest.credentials.headers({ action: "the token", resource: "the caller" });
  return session.rest.credentials.name();
}

async function readProjectNumber(session: Session, project: string): Promise<string> {
  const asked = { action: "resourcemanager.projects.get", resource: `projects/${project}` };
  const { json, status } = await session.rest({ service: "cloudresourcemanager", method: "GET", path: `v3/projects/${project}`, ...asked }).catch((error: unknown) => {
    throw isAnswered(error, 403, 404) && HIDDEN.has(error.code) ? invisible(project, error) : error;
  });
  const number = /^projects\/(\d+)$/.exec(textOf(json["name"]) ?? "")?.[1];
  if (number === undefined) throw toUnreadable(asked, status);
  const state = textOf(json["state"]);
  if (state === null || state === "ACTIVE") return number;
  throw new KubeassumeError(gcpErrorCodes.GCP_PROJECT_NOT_FOUND, { message: `project ${project} is being deleted (${state})`, hint: `restore it, if that is right: gcloud projects undelete ${project}`, details: { project, state } });
}

/** An API that is off or a quota project that cannot be used say nothing about the project itself. */
const HIDDEN: ReadonlySet<string> = new Set([gcpErrorCodes.GCP_ACCESS_DENIED.code, gcpErrorCodes.GCP_NOT_FOUND.code]);

function invisible(project: string, cause: KubeassumeError): KubeassumeError {
  const message = `project ${project} does not exist, or the caller lacks resourcemanager.projects.get on it: Google answers both alike`;
  return new KubeassumeError(gcpErrorCodes.GCP_PROJECT_NOT_FOUND, { message, details: { ...cause.details, project }, cause });
}
