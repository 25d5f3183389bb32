import { describe, expect, it } from "vitest";
import { styleFor } from "../../../src/commands/edge/ui.ts";
import type { Plan, Step } from "../../../src/federation/plan/step.ts";
import { renderPlan } from "../../../src/federation/report/render-plan.ts";

const step = (rest: Partial<Step>): Step => ({
  id: "x",
  kind: "test.provider",
  cloud: "testcloud",
  action: "none",
  target: "provider/one",
  reason: "as it should be",
  before: {},
  after: {},
  needs: [],
  ...rest,
});

const statement = (sub: string) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Condition: { StringEquals: { "oidc.example.com/prod:sub": sub } } }] });

const plan: Plan = {
  steps: [
    step({ action: "create", reason: "does not exist", before: null, after: { audiences: ["one", "two"], thumbprints: [], maxSeconds: 3600, tags: { a: "b" } } }),
    step({ kind: "test.role", target: "role/api", action: "update", reason: "differs in trust", before: { trust: statement("old") }, after: { trust: statement("new") } }),
    step({ kind: "test.role", target: "role/other", action: "adopt", reason: "exists without a mark", before: { audiences: ["b", "gone", "a"], text: "x" }, after: { audiences: ["a", "b", "new"], text: "one\ntwo" } }),
    step({ kind: "test.object", target: "keys.json", action: "delete", reason: "no longer wanted", before: { etag: "1" }, after: null }),
    step({ target: "role/same" }),
  ],
};

describe("renderPlan", () => {
  it("reads like a diff", () => {
    expect(renderPlan(plan, styleFor(false))).toBe(
      [
        "+ create test.provider provider/one",
        "      + audiences: one",
        "      + audiences: two",
        "      + maxSeconds: 3600",
        '      + tags: {"a":"b"}',
        "~ update test.role role/api (differs in trust)",
        "        trust:",
        '              "Condition": {',
        '                "StringEquals": {',
        '      -           "oidc.example.com/prod:sub": "old"',
        '      +           "oidc.example.com/prod:sub": "new"',
        "                }",
        "              }",
        "~ adopt  test.role role/other (exists without a mark)",
        "      - audiences: gone",
        "      + audiences: new",
        "      - text: x",
        "      + text: one\\ntwo",
        "- delete test.object keys.json (no longer wanted)",
        "  none   test.provider role/same",
        "plan: 1 to create, 1 to update, 1 to adopt, 1 to delete, 1 unchanged",
      ].join("\n"),
    );
  });

  it("colours what comes green, what goes red, what changes yellow, and the words stay the same", () => {
    const colored = renderPlan(plan, styleFor(true));
    expect(colored).toContain("\u001b[32m+ create test.provider provider/one\u001b[39m");
    expect(colored).toContain("\u001b[33m~ update test.role role/api\u001b[39m\u001b[2m (differs in trust)\u001b[22m");
    expect(colored).toContain("\u001b[31m      - audiences: gone\u001b[39m");
    expect(colored).toContain("\u001b[31m- delete test.object keys.json\u001b[39m");
    expect(colored).toContain("\u001b[2m  none   test.provider role/same\u001b[22m");
    expect(colored.replace(/\u001b\[\d+m/g, "")).toBe(renderPlan(plan, styleFor(false)));
  });

  it("is one line when there is nothing to change", () => {
    expect(renderPlan({ steps: [step({}), step({ id: "y" })] }, styleFor(false))).toBe("nothing to change: 2 checked");
  });

  it("shows a long value that is new line by line, and every line of it", () => {
    const created = renderPlan({ steps: [step({ action: "create", before: null, after: { trust: statement("system:serviceaccount:payments:api") } })] }, styleFor(false));
    const lines = created.split("\n");
    expect(lines.slice(1, 5)).toEqual(["        trust:", "      + {", '      +   "Version": "2012-10-17",', '      +   "Statement": [']);
    expect(lines.filter((line) => line.startsWith("      + "))).toHaveLength(JSON.stringify(statement("x"), null, 2).split("\n").length);
  });
});
