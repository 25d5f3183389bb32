import { KubeassumeError } from "../../../../errors/error.ts";
import { isJsonObject, member, parseJsonObject, stringsOf } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { AwsError } from "../errors.ts";
import { refuseMalformedConditions } from "../policy.ts";
import type { Bucket } from "../state.ts";
import { effectiveBlock, isPublicPolicy } from "./access.ts";
import type { S3Action, S3Call } from "./call.ts";
import { bucketArn, bucketOf } from "./call-bucket.ts";
import { accessDenied, malformedPolicy } from "./errors.ts";

/** Bucket policies (docs.aws.amazon.com S3 API). */
export const bucketPolicyActions: Readonly<Record<string, S3Action>> = {
  "PUT bucket policy": { permission: "s3:PutBucketPolicy", needsChecksum: true, run: putPolicy },
  "GET bucket policy": { permission: "s3:GetBucketPolicy", run: getPolicy },
  "DELETE bucket policy": {
    permission: "s3:DeleteBucketPolicy",
    run: (call) => {
      bucketOf(call).policy = null;
      return { status: 204 };
    },
  },
  "GET bucket policyStatus": { permission: "s3:GetBucketPolicyStatus", run: getPolicyStatus },
};

function putPolicy(call: S3Call): { status: number } {
  const bucket = bucketOf(call);
  const text = call.body.toString("utf8");
  refuseMalformed(text, bucketArn(bucket.name, call.state));
  if (isPublicPolicy(text) && effectiveBlock(bucket, call.state).BlockPublicPolicy) throw publicPolicyBlocked(call, bucket);
  bucket.policy = text;
  return { status: 204 };
}

function publicPolicyBlocked(call: S3Call, bucket: Bucket): AwsError {
  const who = call.principal?.arn ?? "anonymous";
  return accessDenied(
    `User: ${who} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(bucket.name, call.state)}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
  );
}

function getPolicy(call: S3Call): { headers: Record<string, string>; body: Buffer } {
  return { headers: { "content-type": "application/json" }, body: Buffer.from(policyOf(call)) };
}

function getPolicyStatus(call: S3Call): { xml: ["PolicyStatus", { IsPublic: boolean }] } {
  return { xml: ["PolicyStatus", { IsPublic: isPublicPolicy(policyOf(call)) }] };
}

function policyOf(call: S3Call): string {
  const bucket = bucketOf(call);
  if (bucket.policy === null) throw new AwsError("NoSuchBucketPolicy", 404, "The bucket policy does not exist", { members: { BucketName: bucket.name } });
  return bucket.policy;
}

const MAX_BYTES = 20 * 1024;

function refuseMalformed(text: string, arn: string): void {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new AwsError("PolicyTooLarge", 400, "Policy exceeds the maximum allowed document size.");
  const document = text.startsWith("{") ? parseJsonObject(text) : null;
  if (document === null) throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'");
  const version = member(document, "Version") ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17") throw malformedPolicy("The policy must contain a valid version string");
  const statement = member(document, "Statement");
  if (statement === undefined) throw malformedPolicy("Missing required field Statement");
  const list: unknown[] = Array.isArray(statement) ? statement : [statement];
  if (list.length === 0) throw malformedPolicy("Could not parse the policy: Statement is empty!");
  for (const entry of list) {
    if (!isJsonObject(entry)) throw malformedPolicy("Invalid policy syntax.");
    refuseMalformedStatement(entry, String(version), arn);
  }
}

function refuseMalformedStatement(statement: JsonObject, version: string, arn: string): void {
  const effect = member(statement, "Effect");
  if (effect === undefined) throw malformedPolicy("Missing required field Effect");
  if (effect !== "Allow" && effect !== "Deny") throw malformedPolicy(`Invalid effect: ${String(effect)}`);
  for (const name of ["Principal", "Action", "Resource"]) {
    if (member(statement, name) === undefined && member(statement, `Not${name}`) === undefined) throw malformedPolicy(`Missing required field ${name}`);
  }
  const principal = member(statement, "Principal") ?? member(statement, "NotPrincipal");
  if (principal !== "*" && !isPrincipal(principal)) throw malformedPolicy("Invalid principal in policy");
  const actions = stringsOf(member(statement, "Action") ?? member(statement, "NotAction"));
  if (actions === null || actions.length === 0 || actions.some((action) => action !== "*" && !/^s3:[\w*?]+$/i.test(action))) throw malformedPolicy("Policy has invalid action");
  const resources = stringsOf(member(statement, "Resource") ?? member(statement, "NotResource"));
  if (resources === null || resources.length === 0 || !resources.every((resource) => isOwnResource(resource, arn))) throw malformedPolicy("Policy has invalid resource");
  refuseConditions(member(statement, "Condition"), version);
}

function isPrincipal(principal: unknown): boolean {
  if (!isJsonObject(principal) || Object.keys(principal).length === 0) return false;
  return Object.entries(principal).every(([type, names]) => ["AWS", "Service", "Federated", "CanonicalUser"].includes(type) && (stringsOf(names)?.length ?? 0) > 0);
}

/** Resources must name this bucket, before any wildcard. */
function isOwnResource(resource: string, own: string): boolean {
  return resource === own || resource.startsWith(`${own}/`);
}

function refuseConditions(condition: unknown, version: string): void {
  try {
    refuseMalformedConditions(condition, version);
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    throw malformedPolicy(String(error.details["awsMessage"] ?? "Invalid policy syntax."));
  }
}
