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

type Data = Readonly<Record<string, unknown>>;

/** A token that `verify` must refuse: told are the cloud's own words and how to mend it. */
export function refusal(title: string, args: readonly string[], token: NonNullable<DemoStep["token"]>): DemoStep {
  return { title, args, token, exit: 3, tell: tellRefusal };
}

function tellRefusal(data: Data): string {
  const checks = data["checks"] as readonly Data[];
  const ruling = checks.find((check) => check["status"] === "fail");
  return `${String(data["code"])}: ${String(data["cloudMessage"])}\n→ ${String(ruling?.["hint"])}`;
}

/** The steps of a result. */
export function stepsOf(data: Data): readonly Data[] {
  return data["steps"] as readonly Data[];
}

/** Whether a result says that there was nothing to do. */
export function allUnchanged(data: Data): boolean {
  return stepsOf(data).every((step) => step["action"] === "none");
}
