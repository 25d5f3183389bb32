import { member } from "../../../../oidc/json.ts";
import type { StandInAnswer } from "../../../../sandbox/http-core.ts";
import { isPrevented, PUBLIC_MEMBERS } from "./access.ts";
import { isBucketName, locationTypeOf, mergeLabels, readBucketChange, readLocation, toBucketResource } from "./bucket-resource.ts";
import { answerJson, bodyOf, bucketOf, pageOf, parameter, type StorageCall, type StorageMethod } from "./call.ts";
import { conflict, invalid, StorageError } from "./errors.ts";
import { checkPreconditions } from "./preconditions.ts";
import { type Bucket, newBucket } from "./state.ts";

/** Buckets (storage v1, `buckets`), by HTTP method and what the path names. */
export const bucketMethods: Readonly<Record<string, StorageMethod>> = {
  "GET buckets": { permission: "storage.buckets.list", run: list },
  "POST buckets": { permission: "storage.buckets.create", run: insert },
  "GET bucket": { permission: "storage.buckets.get", run: get },
  "PATCH bucket": { permission: "storage.buckets.update", run: patch },
  "DELETE bucket": { permission: "storage.buckets.delete", run: remove },
  // gcloud looks for them before it deletes a bucket.
  "GET bucket managedFolders": { permission: "storage.managedFolders.list", run: (call) => answerJson({ kind: "storage#managedFolders", items: listManagedFolders(call) }) },
  "GET bucket storageLayout": { permission: "storage.objects.list", run: layout },
};

function list(call: StorageCall): StandInAnswer {
  refuseOtherProject(call, parameter(call, "project"));
  const prefix = call.query.get("prefix") ?? "";
  const { projectNumber, storage } = call.world;
  const own = [...storage.buckets.values()].filter((bucket) => bucket.projectNumber === projectNumber && bucket.name.startsWith(prefix));
  const { page, next } = pageOf(call, own.sort((one, other) => (one.name < other.name ? -1 : 1)), 1000);
  return answerJson({ kind: "storage#buckets", ...(page.length === 0 ? {} : { items: page.map(toBucketResource) }), ...(next === undefined ? {} : { nextPageToken: next }) });
}

function refuseOtherProject({ world, caller }: StorageCall, project: string): void {
  if (project === world.project || project === world.projectNumber) return;
  throw new StorageError(403, "forbidden", `${caller?.name ?? "Anonymous caller"} does not have storage.buckets access to the Google Cloud project.`);
}

function insert(call: StorageCall): StandInAnswer {
  const { world } = call;
  const project = parameter(call, "project");
  refuseOtherProject(call, project);
  const body = bodyOf(call);
  const name = member(body, "name");
  if (typeof name !== "string" || !isBucketName(name)) throw invalid(`Invalid bucket name: '${String(name)}'`);
  const taken = world.storage.buckets.get(name);
  if (taken?.projectNumber === world.projectNumber) throw conflict("Your previous request to create the named bucket succeeded and you already own it.");
  if (taken !== undefined) throw conflict("The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.");
  const { uniform = false, publicAccessPrevention = "inherited", labels, others } = readBucketChange(body);
  if (uniform && call.query.get("predefinedAcl") !== null) throw invalid("Cannot use ACL API to set bucket policy when uniform bucket-level access is enabled.");
  const location = readLocation(member(body, "location"));
  const { projectNumber } = world;
  const bucket = newBucket({ name, project: world.project, projectNumber, at: world.now(), location, uniform, publicAccessPrevention, labels: mergeLabels({}, labels ?? {}), others });
  world.storage.buckets.set(name, bucket);
  return answerJson(toBucketResource(bucket));
}

function get(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  checkPreconditions(call, null, bucket.metageneration, true);
  return answerJson(toBucketResource(bucket));
}

function patch(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  checkPreconditions(call, null, bucket.metageneration, false);
  const change = readBucketChange(bodyOf(call));
  refuseLostConditions(bucket, change.uniform);
  bucket.uniform = change.uniform ?? bucket.uniform;
  bucket.publicAccessPrevention = change.publicAccessPrevention ?? bucket.publicAccessPrevention;
  if (change.labels !== undefined) bucket.labels = mergeLabels(bucket.labels, change.labels);
  bucket.others = { ...bucket.others, ...change.others };
  touch(call, bucket);
  return answerJson(toBucketResource(bucket));
}

/** Conditions and public members need what is about to be switched off. */
function refuseLostConditions(bucket: Bucket, uniform: boolean | undefined): void {
  const conditional = bucket.policy.bindings.some((binding) => binding.condition !== undefined);
  if (uniform === false && conditional) throw invalid("Cannot disable uniform bucket-level access: the bucket's policy has conditional bindings.");
}

/** Every change of a bucket or its policy counts. */
export function touch({ world }: StorageCall, bucket: Bucket): void {
  bucket.metageneration += 1;
  bucket.updated = world.now();
}

function remove(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  checkPreconditions(call, null, bucket.metageneration, false);
  if (bucket.objects.size > 0) throw conflict("The bucket you tried to delete is not empty.");
  call.world.storage.buckets.delete(bucket.name);
  return { status: 204 };
}

/** The stand-in makes none. */
function listManagedFolders(call: StorageCall): readonly never[] {
  bucketOf(call);
  return [];
}

function layout(call: StorageCall): StandInAnswer {
  const { name, location } = bucketOf(call);
  return answerJson({ kind: "storage#storageLayout", bucket: name, location, locationType: locationTypeOf(location), hierarchicalNamespace: { enabled: false } });
}

/** Whether a policy would let the public in although that is prevented. */
export function refusesPublic(call: StorageCall, bucket: Bucket, members: readonly string[]): boolean {
  return isPrevented(call.world, bucket) && members.some((one) => PUBLIC_MEMBERS.includes(one));
}
