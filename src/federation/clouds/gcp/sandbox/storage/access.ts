import type { StandInRequest } from "../../../../sandbox/http-core.ts";
import { evaluatePolicyCondition } from "../../judge/cel-evaluate.ts";
import { forbidden, unauthenticated } from "./errors.ts";
import type { Binding, Bucket } from "./state.ts";
import type { StorageCaller, StorageWorld } from "./world.ts";

/** What roles give on a bucket and its objects (cloud.google.com/storage/docs/access-control/iam-roles); roles that give nothing here are absent. */
const OBJECTS = ["storage.objects.get", "storage.objects.list", "storage.objects.create", "storage.objects.update", "storage.objects.delete"];
const BUCKET = ["storage.buckets.get", "storage.buckets.update", "storage.buckets.delete", "storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy"];
const ROLES: Readonly<Record<string, readonly string[]>> = {
  "roles/storage.admin": [...BUCKET, ...OBJECTS],
  "roles/storage.objectAdmin": OBJECTS,
  "roles/storage.objectUser": OBJECTS,
  "roles/storage.objectViewer": ["storage.objects.get", "storage.objects.list"],
  "roles/storage.objectCreator": ["storage.objects.create"],
  "roles/storage.bucketViewer": ["storage.buckets.get", "storage.buckets.list"],
  "roles/storage.legacyObjectReader": ["storage.objects.get"],
  "roles/storage.legacyObjectOwner": ["storage.objects.get", "storage.objects.update"],
  "roles/storage.legacyBucketReader": ["storage.buckets.get", "storage.objects.list"],
  "roles/storage.legacyBucketWriter": ["storage.buckets.get", "storage.objects.list", "storage.objects.create", "storage.objects.delete"],
  "roles/storage.legacyBucketOwner": [...BUCKET.filter((permission) => permission !== "storage.buckets.delete"), "storage.objects.list", "storage.objects.create", "storage.objects.delete"],
};

/** Members that mean more than one known identity. */
export const PUBLIC_MEMBERS: readonly string[] = ["allUsers", "allAuthenticatedUsers"];

/**
 * Who calls, when the project's policy or the bucket's own allows it.
 *
 * @throws StorageError 401, 403
 */
export function enter(world: StorageWorld, request: StandInRequest, permission: string, bucket: Bucket | undefined, resource: string): StorageCaller | null {
  const decision = world.authorize(request, permission, resource);
  if (decision.outcome === "invalid") throw unauthenticated();
  if (decision.outcome === "allowed") return decision.caller;
  if (bucket !== undefined && allows(world, bucket, permission, decision.caller)) return decision.caller;
  throw forbidden(decision.caller?.name ?? null, permission, resource.includes("/objects/") ? "object" : resource.includes("/buckets/") ? "bucket" : "project");
}

/**
 * Whether a bucket's own policy gives a permission to a caller (null: a stranger). Conditions count when the time alone
 * decides them; all others give nothing.
 */
export function allows(world: StorageWorld, bucket: Bucket, permission: string, caller: StorageCaller | null): boolean {
  const all = new Set(["allUsers", ...(caller?.members ?? [])]);
  const members = isPrevented(world, bucket) ? new Set([...all].filter((one) => !PUBLIC_MEMBERS.includes(one))) : all;
  return bucket.policy.bindings.some((binding) => gives(binding, permission, world.now()) && binding.members.some((member) => members.has(member)));
}

function gives({ role, condition }: Binding, permission: string, at: Date): boolean {
  if (!Object.hasOwn(ROLES, role) || ROLES[role]?.includes(permission) !== true) return false;
  if (condition === undefined) return true;
  const outcome = evaluatePolicyCondition(String(condition["expression"]), at);
  return outcome.kind === "value" && outcome.value === true;
}

/** Public access prevention: of the bucket, or of the organization. */
export function isPrevented({ storage }: StorageWorld, bucket: Bucket): boolean {
  return storage.publicAccessPrevented || bucket.publicAccessPrevention === "enforced";
}
