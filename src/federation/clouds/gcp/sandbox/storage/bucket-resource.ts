import { isJsonObject, type JsonObject, member } from "../../../../oidc/json.ts";
import { invalid } from "./errors.ts";
import { type Bucket, etagOf } from "./state.ts";

/** What a client may say of a bucket when it makes or changes it. */
export interface BucketChange {
  readonly uniform: boolean | undefined;
  readonly publicAccessPrevention: "inherited" | "enforced" | undefined;
  /** A value of null removes the label. */
  readonly labels: Readonly<Record<string, string | null>> | undefined;
  readonly others: JsonObject;
}

/** Members that are kept and answered as they came. */
const KEPT = ["versioning", "lifecycle", "website", "cors", "logging", "retentionPolicy", "softDeletePolicy", "autoclass", "rpo", "storageClass", "defaultEventBasedHold"];
const MULTI_REGIONS = ["US", "EU", "ASIA"];

/** The bucket as the JSON API shows it. */
export function toBucketResource(bucket: Bucket): JsonObject {
  const { name, location, projectNumber, timeCreated, updated, metageneration, uniform, publicAccessPrevention, labels, others } = bucket;
  const access = uniform ? { enabled: true, lockedTime: new Date(timeCreated.getTime() + 90 * 86_400_000).toISOString() } : { enabled: false };
  return {
    kind: "storage#bucket",
    selfLink: `https://www.googleapis.com/storage/v1/b/${name}`,
    id: name,
    name,
    projectNumber,
    generation: String(timeCreated.getTime() * 1000),
    metageneration: String(metageneration),
    location,
    locationType: locationTypeOf(location),
    storageClass: "STANDARD",
    etag: etagOf(metageneration),
    timeCreated: timeCreated.toISOString(),
    updated: updated.toISOString(),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    softDeletePolicy: { retentionDurationSeconds: "604800", effectiveTime: timeCreated.toISOString() },
    iamConfiguration: { bucketPolicyOnly: access, uniformBucketLevelAccess: access, publicAccessPrevention },
    ...others,
  };
}

export function locationTypeOf(location: string): "multi-region" | "region" {
  return MULTI_REGIONS.includes(location) ? "multi-region" : "region";
}

/** @throws StorageError 400 */
export function readBucketChange(body: JsonObject): BucketChange {
  const iam = member(body, "iamConfiguration");
  const access = isJsonObject(iam) ? (member(iam, "uniformBucketLevelAccess") ?? member(iam, "bucketPolicyOnly")) : undefined;
  const enabled = isJsonObject(access) ? member(access, "enabled") : undefined;
  const prevention = isJsonObject(iam) ? member(iam, "publicAccessPrevention") : undefined;
  if (prevention !== undefined && prevention !== "inherited" && prevention !== "enforced" && prevention !== "unspecified") throw invalid("Invalid argument.");
  return {
    uniform: typeof enabled === "boolean" ? enabled : undefined,
    publicAccessPrevention: prevention === undefined ? undefined : prevention === "enforced" ? "enforced" : "inherited",
    labels: readLabels(member(body, "labels")),
    others: Object.fromEntries(KEPT.flatMap((name) => (member(body, name) === undefined ? [] : [[name, member(body, name)]]))),
  };
}

/** cloud.google.com/storage/docs/tags-and-labels#bucket-labels. */
function readLabels(labels: unknown): Readonly<Record<string, string | null>> | undefined {
  if (labels === undefined) return undefined;
  if (!isJsonObject(labels)) throw invalid("Invalid argument.");
  for (const [key, value] of Object.entries(labels)) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key)) throw invalid(`Label keys must start with a lowercase letter and may contain lowercase letters, digits, underscores and dashes: '${key}'.`);
    if (value !== null && (typeof value !== "string" || !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value))) throw invalid(`Invalid label value for key '${key}'.`);
  }
  if (Object.keys(labels).length > 64) throw invalid("A bucket can have at most 64 labels.");
  return labels as Readonly<Record<string, string | null>>;
}

/** Labels after a patch: what it does not name stays. */
export function mergeLabels(before: Readonly<Record<string, string>>, change: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> {
  const merged = Object.entries({ ...before, ...change });
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Google answers locations in upper case. @throws StorageError 400 */
export function readLocation(location: unknown): string {
  if (location === undefined) return "US";
  const upper = typeof location === "string" ? location.toUpperCase() : "";
  if (!MULTI_REGIONS.includes(upper) && !/^(?:[A-Z]+-[A-Z]+\d+|NAM4|EUR[4578]|ASIA1)$/.test(upper)) throw invalid("The specified location constraint is not valid.");
  return upper;
}

/** cloud.google.com/storage/docs/buckets#naming. */
export function isBucketName(name: string): boolean {
  if (!/^[a-z0-9][a-z0-9._-]*[a-z0-9]$/.test(name) || /^\d+(?:\.\d+){3}$/.test(name)) return false;
  if (name.startsWith("goog") || /g[o0]{2}g[l1][e3]/.test(name) || name.includes("..")) return false;
  const limit = name.includes(".") ? 222 : 63;
  return name.length >= 3 && name.length <= limit && name.split(".").every((part) => part.length <= 63);
}
