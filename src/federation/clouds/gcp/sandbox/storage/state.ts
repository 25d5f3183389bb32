import type { JsonObject } from "../../../../oidc/json.ts";

/** Everything that the stand-in remembers, as plain data: tests seed and inspect it. Requests change it through the service. */
export interface StorageState {
  /** By name. */
  readonly buckets: Map<string, Bucket>;
  /** The organization's constraint storage.publicAccessPrevention: it wins over a bucket's own setting. */
  publicAccessPrevented: boolean;
  /** How many more times a prevention that was lifted refuses: it takes Google minutes to follow. */
  preventionLingers: number;
  /** The last generation that was given to anything. */
  lastGeneration: bigint;
}

export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: JsonObject;
}

export interface Policy {
  readonly version: number;
  readonly bindings: readonly Binding[];
}

export interface Bucket {
  readonly name: string;
  readonly projectNumber: string;
  /** In upper case, as Google answers it. */
  readonly location: string;
  readonly timeCreated: Date;
  updated: Date;
  metageneration: number;
  uniform: boolean;
  publicAccessPrevention: "inherited" | "enforced";
  labels: Readonly<Record<string, string>>;
  /** Members of the resource that are only kept: versioning, lifecycle, website and the like. */
  others: JsonObject;
  policy: Policy;
  readonly objects: Map<string, StoredObject>;
}

export interface StoredObject {
  readonly name: string;
  readonly body: Buffer;
  readonly generation: string;
  readonly metageneration: number;
  readonly timeCreated: Date;
  readonly updated: Date;
  readonly contentType: string;
  /** Undefined when nothing was said: public objects are then served with an hour. */
  readonly cacheControl: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly contentLanguage: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** No bucket, no constraint. */
export function newStorageState(): StorageState {
  return { buckets: new Map(), publicAccessPrevented: false, preventionLingers: 0, lastGeneration: 0n };
}

/** What a new bucket is made from. */
export interface NewBucket {
  readonly name: string;
  readonly project: string;
  readonly projectNumber: string;
  readonly at: Date;
  readonly location?: string;
  readonly uniform?: boolean;
  readonly publicAccessPrevention?: "inherited" | "enforced";
  readonly labels?: Readonly<Record<string, string>>;
  readonly others?: JsonObject;
}

/** A bucket with the policy that Google gives it: the project's basic roles, and nobody else. */
export function newBucket({ name, project, projectNumber, at, location = "US", uniform = false, publicAccessPrevention = "inherited", labels = {}, others = {} }: NewBucket): Bucket {
  const policy = { version: 1, bindings: basicBindings(project, uniform) };
  return { name, projectNumber, location, timeCreated: at, updated: at, metageneration: 1, uniform, publicAccessPrevention, labels, others, policy, objects: new Map() };
}

/** Roles on objects are in the policy only where no access control list has them. */
function basicBindings(project: string, uniform: boolean): readonly Binding[] {
  const writers = [`projectEditor:${project}`, `projectOwner:${project}`];
  const readers = [`projectViewer:${project}`];
  const kinds = uniform ? ["Bucket", "Object"] : ["Bucket"];
  return kinds.flatMap((kind) => [
    { role: `roles/storage.legacy${kind}Owner`, members: writers },
    { role: `roles/storage.legacy${kind}Reader`, members: readers },
  ]);
}

/** The etag of a bucket, an object or a policy: its metageneration, as Google's look (a protocol buffer, `CAE=` for 1). */
export function etagOf(metageneration: number): string {
  const bytes = [0x08];
  let rest = metageneration;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]).toString("base64");
}

/** A generation that is larger than all before: microseconds since 1970, as Google's look. */
export function nextGeneration(state: StorageState, at: Date): string {
  const now = BigInt(at.getTime()) * 1000n;
  state.lastGeneration = now > state.lastGeneration ? now : state.lastGeneration + 1n;
  return state.lastGeneration.toString();
}
