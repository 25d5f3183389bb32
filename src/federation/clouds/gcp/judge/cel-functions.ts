import { celFunc, celList, celMethod, CelScalar, isCelList, isCelMap, listType } from "@bufbuild/cel";
import type { CelInput } from "@bufbuild/cel";

/** What one evaluation may cost: about a second of work. Real mappings cost a few hundred. */
const BUDGET = 1_000_000;

/** Counts what an evaluation costs. */
export interface Meter {
  /** Throws when the budget is used up. */
  readonly spend: (cost: number) => void;
  readonly isSpent: () => boolean;
  /** Begins anew, for the next evaluation. */
  readonly refill: () => void;
}

export function createMeter(): Meter {
  let left = BUDGET;
  return {
    spend: (cost) => {
      left -= cost;
      if (left < 0) throw new Error("it takes too long to evaluate");
    },
    isSpent: () => left < 0,
    refill: () => {
      left = BUDGET;
    },
  };
}

const { DYN, STRING } = CelScalar;
const LIST = listType(DYN);

/** Operators and functions of the CEL standard (cel-spec, langdef.md) that the library has. */
const STANDARD = [
  "_&&_", "_||_", "_?_:_", "_[_]", "!_", "-_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_", "_%_", "@in", "@not_strictly_false",
  "size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "string", "bool", "bytes", "timestamp", "duration", "type", "dyn",
  "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
];

/**
 * What Google adds and its pages show: `extract` (IAM, conditions-attribute-reference), `split` (IAM, federation with
 * deployment pipelines), `lowerAscii` (IAM, attribute mapping of identity providers); `join` and `upperAscii` are their
 * counterparts in the same library of CEL. Others of that library are not known to work and are refused.
 */
const GOOGLES = ["extract", "split", "join", "lowerAscii", "upperAscii"];

export const FUNCTIONS: ReadonlySet<string> = new Set([...STANDARD, ...GOOGLES]);

/** Google's functions, and those that keep an evaluation within its budget. */
export function functionsFor({ spend }: Meter): (ReturnType<typeof celFunc> | ReturnType<typeof celMethod>)[] {
  return [
    celFunc("@tick", [DYN], DYN, (value) => {
      spend(1);
      return value;
    }),
    celFunc("@weigh", [DYN], DYN, (value) => {
      weigh(value, spend);
      return value;
    }),
    celFunc("@pattern", [STRING], STRING, (pattern) => {
      spend(pattern.length * 100);
      return pattern;
    }),
    // Lists are copied where the library would chain them: a chain costs its length again on each look at it.
    celFunc("_+_", [LIST, LIST], LIST, (left, right) => celList([...left, ...right])),
    celMethod("extract", STRING, [STRING], STRING, function (template) {
      return extract(this, template);
    }),
    celMethod("split", STRING, [STRING], LIST, function (separator) {
      return celList(this.split(separator));
    }),
    celMethod("join", LIST, [], STRING, function () {
      return join([...this], "");
    }),
    celMethod("join", LIST, [STRING], STRING, function (separator) {
      return join([...this], separator);
    }),
    celMethod("lowerAscii", STRING, [], STRING, function () {
      return this.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    }),
    celMethod("upperAscii", STRING, [], STRING, function () {
      return this.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    }),
  ];
}

/** Everything within a value, once per place where it is: what comparing or searching it may cost. */
function weigh(value: unknown, spend: Meter["spend"]): void {
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    spend(typeof next === "string" ? 1 + next.length / 4 : 1);
    if (isCelList(next)) {
      spend(next.size);
      for (const element of next) pending.push(element);
    } else if (isCelMap(next)) {
      spend(next.size);
      for (const [key, element] of next) pending.push(key, element);
    }
  }
}

/**
 * The part of a text that `{name}` stands for in a template: from the first place of what comes before it to the next
 * place of what comes after it; empty when there is no such place. Source: IAM, conditions-attribute-reference#extract.
 */
function extract(text: string, template: string): string {
  const [all, before = "", after = ""] = /^([^{}]*)\{[A-Za-z0-9_-]+\}([^{}]*)$/.exec(template) ?? [];
  if (all === undefined) throw new Error(`extract() takes a text with one {name} in it instead of ${JSON.stringify(template.slice(0, 100))}`);
  const found = text.indexOf(before);
  if (found < 0) return "";
  const start = found + before.length;
  const end = after === "" ? text.length : text.indexOf(after, start);
  return end < 0 ? "" : text.slice(start, end);
}

function join(elements: readonly CelInput[], separator: string): string {
  if (!elements.every((element) => typeof element === "string")) throw new Error("join() takes a list of strings");
  return elements.join(separator);
}
