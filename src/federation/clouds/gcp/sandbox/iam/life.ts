import type { JsonObject } from "../../../../oidc/json.ts";
import { failedPrecondition, GoogleError, invalidArgument, notFound, permissionDenied } from "../errors.ts";
import { checkLength, textOf } from "../fields.ts";
import { pendingOn } from "../operations.ts";
import type { Pool, Provider } from "../state.ts";
import type { GcpWorld } from "../world.ts";

/** What pools and providers have in common: names, texts, and thirty days between deletion and purge. */

const ID = /^[a-z0-9-]{4,32}$/;
const DAYS_KEPT = 30;

/** IAM v1, workloadIdentityPoolId and workloadIdentityPoolProviderId. @throws GoogleError INVALID_ARGUMENT */
export function checkId(id: string, field: string): void {
  if (!ID.test(id)) throw invalidArgument(`The ${field} must be 4-32 characters long and may contain only the characters [a-z0-9-].`);
  if (id.startsWith("gcp-")) throw invalidArgument(`The ${field} must not start with the prefix "gcp-", which is reserved.`);
}

/** @throws GoogleError INVALID_ARGUMENT */
export function checkTexts(body: JsonObject): void {
  checkLength(textOf(body, "displayName"), "displayName", 32);
  checkLength(textOf(body, "description"), "description", 256);
}

/** The resource name with the project's number, from a path that may have its ID. */
export function poolNameOf(path: Readonly<Record<string, string>>, { state }: Pick<GcpWorld, "state">): string {
  return `${locationOf(path, state.project.number)}/workloadIdentityPools/${path["pool"] ?? ""}`;
}

export function providerNameOf(path: Readonly<Record<string, string>>, world: Pick<GcpWorld, "state">): string {
  return `${poolNameOf(path, world)}/providers/${path["provider"] ?? ""}`;
}

/** `projects/PROJECT/locations/LOCATION`; the project as the path has it unless it is given. */
export function locationOf(path: Readonly<Record<string, string>>, project = path["project"] ?? ""): string {
  return `projects/${project}/locations/${path["location"] ?? ""}`;
}

/** @throws GoogleError PERMISSION_DENIED: pools are global, and elsewhere nobody has anything */
export function checkLocation(path: Readonly<Record<string, string>>, permission: string): void {
  if (path["location"] !== "global") throw permissionDenied("iam.googleapis.com", permission, locationOf(path));
}

/** @throws GoogleError ABORTED while an operation on it is under way */
export function checkIdle(name: string, world: Pick<GcpWorld, "state">): void {
  if (pendingOn(name, world) !== undefined) throw new GoogleError("ABORTED", "There is an operation in progress on the requested entity.");
}

/** @throws GoogleError NOT_FOUND, FAILED_PRECONDITION for what is deleted */
export function activeOf<T extends Pool | Provider>(thing: T | undefined): T {
  if (thing === undefined) throw notFound();
  if (thing.state === "DELETED") throw failedPrecondition(`${thing.name} is deleted. Undelete it first.`);
  return thing;
}

export function deleted<T extends Pool | Provider>(thing: T, now: Date): T {
  return { ...thing, state: "DELETED", expireTime: new Date(now.getTime() + DAYS_KEPT * 86_400_000) };
}

/** @throws GoogleError NOT_FOUND, FAILED_PRECONDITION for what is not deleted */
export function undeleted<T extends Pool | Provider>(thing: T | undefined, now: Date): T {
  if (thing === undefined) throw notFound();
  if (thing.state !== "DELETED") throw failedPrecondition(`${thing.name} is not deleted.`);
  return { ...thing, state: "ACTIVE", expireTime: null, since: now };
}
