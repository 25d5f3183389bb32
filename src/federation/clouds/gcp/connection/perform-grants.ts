import { KubeassumeError } from "../../../errors/error.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import type { Step } from "../../../plan/step.ts";
import { gcpErrorCodes } from "../codes.ts";
import type { PolicyOwner } from "../ids.ts";
import { readMarks } from "../marks.ts";
import { parseServiceAccountEmail, parseSubjectMember } from "../names.ts";
import { isAnswered } from "./errors.ts";
import { accountFields, ownerOf, readServiceAccount } from "./observe-grants.ts";
import { changePolicy, type Members, toMembers } from "./policy-document.ts";
import { askedOf, readPolicy, serviceAccountName, writePolicy } from "./policies.ts";
import { restIfExists, restUnlessExists } from "./rest.ts";
import { pause, type Session, untilKnown } from "./session.ts";

/** Makes or deletes a service account. Both may be repeated. */
export async function performServiceAccount(session: Session, step: Step): Promise<void> {
  if (step.action === "delete") return deleteAccount(session, step);
  if (step.action !== "create") return;
  const email = step.target;
  const { displayName = "", description = "" } = step.after ?? {};
  const body = { accountId: email.slice(0, email.indexOf("@")), serviceAccount: { displayName, description } };
  const path = `v1/projects/${parseServiceAccountEmail(email)?.project ?? "-"}/serviceAccounts`;
  // One that exists already is used as it is, whoever made it.
  await restUnlessExists(session.rest, { service: "iam", method: "POST", path, body, repeatable: true, action: "iam.serviceAccounts.create", resource: `serviceAccounts/${email}` });
  session.fresh.add(email);
}

/** The mark is read again right before: deleting takes the access of everything that uses the account. */
async function deleteAccount(session: Session, step: Step): Promise<void> {
  const email = step.target;
  const found = await readServiceAccount(session, email);
  if (found === null) return;
  const [own, wanted] = [accountFields(found), step.before ?? {}].map((fields) => readMarks(String(fields["description"])));
  if (own?.managed !== true || own.issuer !== wanted?.issuer) {
    throw new KubeassumeError(gcpErrorCodes.GCP_CONFLICT, { message: `service account ${email} does not carry kubeassume's mark any more` });
  }
  await restIfExists(session.rest, { service: "iam", method: "DELETE", path: `v1/${serviceAccountName(email)}`, action: "iam.serviceAccounts.delete", resource: `serviceAccounts/${email}` });
}

/** How often a lost race is run again. */
const MAX_RACES = 8;
const RACE_PAUSE_MS = 150;

/**
 * Adds the members of `after` to a policy, and removes those that only `before` has: reads it with its conditions,
 * changes exactly these members and writes it with its etag. Whoever writes in between makes it read anew, at most 8
 * times: GCP_CONFLICT. GCP_ROLE_MISSING for a role that does not exist.
 */
export async function performPolicy(session: Session, step: Step): Promise<void> {
  const owner = ownerOf(step.target);
  const add = toMembers(step.after);
  const remove = lessMembers(toMembers(step.before), add);
  const asked = askedOf(owner, "setIamPolicy");
  const isEarly = (error: KubeassumeError) => isFresh(session, owner, add) && EARLY.has(error.code) && ["NOT_FOUND", "INVALID_ARGUMENT", ""].includes(String(error.details["googleStatus"] ?? ""));
  const written = await untilKnown(session, asked, isEarly, () => writeMembers(session, owner, add, remove));
  if (written && add.size > 0) session.say("Google takes about 2 minutes, at times more than 7, until new pools, providers and bindings work everywhere");
}

/** How Google answers about what not all of it knows yet: an account that is not found, a member whose pool is none. */
const EARLY: ReadonlySet<string> = new Set([gcpErrorCodes.GCP_NOT_FOUND.code, gcpErrorCodes.GCP_REFUSED.code]);

async function writeMembers(session: Session, owner: PolicyOwner, add: Members, remove: Members): Promise<boolean> {
  const asked = askedOf(owner, "setIamPolicy");
  for (let race = 1; ; race += 1) {
    const policy = await readPolicy(session, owner);
    if (policy === null && add.size === 0) return false;
    if (policy === null) throw new KubeassumeError(gcpErrorCodes.GCP_NOT_FOUND, { message: `${asked.resource} does not exist`, details: { ...asked, status: 404 } });
    const changed = changePolicy(policy, add, remove);
    if (changed === null) return false;
    try {
      await writePolicy(session, owner, changed);
      return true;
    } catch (error) {
      if (isAnswered(error, 400)) throw await explainRefusal(session, error, add);
      if (!isAnswered(error, 409, 412) || race === MAX_RACES) throw error;
    }
    await pause(session, RACE_PAUSE_MS * race * (0.5 + Math.random()), asked);
  }
}

/** Google says only that an argument is invalid; a role that does not exist is the usual reason, and can be asked for. */
async function explainRefusal(session: Session, error: KubeassumeError, add: Members): Promise<KubeassumeError> {
  for (const role of add.keys()) {
    const found = await readRole(session, role);
    if (found === null || found["deleted"] === true) {
      const message = `role ${role} ${found === null ? "does not exist" : "is deleted"}`;
      return new KubeassumeError(gcpErrorCodes.GCP_ROLE_MISSING, { message, details: { ...error.details, role }, cause: error });
    }
  }
  return error;
}

/** An empty object when the caller may not know. */
async function readRole({ rest }: Session, role: string): Promise<JsonObject | null> {
  try {
    return (await rest({ service: "iam", method: "GET", path: `v1/${role}`, action: "iam.roles.get", resource: role })).json;
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return error.details["googleStatus"] === "NOT_FOUND" ? null : {};
  }
}

/** Whether the policy's owner or a pool that its new members are of was made a moment ago. */
function isFresh({ fresh }: Session, owner: PolicyOwner, add: Members): boolean {
  if (owner.kind === "serviceAccount" && fresh.has(owner.email)) return true;
  return [...add.values()].flat().some((member) => fresh.has(parseSubjectMember(member)?.pool ?? ""));
}

function lessMembers(members: Members, kept: Members): Members {
  return new Map([...members].map(([role, list]) => [role, list.filter((member) => !(kept.get(role) ?? []).includes(member))]));
}
