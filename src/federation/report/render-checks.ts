import type { Check } from "../errors/checks.ts";
import type { Style, StyleName } from "./render-plan.ts";

const MARKS: Readonly<Record<Check["status"], readonly [StyleName, string]>> = {
  pass: ["plus", "pass"],
  warn: ["tilde", "warn"],
  fail: ["minus", "FAIL"],
  skip: ["dim", "skip"],
};

/** Checks for people: one line each, what to do below it, a count at the end. */
export function renderChecks(checks: readonly Check[], style: Style): string {
  const width = Math.max(0, ...checks.map((check) => check.id.length));
  const lines = checks.flatMap((check) => {
    const [color, mark] = MARKS[check.status];
    const line = `${style(color, mark)}  ${check.id.padEnd(width)}  ${check.message}`;
    return check.hint === "" || check.status === "skip" ? [line] : [line, `      ${" ".repeat(width)}${style("dim", `→ ${check.hint}`)}`];
  });
  const counts = (["pass", "warn", "fail", "skip"] as const).map((status) => `${checks.filter((check) => check.status === status).length} ${status}`);
  return `${[...lines, counts.join(", ")].join("\n")}\n`;
}
