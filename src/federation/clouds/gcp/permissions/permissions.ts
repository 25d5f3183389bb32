import type { CloudInput } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import type { Json } from "../../../plan/step.ts";
import { configGrants, createProblems, membersOf, type Problems, textOf } from "../../input.ts";
import { givenText, readProject } from "../input/common.ts";
import { BASE_OF_GRANT, GRANT_PARTS, type GrantPart, type PermissionCommand, PERMISSIONS } from "./actions.ts";

const COMMANDS: readonly PermissionCommand[] = ["setup", "grant", "publish", "status", "verify", "teardown"];

/**
 * The least that the person who runs a command must be allowed, or all commands: a custom role as
 * `gcloud iam roles create ID --project PROJECT --file FILE` takes it (IAM v1, Role). `grant` is narrowed by its own flags,
 * else by the config's grants. Throws all problems at once: USAGE for an unknown command, GCP_PROJECT_INVALID.
 */
export function permissions(command: string | undefined, input: CloudInput): Json {
  const problems = createProblems();
  const wanted = command === undefined ? COMMANDS : COMMANDS.filter((name) => name === command);
  if (wanted.length === 0) problems.add(codes.USAGE, `there is no command ${JSON.stringify(command)} that needs permissions`, `one of ${COMMANDS.join(", ")}`);
  const where = readWhere(input, problems);
  problems.throwAll();
  const parts = partsOf(input);
  const includedPermissions = [...new Set(wanted.flatMap((name) => (name === "grant" ? [...BASE_OF_GRANT, ...parts.flatMap((part) => GRANT_PARTS[part])] : PERMISSIONS[name])))].sort();
  return {
    title: command === undefined ? "kubeassume" : `kubeassume ${command}`,
    description: descriptionOf(command, where, includedPermissions),
    stage: "GA",
    includedPermissions,
  };
}

function readWhere(input: CloudInput, problems: Problems): string {
  return givenText(input, "project") === null ? "the pool's project" : `project ${readProject(input, problems)}`;
}

/** At most 256 characters, as for other descriptions of IAM. */
function descriptionOf(command: string | undefined, where: string, included: readonly string[]): string {
  const what = `What kubeassume${command === undefined ? "" : ` ${command}`} needs. Grant it on ${where}.`;
  const elsewhere = [included.some((name) => name.startsWith("storage.")) ? "buckets" : "", included.some((name) => name.startsWith("iam.serviceAccounts.")) ? "service accounts" : ""].filter((words) => words !== "");
  return elsewhere.length === 0 ? what : `${what} It covers the ${elsewhere.join(" and ")} of that project; for others grant it there too.`;
}

function partsOf(input: CloudInput): readonly GrantPart[] {
  const { on, impersonate, createServiceAccount } = input.flags;
  const flagged = partsIn({ on, impersonate, createServiceAccount }, false);
  if (flagged.length > 0) return flagged;
  const configured = configGrants(input, "gcp").flatMap((grant) => partsIn(membersOf(grant, "gcp"), true));
  return configured.length > 0 ? [...new Set(configured)] : ["project", "bucket", "impersonate", "create"];
}

/** Without a place roles are given on the project: said only of a grant, since a lone flag may be about something else. */
function partsIn({ on, impersonate, createServiceAccount }: Readonly<Record<string, unknown>>, isGrant: boolean): readonly GrantPart[] {
  if (textOf(impersonate) !== null || createServiceAccount === true) return createServiceAccount === true ? ["impersonate", "create"] : ["impersonate"];
  const place = textOf(on) ?? (isGrant ? "project" : null);
  if (place === null) return [];
  return [place.startsWith("bucket:") ? "bucket" : "project"];
}
