import { createHash } from "node:crypto";
import type { Json } from "../../../plan/step.ts";

/** Labels take lower-case letters, digits, dashes and underscores only: no URL fits. */
const MANAGED_LABEL = "kubeassume-managed-by";
const ISSUER_LABEL = "kubeassume-issuer";
/** On a bucket that is not ours: that everybody reads it is kubeassume's doing, so a teardown may undo it. */
const READERS_LABEL = "kubeassume-readers";
const MANAGED_BY = "kubeassume";

export type Labels = Readonly<Record<string, string>>;

/** Object metadata becomes headers (`x-goog-meta-...`) when strangers read, so keys must be names of headers. */
const METADATA = { managedBy: "kubeassume-managed-by", issuer: "kubeassume-issuer" } as const;

/** The labels of a bucket that kubeassume makes. */
export function bucketLabels(issuer: string): Readonly<Record<string, Json>> & Labels {
  return { [MANAGED_LABEL]: MANAGED_BY, [ISSUER_LABEL]: issuerLabel(issuer) };
}

/** The label of a bucket that is not ours and whose readers kubeassume added; the first issuer's stays when others follow. */
export function readersLabels(value: string): Readonly<Record<string, Json>> & Labels {
  return { [READERS_LABEL]: value };
}

/** The same as a change that takes the label away. */
export const NO_READERS_LABELS: Readonly<Record<string, null>> = { [READERS_LABEL]: null };

/** An issuer as a label: the beginning of its SHA-256 in hex. */
export function issuerLabel(issuer: string): string {
  return createHash("sha256").update(issuer).digest("hex").slice(0, 32);
}

export interface BucketMarks {
  /** Made by kubeassume. */
  readonly managed: boolean;
  /** The label that says that its readers are kubeassume's doing; null when there is none. */
  readonly readers: string | null;
  /** Whether the readers are ours, by either label. */
  readonly ownsReaders: boolean;
  /** {@link issuerLabel} of the issuer that it was made or opened for; null when it does not say. */
  readonly issuer: string | null;
}

/** What the labels of a bucket say. */
export function readBucketMarks(labels: Labels): BucketMarks {
  const managed = labels[MANAGED_LABEL] === MANAGED_BY;
  const readers = labels[READERS_LABEL] ?? null;
  return { managed, readers, ownsReaders: managed || readers !== null, issuer: (managed ? labels[ISSUER_LABEL] : readers) ?? null };
}

/** The metadata of a document that kubeassume writes. */
export function objectMetadata(issuer: string): Labels {
  return { [METADATA.managedBy]: MANAGED_BY, [METADATA.issuer]: issuer };
}

/** Whether an object's metadata says that kubeassume wrote it, and for which issuer; null when it does not say. */
export function readObjectMarks(metadata: Labels): { readonly managed: boolean; readonly issuer: string | null } {
  return { managed: metadata[METADATA.managedBy] === MANAGED_BY, issuer: metadata[METADATA.issuer] ?? null };
}
