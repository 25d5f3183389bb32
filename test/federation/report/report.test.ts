import { describe, expect, it } from "vitest";
import { styleFor } from "../../../src/commands/edge/ui.ts";
import type { Check } from "../../../src/federation/errors/checks.ts";
import { codes, combineProblems } from "../../../src/federation/errors/codes.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { reportOutcome, reportPlanned, toEnvelope } from "../../../src/federation/report/envelope.ts";
import { renderChecks } from "../../../src/federation/report/render-checks.ts";
import { renderManifests } from "../../../src/federation/report/render-manifests.ts";
import { renderProblem } from "../../../src/federation/report/render-problem.ts";
import { parseAllDocuments } from "yaml";
import { toStep } from "../apply/plans.ts";

const plain = styleFor(false);

describe("the envelope", () => {
  it("has the members of the contract, and ok says whether there is an error", () => {
    expect(toEnvelope("SetupResult", { a: 1 }, [], null)).toEqual({ apiVersion: "kubeassume.dev/v1", kind: "SetupResult", ok: true, data: { a: 1 }, warnings: [], error: null });
    const problem = new KubeassumeError(codes.USAGE, { message: "x" }).toProblem();
    expect(toEnvelope("SetupResult", null, [problem], problem)).toMatchObject({ ok: false, data: null, warnings: [problem], error: { code: "USAGE", message: "x", hint: "see --help of the command", details: {} } });
  });

  it("reports planned steps with the members of the contract and no other", () => {
    expect(reportPlanned({ steps: [toStep("a", ["b"])] })).toEqual([
      { id: "a", cloud: "testcloud", action: "create", target: "target of a", status: "planned", reason: "does not exist", before: null, after: {} },
    ]);
  });

  it("gives as reason of a failed step why it failed", () => {
    const problem = new KubeassumeError(codes.FILE_UNWRITABLE, { message: "the disk is full" }).toProblem();
    const [failed, done] = reportOutcome([
      { step: toStep("a"), status: "failed", problem, result: null },
      { step: toStep("b"), status: "done", problem: null, result: { id: 1 } },
    ]);
    expect(failed).toMatchObject({ status: "failed", reason: "the disk is full" });
    expect(done).toMatchObject({ status: "done", reason: "does not exist" });
  });
});

describe("renderProblem", () => {
  it("says what, what to do, and where to read more", () => {
    const problem = new KubeassumeError(codes.FLAG_INVALID, { message: '--at is "x"', hint: "give RFC 3339" }).toProblem();
    expect(renderProblem("error", problem, plain)).toBe('error: --at is "x"\n  hint: give RFC 3339\n  code: FLAG_INVALID (kubeassume explain FLAG_INVALID)\n');
    expect(renderProblem("warning", problem, plain)).toMatch(/^warning: --at/);
  });

  it("lists several problems one by one", () => {
    const problems = ["one", "two"].map((message) => new KubeassumeError(codes.FLAG_MISSING, { message }));
    const text = renderProblem("error", combineProblems(problems).toProblem(), plain);
    expect(text.match(/^error: .*$/gm)).toEqual(["error: one", "error: two"]);
  });

  it("stays readable for thousands of problems, and says how many it leaves out", () => {
    const problem = combineProblems(Array.from({ length: 5000 }, (_, index) => new KubeassumeError(codes.FLAG_MISSING, { message: `missing ${index}` })));
    const text = renderProblem("error", problem.toProblem(), plain);
    expect(text.match(/^error: .*$/gm)).toHaveLength(20);
    expect(text).toMatch(/\nand 4980 more; --output json has all of them\n$/);
    expect(problem.message).toMatch(/^5000 problems: missing 0; .*; missing 9; and 4990 more$/);
    expect(problem.details["problems"]).toHaveLength(5000);
  });
});

describe("combineProblems", () => {
  it("hands a single problem back as it is", () => {
    const one = new KubeassumeError(codes.FLAG_MISSING, { message: "one" });
    expect(combineProblems([one])).toBe(one);
  });

  it("asks for the input to be mended when any problem is one of the input", () => {
    const refused = new KubeassumeError(codes.ISSUER_UNREACHABLE, { message: "refused" });
    const input = new KubeassumeError(codes.FLAG_MISSING, { message: "missing" });
    expect(combineProblems([refused, input]).exit).toBe(2);
    expect(combineProblems([refused, refused]).exit).toBe(4);
  });
});

describe("renderChecks", () => {
  const check = (rest: Partial<Check>): Check => ({ id: "issuer-url", cloud: null, status: "pass", message: "is as it should be", hint: "", durationMs: 1, ...rest });

  it("has one line a check, what to do below it, and the counts at the end", () => {
    const text = renderChecks([check({}), check({ id: "keys", status: "fail", message: "a key is missing", hint: "publish it" }), check({ id: "x", status: "skip", message: "not asked", hint: "never shown" })], plain);
    expect(text).toBe("pass  issuer-url  is as it should be\nFAIL  keys        a key is missing\n                → publish it\nskip  x           not asked\n1 pass, 0 warn, 1 fail, 1 skip\n");
  });

  it("counts nothing when there is nothing", () => {
    expect(renderChecks([], plain)).toBe("0 pass, 0 warn, 0 fail, 0 skip\n");
  });
});

describe("renderManifests", () => {
  const account = { title: "ServiceAccount", applicable: true, yaml: "kind: ServiceAccount\n" };
  const snippet = { title: "pod", applicable: false, yaml: "spec:\n\n  containers: []\n" };

  it("is a YAML stream of what can be applied, with the snippets as comments", () => {
    const text = renderManifests([account, snippet, { ...account, yaml: "kind: Other" }]);
    expect(parseAllDocuments(text).map((document) => document.toJS() as unknown)).toEqual([{ kind: "ServiceAccount" }, { kind: "Other" }]);
    expect(text).toContain("# pod:\n#   spec:\n#\n#     containers: []\n");
  });

  it("is nothing for nothing", () => {
    expect(renderManifests([])).toBe("");
  });
});
