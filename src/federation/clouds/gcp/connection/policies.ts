import type { JsonObject } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { parseServiceAccountEmail } from "../names.ts";
import { policyTarget, type PolicyOwner } from "../ids.ts";
import { type Asked, isAnswered, toUnreadable } from "./errors.ts";
import type { RestAnswer, RestRequest } from "./rest.ts";
import type { Session } from "./session.ts";

/** Policies that have conditions are only shown, and only taken, in this version (IAM v1, Policy.version). */
const VERSION = 3;

/** The policy of a project, a bucket or a service account with its conditions; null when its owner does not exist. */
export async function readPolicy({ rest }: Session, owner: PolicyOwner): Promise<JsonObject | null> {
  const asked = askedOf(owner, "getIamPolicy");
  let answer: RestAnswer;
  try {
    // Reading is a POST for projects and service accounts.
    answer = await rest({ ...asked, ...toRead(owner), repeatable: true });
  } catch (error) {
    if (isAnswered(error, 404)) return null;
    throw error;
  }
  // Without an etag it is no policy of Google's, and writing it back would take everybody's access away.
  if (textOf(answer.json["etag"]) === null) throw toUnreadable(asked, answer.status);
  return answer.json;
}

/** Writes a policy that was read and changed; its etag makes it fail (409, storage 412) when somebody else wrote meanwhile. */
export async function writePolicy({ rest }: Session, owner: PolicyOwner, policy: JsonObject): Promise<void> {
  const asked = askedOf(owner, "setIamPolicy");
  // Repeatable: what was lost on the way back fails the second time by its etag, and is read again.
  await rest({ ...asked, ...toWrite(owner, policy), repeatable: true });
}

/** Which permission, and on what. */
export function askedOf(owner: PolicyOwner, method: "getIamPolicy" | "setIamPolicy"): Asked {
  const prefix = { project: "resourcemanager.projects", bucket: "storage.buckets", serviceAccount: "iam.serviceAccounts" }[owner.kind];
  return { action: `${prefix}.${method}`, resource: policyTarget(owner) };
}

/** `projects/PROJECT/serviceAccounts/EMAIL`: with the project, since for `-` Google's errors mislead (IAM v1, ServiceAccount.name). */
export function serviceAccountName(email: string): string {
  return `projects/${parseServiceAccountEmail(email)?.project ?? "-"}/serviceAccounts/${email}`;
}

type Call = Pick<RestRequest, "service" | "method" | "path" | "query" | "body">;

function toRead(owner: PolicyOwner): Call {
  const options = { requestedPolicyVersion: VERSION };
  switch (owner.kind) {
    case "project":
      return { service: "cloudresourcemanager", method: "POST", path: `v3/projects/${owner.project}:getIamPolicy`, body: { options } };
    case "bucket":
      return { service: "storage", method: "GET", path: bucketPath(owner.name), query: { optionsRequestedPolicyVersion: VERSION } };
    case "serviceAccount":
      return { service: "iam", method: "POST", path: `v1/${serviceAccountName(owner.email)}:getIamPolicy`, query: { "options.requestedPolicyVersion": VERSION } };
  }
}

function toWrite(owner: PolicyOwner, policy: JsonObject): Call {
  switch (owner.kind) {
    case "project":
      return { service: "cloudresourcemanager", method: "POST", path: `v3/projects/${owner.project}:setIamPolicy`, body: { policy } };
    case "bucket":
      return { service: "storage", method: "PUT", path: bucketPath(owner.name), body: policy };
    case "serviceAccount":
      return { service: "iam", method: "POST", path: `v1/${serviceAccountName(owner.email)}:setIamPolicy`, body: { policy } };
  }
}

function bucketPath(bucket: string): string {
  return `storage/v1/b/${encodeURIComponent(bucket)}/iam`;
}
