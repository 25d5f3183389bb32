import { type CodeDefinition, KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import type { DesiredResource, ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields, Json } from "../../../plan/step.ts";
import type { DesiredPlace } from "../../../publish/store.ts";
import { codes } from "./codes.ts";
import { bucketLabels, issuerLabel, readersLabels } from "./marks.ts";
import { READER_ROLE, READERS } from "./policy.ts";
import type { GcsSpec } from "./spec.ts";

export const KINDS = {
  bucket: "gcs.bucket",
  /** The mark on a bucket that is not ours but whose readers are. */
  labels: "gcs.labels",
  uniform: "gcs.uniform-access",
  publicAccess: "gcs.public-access",
  policy: "gcs.policy",
  object: "gcs.object",
} as const;

export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** What Google takes when nothing is said. */
const DEFAULT_LOCATION = "US";
const UNIFORM: Fields = { uniformBucketLevelAccess: true };
const NOT_PREVENTED: Fields = { publicAccessPrevention: "inherited" };

/** The id of one of the bucket's resources in plans. */
export function idOf(kind: Kind, { bucket }: Pick<GcsSpec, "bucket">): string {
  return `${kind}/${bucket}`;
}

/**
 * The bucket with its settings and marks when it is made; of one that exists its access settings and its readers, and a
 * label that says that the readers are ours.
 */
export function desiredPlace(spec: GcsSpec, observed: readonly ObservedResource[]): DesiredPlace {
  const find = (kind: Kind) => observed.find((resource) => resource.id === idOf(kind, spec));
  const bucket = find(KINDS.bucket);
  const unsupported = observed.filter((resource) => resource.fields["supported"] === false);
  const wanted = bucket === undefined ? newBucket(spec) : existingBucket(spec, bucket, find(KINDS.policy), find(KINDS.labels));
  return {
    resources: wanted.filter((resource) => !unsupported.some(({ id }) => id === resource.id)),
    documentsNeed: [idOf(KINDS.bucket, spec)],
    problems: problemsOf(spec, bucket, find(KINDS.publicAccess), find(KINDS.policy)),
    warnings: [...warningsOf(spec, bucket, find(KINDS.uniform), find(KINDS.policy)), ...unsupported.map(({ id }) => unsupportedSetting(spec, id))],
  };
}

/** One call makes it with all of this, so that a run that is killed leaves no half of it. */
function newBucket(spec: GcsSpec): readonly DesiredResource[] {
  const fields = { location: spec.location ?? DEFAULT_LOCATION, ...UNIFORM, ...NOT_PREVENTED, labels: bucketLabels(spec.issuer) };
  return [one(spec, KINDS.bucket, "", fields, []), readers(spec, [])];
}

function existingBucket(spec: GcsSpec, bucket: ObservedResource, policy: ObservedResource | undefined, labels: ObservedResource | undefined): readonly DesiredResource[] {
  const location: Json = spec.location ?? bucket.fields["location"] ?? DEFAULT_LOCATION;
  const open = isOpen(policy);
  // Readers that somebody else let in are not ours to take away later.
  const marks = bucket.marked || policy?.fields["supported"] === false || (open && labels === undefined) ? [] : [one(spec, KINDS.labels, "labels", labels?.fields ?? readersLabels(issuerLabel(spec.issuer)), [KINDS.bucket])];
  return [
    one(spec, KINDS.bucket, "", { location }, []),
    one(spec, KINDS.uniform, "uniform bucket-level access", UNIFORM, [KINDS.bucket]),
    // While it is prevented, Google refuses readers.
    one(spec, KINDS.publicAccess, "public access prevention", NOT_PREVENTED, [KINDS.bucket]),
    ...marks,
    readers(spec, [KINDS.publicAccess, ...(marks.length === 0 ? [] : [KINDS.labels])]),
  ];
}

function readers(spec: GcsSpec, needs: readonly Kind[]): DesiredResource {
  return one(spec, KINDS.policy, "bucket policy", { [READER_ROLE]: READERS }, [KINDS.bucket, ...needs]);
}

function one(spec: GcsSpec, kind: Kind, words: string, fields: Fields, needs: readonly Kind[]): DesiredResource {
  const target = words === "" ? `gs://${spec.bucket}` : `gs://${spec.bucket} (${words})`;
  return { id: idOf(kind, spec), kind, cloud: "gcp", target, fields, needs: needs.map((need) => idOf(need, spec)), part: true };
}

/** Whether everybody has our role already. */
function isOpen(policy: ObservedResource | undefined): boolean {
  const members = policy?.fields[READER_ROLE];
  return Array.isArray(members) && READERS.every((reader) => members.includes(reader));
}

function problemsOf(spec: GcsSpec, bucket: ObservedResource | undefined, publicAccess: ObservedResource | undefined, policy: ObservedResource | undefined): readonly KubeassumeError[] {
  const name = spec.bucket;
  if (bucket === undefined) return spec.create ? [] : [refusal(codes.GCS_BUCKET_MISSING, `bucket ${name} does not exist`, { bucket: name })];
  const problems: KubeassumeError[] = [];
  const location = bucket.fields["location"];
  if (spec.location !== null && location !== spec.location) {
    problems.push(refusal(codes.GCS_BUCKET_LOCATION, `bucket ${name} is in ${String(location)}, not in ${spec.location}`, { bucket: name, location }));
  }
  const foreign = textsOf(bucket.fields["foreignObjects"]);
  if (foreign.length > 0) {
    problems.push(refusal(codes.GCS_WOULD_BECOME_PUBLIC, `bucket ${name} holds other objects (${foreign.join(", ")}), which everybody could then read`, { bucket: name, objects: foreign }));
  }
  const roles = textsOf(policy?.fields["publicRoles"]);
  if (roles.length > 0 && publicAccess?.fields["publicAccessPrevention"] === "enforced") {
    problems.push(refusal(codes.GCS_WOULD_BECOME_PUBLIC, `bucket ${name} gives everybody ${roles.join(", ")}, which public access prevention holds back`, { bucket: name, roles }));
  }
  return problems;
}

function warningsOf(spec: GcsSpec, bucket: ObservedResource | undefined, uniform: ObservedResource | undefined, policy: ObservedResource | undefined): readonly Problem[] {
  const details = { bucket: spec.bucket };
  const warnings: Problem[] = [];
  if (bucket !== undefined && !bucket.marked && uniform?.fields["uniformBucketLevelAccess"] === false) {
    warnings.push(warning(codes.GCS_ACLS_USED, { message: `bucket ${spec.bucket} has no uniform bucket-level access`, details }));
  }
  const listing = textsOf(policy?.fields["listingRoles"]);
  if (listing.length > 0) warnings.push(warning(codes.GCS_BUCKET_LISTABLE, { message: `bucket ${spec.bucket} gives everybody ${listing.join(", ")}`, details: { ...details, roles: listing } }));
  return warnings;
}

function unsupportedSetting(spec: GcsSpec, id: string): Problem {
  const setting = id.slice("gcs.".length, id.indexOf("/"));
  return warning(codes.GCS_SETTING_UNSUPPORTED, { message: `the store of bucket ${spec.bucket} does not know the setting ${setting}`, details: { bucket: spec.bucket, setting } });
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((text): text is string => typeof text === "string") : [];
}

function refusal(definition: CodeDefinition, message: string, details: Readonly<Record<string, unknown>>): KubeassumeError {
  return new KubeassumeError(definition, { message, details });
}
