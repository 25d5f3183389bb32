import { describe, expect, it } from "vitest";
import { applyPlan } from "../../../src/federation/apply/apply.ts";
import { codes } from "../../../src/federation/errors/codes.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import type { Step } from "../../../src/federation/plan/step.ts";
import { toStep } from "./plans.ts";

const refuse = async (step: Step) => {
  throw new KubeassumeError(codes.FILE_UNWRITABLE, { message: `${step.target} cannot be written`, hint: "free some space" });
};
const failing = (...ids: readonly string[]) => async (step: Step) => (ids.includes(step.id) ? refuse(step) : undefined);

describe("applyPlan", () => {
  it("keeps what the owner of a resource answered", async () => {
    const { steps, error } = await applyPlan({ steps: [toStep("a")] }, { resume: "", perform: async () => ({ id: 7 }) });
    expect(steps).toEqual([{ step: toStep("a"), status: "done", problem: null, result: { id: 7 } }]);
    expect(error).toBeNull();
  });

  it("hands back a lone failure as it is when nothing was written", async () => {
    const { error } = await applyPlan({ steps: [toStep("a"), toStep("b", ["a"])] }, { resume: "kubeassume again", perform: refuse });
    expect(error?.toProblem()).toEqual({
      code: "FILE_UNWRITABLE",
      message: "target of a cannot be written",
      hint: "free some space",
      details: { done: [], failed: ["target of a"], untouched: ["target of b"], resume: "kubeassume again" },
    });
    expect(error?.exit).toBe(4);
  });

  it("lists several failures as several problems when nothing was written", async () => {
    const { error } = await applyPlan({ steps: [toStep("a"), toStep("b")] }, { resume: "", perform: refuse });
    expect(error).toMatchObject({ code: "SEVERAL_PROBLEMS", exit: 4, details: { failed: ["target of a", "target of b"], problems: [{ code: "FILE_UNWRITABLE" }, { code: "FILE_UNWRITABLE" }] } });
  });

  it("is partly applied, with the command that resumes, when something was written", async () => {
    const plan = { steps: [toStep("a"), toStep("b", ["a"]), toStep("c", ["b"])] };
    const { error, steps } = await applyPlan(plan, { resume: "kubeassume setup testcloud", perform: failing("b") });
    expect(error).toMatchObject({ code: "PARTLY_APPLIED", exit: 5, message: "1 done, 1 failed, 1 untouched; first failure: target of b cannot be written" });
    expect(error?.hint).toBe("free some space; then run it again, it goes on where it stopped: kubeassume setup testcloud");
    expect(steps[2]?.problem).toMatchObject({ code: "STEP_SKIPPED", message: "target of c was not touched: b is not done" });
  });

  it("keeps the report of all other steps when one ends in a way that nobody foresaw", async () => {
    const perform = async (step: Step) => {
      if (step.id === "a") throw new RangeError("out of range");
    };
    const { error, steps } = await applyPlan({ steps: [toStep("a"), toStep("b")] }, { resume: "", perform });
    expect(steps.map((one) => one.status)).toEqual(["failed", "done"]);
    expect(steps[0]?.problem).toMatchObject({ code: "DEFECT", message: "target of a: RangeError: out of range" });
    expect(error).toMatchObject({ code: "PARTLY_APPLIED", exit: 5 });
  });

  it("runs other steps beside the one whose series is busy", async () => {
    const begun: string[] = [];
    const plan = { steps: [{ ...toStep("a"), series: "one" }, { ...toStep("b"), series: "one" }, { ...toStep("c"), series: "other" }, toStep("d")] };
    const perform = async (step: Step) => {
      begun.push(step.id);
      await new Promise(setImmediate);
    };
    await applyPlan(plan, { resume: "", perform });
    expect(begun).toEqual(["a", "c", "d", "b"]);
  });

  it("tells of a step before and after it, and of a skipped one once", async () => {
    const told: string[] = [];
    const plan = { steps: [toStep("a"), toStep("b", ["a"]), toStep("c"), toStep("d", [], "none")] };
    await applyPlan(plan, { resume: "", concurrency: 1, perform: failing("a"), onStep: (step, status) => told.push(`${step.id} ${status}`) });
    expect(told).toEqual(["a started", "a failed", "c started", "c done", "b skipped"]);
  });

  it("performs nothing of a plan with a circle or with one id twice", async () => {
    const performed: string[] = [];
    const perform = async (step: Step) => void performed.push(step.id);
    const circle = { steps: [toStep("free"), toStep("a", ["b"]), toStep("b", ["a"])] };
    await expect(applyPlan(circle, { resume: "", perform })).rejects.toThrow("circle");
    await expect(applyPlan({ steps: [toStep("a"), toStep("a")] }, { resume: "", perform })).rejects.toThrow("one id");
    expect(performed).toEqual([]);
  });

  it("walks 20,000 steps behind one hub without going through the plan again for each", async () => {
    const spokes = Array.from({ length: 20_000 }, (_, index) => toStep(`spoke${index}`, ["hub"], index === 7 ? "update" : "none"));
    const performed: string[] = [];
    const { error } = await applyPlan({ steps: [...spokes, toStep("hub")] }, { resume: "", perform: async (step) => void performed.push(step.id) });
    expect(error).toBeNull();
    expect(performed).toEqual(["hub", "spoke7"]);
  });
});
