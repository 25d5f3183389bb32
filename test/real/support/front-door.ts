import { expect } from "vitest";
import { kubeassume } from "../../support/kubeassume.ts";
import type { RunOptions } from "../../support/kubeassume.ts";
import { expectEnvelope } from "../../support/output-schema.ts";
import type { OutputEnvelope } from "../../support/output-schema.ts";

/** What most results carry; a test names the members of its command. */
export interface StepData {
  readonly id: string;
  readonly action: "create" | "update" | "adopt" | "delete" | "none";
  readonly target: string;
  readonly status: "planned" | "done" | "failed" | "skipped";
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

export interface StepsData {
  readonly steps: readonly StepData[];
}

export interface Answered<D> {
  readonly exit: number | null;
  readonly stderr: string;
  readonly document: OutputEnvelope<D>;
  /** `document.data`, which a command that was refused does not have. */
  readonly data: D;
}

/**
 * Runs the built command with `-o json` and asserts what holds for every run: stdout is one document of the kind by its
 * published schema, and no stream holds a token or the secrets of the environment.
 */
export async function runJson<D = StepsData>(kind: string, args: readonly string[], options: RunOptions = {}): Promise<Answered<D>> {
  const ran = await kubeassume([...args, "--output", "json"], options);
  const printed = ran.stdout + ran.stderr;
  expect(printed, "no token in any stream").not.toMatch(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/);
  for (const name of ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) {
    const secret = options.env?.[name];
    expect(secret !== undefined && printed.includes(secret), `no ${name} in any stream`).toBe(false);
  }
  const document = expectEnvelope<D>(kind, ran.stdout);
  return { exit: ran.exit, stderr: ran.stderr, document, data: document.data };
}

/** The action of every step by its target: what a plan comes down to. */
export function actionsOf({ steps }: StepsData): Readonly<Record<string, string>> {
  return Object.fromEntries(steps.map(({ target, action }) => [target, action]));
}

/** Fails with the command's own words when it did not succeed. */
export async function runDone<D = StepsData>(kind: string, args: readonly string[], options: RunOptions = {}): Promise<D> {
  const { exit, document, data, stderr } = await runJson<D>(kind, args, options);
  expect({ exit, error: document.error, stderr: exit === 0 ? "" : stderr }).toEqual({ exit: 0, error: null, stderr: "" });
  return data;
}
