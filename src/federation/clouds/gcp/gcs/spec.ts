import { codes as commonCodes, combineProblems } from "../../../errors/codes.ts";
import { type CodeDefinition, KubeassumeError } from "../../../errors/error.ts";
import { DISCOVERY_PATH, JWKS_PATH } from "../../../publish/documents.ts";
import { givenIssuer, givenText, issuerProblems, missing, textOf } from "../../../publish/input.ts";
import { isPlainPrefix, prefixOf } from "../../../publish/prefix.ts";
import type { StoreInput, StoreSpec } from "../../../publish/store.ts";
import { gcpInputCodes } from "../codes.ts";
import { isProjectId } from "../names.ts";
import { codes } from "./codes.ts";
import { bucketNameProblem, DEFAULT_UNIVERSE, type GcsLocation, gcsUrl, parseGcsUrl } from "./url.ts";

/** The place of one issuer's documents in a bucket. */
export interface GcsSpec extends StoreSpec, GcsLocation {
  /** The ID of the project that owns the bucket. */
  readonly project: string;
  /** In upper case, as Google answers it; null when it was not given. */
  readonly location: string | null;
  /** Make the bucket when it is missing. */
  readonly create: boolean;
}

/**
 * Reads bucket, project, location, prefix and issuer from flags, config and Google's own variables. Without an issuer it
 * is Cloud Storage's own URL; with an issuer that is one, bucket and prefix are taken from it when they are not given;
 * with any other host (a CDN, a load balancer), the prefix is the issuer's path unless it is given.
 *
 * @throws KubeassumeError FLAG_MISSING, FLAG_INVALID, GCP_PROJECT_INVALID, GCS_BUCKET_NAME_INVALID, GCS_PREFIX_INVALID,
 * GCS_ISSUER_MISMATCH, ISSUER_*: all at once
 */
export function toGcsSpec(input: StoreInput): GcsSpec {
  const universe = universeOf(input);
  const issuer = givenIssuer(input);
  const served = issuer === null ? null : parseGcsUrl(issuer, universe);
  const bucket = givenText(input, "bucket") ?? served?.bucket ?? null;
  const prefix = givenText(input, "prefix") ?? served?.prefix ?? (issuer === null ? "" : prefixOf(issuer, bucket));
  const project = givenProject(input);
  const location = givenText(input, "location")?.toUpperCase() ?? null;
  const problems: KubeassumeError[] = [];
  if (bucket === null) problems.push(missing("bucket", "publish[].gcs.bucket"));
  if (project === null) problems.push(missing("project", "publish[].gcs.project"));
  else if (!isProjectId(project)) problems.push(invalidProject(project));
  if (location !== null && !/^[A-Z0-9-]{2,40}$/.test(location)) problems.push(refusal(commonCodes.FLAG_INVALID, `location ${JSON.stringify(location.slice(0, 100))} is not the name of a location`, { location }));
  if (issuer !== null) problems.push(...issuerProblems(issuer));
  problems.push(...placeProblems({ bucket: bucket ?? "", prefix }, bucket !== null, issuer, served));
  if (problems.length > 0) throw combineProblems(problems);
  const place = { bucket: bucket ?? "", prefix, project: project ?? "", location };
  return gcsSpecOf(place, issuer ?? gcsUrl(place, universe), input.flags["createBucket"] === true);
}

/** The spec of a place that is known to be good. */
export function gcsSpecOf(place: Pick<GcsSpec, "bucket" | "prefix" | "project" | "location">, issuer: string, create: boolean): GcsSpec {
  const { bucket, prefix } = place;
  const document = (path: string) => {
    const name = prefix === "" ? path : `${prefix}/${path}`;
    return { name, target: `gs://${bucket}/${name}` };
  };
  return { ...place, issuer, create, place: bucket, discovery: document(DISCOVERY_PATH), jwks: document(JWKS_PATH), keepsHeaders: true, servesAtOnce: true };
}

/** The project by flag, entry, config or Google's own variables; null when none of them says one. */
export function givenProject(input: StoreInput): string | null {
  const { config, env } = input;
  return givenText(input, "project") ?? textOf(config?.clouds["gcp"]?.["project"]) ?? textOf(env["GOOGLE_CLOUD_PROJECT"]) ?? textOf(env["CLOUDSDK_CORE_PROJECT"]);
}

/** The domain of Google's endpoints. */
export function universeOf({ env }: Pick<StoreInput, "env">): string {
  return textOf(env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"]) ?? DEFAULT_UNIVERSE;
}

function invalidProject(project: string): KubeassumeError {
  const shown = JSON.stringify(project.slice(0, 100));
  const message = /^\d+$/.test(project) ? `project ${shown} is a number: the project's ID is needed` : `project ${shown} is not a project ID`;
  return refusal(gcpInputCodes.GCP_PROJECT_INVALID, message, { project });
}

function placeProblems(place: GcsLocation, named: boolean, issuer: string | null, served: GcsLocation | null): readonly KubeassumeError[] {
  const problems: KubeassumeError[] = [];
  const { bucket, prefix } = place;
  const name = named ? bucketNameProblem(bucket) : null;
  if (name !== null) problems.push(refusal(codes.GCS_BUCKET_NAME_INVALID, `bucket name ${JSON.stringify(bucket.slice(0, 100))} ${name}`, { bucket }));
  if (!isPlainPrefix(prefix)) problems.push(refusal(codes.GCS_PREFIX_INVALID, `prefix ${JSON.stringify(prefix.slice(0, 200))} is not plain`, { prefix }));
  for (const member of ["bucket", "prefix"] as const) {
    if (served === null || place[member] === served[member]) continue;
    const message = `issuer ${issuer} is ${member} ${JSON.stringify(served[member])}, not ${JSON.stringify(place[member])}`;
    problems.push(refusal(codes.GCS_ISSUER_MISMATCH, message, { issuer, [member]: place[member] }));
  }
  return problems;
}

function refusal(definition: CodeDefinition, message: string, details: Readonly<Record<string, unknown>>): KubeassumeError {
  return new KubeassumeError(definition, { message, details });
}
