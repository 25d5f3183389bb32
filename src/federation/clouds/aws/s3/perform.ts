import { codes as commonCodes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { codes as publishCodes } from "../../../publish/codes.ts";
import type { Fields, Step } from "../../../plan/step.ts";
import { awsErrorCodes } from "../codes.ts";
import * as calls from "./calls.ts";
import { codes } from "./codes.ts";
import { KINDS } from "./place.ts";
import { publicStatement, readPolicyFacts, statementId, withoutStatement, withStatement } from "./policy.ts";
import type { S3Spec } from "./spec.ts";

/** Resolves after so many milliseconds, or when the run is interrupted. */
export type Pause = (milliseconds: number) => Promise<void>;

export interface Performing {
  readonly pause: Pause;
  /** Whether this run has just lifted the block on public policies: S3 needs a moment to follow. */
  readonly blockLifted: boolean;
}

const TRIES = 5;
const PAUSES_MS = [250, 500, 1000];

/** Performs one step of the place or of its removal. Safe to repeat. */
export async function performStep(ref: calls.BucketRef, spec: S3Spec, step: Step, performing: Performing): Promise<void> {
  const { kind, action, after } = step;
  const settled = (work: () => Promise<void>) => untilSettled(work, performing.pause);
  if (kind === KINDS.object) return calls.removeObject(ref, nameInBucket(ref, step.target));
  if (kind === KINDS.bucket) return action === "delete" ? calls.removeBucket(ref) : calls.createBucket(ref);
  if (kind === KINDS.policy && action === "delete") return hide(ref, spec);
  if (kind === KINDS.policy) return expose(ref, spec, performing);
  if (kind === KINDS.tags) return settled(() => calls.addTags(ref, tagsOf(after)));
  if (kind === KINDS.ownership) return settled(() => calls.writeOwnership(ref));
  if (kind === KINDS.publicAccess) return settled(() => calls.writePublicAccess(ref, flagsOf(after)));
  throw new KubeassumeError(commonCodes.DEFECT, { message: `no way to perform a step of kind ${kind}` });
}

/**
 * Puts our statement into the policy as it is now. S3 has no conditional write for policies, so it is read again
 * afterwards: when another cluster's publication was written over ours, ours goes in once more, beside theirs.
 */
async function expose(ref: calls.BucketRef, spec: S3Spec, { pause, blockLifted }: Performing): Promise<void> {
  const statement = publicStatement(spec);
  const passing = blockLifted ? [awsErrorCodes.AWS_ACCESS_DENIED.code] : [];
  let current = await calls.readPolicy(ref);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const text = withStatement(current, statement);
    await untilSettled(() => calls.writePolicy(ref, text), pause, passing).catch(explainBlock(ref));
    current = await calls.readPolicy(ref);
    if (readPolicyFacts(current, spec).statement !== null) return;
    await pause(200 * attempt);
  }
  throw new KubeassumeError(publishCodes.PUBLISH_CONFLICT, { message: `the policy of bucket ${ref.bucket} was written over by somebody else ${TRIES} times in a row` });
}

/** Block Public Access of the account and a missing permission have the same code. */
function explainBlock(ref: calls.BucketRef): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof KubeassumeError) || cause.code !== awsErrorCodes.AWS_ACCESS_DENIED.code) throw cause;
    const message = `bucket ${ref.bucket} cannot be made readable for everybody: ${cause.message}`;
    throw new KubeassumeError(codes.PUBLIC_ACCESS_BLOCKED, { message, details: { ...cause.details, bucket: ref.bucket }, cause });
  };
}

async function hide(ref: calls.BucketRef, spec: S3Spec): Promise<void> {
  const current = await calls.readPolicy(ref);
  if (current === null) return;
  const text = withoutStatement(current, statementId(spec.issuer));
  if (text !== current) await calls.writePolicy(ref, text);
}

/** A bucket that was just made or changed answers for some seconds that it is missing, busy, or still blocked. */
async function untilSettled(work: () => Promise<void>, pause: Pause, more: readonly string[] = []): Promise<void> {
  const passing = [codes.BUCKET_MISSING.code, awsErrorCodes.AWS_CONFLICT.code, ...more];
  for (const milliseconds of PAUSES_MS) {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof KubeassumeError) || !passing.includes(cause.code)) throw cause;
      await pause(milliseconds);
    }
  }
  return work();
}

function nameInBucket(ref: calls.BucketRef, target: string): string {
  return target.slice(`s3://${ref.bucket}/`.length);
}

function tagsOf(fields: Fields | null): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(fields ?? {}).map(([Key, value]) => ({ Key, Value: String(value) }));
}

function flagsOf(fields: Fields | null): Readonly<Record<string, boolean>> {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([name, value]) => [name, value === true]));
}
