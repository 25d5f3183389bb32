import { isJsonObject, member, stringsOf } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { authorize } from "../authorize.ts";
import { decide, isEverybody, statementsOf } from "../policy.ts";
import type { Decision } from "../policy.ts";
import type { AwsState, Bucket, Principal, PublicAccessBlock } from "../state.ts";
import type { S3Call } from "./call.ts";
import { bucketArn } from "./call-bucket.ts";
import { accessDenied } from "./errors.ts";

/**
 * Lets a call through or refuses it: the bucket policy and, within the owner's account, the caller's own permissions.
 * Strangers get what a public policy or ACL gives them, unless Block Public Access takes it away.
 *
 * @throws AwsError AccessDenied
 */
export function authorizeBucketCall(call: S3Call, bucket: Bucket, permission: string): void {
  const { principal } = call;
  const resource = call.key === "" ? bucketArn(bucket.name, call.state) : `${bucketArn(bucket.name, call.state)}/${call.key}`;
  const decision = decideByPolicy(call, bucket, permission, resource);
  if (principal === null) {
    if (decision === "allow" || (decision === "none" && isReadableByAcl(call, bucket, permission))) return;
    throw accessDenied();
  }
  if (decision === "deny") throw accessDenied(`User: ${principal.arn} is not authorized to perform: ${permission} on resource: "${resource}" with an explicit deny in a resource-based policy`);
  if (decision === "allow") return;
  if (principal.account !== bucket.owner) throw accessDenied();
  authorize(principal, permission, resource, call.state, `"${resource}"`);
}

/** Whether the caller may list the bucket, and so may learn that a key does not exist. */
export function mayList(call: S3Call, bucket: Bucket): boolean {
  try {
    authorizeBucketCall({ ...call, key: "" }, bucket, "s3:ListBucket");
    return true;
  } catch {
    return false;
  }
}

function decideByPolicy(call: S3Call, bucket: Bucket, permission: string, resource: string): Decision {
  if (bucket.policy === null) return "none";
  const { principal } = call;
  const decision = decide([bucket.policy], { action: permission, resource, arn: principal?.arn ?? null, account: principal?.account ?? null, context: contextOf(call, principal) });
  const restricted = effectiveBlock(bucket, call.state).RestrictPublicBuckets && isPublicPolicy(bucket.policy);
  return decision === "allow" && restricted && principal?.account !== bucket.owner ? "none" : decision;
}

function isReadableByAcl(call: S3Call, bucket: Bucket, permission: string): boolean {
  if (permission !== "s3:GetObject" || bucket.ownership === "BucketOwnerEnforced") return false;
  return !effectiveBlock(bucket, call.state).IgnorePublicAcls && bucket.objects.get(call.key)?.publicAcl === true;
}

function contextOf(call: S3Call, principal: Principal | null): ReadonlyMap<string, { readonly values: readonly string[] }> {
  const now = call.now();
  const entries: [string, string][] = [
    ["aws:securetransport", String(call.secure)],
    ["aws:sourceip", "127.0.0.1"],
    ["aws:currenttime", now.toISOString()],
    ["aws:epochtime", String(Math.floor(now.getTime() / 1000))],
    ["aws:useragent", call.headers["user-agent"] ?? ""],
    ["s3:prefix", call.query.get("prefix") ?? ""],
  ];
  if (principal !== null) entries.push(["aws:principalarn", principal.arn], ["aws:principalaccount", principal.account], ["aws:userid", principal.userId]);
  return new Map(entries.map(([key, value]) => [key, { values: [value] }]));
}

/** The bucket's own settings and the account's: whichever blocks, blocks. */
export function effectiveBlock(bucket: Bucket, state: AwsState): PublicAccessBlock {
  const [own, account] = [bucket.publicAccessBlock, state.accountPublicAccessBlock];
  return {
    BlockPublicAcls: own?.BlockPublicAcls === true || account.BlockPublicAcls,
    IgnorePublicAcls: own?.IgnorePublicAcls === true || account.IgnorePublicAcls,
    BlockPublicPolicy: own?.BlockPublicPolicy === true || account.BlockPublicPolicy,
    RestrictPublicBuckets: own?.RestrictPublicBuckets === true || account.RestrictPublicBuckets,
  };
}

/** Keys whose fixed values make a statement for everybody one for somebody. */
const LIMITING_KEYS = /^(aws:sourceip|aws:sourcearn|aws:sourcevpc|aws:sourcevpce|aws:sourceowner|aws:sourceaccount|aws:userid|aws:principal(orgid|orgpaths|account|arn)|s3:dataaccesspoint(arn|account)|s3:x-amz-server-side-encryption-aws-kms-key-id)$/i;

/**
 * Whether S3 calls a policy public: an Allow for everybody without a condition that fixes who that is
 * (S3 User Guide, "The meaning of public").
 */
export function isPublicPolicy(text: string): boolean {
  return statementsOf(text).some(({ statement }) => {
    if (member(statement, "Effect") !== "Allow") return false;
    const everybody = isEverybody(member(statement, "Principal")) || member(statement, "NotPrincipal") !== undefined;
    return everybody && !isLimited(member(statement, "Condition"));
  });
}

function isLimited(condition: unknown): boolean {
  if (!isJsonObject(condition)) return false;
  return Object.entries(condition).some(([operator, keys]) => /^(StringEquals|StringLike|ArnEquals|ArnLike|IpAddress)$/i.test(operator) && isJsonObject(keys) && fixesCaller(keys));
}

function fixesCaller(keys: JsonObject): boolean {
  return Object.entries(keys).some(([key, value]) => {
    const values = stringsOf(value) ?? [];
    return LIMITING_KEYS.test(key) && values.length > 0 && values.every((entry) => !/[*?]|\$\{|\/[0-7]$/.test(entry));
  });
}
