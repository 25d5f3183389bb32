import { type CodeDefinition, KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import type { DesiredResource, ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import type { DesiredPlace } from "../../../publish/store.ts";
import { marksOf } from "../marks.ts";
import { codes } from "./codes.ts";
import { MAX_POLICY_BYTES, publicStatement } from "./policy.ts";
import type { S3Spec } from "./spec.ts";

export const KINDS = {
  bucket: "s3.bucket",
  tags: "s3.tags",
  ownership: "s3.ownership",
  publicAccess: "s3.public-access-block",
  policy: "s3.policy",
  object: "s3.object",
} as const;

/** Flags for ACLs stay on; those for policies have to be off for anybody to read (S3 user guide, Block Public Access). */
export const PUBLIC_ACCESS: Fields = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

/** The id of one of the bucket's resources in plans. */
export function idOf(kind: (typeof KINDS)[keyof typeof KINDS], spec: S3Spec): string {
  return `${kind}/${spec.bucket}`;
}

/** The bucket, its ownership setting, its public-access flags, its policy, and its marks when it is made. */
export function desiredPlace(spec: S3Spec, observed: readonly ObservedResource[]): DesiredPlace {
  const find = (kind: (typeof KINDS)[keyof typeof KINDS]) => observed.find((resource) => resource.id === idOf(kind, spec));
  const bucket = find(KINDS.bucket);
  const unsupported = observed.filter((resource) => resource.fields["supported"] === false);
  const wanted = bucket === undefined || isCutShort(spec, bucket) ? [...desiredBucket(spec), desiredTags(spec)] : desiredBucket(spec);
  const resources = wanted.filter((resource) => !unsupported.some(({ id }) => id === resource.id));
  return {
    resources,
    documentsNeed: [idOf(KINDS.bucket, spec)],
    problems: problemsOf(spec, bucket, find(KINDS.publicAccess), find(KINDS.policy)),
    warnings: [...warningsOf(spec, bucket, find(KINDS.ownership)), ...unsupported.map(({ id }) => unsupportedSetting(spec, id))],
  };
}

/** Nothing is in it but what would be published, and no policy of others. Tags come in a call of their own, so a run that was killed leaves a bucket without them. */
function isCutShort(spec: S3Spec, bucket: ObservedResource): boolean {
  return spec.create && !bucket.marked && bucket.fields["vacant"] === true;
}

function desiredBucket(spec: S3Spec): readonly DesiredResource[] {
  const common = { cloud: "aws", part: true };
  const bucket = idOf(KINDS.bucket, spec);
  const one = (kind: (typeof KINDS)[keyof typeof KINDS], words: string, fields: Fields, needs: readonly string[]): DesiredResource => ({
    ...common,
    id: idOf(kind, spec),
    kind,
    target: words === "" ? `s3://${spec.bucket}` : `s3://${spec.bucket} (${words})`,
    fields,
    needs,
  });
  return [
    one(KINDS.bucket, "", { region: spec.region }, []),
    one(KINDS.ownership, "object ownership", { ObjectOwnership: "BucketOwnerEnforced" }, [bucket]),
    one(KINDS.publicAccess, "public access block", PUBLIC_ACCESS, [bucket]),
    // While public policies are blocked, S3 refuses this one.
    one(KINDS.policy, "bucket policy", { statement: publicStatement(spec) }, [bucket, idOf(KINDS.publicAccess, spec)]),
  ];
}

function desiredTags(spec: S3Spec): DesiredResource {
  const fields = Object.fromEntries(marksOf(spec.issuer).map((tag) => [tag.Key, tag.Value]));
  const target = `s3://${spec.bucket} (tags)`;
  return { id: idOf(KINDS.tags, spec), kind: KINDS.tags, cloud: "aws", target, fields, needs: [idOf(KINDS.bucket, spec)], part: true };
}

function problemsOf(
  spec: S3Spec,
  bucket: ObservedResource | undefined,
  publicAccess: ObservedResource | undefined,
  policy: ObservedResource | undefined,
): readonly KubeassumeError[] {
  const { bucket: name, region } = spec;
  if (bucket === undefined) return spec.create ? [] : [refusal(codes.BUCKET_MISSING, `bucket ${name} does not exist`, { bucket: name })];
  const problems: KubeassumeError[] = [];
  const actual = bucket.fields["region"];
  if (actual !== region) problems.push(refusal(codes.BUCKET_REGION, `bucket ${name} is in ${String(actual)}, not in ${region}`, { bucket: name, region: actual }));
  if (policy?.fields["othersArePublic"] === true && publicAccess?.fields["RestrictPublicBuckets"] === true) {
    problems.push(refusal(codes.BUCKET_WOULD_BECOME_PUBLIC, `bucket ${name} has a public statement of somebody else that Block Public Access holds back`, { bucket: name }));
  }
  const size = policy?.fields["size"];
  if (typeof size === "number" && size > MAX_POLICY_BYTES) {
    problems.push(refusal(codes.POLICY_TOO_LARGE, `the policy of bucket ${name} would have ${size} bytes, more than ${MAX_POLICY_BYTES}`, { bucket: name, size }));
  }
  return problems;
}

function warningsOf(spec: S3Spec, bucket: ObservedResource | undefined, ownership: ObservedResource | undefined): readonly Problem[] {
  const found = ownership?.fields["ObjectOwnership"];
  if (bucket === undefined || bucket.marked || typeof found !== "string" || found === "BucketOwnerEnforced") return [];
  return [warning(codes.BUCKET_ACLS_USED, { message: `bucket ${spec.bucket} has object ownership ${String(found)}`, details: { bucket: spec.bucket } })];
}

function unsupportedSetting(spec: S3Spec, id: string): Problem {
  const setting = id.slice("s3.".length, id.indexOf("/"));
  return warning(codes.BUCKET_SETTING_UNSUPPORTED, { message: `the store of bucket ${spec.bucket} does not know the setting ${setting}`, details: { bucket: spec.bucket, setting } });
}

function refusal(definition: CodeDefinition, message: string, details: Readonly<Record<string, unknown>>): KubeassumeError {
  return new KubeassumeError(definition, { message, details });
}
