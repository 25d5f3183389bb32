import { celEnv, isCelError, isCelList, parse, plan, run } from "@bufbuild/cel";
import type { CelInput } from "@bufbuild/cel";
import { isJsonObject } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { createMeter, FUNCTIONS, functionsFor, type Meter } from "./cel-functions.ts";
import { findProblem, meter } from "./cel-tree.ts";
import type { Tree, Vocabulary } from "./cel-tree.ts";

/** Where an expression does not compile. Lines and columns count from 1. */
export interface CelProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** What an expression yields. `unsupported`: it does not compile here, or costs too much, whatever Google would answer. */
export type CelOutcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "unsupported"; readonly message: string };

/** Bounds of IAM v1, WorkloadIdentityPoolProvider: characters of one expression. */
export const MAX_CONDITION = 4096;
export const MAX_MAPPING = 2048;

const MAPPING: Vocabulary = { variables: new Set(["assertion"]), functions: FUNCTIONS };
const CONDITION: Vocabulary = { variables: new Set(["assertion", "google", "attribute"]), functions: FUNCTIONS };
/** What conditions of policies may ask of (IAM, conditions-attribute-reference); only the time is known here. */
const POLICY: Vocabulary = { variables: new Set(["request", "resource", "api", "destination", "principal", "params", "origin"]), functions: FUNCTIONS };

/**
 * Checks an `attributeCondition`: at most 4,096 characters of CEL over `assertion`, `google` and `attribute` that can
 * yield true or false. Null when it compiles; the empty text is no condition and compiles too. Never throws.
 */
export function compileCondition(text: string): CelProblem | null {
  if (text === "") return null;
  const compiled = compile(text, CONDITION, MAX_CONDITION);
  if ("problem" in compiled) return compiled.problem;
  const kind = literalKind(compiled.tree);
  return kind === null ? null : { message: `it yields ${kind} instead of true or false`, line: 1, column: 1 };
}

/** Checks one expression of an `attributeMapping`: at most 2,048 characters of CEL over `assertion`. Never throws. */
export function compileMapping(text: string): CelProblem | null {
  const compiled = compile(text, MAPPING, MAX_MAPPING);
  return "problem" in compiled ? compiled.problem : null;
}

export function evaluateMappingExpression(text: string, claims: JsonObject): CelOutcome {
  return evaluate(text, MAPPING, MAX_MAPPING, { assertion: toInput(claims) });
}

/** The condition of a provider, over the claims and what they were mapped to. */
export function evaluateCondition(text: string, claims: JsonObject, google: JsonObject, attribute: JsonObject): CelOutcome {
  return evaluate(text, CONDITION, MAX_CONDITION, { assertion: toInput(claims), google: toInput(google), attribute: toInput(attribute) });
}

/** The condition of a binding at a time; `error` where it asks for what is not known here, the resource above all. */
export function evaluatePolicyCondition(text: string, at: Date): CelOutcome {
  // The library takes timestamps only as messages; its own function makes one.
  const time = run("timestamp(text)", { text: at.toISOString() });
  if (isCelError(time)) return { kind: "error", message: time.message };
  return evaluate(text, POLICY, MAX_CONDITION, { request: new Map<string, CelInput>([["time", time]]) });
}

type Compiled = { readonly tree: Tree } | { readonly problem: CelProblem };

function compile(text: string, vocabulary: Vocabulary, limit: number): Compiled {
  if (text.length > limit) {
    return { problem: { message: `it has ${text.length} characters, more than ${limit}`, ...placeOf(text, limit) } };
  }
  try {
    const tree = parse(text);
    const found = tree.expr === undefined ? null : findProblem(tree.expr, vocabulary);
    if (found === null) return { tree };
    const offset = tree.sourceInfo?.positions[found.node.id.toString()] ?? 0;
    return { problem: { message: found.message, ...placeOf(text, offset) } };
  } catch (error) {
    return { problem: syntaxProblem(error, text) };
  }
}

/** The parser says `<input>:LINE:COLUMN: what` and has the place as `location`. */
function syntaxProblem(error: unknown, text: string): CelProblem {
  if (error instanceof RangeError) return { message: "it nests too deep", line: 1, column: 1 };
  const message = (error instanceof Error ? error.message : "it cannot be parsed").replace(/^<input>:\d+:\d+: /, "").replace(/^found (.*?) but expecting .*$/s, "unexpected $1");
  const location = isJsonObject(error) ? error["location"] : undefined;
  const start = isJsonObject(location) ? location["start"] : undefined;
  const offset = isJsonObject(start) && typeof start["offset"] === "number" ? start["offset"] : 0;
  return { message, ...placeOf(text, offset) };
}

function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** What a condition that is a mere value yields; null when it may be true or false. */
function literalKind({ expr }: Tree): string | null {
  const kind = expr?.exprKind;
  if (kind?.case === "listExpr") return "a list";
  if (kind?.case === "structExpr") return "a map";
  if (kind?.case !== "constExpr" || kind.value.constantKind.case === "boolValue") return null;
  return `a ${kind.value.constantKind.case === "stringValue" ? "text" : "value"}`;
}

/** An expression that is ready to be evaluated, again and again. */
interface Program {
  readonly evaluate: (bindings: Readonly<Record<string, CelInput>>) => ReturnType<ReturnType<typeof plan>>;
  readonly budget: Meter;
}

/** Thousands of grants are judged with the same few expressions, and compiling one takes longer than evaluating it. */
const MAX_PROGRAMS = 200;
const programs = new Map<Vocabulary, Map<string, Program>>();

function programOf(text: string, vocabulary: Vocabulary, limit: number): Program | { readonly problem: CelProblem } {
  const known = programs.get(vocabulary) ?? new Map<string, Program>();
  programs.set(vocabulary, known);
  const program = known.get(text);
  if (program !== undefined) return program;
  const compiled = compile(text, vocabulary, limit);
  if ("problem" in compiled) return compiled;
  if (compiled.tree.expr !== undefined) meter(compiled.tree.expr);
  const budget = createMeter();
  const planned = plan(celEnv({ funcs: functionsFor(budget) }), compiled.tree);
  const made: Program = { budget, evaluate: (bindings) => planned(Object.assign(Object.create(null), bindings)) };
  if (known.size >= MAX_PROGRAMS) known.clear();
  known.set(text, made);
  return made;
}

function evaluate(text: string, vocabulary: Vocabulary, limit: number, bindings: Readonly<Record<string, CelInput>>): CelOutcome {
  try {
    const program = programOf(text, vocabulary, limit);
    if ("problem" in program) return { kind: "unsupported", message: wordsOf(program.problem) };
    const { budget } = program;
    budget.refill();
    const value = program.evaluate(bindings);
    // An error within || and && is swallowed, the spent budget is not.
    if (budget.isSpent()) return { kind: "unsupported", message: "it takes too long to evaluate" };
    return isCelError(value) ? { kind: "error", message: shorten(value.message) } : { kind: "value", value: isCelList(value) ? [...value] : value };
  } catch (error) {
    return { kind: "unsupported", message: error instanceof Error ? shorten(error.message) : "it cannot be evaluated" };
  }
}

/** A problem with its place, in one clause. */
function wordsOf({ message, line, column }: CelProblem): string {
  return `${message} (line ${line}, column ${column})`;
}

function shorten(message: string): string {
  return message.length > 300 ? `${message.slice(0, 300)}...` : message;
}

/** JSON as CEL sees it: numbers are doubles, objects maps. Maps, because claims may be called `constructor`. */
function toInput(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toInput);
  if (isJsonObject(value)) return new Map(Object.entries(value).map(([name, inner]) => [name, toInput(inner)]));
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}
