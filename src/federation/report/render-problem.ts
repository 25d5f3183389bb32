import type { Problem } from "../errors/error.ts";
import type { Style } from "./render-plan.ts";

/** An error or a warning for people: what, what to do, and the code to look up. Several problems are listed. */
export function renderProblem(level: "error" | "warning", problem: Problem, style: Style): string {
  const several = problem.details["problems"];
  if (Array.isArray(several) && several.length > 1 && problem.code === "SEVERAL_PROBLEMS") {
    return (several as readonly Problem[]).map((one) => renderProblem(level, one, style)).join("");
  }
  const label = style(level === "error" ? "minus" : "tilde", `${level}:`);
  const hint = problem.hint === "" ? "" : `  ${style("bold", "hint:")} ${problem.hint}\n`;
  return `${label} ${problem.message}\n${hint}  ${style("dim", `code: ${problem.code} (kubeassume explain ${problem.code})`)}\n`;
}
