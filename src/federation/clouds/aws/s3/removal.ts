import { type Problem, warning } from "../../../errors/error.ts";
import type { Step } from "../../../plan/step.ts";
import type { Removal, StoredDocument } from "../../../publish/store.ts";
import { readMarks } from "../marks.ts";
import * as calls from "./calls.ts";
import { codes } from "./codes.ts";
import { idOf, KINDS } from "./place.ts";
import { readPolicyFacts } from "./policy.ts";
import type { S3Spec } from "./spec.ts";

/** Everything that planning a removal needs. */
export interface RemovalFacts {
  readonly discovery: StoredDocument | null;
  readonly jwks: StoredDocument | null;
  readonly policy: string | null;
  /** Whether the bucket carries kubeassume's mark. */
  readonly managed: boolean;
  /** The first names in the bucket. */
  readonly names: readonly string[];
}

/** Reads the place and plans its removal; nothing to do when the bucket is gone. */
export async function planS3Removal(ref: calls.BucketRef, spec: S3Spec, deleteBucket: boolean): Promise<Removal> {
  const rest = Promise.all([
    calls.readObject(ref, spec.discovery.name, spec.issuer),
    calls.readObject(ref, spec.jwks.name, spec.issuer),
    calls.readPolicy(ref),
    calls.readTags(ref),
    calls.listNames(ref, 10),
  ]);
  rest.catch(() => undefined);
  if ((await calls.readRegion(ref)) === null) return { steps: [], leftBehind: [] };
  const [discovery, jwks, policy, tags, names] = await rest;
  return planRemoval(spec, { discovery, jwks, policy, managed: readMarks(tags).managed, names }, deleteBucket);
}

/**
 * Documents first, the discovery document before the keys; then our statement; the bucket last, only when it is
 * asked for, marked, and holds nothing of anybody else.
 */
export function planRemoval(spec: S3Spec, facts: RemovalFacts, deleteBucket: boolean): Removal {
  const steps: Step[] = [];
  const leftBehind: Problem[] = [];
  for (const [kind, place, stored] of [["discovery", spec.discovery, facts.discovery], ["jwks", spec.jwks, facts.jwks]] as const) {
    if (stored === null) continue;
    if (stored.marked) steps.push(removal(`s3.${kind}/${spec.bucket}`, KINDS.object, place.target, "published for this issuer", steps));
    else leftBehind.push(warning(codes.BUCKET_NOT_OURS, { message: `${place.target} does not carry kubeassume's mark for this issuer` }));
  }
  const policy = readPolicyFacts(facts.policy, spec);
  // While a document stays, it stays readable: somebody depends on it.
  if (policy.statement !== null && leftBehind.length === 0) {
    steps.push(removal(idOf(KINDS.policy, spec), KINDS.policy, `s3://${spec.bucket} (bucket policy)`, `kubeassume's statement; ${policy.others} others stay`, steps));
  }
  if (!deleteBucket) return { steps, leftBehind };
  const reason = keepReason(spec, facts, policy.others);
  if (reason === null) steps.push(removal(idOf(KINDS.bucket, spec), KINDS.bucket, `s3://${spec.bucket}`, "asked for, and nothing else is in it", steps));
  else leftBehind.push(warning(reason.definition, { message: `s3://${spec.bucket} stays: ${reason.words}`, details: { bucket: spec.bucket } }));
  return { steps, leftBehind };
}

function keepReason(spec: S3Spec, facts: RemovalFacts, others: number) {
  if (!facts.managed) return { definition: codes.BUCKET_NOT_OURS, words: "it does not carry kubeassume's mark" };
  const own = [spec.discovery.name, spec.jwks.name];
  const foreign = facts.names.filter((name) => !own.includes(name));
  if (foreign.length > 0) return { definition: codes.BUCKET_NOT_EMPTY, words: `it holds other objects (${foreign.slice(0, 3).join(", ")})` };
  const unmarked = [facts.discovery, facts.jwks].some((document) => document !== null && !document.marked);
  if (unmarked) return { definition: codes.BUCKET_NOT_EMPTY, words: "it holds a document without kubeassume's mark" };
  return others === 0 ? null : { definition: codes.BUCKET_NOT_EMPTY, words: `its policy has ${others} other statements` };
}

/** Each step needs all before it: whatever fails leaves the rest in place, and a second run goes on there. */
function removal(id: string, kind: string, target: string, reason: string, before: readonly Step[]): Step {
  return { id, kind, cloud: "aws", action: "delete", target, reason, before: {}, after: null, needs: before.map((step) => step.id) };
}
