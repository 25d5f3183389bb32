import { codes as commonCodes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { Fields, Step } from "../../../plan/step.ts";
import * as calls from "./calls.ts";
import { codes } from "./codes.ts";
import { NO_READERS_LABELS } from "./marks.ts";
import { KINDS } from "./place.ts";
import { etagOf, READERS, readPolicyFacts, withoutReaders, withReaders } from "./policy.ts";
import type { GcsSpec } from "./spec.ts";

export interface Performing {
  /** Resolves after so many milliseconds, or when the run is interrupted. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Whether this run has just lifted public access prevention: Google needs a moment to follow. */
  readonly lifted: boolean;
}

const TRIES = 6;

/** Performs one step of the place or of its removal. Safe to repeat. */
export async function performStep(ref: calls.BucketRef, spec: GcsSpec, step: Step, performing: Performing): Promise<void> {
  const { kind, action, after } = step;
  if (kind === KINDS.object) return calls.removeObject(ref, step.target.slice(`gs://${ref.bucket}/`.length));
  if (kind === KINDS.bucket) return action === "delete" ? calls.removeBucket(ref) : calls.createBucket(ref, bucketResource(spec, after ?? {}));
  if (kind === KINDS.labels) return calls.patchBucket(ref, { labels: action === "delete" ? NO_READERS_LABELS : after });
  if (kind === KINDS.uniform) return calls.patchBucket(ref, { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } });
  if (kind === KINDS.publicAccess) return calls.patchBucket(ref, { iamConfiguration: { publicAccessPrevention: "inherited" } });
  if (kind === KINDS.policy && action === "delete") return hide(ref, performing);
  if (kind === KINDS.policy) return expose(ref, performing);
  throw new KubeassumeError(commonCodes.DEFECT, { message: `no way to perform a step of kind ${kind}` });
}

/** The step's fields as the resource that Google takes. */
function bucketResource(spec: GcsSpec, fields: Fields): Readonly<Record<string, unknown>> {
  const { location, labels, publicAccessPrevention, uniformBucketLevelAccess } = fields;
  return { location: location ?? spec.location, labels, iamConfiguration: { uniformBucketLevelAccess: { enabled: uniformBucketLevelAccess }, publicAccessPrevention } };
}

/**
 * Gives everybody the reading role, in the policy as it is now. A write that is too late and one that public access
 * prevention forbids have the same answer (412 conditionNotMet): when the policy is still the one that was read, nobody
 * was faster.
 */
async function expose(ref: calls.BucketRef, { pause, lifted }: Performing): Promise<void> {
  let policy = await calls.readPolicy(ref);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    if (policy === null) return explainNoPolicy(ref);
    if (readPolicyFacts(policy).readers.length === READERS.length) return;
    const refusal = await calls.writePolicy(ref, withReaders(policy));
    if (refusal === null) return;
    const current = await calls.readPolicy(ref);
    const unchanged = current !== null && etagOf(current) === etagOf(policy);
    if (unchanged && !(lifted && attempt < TRIES)) throw prevented(ref, refusal);
    await pause(unchanged ? 500 * 2 ** (attempt - 1) : 100 * attempt);
    policy = current;
  }
  throw contended(ref);
}

/** Takes everybody's role out of the policy as it is now. */
async function hide(ref: calls.BucketRef, { pause }: Performing): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const policy = await calls.readPolicy(ref);
    if (policy === null) return;
    if (readPolicyFacts(policy).readers.length === 0 || (await calls.writePolicy(ref, withoutReaders(policy))) === null) return;
    await pause(100 * attempt);
  }
  throw contended(ref);
}

/** An emulator without policies: whether strangers can read is seen by reading back. Throws GCS_BUCKET_MISSING. */
async function explainNoPolicy(ref: calls.BucketRef): Promise<void> {
  if ((await calls.readBucket(ref)) !== null) return;
  throw new KubeassumeError(codes.GCS_BUCKET_MISSING, { message: `bucket ${ref.bucket} does not exist`, details: { bucket: ref.bucket } });
}

function prevented({ bucket, project }: calls.BucketRef, cause: KubeassumeError): KubeassumeError {
  const message = `bucket ${bucket} cannot be made readable for everybody: ${cause.message}`;
  return new KubeassumeError(codes.GCS_PUBLIC_ACCESS_PREVENTED, { message, details: { ...cause.details, bucket, project }, cause });
}

function contended({ bucket }: calls.BucketRef): KubeassumeError {
  return new KubeassumeError(codes.GCS_POLICY_CONFLICT, { message: `the policy of bucket ${bucket} was changed by somebody else ${TRIES} times in a row`, details: { bucket } });
}
