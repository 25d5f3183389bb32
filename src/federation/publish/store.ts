import type { CloudWorld } from "../clouds/cloud.ts";
import type { FlagValues, OptionDefinition } from "../clouds/options.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import type { CodeTable, KubeassumeError, Problem } from "../errors/error.ts";
import type { DesiredResource, ObservedResource } from "../plan/plan-resources.ts";
import type { Fields, Step } from "../plan/step.ts";

/** Where documents go. Light: loaded with every command. */
export interface StoreDefinition {
  /** As in `publish NAME` and in the config: `s3`, `dir`. */
  readonly name: string;
  readonly title: string;
  /** The cloud that it belongs to; null for `dir`. */
  readonly cloud: string | null;
  /** Everything of `publish NAME` beside the common flags, those of the keys included. */
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly string[];
  documentation(): Promise<CodeTable>;
  /** Loads the pure half; no SDK. */
  load(): Promise<Store>;
}

export interface StoreInput {
  readonly flags: FlagValues;
  /** The entry of `publish` in kubeassume.yaml that belongs to this store; empty without a config. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly config: LoadedConfig | null;
  readonly cwd: string;
  /** For the ecosystem's own variables, such as AWS_REGION. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One document's place. */
export interface DocumentPlace {
  /** Object name, or path below the root. */
  readonly name: string;
  /** As people and plans name it: `s3://bucket/prod/openid/v1/jwks`, a file's path. */
  readonly target: string;
}

/** A place for the two documents, resolved from flags and config. Stores extend it. */
export interface StoreSpec {
  /** Empty when none was named and the store alone knows under which host name it answers: see {@link Store.locate}. */
  readonly issuer: string;
  /** Tells apart several places of one store in the ids of steps: a bucket, a folder. */
  readonly place: string;
  readonly discovery: DocumentPlace;
  readonly jwks: DocumentPlace;
  /** Whether the store keeps content type, cache control and mark beside a document. A file system does not. */
  readonly keepsHeaders: boolean;
  /**
   * Whether what is written is served at once. Then a read-back that fails is a failure; where somebody else has to
   * serve what was written, it is a warning.
   */
  readonly servesAtOnce: boolean;
  /** Milliseconds until what was just opened is served, where that is more than some seconds. */
  readonly settleMs?: number;
}

/** The place around the documents, as it shall be. */
export interface DesiredPlace {
  readonly resources: readonly DesiredResource[];
  /** Ids of the resources without which no document can be written. */
  readonly documentsNeed: readonly string[];
  /** Each of them stops everything before the first write. */
  readonly problems: readonly KubeassumeError[];
  readonly warnings: readonly Problem[];
}

/** The pure half of a store, and the door to the other one. */
export interface Store<S extends StoreSpec = StoreSpec> {
  /** Throws all problems of the input at once. */
  toSpec(input: StoreInput): S;
  /** Everything around the documents: bucket, ownership, public access, policy. Documents themselves are the spine's. */
  desiredPlace(spec: S, observed: readonly ObservedResource[]): DesiredPlace;
  /** Loads the SDK; touches no network by itself. */
  connect(world: CloudWorld, spec: S): Promise<StoreConnection>;
  /**
   * For a store whose host name is its own choice: reads it and completes a spec without an issuer. Null when the place
   * does not exist yet: it is then made first, and this is asked again.
   */
  locate?(world: CloudWorld, spec: S): Promise<S | null>;
  /**
   * For `teardown`: where the documents of this issuer lie, found through the config, the issuer URL and our marks;
   * null when nothing is found. Reads only.
   */
  findPlace(world: CloudWorld, input: StoreInput, issuer: string): Promise<S | null>;
}

/** One document as it lies in the store. */
export interface StoredDocument {
  readonly body: string;
  /** Empty when the store keeps none. */
  readonly contentType: string;
  readonly cacheControl: string;
  /** Whether it carries kubeassume's mark. */
  readonly marked: boolean;
  /** Opaque to the spine: what makes the next write conditional (ETag, generation). */
  readonly version: string;
}

/** A document to be written, with our mark: only if what is there is still `replaces` (null: only if there is nothing). */
export interface DocumentWrite {
  readonly name: string;
  readonly body: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly replaces: string | null;
}

/** Everything of one place, as it is. */
export interface StoreState {
  readonly place: readonly ObservedResource[];
  readonly discovery: StoredDocument | null;
  readonly jwks: StoredDocument | null;
}

/** What a teardown would do to one place. */
export interface Removal {
  readonly steps: readonly Step[];
  /** What stays although it was asked to go, each with the reason; empty when nothing does. */
  readonly leftBehind: readonly Problem[];
}

/** One place with its network. Every method may throw KubeassumeError with the store's codes. */
export interface StoreConnection {
  /** Reads all of it, together where possible. */
  observe(): Promise<StoreState>;
  /** Null when there is none. */
  readDocument(name: string): Promise<StoredDocument | null>;
  /** `conflict` when the precondition failed (412, 409): the caller reads again and merges again. */
  writeDocument(write: DocumentWrite): Promise<"written" | "conflict">;
  /** Performs one step of the place, or one of a removal; safe to repeat. */
  perform(step: Step): Promise<Fields | void>;
  /** Removes documents with our mark, our part of the place's policy and, when asked, the emptied place itself. */
  planRemoval(options: { readonly deletePlace: boolean }): Promise<Removal>;
}
