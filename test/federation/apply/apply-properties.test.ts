import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPlan, type Outcome } from "../../../src/federation/apply/apply.ts";
import { codes } from "../../../src/federation/errors/codes.ts";
import { EXIT, KubeassumeError } from "../../../src/federation/errors/error.ts";
import type { Plan } from "../../../src/federation/plan/step.ts";
import { allNeeds, anyPlan } from "./plans.ts";

interface Journal {
  readonly outcome: Outcome;
  /** Ids in the order of "begin" and "end" of performing. */
  readonly events: readonly { readonly id: string; readonly what: "begin" | "end" }[];
  readonly mostAtOnce: number;
}

interface Circumstances {
  readonly failing: ReadonlySet<string>;
  readonly concurrency: number;
  /** Interrupts after so many steps have begun. */
  readonly interruptAfter?: number;
  /** How many turns of the event loop each step takes. */
  readonly turns: readonly number[];
}

async function applyIn(plan: Plan, { failing, concurrency, interruptAfter, turns }: Circumstances): Promise<Journal> {
  const events: { id: string; what: "begin" | "end" }[] = [];
  const interruption = new AbortController();
  let atOnce = 0;
  let mostAtOnce = 0;
  const outcome = await applyPlan(plan, {
    concurrency,
    resume: "kubeassume apply",
    signal: interruption.signal,
    perform: async (step) => {
      events.push({ id: step.id, what: "begin" });
      if (events.filter((event) => event.what === "begin").length === interruptAfter) interruption.abort();
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      for (let turn = 0; turn < (turns[Number(step.id.slice(1))] ?? 0); turn += 1) await new Promise(setImmediate);
      atOnce -= 1;
      events.push({ id: step.id, what: "end" });
      if (failing.has(step.id)) throw new KubeassumeError(codes.ISSUER_UNREACHABLE, { message: `${step.id} is unreachable` });
      return { assigned: step.id };
    },
  });
  return { outcome, events, mostAtOnce };
}

const circumstances = fc.record({
  failing: fc.subarray(Array.from({ length: 12 }, (_, index) => `s${index}`)).map((ids) => new Set(ids)),
  concurrency: fc.integer({ min: 1, max: 4 }),
  turns: fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }),
});
const interrupted = fc.tuple(circumstances, fc.integer({ min: 1, max: 6 })).map(([rest, interruptAfter]) => ({ ...rest, interruptAfter }));
const runs = { numRuns: 150 };

function forAll(how: fc.Arbitrary<Circumstances>, judge: (plan: Plan, journal: Journal, given: Circumstances) => void | Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(anyPlan, how, async (plan, given) => judge(plan, await applyIn(plan, given), given)), runs);
}

const statusOf = (journal: Journal, id: string) => journal.outcome.steps.find((one) => one.step.id === id)?.status;

describe("applyPlan, for any plan and any failures", () => {
  it("gives every step exactly one outcome, in the order of the plan", () =>
    forAll(fc.oneof(circumstances, interrupted), (plan, { outcome }) => {
      expect(outcome.steps.map((one) => one.step)).toEqual(plan.steps);
      for (const one of outcome.steps) expect(["done", "failed", "skipped"]).toContain(one.status);
    }));

  it("begins no step before all that it needs has ended well", () =>
    forAll(fc.oneof(circumstances, interrupted), (plan, { events }, { failing }) => {
      for (const [at, { id, what }] of events.entries()) {
        if (what === "end") continue;
        for (const need of allNeeds(plan, id)) {
          if (plan.steps.find((step) => step.id === need)?.action === "none") continue;
          expect(events.slice(0, at)).toContainEqual({ id: need, what: "end" });
          expect(failing.has(need)).toBe(false);
        }
      }
    }));

  it("performs every step at most once, and steps without a change never", () =>
    forAll(fc.oneof(circumstances, interrupted), (plan, { events }) => {
      const begun = events.filter((event) => event.what === "begin").map((event) => event.id);
      expect(new Set(begun).size).toBe(begun.length);
      for (const id of begun) expect(plan.steps.find((step) => step.id === id)?.action).not.toBe("none");
    }));

  it("skips what needs a failed step and does all the rest", () =>
    forAll(circumstances, (plan, journal, { failing }) => {
      for (const step of plan.steps) {
        const bad = [...allNeeds(plan, step.id)].some((need) => failing.has(need) && plan.steps.find((one) => one.id === need)?.action !== "none");
        const own = failing.has(step.id) && step.action !== "none";
        expect(statusOf(journal, step.id)).toBe(bad ? "skipped" : own ? "failed" : "done");
      }
    }));

  it("never runs more steps at once than allowed", () =>
    forAll(circumstances, (_, { mostAtOnce }, { concurrency }) => {
      expect(mostAtOnce).toBeLessThanOrEqual(concurrency);
    }));

  it("never runs two steps of one series together", () =>
    forAll(fc.oneof(circumstances, interrupted), (plan, { events }) => {
      for (const series of ["one", "other"]) {
        const own = events.filter(({ id }) => plan.steps.some((step) => step.id === id && step.series === series));
        expect(own.map(({ what }) => what)).toEqual(own.map((_, index) => (index % 2 === 0 ? "begin" : "end")));
      }
    }));

  it("starts nothing new once it is interrupted, and lets what runs come to its end", () =>
    forAll(interrupted, (_, { events, outcome }, { interruptAfter }) => {
      const begun = events.filter((event) => event.what === "begin");
      expect(begun.length).toBeLessThanOrEqual(interruptAfter ?? 0);
      expect(events.filter((event) => event.what === "end")).toHaveLength(begun.length);
      if (begun.length === interruptAfter && outcome.error !== null) expect(outcome.error).toMatchObject({ code: "INTERRUPTED", exit: EXIT.interrupted });
    }));

  it("lists in the error exactly what is done, failed and untouched", () =>
    forAll(fc.oneof(circumstances, interrupted), (_, { outcome }) => {
      const targets = (status: string) => outcome.steps.filter((one) => one.status === status && !(status === "done" && one.step.action === "none")).map((one) => one.step.target);
      const complete = outcome.steps.every((one) => one.status === "done");
      expect(outcome.error === null).toBe(complete);
      if (outcome.error === null) return;
      expect(outcome.error.details).toMatchObject({ done: targets("done"), failed: targets("failed"), untouched: targets("skipped"), resume: "kubeassume apply" });
    }));

  it("says with the exit code whether anything was written", () =>
    forAll(circumstances, (_, { outcome }) => {
      if (outcome.error === null) return;
      const written = outcome.steps.some((one) => one.status === "done" && one.step.action !== "none");
      expect(outcome.error.exit).toBe(written ? EXIT.partly : EXIT.refused);
    }));

  it("ends, when run again on what is left, as an undisturbed run would", () =>
    forAll(circumstances, async (plan, { outcome }) => {
      const left = { steps: plan.steps.map((step) => (outcome.steps.find((one) => one.step === step)?.status === "done" ? { ...step, action: "none" as const } : step)) };
      const again = await applyPlan(left, { perform: async () => undefined, resume: "" });
      expect(again.error).toBeNull();
    }));
});
