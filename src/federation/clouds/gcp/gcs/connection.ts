import { setTimeout as pause } from "node:timers/promises";
import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import type { StoreConnection, StoreState } from "../../../publish/store.ts";
import { isAnswered } from "../connection/errors.ts";
import { createRest } from "../connection/rest.ts";
import * as calls from "./calls.ts";
import { codes } from "./codes.ts";
import { readBucketMarks, readersLabels } from "./marks.ts";
import { performStep } from "./perform.ts";
import { idOf, type Kind, KINDS } from "./place.ts";
import { READER_ROLE, readPolicyFacts } from "./policy.ts";
import { planGcsRemoval } from "./removal.ts";
import type { GcsSpec } from "./spec.ts";

/** How many names of objects a refusal shows. */
const SHOWN = 3;
const UNSUPPORTED: Fields = { supported: false };

/** One issuer's place in a bucket. */
export async function connectGcs(world: CloudWorld, spec: GcsSpec): Promise<StoreConnection> {
  const ref: calls.BucketRef = { rest: await createRest(world), bucket: spec.bucket, project: spec.project };
  let lifted = false;
  const wait = async (milliseconds: number) => {
    await pause(milliseconds, undefined, { signal: world.signal }).catch(() => undefined);
  };
  return {
    observe: () => observe(ref, spec),
    readDocument: (name) => calls.readObject(ref, name, spec.issuer),
    writeDocument: (write) => calls.writeObject(ref, write, spec.issuer),
    perform: async (step) => {
      await performStep(ref, spec, step, { pause: wait, lifted });
      if (step.kind === KINDS.publicAccess) lifted = true;
    },
    planRemoval: ({ deletePlace }) => planGcsRemoval(ref, spec, deletePlace),
  };
}

/** Everything about the bucket and both documents, in one round trip; what else is in it only before it becomes public. */
async function observe(ref: calls.BucketRef, spec: GcsSpec): Promise<StoreState> {
  const rest = Promise.all([
    calls.readPolicy(ref),
    calls.readObject(ref, spec.discovery.name, spec.issuer),
    calls.readObject(ref, spec.jwks.name, spec.issuer),
  ]);
  // A bucket of somebody else fails all of them: its own failure says it best.
  rest.catch(() => undefined);
  const bucket = await readOwnBucket(ref);
  if (bucket === null) return { place: [], discovery: null, jwks: null };
  const [policy, discovery, jwks] = await rest;
  const facts = policy === null ? null : readPolicyFacts(policy);
  const open = facts?.readable === true && bucket.access?.publicAccessPrevention !== "enforced";
  const foreignObjects = open || facts === null ? [] : await readForeignNames(ref, spec);
  const { managed, readers } = readBucketMarks(bucket.labels);
  const one = (kind: Kind, fields: Fields): ObservedResource => ({ id: idOf(kind, spec), marked: managed, fields });
  const { access, location } = bucket;
  const place = [
    one(KINDS.bucket, { location, ...(foreignObjects.length === 0 ? {} : { foreignObjects }) }),
    one(KINDS.uniform, access === null ? UNSUPPORTED : { uniformBucketLevelAccess: access.uniform }),
    one(KINDS.publicAccess, access === null ? UNSUPPORTED : { publicAccessPrevention: access.publicAccessPrevention }),
    one(KINDS.policy, facts === null ? UNSUPPORTED : { [READER_ROLE]: facts.readers, publicRoles: facts.publicRoles, listingRoles: facts.listingRoles, others: facts.others }),
    ...(readers === null ? [] : [one(KINDS.labels, readersLabels(readers))]),
  ];
  return { place, discovery, jwks };
}

/** The bucket when it is one of the project's; null when there is none. Throws GCS_BUCKET_FOREIGN. */
async function readOwnBucket(ref: calls.BucketRef): Promise<calls.BucketFacts | null> {
  const { bucket, project } = ref;
  const [found, own] = await Promise.allSettled([calls.readBucket(ref), calls.isOfProject(ref)]);
  if (found.status === "fulfilled" && found.value === null) return null;
  // What may not be read and is none of the project's belongs to somebody else; of the project's, a right is missing.
  const isForeign = own.status === "fulfilled" && !own.value && (found.status === "fulfilled" || isAnswered(found.reason, 403));
  if (isForeign) {
    // Google answers the same for what does not exist: somebody without the right to look cannot tell.
    const message = found.status === "rejected" ? `project ${project} has no bucket ${bucket}, and ${(found.reason as KubeassumeError).message}` : `bucket ${bucket} does not belong to project ${project}`;
    throw new KubeassumeError(codes.GCS_BUCKET_FOREIGN, { message, details: { bucket, project }, cause: found.status === "rejected" ? found.reason : undefined });
  }
  if (found.status === "rejected") throw found.reason;
  if (own.status === "rejected") throw own.reason;
  return found.value;
}

/** The first objects that kubeassume did not publish, of any issuer; the two that are about to be written do not count. */
async function readForeignNames(ref: calls.BucketRef, spec: GcsSpec): Promise<readonly string[]> {
  const own = [spec.discovery.name, spec.jwks.name];
  const foreign = (found: readonly calls.ListedObject[]) => found.filter(({ name, managed }) => !managed && !own.includes(name));
  const found = await calls.listObjects(ref, (listed) => foreign(listed).length < SHOWN);
  return foreign(found).slice(0, SHOWN).map(({ name }) => name);
}
