import { isDeepStrictEqual } from "node:util";
import type { Cell } from "./fault-cells.ts";
import type { FaultCloud, Facts, Scenario } from "./fault-cloud.ts";
import { expectEnvelope } from "./output-schema.ts";
import type { JsonStep } from "./scene.ts";

export interface Ending {
  readonly exit: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly kind: string;
}

export interface Truth {
  /** Before the disturbed run. */
  readonly before: Facts;
  /** After it. */
  readonly after: Facts;
  /** After a run that nothing disturbs. */
  readonly final: Facts;
}

interface Reported {
  readonly steps?: readonly JsonStep[];
  readonly leftBehind?: readonly string[];
}

/** What is wrong with exit code and report of a disturbed run, measured by what is really there. */
export function judgeReport(cloud: FaultCloud, { unneeded }: Scenario, cell: Cell, ending: Ending, truth: Truth): readonly string[] {
  if (cell.how === "killed") return ending.signal === "SIGKILL" ? [] : [`it was not killed, it ended with ${ending.exit}: ${ending.stderr.slice(-300)}`];
  let envelope;
  try {
    envelope = expectEnvelope<Reported | null>(ending.kind, ending.stdout);
  } catch (error) {
    return [`its document is not right: ${String(error)}; ${ending.stdout.slice(0, 300)}`];
  }
  const { data, error, warnings } = envelope;
  const problems: string[] = [];
  const { exit } = ending;
  if (!expectedExits(cloud, cell, unneeded).includes(exit ?? -1)) problems.push(`exit code ${exit} (${error?.code ?? "no error"}: ${error?.message ?? ""})`);
  if ((exit === 0) !== (error === null)) problems.push(`exit code ${exit} with error ${error?.code ?? "null"}`);
  if (exit === 130 && error?.code !== "INTERRUPTED") problems.push(`interrupted, and the error is ${error?.code ?? "null"}`);
  if (exit === 0 && isSlices(cell) && !warnings.some(({ code }) => code === "CLUSTER_ONE_SERVER_SEEN")) problems.push("no warning says that other API servers were not asked");
  if (error !== null && error.hint === "") problems.push(`${error.code} has no hint`);
  const steps = data?.steps ?? [];
  problems.push(...judgeSteps(cloud, steps, truth), ...judgeRest(cloud, steps, truth));
  if (steps.length > 0) problems.push(...judgeCounts(steps, exit, error), ...judgeLeftBehind(steps, data?.leftBehind));
  return problems;
}

/** Endpoints beside the server itself are asked if they can be. */
function isSlices({ place }: Cell): boolean {
  return place.name.startsWith("cluster GET /apis/discovery.k8s.io/");
}

function expectedExits(cloud: FaultCloud, cell: Cell, unneeded: RegExp | undefined): readonly number[] {
  if (cell.how === "interrupted") return [130];
  if (cell.how === "once") return [0];
  const { name, nth } = cell.place;
  if (isSlices(cell) || unneeded?.test(name) === true || (name === "cluster GET /openid/v1/jwks" && nth > 1)) return [0];
  return "fault" in cell && cell.fault === "truncated body" && cloud.isEmptyAnswer(name) ? [0, 4, 5] : [4, 5];
}

function judgeSteps(cloud: FaultCloud, steps: readonly JsonStep[], { before, after, final }: Truth): readonly string[] {
  return steps.flatMap((step) => {
    const { id, status, action, reason } = step;
    const fact = cloud.factOf(step);
    const expected = status === "done" ? final[fact] : before[fact];
    if (!["done", "failed", "skipped"].includes(status)) return [`step ${id} is ${status}`];
    if (status === "failed") return reason === "" ? [`step ${id} failed without a reason`] : [];
    return isSame(after[fact], expected) ? [] : [`step ${id} (${action}) is said to be ${status}, and is ${show(after[fact])} instead of ${show(expected)}`];
  });
}

/** What no step names has not changed. */
function judgeRest(cloud: FaultCloud, steps: readonly JsonStep[], { before, after }: Truth): readonly string[] {
  const isNamed = (id: string): boolean => steps.some((step) => id === cloud.factOf(step) || id.startsWith(`${cloud.factOf(step)}/`) || cloud.covers(step, id));
  const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return ids.filter((id) => !isNamed(id) && !isSame(before[id], after[id])).map((id) => `${id} has changed, and no step says so: ${show(before[id])} became ${show(after[id])}`);
}

function judgeCounts(steps: readonly JsonStep[], exit: number | null, error: { readonly code: string; readonly details: Readonly<Record<string, unknown>> } | null): readonly string[] {
  const targets = (status: string): readonly string[] => steps.filter((step) => step.status === status).map(({ target }) => target);
  const written = steps.filter((step) => step.status === "done" && step.action !== "none").map(({ target }) => target);
  const undone = [...targets("failed"), ...targets("skipped")];
  const problems: string[] = [];
  if (exit === 0 && undone.length > 0) problems.push(`exit code 0 with ${undone.join(", ")} not done`);
  if (exit === 5 && (written.length === 0 || undone.length === 0)) problems.push(`exit code 5 with ${written.length} written and ${undone.length} not`);
  if (exit === 4 && written.length > 0 && undone.length > 0) problems.push(`exit code 4 with ${written.length} written and ${undone.length} not`);
  if (undone.length === 0 || error === null) return problems;
  const { done, failed, untouched, resume } = error.details;
  if (!isSame({ done, failed, untouched }, { done: written, failed: targets("failed"), untouched: targets("skipped") })) problems.push(`details say ${show({ done, failed, untouched })}, the steps ${show({ written, undone })}`);
  if (typeof resume !== "string" || !resume.startsWith("kubeassume ")) problems.push(`no command resumes: ${show(resume)}`);
  return problems;
}

function judgeLeftBehind(steps: readonly JsonStep[], leftBehind: readonly string[] | undefined): readonly string[] {
  const undone = steps.filter(({ status }) => status !== "done").map(({ target }) => target);
  const unlisted = leftBehind === undefined ? [] : undone.filter((target) => !leftBehind.includes(target));
  return unlisted.map((target) => `${target} stays, and is not listed as left behind`);
}

function isSame(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left ?? null, right ?? null);
}

function show(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 300);
}
