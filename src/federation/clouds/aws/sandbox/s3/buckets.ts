import { isIP } from "node:net";
import { authorize } from "../authorize.ts";
import { AwsError } from "../errors.ts";
import { newBucket, wholeSeconds } from "../state.ts";
import type { AwsState, Bucket, ObjectOwnership } from "../state.ts";
import { childrenAt, childAt, textAt } from "../xml.ts";
import { parseXml } from "../parse-xml.ts";
import { asksForAcl } from "./acl.ts";
import { bucketArn, bucketOf } from "./call-bucket.ts";
import type { S3Action, S3Answer, S3Call } from "./call.ts";
import { accessDenied, invalidArgument, malformedXml } from "./errors.ts";
import { HOME_REGION, regionOfNewBucket } from "./regions.ts";
import { isOwnership, parseTags } from "./settings.ts";

/** Buckets themselves (docs.aws.amazon.com S3 API). */
export const bucketActions: Readonly<Record<string, S3Action>> = {
  "GET service": { permission: "s3:ListAllMyBuckets", run: listBuckets },
  "PUT bucket": { permission: "s3:CreateBucket", run: createBucket },
  "HEAD bucket": { permission: "s3:ListBucket", run: (call) => ({ headers: { "x-amz-bucket-region": bucketOf(call).region, "x-amz-access-point-alias": "false" } }) },
  "DELETE bucket": { permission: "s3:DeleteBucket", run: deleteBucket },
  "GET bucket location": { permission: "s3:GetBucketLocation", run: getLocation },
};

function listBuckets(call: S3Call): S3Answer {
  const { principal, query, state } = call;
  if (principal === null) throw accessDenied();
  authorize(principal, "s3:ListAllMyBuckets", "*", state);
  const prefix = query.get("prefix") ?? "";
  const region = query.get("bucket-region");
  const after = query.get("continuation-token") ?? "";
  const limit = Number(query.get("max-buckets") ?? "10000");
  const own = [...state.buckets.values()]
    .filter(({ name, owner, region: place }) => owner === principal.account && name.startsWith(prefix) && name > after && (region === undefined || place === region))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const page = own.slice(0, limit);
  const buckets = page.map(({ name, createDate, region: place }) => ({ Name: name, CreationDate: createDate, BucketRegion: place, BucketArn: bucketArn(name, state) }));
  const token = own.length > page.length ? page.at(-1)?.name : undefined;
  return { xml: ["ListAllMyBucketsResult", { Owner: { ID: ownerId(principal.account) }, Buckets: { Bucket: buckets }, ContinuationToken: token, Prefix: query.get("prefix") }] };
}

/** Canonical user ids are 64 hexadecimal digits and say nothing. */
function ownerId(account: string): string {
  return Buffer.from(account.padEnd(32, "0")).toString("hex");
}

function createBucket(call: S3Call): S3Answer {
  const { principal, state, bucketName: name } = call;
  if (principal === null) throw accessDenied();
  authorize(principal, "s3:CreateBucket", bucketArn(name, state), state, `"${bucketArn(name, state)}"`);
  if (!isBucketName(name)) throw new AwsError("InvalidBucketName", 400, "The specified bucket is not valid.", { members: { BucketName: name } });
  const { constraint, tags } = parseConfiguration(call.body);
  const region = regionOfNewBucket(call.signedRegion, constraint);
  const ownership = ownershipOf(call.headers["x-amz-object-ownership"]);
  if (asksForAcl(call.headers)) throw aclWithOwnership(ownership);
  const existing = state.buckets.get(name);
  if (existing !== undefined) return answerExisting(existing, principal.account, call);
  const bucket = newBucket(name, region, principal.account, wholeSeconds(call.now()));
  bucket.ownership = ownership;
  bucket.tags = tags;
  state.buckets.set(name, bucket);
  return created(bucket, state);
}

function created({ name, region }: Bucket, state: AwsState): S3Answer {
  const location = region === HOME_REGION ? `/${name}` : `http://${name}.s3.amazonaws.com/`;
  return { headers: { location, "x-amz-bucket-arn": bucketArn(name, state) } };
}

/** In us-east-1, and only there, making one's own bucket again succeeds and changes nothing. */
function answerExisting(bucket: Bucket, account: string, { signedRegion, state }: S3Call): S3Answer {
  const members = { BucketName: bucket.name };
  if (bucket.owner !== account) {
    const message = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    throw new AwsError("BucketAlreadyExists", 409, message, { members });
  }
  if (signedRegion === HOME_REGION && bucket.region === HOME_REGION) return created(bucket, state);
  throw new AwsError("BucketAlreadyOwnedByYou", 409, "Your previous request to create the named bucket succeeded and you already own it.", { members });
}

function ownershipOf(header: string | undefined): ObjectOwnership {
  if (header === undefined) return "BucketOwnerEnforced";
  if (!isOwnership(header)) throw invalidArgument("Invalid x-amz-object-ownership header", "x-amz-object-ownership", header);
  return header;
}

function aclWithOwnership(ownership: ObjectOwnership): AwsError {
  if (ownership !== "BucketOwnerEnforced") return accessDenied();
  return new AwsError("InvalidBucketAclWithObjectOwnership", 400, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
}

function parseConfiguration(body: Buffer): { constraint: string | undefined; tags: Bucket["tags"] } {
  if (body.length === 0) return { constraint: undefined, tags: [] };
  const document = parseXml(body.toString("utf8"));
  const configuration = childAt(document ?? undefined, "CreateBucketConfiguration");
  if (configuration === undefined) throw malformedXml();
  const constraint = textAt(configuration, "LocationConstraint");
  return { constraint: constraint === "" ? undefined : constraint, tags: parseTags(childrenAt(childAt(configuration, "Tags"), "Tag")) };
}

/** S3 User Guide, "General purpose bucket naming rules". */
function isBucketName(name: string): boolean {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes("..") || isIP(name) !== 0) return false;
  return !/^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
}

function deleteBucket(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  if (bucket.objects.size > 0) {
    throw new AwsError("BucketNotEmpty", 409, "The bucket you tried to delete is not empty", { members: { BucketName: bucket.name } });
  }
  call.state.buckets.delete(bucket.name);
  return { status: 204 };
}

function getLocation(call: S3Call): S3Answer {
  const { region } = bucketOf(call);
  return { xml: ["LocationConstraint", region === HOME_REGION ? "" : region] };
}
