import { type CodeDefinition, type Problem, warning } from "../../../errors/error.ts";
import type { Step } from "../../../plan/step.ts";
import type { Removal, StoredDocument } from "../../../publish/store.ts";
import * as calls from "./calls.ts";
import { codes } from "./codes.ts";
import { type BucketMarks, readBucketMarks } from "./marks.ts";
import { idOf, type Kind, KINDS } from "./place.ts";
import { type PolicyFacts, readPolicyFacts } from "./policy.ts";
import type { GcsSpec } from "./spec.ts";

/** Everything that planning a removal needs. */
export interface RemovalFacts {
  readonly discovery: StoredDocument | null;
  readonly jwks: StoredDocument | null;
  /** Null when the store has no policies. */
  readonly policy: PolicyFacts | null;
  readonly marks: BucketMarks;
  /** Objects beside this issuer's two: those that kubeassume published for others, and those of anybody else. */
  readonly otherDocuments: readonly string[];
  readonly foreignObjects: readonly string[];
}

/** Reads the place and plans its removal; nothing to do when the bucket is gone. */
export async function planGcsRemoval(ref: calls.BucketRef, spec: GcsSpec, deleteBucket: boolean): Promise<Removal> {
  const rest = Promise.all([
    calls.readObject(ref, spec.discovery.name, spec.issuer),
    calls.readObject(ref, spec.jwks.name, spec.issuer),
    calls.readPolicy(ref),
    calls.listObjects(ref, () => true),
  ]);
  rest.catch(() => undefined);
  const bucket = await calls.readBucket(ref);
  if (bucket === null) return { steps: [], leftBehind: [] };
  const [discovery, jwks, policy, objects] = await rest;
  const others = objects.filter(({ name }) => name !== spec.discovery.name && name !== spec.jwks.name);
  return planRemoval(spec, {
    discovery,
    jwks,
    policy: policy === null ? null : readPolicyFacts(policy),
    marks: readBucketMarks(bucket.labels),
    otherDocuments: others.filter(({ managed }) => managed).map(({ name }) => name),
    foreignObjects: others.filter(({ managed }) => !managed).map(({ name }) => name),
  }, deleteBucket);
}

/**
 * Documents first, the discovery document before the keys; then everybody's role, when it is ours and no other cluster
 * needs it; the bucket last, only when it is asked for, marked, and holds nothing of anybody else.
 */
export function planRemoval(spec: GcsSpec, facts: RemovalFacts, deleteBucket: boolean): Removal {
  const steps: Step[] = [];
  const leftBehind: Problem[] = [];
  const { bucket } = spec;
  const add = (id: string, kind: Kind, target: string, reason: string) => steps.push(removal(id, kind, target, reason, steps));
  for (const [kind, place, stored] of [["discovery", spec.discovery, facts.discovery], ["jwks", spec.jwks, facts.jwks]] as const) {
    if (stored === null) continue;
    if (stored.marked) add(`gcs.${kind}/${bucket}`, KINDS.object, place.target, "published for this issuer");
    else leftBehind.push(warning(codes.GCS_NOT_OURS, { message: `${place.target} does not carry kubeassume's mark for this issuer` }));
  }
  // While a document stays, it stays readable: somebody depends on it.
  const needed = leftBehind.length > 0 || facts.otherDocuments.length > 0;
  if ((facts.policy?.readers.length ?? 0) > 0 && facts.marks.ownsReaders && !needed) {
    add(idOf(KINDS.policy, spec), KINDS.policy, `gs://${bucket} (bucket policy)`, "everybody's role; all others stay");
  }
  if (facts.marks.readers !== null && !needed) add(idOf(KINDS.labels, spec), KINDS.labels, `gs://${bucket} (labels)`, "says that everybody's role was ours");
  if (!deleteBucket) return { steps, leftBehind };
  const keep = keepReason(facts);
  if (keep === null) add(idOf(KINDS.bucket, spec), KINDS.bucket, `gs://${bucket}`, "asked for, and nothing else is in it");
  else leftBehind.push(warning(keep.definition, { message: `gs://${bucket} stays: ${keep.words}`, details: { bucket } }));
  return { steps, leftBehind };
}

function keepReason(facts: RemovalFacts): { readonly definition: CodeDefinition; readonly words: string } | null {
  if (!facts.marks.managed) return { definition: codes.GCS_NOT_OURS, words: "it does not carry kubeassume's mark" };
  const others = [...facts.otherDocuments, ...facts.foreignObjects];
  if (others.length > 0) return { definition: codes.GCS_BUCKET_NOT_EMPTY, words: `it holds other objects (${others.slice(0, 3).join(", ")})` };
  const unmarked = [facts.discovery, facts.jwks].some((document) => document !== null && !document.marked);
  if (unmarked) return { definition: codes.GCS_BUCKET_NOT_EMPTY, words: "it holds a document without kubeassume's mark" };
  const roles = facts.policy?.others ?? 0;
  return roles === 0 ? null : { definition: codes.GCS_BUCKET_NOT_EMPTY, words: `its policy has ${roles} bindings of others` };
}

/** Each step needs all before it: whatever fails leaves the rest in place, and a second run goes on there. */
function removal(id: string, kind: Kind, target: string, reason: string, before: readonly Step[]): Step {
  return { id, kind, cloud: "gcp", action: "delete", target, reason, before: {}, after: null, needs: before.map((step) => step.id) };
}
