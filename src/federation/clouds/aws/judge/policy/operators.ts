import type { PatternToken } from "./pattern.ts";
import { matchesPattern, textOf } from "./pattern.ts";
import { isInNetwork } from "./network.ts";

/** Compares one wanted value, as it stands after its variables are replaced, with one value of the request. */
export type Compare = (wanted: readonly PatternToken[], got: string) => boolean;

export interface Operator {
  /** As the policy writes it, with qualifier and suffix. */
  readonly name: string;
  readonly compare: Compare;
  /** The condition is met when nothing matches, also when the key is absent. */
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly qualifier: "all" | "any" | null;
  /** `Null`: asks for the presence of the key and compares nothing. */
  readonly isNull: boolean;
  /** Policy variables are replaced in values of string and ARN operators only. */
  readonly takesVariables: boolean;
}

type Base = Pick<Operator, "compare" | "negated" | "takesVariables">;

const equals: Compare = (wanted, got) => textOf(wanted) === got;
const equalsIgnoringCase: Compare = (wanted, got) => textOf(wanted).toLowerCase() === got.toLowerCase();
const isBool: Compare = (wanted, got) => /^(true|false)$/i.test(textOf(wanted)) && equalsIgnoringCase(wanted, got);

/** Every operator of IAM by its lower-case name (IAM User Guide, reference_policies_elements_condition_operators). */
const BASES: ReadonlyMap<string, Base> = new Map([
  ...pair("stringequals", "stringnotequals", equals, true),
  ...pair("stringequalsignorecase", "stringnotequalsignorecase", equalsIgnoringCase, true),
  ...pair("stringlike", "stringnotlike", matchesPattern, true),
  ...pair("arnequals", "arnnotequals", matchesArn, true),
  ...pair("arnlike", "arnnotlike", matchesArn, true),
  ...pair("ipaddress", "notipaddress", (wanted, got) => isInNetwork(got, textOf(wanted)), false),
  ...ordered("numeric", numberOf),
  ...ordered("date", instantOf),
  ["bool", { compare: isBool, negated: false, takesVariables: false }],
  ["binaryequals", { compare: sameBytes, negated: false, takesVariables: false }],
]);

/** The operator of that name, without regard to case; null when IAM knows none. */
export function parseOperator(name: string): Operator | null {
  const [, prefix = "", base = "", suffix = ""] = /^(forallvalues:|foranyvalue:)?(.*?)(ifexists)?$/i.exec(name) ?? [];
  const qualifier = prefix === "" ? null : prefix.toLowerCase() === "forallvalues:" ? "all" : "any";
  const ifExists = suffix !== "";
  if (base.toLowerCase() === "null") {
    const never: Compare = () => false;
    return ifExists ? null : { name, compare: never, negated: false, ifExists, qualifier, isNull: true, takesVariables: false };
  }
  const found = BASES.get(base.toLowerCase());
  return found === undefined ? null : { name, ...found, ifExists, qualifier, isNull: false };
}

function pair(positive: string, negative: string, compare: Compare, takesVariables: boolean): [string, Base][] {
  return [
    [positive, { compare, negated: false, takesVariables }],
    [negative, { compare, negated: true, takesVariables }],
  ];
}

function ordered(prefix: string, read: (text: string) => number | null): [string, Base][] {
  const by = (test: (got: number, wanted: number) => boolean): Compare => {
    return (wanted, got) => {
      const [left, right] = [read(got), read(textOf(wanted))];
      return left !== null && right !== null && test(left, right);
    };
  };
  const row = (name: string, test: (got: number, wanted: number) => boolean): [string, Base] => {
    return [`${prefix}${name}`, { compare: by(test), negated: false, takesVariables: false }];
  };
  return [
    ...pair(`${prefix}equals`, `${prefix}notequals`, by((got, wanted) => got === wanted), false),
    row("lessthan", (got, wanted) => got < wanted),
    row("lessthanequals", (got, wanted) => got <= wanted),
    row("greaterthan", (got, wanted) => got > wanted),
    row("greaterthanequals", (got, wanted) => got >= wanted),
  ];
}

function numberOf(text: string): number | null {
  return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null;
}

/** Milliseconds of an ISO 8601 time (W3C profile) or of seconds since 1970; four digits alone are a year. */
function instantOf(text: string): number | null {
  if (/^-?(\d{1,3}|\d{5,})(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const iso = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/;
  const instant = iso.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(instant) ? null : instant;
}

function sameBytes(wanted: readonly PatternToken[], got: string): boolean {
  const bytes = (text: string): string | null => (/^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, "base64").toString("hex") : null);
  const left = bytes(textOf(wanted));
  return left !== null && left === bytes(got);
}

/** ARNs are compared by their six parts; a wildcard never reaches across the first five colons. A lone `*` matches every ARN. */
function matchesArn(wanted: readonly PatternToken[], got: string): boolean {
  const gotParts = splitAt(Array.from(got), (character) => character === ":");
  if (gotParts.length < 6) return false;
  if (wanted.length === 1 && wanted[0] === "any") return true;
  const wantedParts = splitAt(wanted, (token) => typeof token === "object" && token.literal === ":");
  return wantedParts.length === 6 && wantedParts.every((part, index) => matchesPattern(part, (gotParts[index] ?? []).join("")));
}

/** Splits into at most six parts; what follows the fifth colon stays together. */
function splitAt<T>(items: readonly T[], isColon: (item: T) => boolean): T[][] {
  const parts: T[][] = [[]];
  for (const item of items) {
    if (isColon(item) && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(item);
  }
  return parts;
}
