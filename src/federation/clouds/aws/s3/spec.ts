import { codes as commonCodes, combineProblems } from "../../../errors/codes.ts";
import { type CodeDefinition, KubeassumeError } from "../../../errors/error.ts";
import { DISCOVERY_PATH, JWKS_PATH } from "../../../publish/documents.ts";
import { givenIssuer, givenText, issuerProblems, missing, textOf } from "../../../publish/input.ts";
import { isPlainPrefix, prefixOf } from "../../../publish/prefix.ts";
import type { StoreInput, StoreSpec } from "../../../publish/store.ts";
import { codes } from "./codes.ts";
import { bucketNameProblem, parseS3Url, type S3Location, s3Url } from "./url.ts";

/** The place of one issuer's documents in a bucket. */
export interface S3Spec extends StoreSpec, S3Location {
  /** Make the bucket when it is missing. */
  readonly create: boolean;
}

/**
 * Reads bucket, region, prefix and issuer from flags, config and AWS_REGION. Without an issuer it is S3's own URL;
 * with an issuer that is an S3 URL, what is not given is taken from it; with any other host (a CDN, an S3-compatible
 * store), the prefix is the issuer's path, without the bucket when it begins with it, unless it is given.
 *
 * @throws KubeassumeError FLAG_MISSING, FLAG_INVALID, BUCKET_NAME_*, BUCKET_PREFIX_INVALID, BUCKET_ISSUER_MISMATCH, ISSUER_*: all at once
 */
export function toS3Spec(input: StoreInput): S3Spec {
  const issuer = givenIssuer(input);
  const served = issuer === null ? null : parseS3Url(issuer);
  const environment = textOf(input.env["AWS_REGION"]) ?? textOf(input.env["AWS_DEFAULT_REGION"]);
  const bucket = givenText(input, "bucket") ?? served?.bucket ?? null;
  const region = givenText(input, "region") ?? served?.region ?? regionOfConfig(input) ?? environment;
  const prefix = givenText(input, "prefix") ?? served?.prefix ?? (issuer === null ? "" : prefixOf(issuer, bucket));
  const problems: KubeassumeError[] = [];
  if (bucket === null) problems.push(missing("bucket", "publish[].s3.bucket"));
  if (region === null) problems.push(missing("region", "publish[].s3.region"));
  else if (!/^[a-z0-9-]+$/.test(region)) problems.push(refusal(commonCodes.FLAG_INVALID, `region ${JSON.stringify(region)} is not the name of a region`, { region }));
  if (issuer !== null) problems.push(...issuerProblems(issuer));
  const location = { bucket: bucket ?? "", region: region ?? "", prefix };
  problems.push(...locationProblems(location, bucket !== null, issuer, served));
  if (problems.length > 0) throw combineProblems(problems);
  return s3SpecOf(location, issuer ?? s3Url(location), input.flags["createBucket"] === true);
}

/** The spec of a location that is known to be good. */
export function s3SpecOf(location: S3Location, issuer: string, create: boolean): S3Spec {
  const { bucket, prefix } = location;
  const place = (path: string) => {
    const name = prefix === "" ? path : `${prefix}/${path}`;
    return { name, target: `s3://${bucket}/${name}` };
  };
  return {
    ...location,
    issuer,
    create,
    place: bucket,
    discovery: place(DISCOVERY_PATH),
    jwks: place(JWKS_PATH),
    keepsHeaders: true,
    servesAtOnce: true,
  };
}

function locationProblems(location: S3Location, named: boolean, issuer: string | null, served: S3Location | null): readonly KubeassumeError[] {
  const problems: KubeassumeError[] = [];
  const { bucket, prefix } = location;
  const name = named ? bucketNameProblem(bucket) : null;
  if (name !== null) problems.push(refusal(codes.BUCKET_NAME_INVALID, `bucket name ${JSON.stringify(bucket.slice(0, 100))} ${name}`, { bucket }));
  // In the path-style form the name is no part of the host.
  const inHost = issuer === null || (served !== null && issuer.startsWith(`https://${bucket}.`));
  if (name === null && inHost && bucket.includes(".")) problems.push(refusal(codes.BUCKET_NAME_HAS_DOTS, `bucket name ${JSON.stringify(bucket)} has dots`, { bucket }));
  if (!isPlainPrefix(prefix)) problems.push(refusal(codes.BUCKET_PREFIX_INVALID, `prefix ${JSON.stringify(prefix.slice(0, 200))} is not plain`, { prefix }));
  for (const member of ["bucket", "region", "prefix"] as const) {
    if (served === null || location[member] === served[member]) continue;
    const message = `issuer ${issuer} is ${member} ${JSON.stringify(served[member])}, not ${JSON.stringify(location[member])}`;
    problems.push(refusal(codes.BUCKET_ISSUER_MISMATCH, message, { issuer, [member]: location[member] }));
  }
  return problems;
}

function regionOfConfig(input: StoreInput): string | null {
  return textOf(input.config?.clouds["aws"]?.["region"]);
}

function refusal(definition: CodeDefinition, message: string, details: Readonly<Record<string, unknown>>): KubeassumeError {
  return new KubeassumeError(definition, { message, details });
}
