import type { AwsState, Bucket } from "../state.ts";
import { effectiveBlock } from "./access.ts";
import { accessDenied, aclsOff, notImplemented } from "./errors.ts";

const GRANTS = ["x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp"];
const PUBLIC = new Set(["public-read", "public-read-write", "authenticated-read"]);
/** What a bucket without ACLs accepts too, because it changes nothing. */
const HARMLESS = new Set(["private", "bucket-owner-full-control"]);

/** Whether the request's headers ask for an ACL that changes anything. */
export function asksForAcl(headers: Readonly<Record<string, string>>): boolean {
  const acl = headers["x-amz-acl"];
  return (acl !== undefined && !HARMLESS.has(acl)) || GRANTS.some((name) => headers[name] !== undefined);
}

/**
 * Whether the object shall be readable for everybody.
 *
 * @throws AwsError AccessControlListNotSupported in a bucket without ACLs, AccessDenied while public ACLs are blocked
 */
export function acceptObjectAcl(headers: Readonly<Record<string, string>>, bucket: Bucket, state: AwsState): boolean {
  if (!asksForAcl(headers)) return false;
  if (bucket.ownership === "BucketOwnerEnforced") throw aclsOff();
  const grant = GRANTS.find((name) => headers[name] !== undefined);
  if (grant !== undefined) throw notImplemented(grant);
  const acl = headers["x-amz-acl"] ?? "";
  if (!PUBLIC.has(acl)) throw notImplemented("x-amz-acl");
  if (effectiveBlock(bucket, state).BlockPublicAcls) throw accessDenied();
  return acl !== "authenticated-read";
}
