import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DesiredResource, type ObservedResource, planResources } from "../../../src/federation/plan/plan-resources.ts";
import { type Fields, isUnchanged, type Json } from "../../../src/federation/plan/step.ts";

const desired = (rest: Partial<DesiredResource> = {}): DesiredResource => ({ id: "a", kind: "test.role", cloud: "testcloud", target: "role/a", fields: { text: "x", list: ["1", "2"] }, sets: ["list"], ...rest });
const observed = (rest: Partial<ObservedResource> = {}): ObservedResource => ({ id: "a", marked: true, fields: { text: "x", list: ["1", "2"] }, ...rest });

describe("planResources", () => {
  it.each([
    ["creates what does not exist", [], false, "create", "does not exist"],
    ["leaves what is equal", [observed()], false, "none", "as it should be"],
    ["leaves a set in another order", [observed({ fields: { text: "x", list: ["2", "1", "2"] } })], false, "none", "as it should be"],
    ["leaves members that are not ours", [observed({ fields: { text: "x", list: ["1", "2"], other: 1 } })], false, "none", "as it should be"],
    ["repairs what differs, by name", [observed({ fields: { text: "y", list: ["1"] } })], false, "update", "differs in text, list"],
    ["repairs what lacks a member", [observed({ fields: { list: ["1", "2"] } })], false, "update", "differs in text"],
    ["takes over what is equal and unmarked", [observed({ marked: false })], true, "adopt", "exists without a mark"],
    ["takes over what differs and is unmarked", [observed({ marked: false, fields: { text: "y", list: ["1", "2"] } })], true, "adopt", "exists without a mark, differs in text"],
  ] as const)("%s", (_, found, adopt, action, reason) => {
    const { plan, refusals } = planResources([desired()], found, { adopt });
    expect(refusals).toEqual([]);
    expect(plan.steps).toMatchObject([{ id: "a", action, reason, before: found[0]?.fields ?? null, after: desired().fields }]);
  });

  it("compares a list that is no set in its order", () => {
    const { plan } = planResources([desired({ sets: [] })], [observed({ fields: { text: "x", list: ["2", "1"] } })], { adopt: false });
    expect(plan.steps[0]?.action).toBe("update");
  });

  it("refuses what carries no mark, and names it", () => {
    const { plan, refusals } = planResources([desired()], [observed({ marked: false })], { adopt: false });
    expect(plan.steps).toEqual([]);
    expect(refusals).toMatchObject([{ code: "NOT_OURS", exit: 2, message: "role/a exists and does not carry kubeassume's mark", details: { target: "role/a" } }]);
  });

  it("refuses what cannot be adopted even on request, and says why", () => {
    const { refusals } = planResources([desired()], [observed({ marked: false, adoptionRefusal: "it belongs to another issuer" })], { adopt: true });
    expect(refusals[0]?.message).toBe("role/a cannot be made: its name is taken");
    expect(refusals).toMatchObject([{ code: "NOT_OURS", hint: "it belongs to another issuer" }]);
  });

  it("repairs a part of something bigger without asking whose it is", () => {
    const part = desired({ part: true });
    expect(planResources([part], [observed({ marked: false })], { adopt: false }).plan.steps[0]?.action).toBe("none");
    expect(planResources([part], [observed({ marked: false, fields: {} })], { adopt: false }).plan.steps[0]?.action).toBe("update");
  });

  it("gives all refusals at once, beside the steps of the rest", () => {
    const { plan, refusals } = planResources([desired(), desired({ id: "b" }), desired({ id: "c" })], [observed({ marked: false }), observed({ id: "b", marked: false })], { adopt: false });
    expect(refusals).toHaveLength(2);
    expect(plan.steps.map((step) => step.id)).toEqual(["c"]);
  });
});

const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
const fields: fc.Arbitrary<Fields> = fc.dictionary(fc.constantFrom("one", "two", "three", "list"), fc.oneof(json, fc.array(fc.constantFrom("a", "b", "c")))) as fc.Arbitrary<Fields>;
const ids = ["p", "q", "r", "s"];
const anyDesired = fc.uniqueArray(fc.constantFrom(...ids)).chain((chosen) => fc.tuple(...chosen.map((id) => fc.record({ fields, part: fc.boolean(), sets: fc.subarray(["list", "one"]) }).map((rest) => desired({ id, target: id, ...rest })))));
const anyObserved = fc.uniqueArray(fc.constantFrom(...ids)).chain((chosen) => fc.tuple(...chosen.map((id) => fc.record({ fields, marked: fc.boolean() }).map((rest) => observed({ id, ...rest })))));

describe("planResources, for anything wanted and anything there", () => {
  it("has nothing left to do once its plan is applied", () => {
    fc.assert(
      fc.property(anyDesired, anyObserved, (wanted, found) => {
        const { plan, refusals } = planResources(wanted, found, { adopt: true });
        expect(refusals).toEqual([]);
        const applied = plan.steps.map((step) => observed({ id: step.id, fields: { ...step.before, ...step.after } }));
        const again = planResources(wanted, applied, { adopt: false });
        expect(again.refusals).toEqual([]);
        expect(isUnchanged(again.plan)).toBe(true);
      }),
    );
  });

  it("answers each wanted resource exactly once: with a step or with a refusal", () => {
    fc.assert(
      fc.property(anyDesired, anyObserved, fc.boolean(), (wanted, found, adopt) => {
        const { plan, refusals } = planResources(wanted, found, { adopt });
        const answered = [...plan.steps.map((step) => step.id), ...refusals.map((refusal) => refusal.details["target"])];
        expect(answered.sort()).toEqual(wanted.map((resource) => resource.id).sort());
      }),
    );
  });

  it("changes nothing unmarked that is no part, unless asked to adopt it", () => {
    fc.assert(
      fc.property(anyDesired, anyObserved, (wanted, found) => {
        for (const step of planResources(wanted, found, { adopt: false }).plan.steps) {
          const there = found.find((resource) => resource.id === step.id);
          if (there === undefined || there.marked || wanted.find((resource) => resource.id === step.id)?.part === true) continue;
          expect(step.action).toBe("none");
        }
      }),
    );
  });
});
