import type { Problem } from "../errors/error.ts";
import type { Style } from "./render-plan.ts";

/** Thousands of grants may all have the same problem: a screen of them is enough to see it. */
const MOST_SHOWN = 20;

/** An error or a warning for people: what, what to do, and the code to look up. Several problems are listed, 20 at most. */
export function renderProblem(level: "error" | "warning", problem: Problem, style: Style): string {
  const several = problem.details["problems"];
  if (Array.isArray(several) && several.length > 1 && problem.code === "SEVERAL_PROBLEMS") {
    const shown = (several as readonly Problem[]).slice(0, MOST_SHOWN).map((one) => renderProblem(level, one, style));
    const more = several.length - shown.length;
    return `${shown.join("")}${more > 0 ? `and ${more} more; --output json has all of them\n` : ""}`;
  }
  const label = style(level === "error" ? "minus" : "tilde", `${level}:`);
  const hint = problem.hint === "" ? "" : `  ${style("bold", "hint:")} ${problem.hint}\n`;
  return `${label} ${problem.message}\n${hint}  ${style("dim", `code: ${problem.code} (kubeassume explain ${problem.code})`)}\n`;
}
