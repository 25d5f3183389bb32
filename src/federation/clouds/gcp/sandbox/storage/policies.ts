import { isJsonObject, type JsonObject, member } from "../../../../oidc/json.ts";
import type { StandInAnswer } from "../../../../sandbox/http-core.ts";
import { allows, PUBLIC_MEMBERS } from "./access.ts";
import { refusesPublic, touch } from "./buckets.ts";
import { answerJson, bodyOf, bucketOf, type StorageCall, type StorageMethod } from "./call.ts";
import { invalid, preconditionFailed, StorageError } from "./errors.ts";
import { type Binding, type Bucket, etagOf } from "./state.ts";

/** The bucket's own policy, and the access control lists that uniform access switches off. */
export const policyMethods: Readonly<Record<string, StorageMethod>> = {
  "GET bucket iam": { permission: "storage.buckets.getIamPolicy", run: getPolicy },
  "PUT bucket iam": { permission: "storage.buckets.setIamPolicy", run: setPolicy },
  "GET bucket iam/testPermissions": { permission: null, run: testPermissions },
  ...Object.fromEntries(
    ["acl", "defaultObjectAcl"].flatMap((kind) => ["GET", "POST"].map((method) => [`${method} bucket ${kind}`, { permission: "storage.buckets.get", run: accessControls }])),
  ),
};

function getPolicy(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  const asked = Number(call.query.get("optionsRequestedPolicyVersion") ?? 1);
  if (![1, 2, 3].includes(asked)) throw invalid("Invalid value for optionsRequestedPolicyVersion.", { locationType: "parameter", location: "optionsRequestedPolicyVersion" });
  if (asked < 3 && hasConditions(bucket.policy.bindings)) throw invalid(`The requested policy version ${asked} does not support conditional bindings.`);
  return answerJson(toPolicyResource(bucket));
}

function setPolicy(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  const body = bodyOf(call);
  const etag = member(body, "etag");
  if (etag !== undefined && etag !== etagOf(bucket.metageneration)) throw preconditionFailed();
  const bindings = readBindings(member(body, "bindings"));
  const version = member(body, "version");
  if (hasConditions(bindings)) refuseConditions(bucket, bindings, version);
  const members = bindings.flatMap((binding) => binding.members);
  const lingers = call.world.storage.preventionLingers > 0 && members.some((one) => PUBLIC_MEMBERS.includes(one));
  if (lingers) call.world.storage.preventionLingers -= 1;
  if (lingers || refusesPublic(call, bucket, members)) {
    throw new StorageError(412, "conditionNotMet", "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.", { locationType: "header", location: "If-Match" });
  }
  bucket.policy = { version: hasConditions(bindings) ? 3 : 1, bindings };
  touch(call, bucket);
  return answerJson(toPolicyResource(bucket));
}

function toPolicyResource({ name, policy, metageneration }: Bucket): JsonObject {
  return { kind: "storage#policy", resourceId: `projects/_/buckets/${name}`, version: policy.version, etag: etagOf(metageneration), bindings: policy.bindings };
}

/** One binding for each role and condition, as Google puts them together. @throws StorageError 400 */
function readBindings(value: unknown): readonly Binding[] {
  if (value !== undefined && !Array.isArray(value)) throw invalid("Invalid argument.");
  const merged = new Map<string, Binding>();
  for (const entry of (value ?? []) as readonly unknown[]) {
    const binding = readBinding(entry);
    if (binding.members.length === 0) continue;
    const key = JSON.stringify([binding.role, binding.condition]);
    merged.set(key, { ...binding, members: [...new Set([...(merged.get(key)?.members ?? []), ...binding.members])] });
  }
  return [...merged.values()];
}

function readBinding(value: unknown): Binding {
  const role = isJsonObject(value) ? member(value, "role") : undefined;
  const members = isJsonObject(value) ? (member(value, "members") ?? []) : undefined;
  const condition = isJsonObject(value) ? member(value, "condition") : undefined;
  if (typeof role !== "string" || !Array.isArray(members)) throw invalid("Invalid argument.");
  if (!/^(?:roles\/storage\.[A-Za-z]+|(?:projects|organizations)\/[^/]+\/roles\/[^/]+)$/.test(role)) throw invalid(`Role ${role} is not supported for this resource.`);
  for (const one of members) if (typeof one !== "string" || !isMember(one)) throw invalid(`Invalid member: ${String(one)}`);
  if (condition !== undefined && !isJsonObject(condition)) throw invalid("Invalid argument.");
  return { role, members: members as readonly string[], ...(condition === undefined ? {} : { condition }) };
}

function isMember(text: string): boolean {
  return PUBLIC_MEMBERS.includes(text) || /^(?:user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer|deleted:[a-zA-Z]+|principal|principalSet):.+$/.test(text);
}

function hasConditions(bindings: readonly Binding[]): boolean {
  return bindings.some((binding) => binding.condition !== undefined);
}

/** cloud.google.com/iam/docs/conditions-overview: none for the public, none without uniform access, and only in version 3. */
function refuseConditions(bucket: Bucket, bindings: readonly Binding[], version: unknown): void {
  if (version !== 3) throw invalid("A policy with conditional role bindings must have version 3.");
  if (!bucket.uniform) throw invalid("Conditional role bindings need uniform bucket-level access.");
  const toPublic = bindings.some(({ condition, members }) => condition !== undefined && members.some((one) => PUBLIC_MEMBERS.includes(one)));
  if (toPublic) throw invalid("Conditions are not supported for allUsers and allAuthenticatedUsers.");
}

function testPermissions(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  const resource = `projects/_/buckets/${bucket.name}`;
  const held = call.query.getAll("permissions").filter((permission) => {
    const decision = call.world.authorize(call.request, permission, resource);
    return decision.outcome === "allowed" || (decision.outcome === "denied" && allows(call.world, bucket, permission, decision.caller));
  });
  return answerJson({ kind: "storage#testIamPermissionsResponse", ...(held.length === 0 ? {} : { permissions: held }) });
}

function accessControls(call: StorageCall): StandInAnswer {
  const bucket = bucketOf(call);
  if (bucket.uniform) throw invalid("Cannot get legacy ACL for a bucket that has uniform bucket-level access. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access");
  throw new StorageError(501, "notImplemented", "The stand-in keeps no access control lists.");
}
