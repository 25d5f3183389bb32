import { randomBytes } from "node:crypto";
import { authenticate } from "../authenticate.ts";
import type { Authentication, AuthenticationProblem } from "../authenticate.ts";
import { AwsError } from "../errors.ts";
import type { AwsState, Bucket } from "../state.ts";
import { queryOf } from "../wire.ts";
import type { WireAnswer, WireRequest } from "../wire.ts";
import type { AwsWorld } from "../world.ts";
import { renderXml } from "../xml.ts";
import { authorizeBucketCall } from "./access.ts";
import { receiveBody } from "./body.ts";
import { bucketPolicyActions } from "./bucket-policy.ts";
import { bucketActions } from "./buckets.ts";
import type { S3Action, S3Answer, S3Call } from "./call.ts";
import { accessDenied, invalidRequest, noSuchBucket, notImplemented } from "./errors.ts";
import { listingActions } from "./listing.ts";
import { objectActions } from "./objects.ts";
import { refuseOtherRegion } from "./regions.ts";
import { settingActions } from "./settings.ts";
import { parseTarget } from "./target.ts";
import type { Target } from "./target.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** By method, what the call is about, and the sub-resource in the query. */
const ACTIONS: Readonly<Record<string, S3Action>> = { ...bucketActions, ...bucketPolicyActions, ...settingActions, ...objectActions, ...listingActions };

/** Query parameters that change how an action works, not which one it is. */
const PARAMETERS = new Set(
  `x-id prefix delimiter max-keys continuation-token start-after encoding-type fetch-owner max-buckets bucket-region`.split(" "),
);

/** Answers one request to S3, refusals included; it never throws an AwsError. `secure`: it came over TLS. */
export function answerS3(request: WireRequest, world: AwsWorld, secure = false): WireAnswer {
  const ids = { "x-amz-request-id": randomBytes(8).toString("hex").toUpperCase(), "x-amz-id-2": randomBytes(48).toString("base64") };
  try {
    const answer = perform(request, world, secure);
    const xml = answer.xml === undefined ? undefined : Buffer.from(renderXml(answer.xml[0], NAMESPACE, answer.xml[1]));
    const type: Record<string, string> = xml === undefined ? {} : { "content-type": "application/xml" };
    return { status: answer.status ?? 200, headers: { ...ids, server: "AmazonS3", ...type, ...answer.headers }, body: xml ?? answer.body ?? Buffer.alloc(0) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return renderS3Error(error, ids);
  }
}

/** A refusal in S3's form. */
export function renderS3Error(error: AwsError, ids: { readonly "x-amz-request-id": string; readonly "x-amz-id-2": string }): WireAnswer {
  const body = { Code: error.code, Message: error.message, ...error.members, RequestId: ids["x-amz-request-id"], HostId: ids["x-amz-id-2"] };
  return { status: error.status, headers: { ...ids, server: "AmazonS3", "content-type": "application/xml", ...error.headers }, body: Buffer.from(renderXml("Error", null, body)) };
}

function perform(request: WireRequest, world: AwsWorld, secure: boolean): S3Answer {
  const target = parseTarget(request);
  const query = new Map(queryOf(request));
  const name = nameOf(request.method, target, query);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  const signer = identify(request, world);
  const { data, checksum } = receiveBody(request, signer);
  if (action === undefined) throw notImplemented(name);
  if (action.needsChecksum === true && checksum === null && request.headers["content-md5"] === undefined) {
    throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  const call: S3Call = {
    ...world,
    principal: signer?.principal ?? null,
    signedRegion: signer?.region ?? world.region,
    bucketName: target.bucketName,
    key: target.key,
    query,
    headers: request.headers,
    body: data,
    checksum,
    secure,
  };
  if (name !== "GET service" && name !== "PUT bucket") enterBucket(call, target, action, signer !== null);
  return action.run(call);
}

/** `PUT bucket policy`: method, scope and, for buckets and objects, the one sub-resource. */
function nameOf(method: string, target: Target, query: ReadonlyMap<string, string>): string {
  const scope = target.bucketName === "" ? "service" : target.key === "" ? "bucket" : "object";
  const resources = [...query.keys()].filter((key) => !PARAMETERS.has(key));
  return [method, scope, ...resources].join(" ");
}

/** What every call about an existing bucket passes: it exists, here, belongs to whom the caller expects, and is allowed. */
function enterBucket(call: S3Call, target: Target, action: S3Action, signed: boolean): void {
  const bucket = call.state.buckets.get(call.bucketName);
  if (bucket === undefined) throw noSuchBucket(call.bucketName);
  if (signed) refuseOtherRegion(bucket, call.signedRegion, target.virtualHosted);
  refuseOtherOwner(call, bucket);
  authorizeBucketCall(call, bucket, action.permission);
}

function refuseOtherOwner({ headers }: S3Call, bucket: Bucket): void {
  const expected = headers["x-amz-expected-bucket-owner"];
  if (expected === undefined) return;
  if (!/^\d{12}$/.test(expected)) throw invalidRequest("The value of the expected bucket owner parameter must be an AWS account ID");
  if (expected !== bucket.owner) throw accessDenied();
}

/** Who signed the request; null for a stranger. */
function identify(request: WireRequest, { state, now }: AwsWorld): Extract<Authentication, { ok: true }> | null {
  const hash = request.headers["x-amz-content-sha256"];
  if (request.headers["authorization"] !== undefined && hash === undefined) throw invalidRequest("Missing required header for this request: x-amz-content-sha256");
  const signer = authenticate(request, "s3", hash ?? "", state, now());
  if (signer.ok) return signer;
  if (signer.problem === "missing") return null;
  throw refusal(signer.problem, signer.accessKeyId, state);
}

function refusal(problem: Exclude<AuthenticationProblem, "missing">, accessKeyId: string, state: AwsState): AwsError {
  const rows: Readonly<Record<typeof problem, readonly [string, number, string]>> = {
    malformed: ["AuthorizationHeaderMalformed", 400, "The authorization header that you provided is not valid."],
    "unknown-key": ["InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."],
    "bad-token": ["InvalidToken", 400, "The provided token is malformed or otherwise invalid."],
    expired: ["ExpiredToken", 400, "The provided token has expired."],
    skewed: ["RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."],
    mismatch: ["SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method."],
    "wrong-service": ["AuthorizationHeaderMalformed", 400, "The authorization header is malformed; incorrect service. This endpoint belongs to \"s3\"."],
  };
  const known = state.credentials.has(accessKeyId);
  const [code, status, message] = problem === "bad-token" && !known ? rows["unknown-key"] : rows[problem];
  return new AwsError(code, status, message, accessKeyId === "" ? {} : { members: { AWSAccessKeyId: accessKeyId } });
}
