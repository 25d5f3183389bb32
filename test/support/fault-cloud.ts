import type { Fault, FaultTime } from "../../src/federation/sandbox/traffic.ts";
import type { JsonStep, Scene, SceneOptions } from "./scene.ts";

/** What really exists, by the ids of the steps that make or remove it; without dates, versions and random ids. */
export type Facts = Readonly<Record<string, unknown>>;

/** A command with the state of the cloud that it starts from. */
export interface Scenario {
  readonly name: string;
  /**
   * Another way through a command: of its calls only the writes are walked and the reads that no main way and no variant
   * before it has, `always` or in the `short` walk.
   */
  readonly variant?: "always" | "short";
  /** The kind of its JSON document. */
  readonly kind: string;
  readonly args: (scene: Scene) => readonly string[];
  /** Calls that are made beside the one whose answer says that theirs are not needed. */
  readonly unneeded?: RegExp;
  /** The scenario that made what this one starts from; by default the one before it. */
  readonly after?: string;
  /** What differs in the cloud from what that one left behind. */
  readonly seed?: (scene: Scene) => void;
}

/** An object that the commands may make in the cluster. */
export interface ClusterObject {
  /** The id of its step. */
  readonly id: string;
  readonly plural: "serviceaccounts" | "configmaps";
  readonly namespace: string;
  readonly name: string;
}

/** Answers that come from load or failure, as the cloud gives them. */
export type Refusal = "429" | "500" | "throttled";

/** What the walk through all faults must know of a cloud. */
export interface FaultCloud {
  /** What the names of its services begin with in the request log. */
  readonly services: "aws." | "gcp.";
  readonly scene: SceneOptions;
  /** Cells that are walked together: most of their time they wait for a pause or a time-out. */
  readonly lanes: number;
  /** What a write of a main way gets in the short walk beside a fault for good: everything that is bad for writes, or one in turn. */
  readonly worst: "all" | "in turn";
  /** Files in the working directory of the commands, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly scenarios: readonly Scenario[];
  readonly objects: readonly ClusterObject[];
  /** What is in the cloud; the cluster's objects are added to it. */
  factsOf(scene: Scene): Facts;
  /** Remembers the state of the cloud; what it answers brings it back, as often as it is called. */
  save(scene: Scene): () => void;
  refuse(service: string, what: Refusal, when: FaultTime): Fault;
  /** Whether the answer to such a call has no body that could be cut. */
  isEmptyAnswer(call: string): boolean;
  /** The fact that a step makes true; usually that of its id. */
  factOf(step: JsonStep): string;
  /** Whether a step speaks for another fact as well. Those whose names begin with that of its own need not be told. */
  covers(step: JsonStep, id: string): boolean;
}
