import type { ServiceAccount } from "../clouds/cloud.ts";

/** What a cloud's demo may refer to. */
export interface DemoScene {
  readonly issuerUrl: string;
  /** The bucket that the sandbox's issuer stands in front of. */
  readonly bucket: string;
  /** An existing folder for files that a step names. */
  readonly dir: string;
  readonly now: Date;
}

/** One command of a demo: kubeassume's own, as a person would type it. */
export interface DemoStep {
  /** What it shows, in a few words. */
  readonly title: string;
  readonly args: readonly string[];
  /** A token of this account for this audience is handed to the command on standard input. */
  readonly token?: { readonly account: ServiceAccount; readonly audience: string };
  /** The exit code that shows the point of the step. */
  readonly exit: number;
  /** Whether the step's result is what it shall show; by default the exit code alone decides. */
  readonly holds?: (data: Readonly<Record<string, unknown>>) => boolean;
  /** One line about the result for people. */
  readonly tell: (data: Readonly<Record<string, unknown>>) => string;
}

/** The journey of one cloud, in order. */
export type DemoScript = (scene: DemoScene) => readonly DemoStep[];
