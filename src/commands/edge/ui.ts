import { styleText } from "node:util";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import type { Plan, Step, StepStatus } from "../../federation/plan/step.ts";
import { redact } from "../../federation/report/redact.ts";
import { renderPlan, type Style } from "../../federation/report/render-plan.ts";
import type { Ui } from "../command.ts";
import type { World } from "../world.ts";

export interface UiOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly yes: boolean;
}

/** Colour on a terminal unless NO_COLOR or --no-color says otherwise; FORCE_COLOR wins over the terminal test. */
export function wantsColor(world: World, noColorFlag: boolean): boolean {
  if (noColorFlag || (world.env["NO_COLOR"] ?? "") !== "") return false;
  const forced = world.env["FORCE_COLOR"];
  return forced === undefined ? world.stderr.isTTY && world.env["TERM"] !== "dumb" : forced !== "0";
}

/** Colours for terminals, or texts as they are. */
export function styleFor(color: boolean): Style {
  if (!color) return (_, text) => text;
  return (name, text) => styleText(name === "plus" ? "green" : name === "minus" ? "red" : name === "tilde" ? "yellow" : name, text, { validateStream: false });
}

/** Everything for people, on stderr: a live line on a terminal, plain lines elsewhere. */
export function createUi(world: World, options: UiOptions): Ui & { readonly close: () => void } {
  const style = styleFor(options.color);
  const live = world.stderr.isTTY && !options.quiet;
  let shown = false;
  const clear = () => {
    if (shown) world.stderr.write("\r\u001b[2K");
    shown = false;
  };
  const line = (text: string) => {
    clear();
    world.stderr.write(`${redact(text)}\n`);
  };
  const progress = (message: string) => {
    if (options.quiet) return;
    if (!live) return line(message);
    clear();
    world.stderr.write(style("dim", `${redact(message).slice(0, Math.max(world.stderr.columns - 2, 10))} …`));
    shown = true;
  };
  return {
    progress,
    note: (message) => (options.quiet ? undefined : line(message)),
    debug: (message) => (options.verbose ? line(style("dim", message)) : undefined),
    plan: (plan: Plan) => (options.quiet ? undefined : line(renderPlan(plan, style))),
    step: (step, status) => (options.quiet ? undefined : showStep(step, status, { line, progress: live ? progress : () => undefined, style })),
    confirm: (question, whenSilent) => confirm(world, question, whenSilent, options, line),
    close: clear,
  };
}

interface Lines {
  readonly line: (text: string) => void;
  /** A passing line; elsewhere than on a terminal the finished step says enough. */
  readonly progress: (text: string) => void;
  readonly style: Style;
}

function showStep(step: Step, status: "started" | StepStatus, out: Lines): void {
  if (status === "started") return out.progress(`${step.action} ${step.target}`);
  const mark = status === "done" ? out.style("plus", "✓") : status === "failed" ? out.style("minus", "✗") : out.style("dim", "-");
  out.line(`${mark} ${step.action} ${step.target}${status === "done" ? "" : ` (${status})`}`);
}

async function confirm(world: World, question: string, whenSilent: "go-ahead" | "refuse", options: UiOptions, line: (text: string) => void): Promise<void> {
  if (options.yes) return;
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    if (whenSilent === "go-ahead") return;
    throw new KubeassumeError(codes.DECLINED, { message: "there is no terminal to confirm on", hint: "pass --yes, or --dry-run to see the plan" });
  }
  line(`${question} [y/N]`);
  const answer = await world.stdin.readLine();
  if (answer !== null && /^y(es)?$/i.test(answer.trim())) return;
  throw new KubeassumeError(codes.DECLINED, { message: `not confirmed${answer?.trim() ? `: ${JSON.stringify(answer.trim())}` : ""}`, hint: "answer yes, or pass --yes; nothing was written" });
}
