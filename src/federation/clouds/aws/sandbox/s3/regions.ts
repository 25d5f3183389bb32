import { AwsError } from "../errors.ts";
import type { Bucket } from "../state.ts";

export const HOME_REGION = "us-east-1";

/** Regions of the partition `aws` that take buckets (AWS General Reference, S3 endpoints). */
const REGIONS = new Set(
  `us-east-1 us-east-2 us-west-1 us-west-2 af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3
  ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
  ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
  il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1`.split(/\s+/),
);

/**
 * Where a new bucket goes. The endpoint of us-east-1 takes any constraint but its own name; every other endpoint
 * insists on its own (S3 API reference, CreateBucket).
 *
 * @throws AwsError InvalidLocationConstraint, IllegalLocationConstraintException
 */
export function regionOfNewBucket(endpointRegion: string, constraint: string | undefined): string {
  if (endpointRegion === HOME_REGION) {
    if (constraint === undefined) return HOME_REGION;
    const region = constraint === "EU" ? "eu-west-1" : constraint;
    if (region === HOME_REGION || !REGIONS.has(region)) {
      throw new AwsError("InvalidLocationConstraint", 400, "The specified location-constraint is not valid", { members: { LocationConstraint: constraint } });
    }
    return region;
  }
  if (constraint === endpointRegion || (constraint === "EU" && endpointRegion === "eu-west-1")) return endpointRegion;
  const shown = constraint ?? "unspecified";
  throw new AwsError("IllegalLocationConstraintException", 400, `The ${shown} location constraint is incompatible for the region specific endpoint this request was sent to.`);
}

/**
 * Refuses a request that went to another region's endpoint: names under us-east-1 lead to the bucket itself, which says
 * that the signature is for the wrong region; every other endpoint redirects.
 *
 * @throws AwsError AuthorizationHeaderMalformed, PermanentRedirect
 */
export function refuseOtherRegion(bucket: Bucket, signedRegion: string, virtualHosted: boolean): void {
  if (signedRegion === bucket.region) return;
  const headers = { "x-amz-bucket-region": bucket.region };
  if (virtualHosted && signedRegion === HOME_REGION) {
    const message = `The authorization header is malformed; the region '${signedRegion}' is wrong; expecting '${bucket.region}'`;
    throw new AwsError("AuthorizationHeaderMalformed", 400, message, { members: { Region: bucket.region }, headers });
  }
  const members = { Endpoint: endpointOf(bucket, virtualHosted), Bucket: bucket.name };
  const message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";
  throw new AwsError("PermanentRedirect", 301, message, { members, headers });
}

function endpointOf(bucket: Bucket, virtualHosted: boolean): string {
  const endpoint = bucket.region === HOME_REGION ? "s3.amazonaws.com" : `s3.${bucket.region}.amazonaws.com`;
  return virtualHosted ? `${bucket.name}.${endpoint}` : endpoint;
}
