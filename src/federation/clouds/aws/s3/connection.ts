import { setTimeout as pause } from "node:timers/promises";
import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import type { StoreConnection, StoreState } from "../../../publish/store.ts";
import { awsErrorCodes } from "../codes.ts";
import { readMarks } from "../marks.ts";
import * as calls from "./calls.ts";
import { createS3Client, readAccount } from "./client.ts";
import { codes } from "./codes.ts";
import { performStep } from "./perform.ts";
import { idOf, KINDS } from "./place.ts";
import { readPolicyFacts } from "./policy.ts";
import { planS3Removal } from "./removal.ts";
import type { S3Spec } from "./spec.ts";

/** One issuer's place in a bucket. The account is asked once, before everything else: all other calls name it. */
export async function connectS3(world: CloudWorld, spec: S3Spec): Promise<StoreConnection> {
  const client = await createS3Client(world, spec.region);
  let owner: Promise<string> | undefined;
  const refer = async (): Promise<calls.BucketRef> => {
    owner ??= readAccount(world, spec.region);
    return { client, bucket: spec.bucket, region: spec.region, owner: await owner };
  };
  let blockLifted = false;
  const wait = async (milliseconds: number) => {
    await pause(milliseconds, undefined, { signal: world.signal }).catch(() => undefined);
  };
  return {
    observe: async () => observe(await refer(), spec),
    readDocument: async (name) => calls.readObject(await refer(), name, spec.issuer),
    writeDocument: async (write) => calls.writeObject(await refer(), write, spec.issuer),
    perform: async (step) => {
      await performStep(await refer(), spec, step, { pause: wait, blockLifted });
      if (step.kind === KINDS.publicAccess) blockLifted = true;
    },
    planRemoval: async ({ deletePlace }) => planS3Removal(await refer(), spec, deletePlace),
  };
}

/** Everything about the bucket and both documents, in one round trip. */
async function observe(ref: calls.BucketRef, spec: S3Spec): Promise<StoreState> {
  const names = [spec.discovery.name, spec.jwks.name];
  const rest = Promise.all([
    calls.readTags(ref),
    calls.readOwnership(ref),
    calls.readPublicAccess(ref),
    calls.readPolicy(ref),
    spec.create ? calls.listNames(ref, names.length + 1) : null,
    calls.readObject(ref, spec.discovery.name, spec.issuer),
    calls.readObject(ref, spec.jwks.name, spec.issuer),
  ]);
  // A bucket that is elsewhere or foreign fails all of them: its own failure says it best.
  rest.catch(() => undefined);
  const found = await readRegionOrExplain(ref);
  const [tags, ownership, publicAccess, policy, listed, discovery, jwks] = await rest;
  if (found === null) return { place: [], discovery: null, jwks: null };
  const policyFacts = readPolicyFacts(policy, spec);
  const vacant = listed !== null && listed.every((name) => names.includes(name)) && policyFacts.others === 0;
  const { managed } = readMarks(tags);
  const place = [
    observed(spec, KINDS.bucket, managed, { region: found, ...(spec.create ? { vacant } : {}) }),
    ...(ownership === null ? [] : [observed(spec, KINDS.ownership, managed, ownership)]),
    ...(publicAccess === null ? [] : [observed(spec, KINDS.publicAccess, managed, publicAccess)]),
    ...(policy === null ? [] : [observed(spec, KINDS.policy, managed, { ...policyFacts })]),
  ];
  return { place, discovery, jwks };
}

function observed(spec: S3Spec, kind: (typeof KINDS)[keyof typeof KINDS], marked: boolean, fields: Fields): ObservedResource {
  return { id: idOf(kind, spec), marked, fields };
}

/** A refused HEAD has no words: whether the account owns the bucket tells a foreign one from a missing permission. */
async function readRegionOrExplain(ref: calls.BucketRef): Promise<string | null> {
  try {
    return await calls.readRegion(ref);
  } catch (cause) {
    if (!(cause instanceof KubeassumeError) || cause.code !== awsErrorCodes.AWS_ACCESS_DENIED.code) throw cause;
    const own = await calls.listBuckets(ref.client, ref.bucket).catch(() => null);
    if (own === null || own.some(({ bucket }) => bucket === ref.bucket)) throw cause;
    const message = `bucket ${ref.bucket} does not belong to account ${ref.owner}`;
    throw new KubeassumeError(codes.BUCKET_FOREIGN_OWNER, { message, details: { bucket: ref.bucket, account: ref.owner }, cause });
  }
}
