import { changedFields } from "../plan/plan-resources.ts";
import type { Fields, Json, Plan, Step } from "../plan/step.ts";
import { diffLines } from "./diff-lines.ts";

export type StyleName = "bold" | "dim" | "plus" | "minus" | "tilde";

/** Colours a piece of text, or hands it back: only reporters know colour. */
export type Style = (name: StyleName, text: string) => string;

const SIGNS = { create: "+", update: "~", adopt: "~", delete: "-", none: " " } as const;
const STYLES = { create: "plus", update: "tilde", adopt: "tilde", delete: "minus", none: "dim" } as const;

/** A plan as people read diffs: one line a step, changed members below it; an unchanged step has its line alone. */
export function renderPlan(plan: Plan, style: Style): string {
  const writes = plan.steps.filter((step) => step.action !== "none");
  if (writes.length === 0) return style("dim", `nothing to change: ${plan.steps.length} checked`);
  const lines = plan.steps.flatMap((step) => renderStep(step, style));
  const counts = ["create", "update", "adopt", "delete"].map((action) => [action, writes.filter((step) => step.action === action).length] as const);
  const summary = counts.filter(([, count]) => count > 0).map(([action, count]) => `${count} to ${action}`);
  return [...lines, style("bold", `plan: ${summary.join(", ")}, ${plan.steps.length - writes.length} unchanged`)].join("\n");
}

function renderStep(step: Step, style: Style): readonly string[] {
  const head = `${SIGNS[step.action]} ${step.action.padEnd(6)} ${step.kind} ${step.target}`;
  const reason = step.action === "create" || step.action === "none" ? "" : style("dim", ` (${step.reason})`);
  return [style(STYLES[step.action], head) + reason, ...(step.action === "none" ? [] : renderFields(step, style))];
}

function renderFields(step: Step, style: Style): readonly string[] {
  const before = step.before ?? {};
  const after = step.after ?? {};
  const names = step.action === "delete" ? [] : step.before === null ? Object.keys(after) : changedFields(before, after, []);
  return names.flatMap((name) => renderField(name, before, after, style));
}

function renderField(name: string, before: Fields, after: Fields, style: Style): readonly string[] {
  const was = before[name];
  const shall = after[name];
  if (isTextList(was ?? []) && isTextList(shall ?? [])) return renderList(name, (was ?? []) as readonly string[], (shall ?? []) as readonly string[], style);
  if ([was, shall].some((value) => value !== undefined && oneLine(value).length > LONG)) return [`        ${name}:`, ...renderLines(toLines(was), toLines(shall), style)];
  const lines = was === undefined ? [] : [style("minus", `      - ${name}: ${oneLine(was)}`)];
  return shall === undefined ? lines : [...lines, style("plus", `      + ${name}: ${oneLine(shall)}`)];
}

/** Values up to this length stand behind their name; longer ones below it, line by line. */
const LONG = 60;

function renderList(name: string, was: readonly string[], shall: readonly string[], style: Style): readonly string[] {
  const gone = was.filter((item) => !shall.includes(item)).map((item) => style("minus", `      - ${name}: ${oneLine(item)}`));
  const come = shall.filter((item) => !was.includes(item)).map((item) => style("plus", `      + ${name}: ${oneLine(item)}`));
  return [...gone, ...come];
}

function isTextList(value: Json): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function oneLine(value: Json): string {
  return typeof value === "string" ? value.replaceAll("\n", "\\n") : JSON.stringify(value);
}

function toLines(value: Json | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? value.trimEnd().split("\n") : JSON.stringify(value, null, 2).split("\n");
}

function renderLines(was: readonly string[], shall: readonly string[], style: Style): readonly string[] {
  const marked = diffLines(was, shall);
  const near = (at: number) => marked.slice(Math.max(at - CONTEXT, 0), at + CONTEXT + 1).some(({ sign }) => sign !== " ");
  return marked.flatMap(({ sign, line }, at) => {
    if (sign === "-") return [style("minus", `      - ${line}`)];
    if (sign === "+") return [style("plus", `      + ${line}`)];
    return near(at) ? [style("dim", `        ${line}`)] : [];
  });
}

/** Unchanged lines shown around a change. */
const CONTEXT = 2;
