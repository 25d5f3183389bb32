import { validationError } from "./errors.ts";
import type { Tag } from "./state.ts";

/** One parameter of the query protocol and what AWS's API description asks of it. */
export interface Field {
  readonly kind: "text" | "number" | "list" | "tags";
  /** Shortest and longest text, or smallest and largest number; of each entry in lists. */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  /** AWS's own words when the pattern does not match, where it has some; `pattern` as it shows it otherwise. */
  readonly patternWords?: string;
  /** Most entries of a list. */
  readonly maxEntries?: number;
  /** For lists of structures with one member: its name, as in `PolicyArns.member.1.arn`. */
  readonly entryMember?: string;
}

/** The parameters of one call, validated. Asking for a name that the action does not declare is a defect. */
export interface Form {
  /** A required parameter. */
  text(name: string): string;
  optional(name: string): string | undefined;
  number(name: string): number | undefined;
  list(name: string): readonly string[];
  tags(name: string): readonly Tag[];
}

export interface Parameters {
  readonly fields: Readonly<Record<string, Field>>;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/**
 * Reads and validates the parameters of one call.
 *
 * @throws AwsError ValidationError with every problem at once, as AWS words them
 */
export function parseForm(source: URLSearchParams, { fields, required, optional }: Parameters): Form {
  const problems: string[] = [];
  for (const name of [...required, ...optional]) {
    const field = fields[name];
    if (field === undefined) throw new TypeError(`the parameter ${name} is not described`);
    if (field.kind === "list" || field.kind === "tags") problems.push(...listProblems(source, name, field));
    else problems.push(...textProblems(source.get(name), wireName(name), field, required.includes(name)));
    if (required.includes(name) && field.kind !== "text" && field.kind !== "number" && !isGiven(source, name)) problems.push(missing(wireName(name)));
  }
  const [first] = problems;
  if (first !== undefined) throw validationError(wordsOf(problems));
  return {
    text: (name) => source.get(name) ?? "",
    optional: (name) => source.get(name) ?? undefined,
    number: (name) => (source.has(name) ? Number(source.get(name)) : undefined),
    list: (name) => entriesOf(source, name, fields[name]),
    tags: (name) => tagsOf(source, name),
  };
}

function wordsOf(problems: readonly string[]): string {
  // AWS names these two without counting them.
  const plain = problems.find((problem) => problem.startsWith("The specified value"));
  if (plain !== undefined) return plain;
  return `${problems.length} validation error${problems.length === 1 ? "" : "s"} detected: ${problems.join("; ")}`;
}

function listProblems(source: URLSearchParams, name: string, field: Field): string[] {
  const at = wireName(name);
  const problems: string[] = [];
  const count = field.kind === "tags" ? tagsOf(source, name).length : entriesOf(source, name, field).length;
  if (count > (field.maxEntries ?? Infinity)) problems.push(refused("of the list", at, `Member must have length less than or equal to ${field.maxEntries}`));
  if (field.kind === "tags") return [...problems, ...tagProblems(source, name, at)];
  const entries = entriesOf(source, name, field);
  const constraints = [...new Set(entries.flatMap((entry) => constraintProblems(entry, field)))];
  if (constraints.length === 0) return problems;
  return [...problems, refused(`'[${entries.join(", ")}]'`, at, `Member must satisfy constraint: [${constraints.join(", ")}]`)];
}

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const TAG_PATTERN = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+";

function tagProblems(source: URLSearchParams, name: string, at: string): string[] {
  return tagsOf(source, name).flatMap(({ key, value }, index) => {
    const [keyAt, valueAt] = [`${at}.${index + 1}.member.key`, `${at}.${index + 1}.member.value`];
    const keyField: Field = { kind: "text", min: 1, max: 128, pattern: TAG_TEXT, patternWords: TAG_PATTERN };
    const problems = textProblems(key, keyAt, keyField, true);
    if (key.trim() === "" && key !== "") problems.push(refused(`'${key}'`, keyAt, `Member must satisfy regular expression pattern: ${TAG_PATTERN}`));
    return [...problems, ...textProblems(value, valueAt, { kind: "text", max: 256, pattern: TAG_TEXT, patternWords: TAG_PATTERN }, false)];
  });
}

function textProblems(value: string | null, at: string, field: Field, required: boolean): string[] {
  if (value === null) return required ? [missing(at)] : [];
  return constraintProblems(value, field).map((problem) => (problem.startsWith("The specified value") ? problem : refused(`'${value}'`, at, problem)));
}

function constraintProblems(value: string, field: Field): string[] {
  const problems: string[] = [];
  const size = field.kind === "number" ? Number(value) : value.length;
  const what = field.kind === "number" ? "value" : "length";
  if (field.kind === "number" && !/^-?\d+$/.test(value)) return ["Member must be an integer"];
  if (size > (field.max ?? Infinity)) problems.push(`Member must have ${what} less than or equal to ${field.max}`);
  if (size < (field.min ?? -Infinity)) problems.push(`Member must have ${what} greater than or equal to ${field.min}`);
  if (field.pattern !== undefined && !field.pattern.test(value)) {
    const words = field.patternWords ?? field.pattern.source;
    problems.push(words.startsWith("The specified value") ? words : `Member must satisfy regular expression pattern: ${words}`);
  }
  return problems;
}

function missing(at: string): string {
  return `Value at '${at}' failed to satisfy constraint: Member must not be null`;
}

function refused(value: string, at: string, constraint: string): string {
  return `Value ${value} at '${at}' failed to satisfy constraint: ${constraint}`;
}

/** `RoleName` is `roleName` in AWS's messages. */
function wireName(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function isGiven(source: URLSearchParams, name: string): boolean {
  return source.has(name) || source.has(`${name}.member.1`) || source.has(`${name}.member.1.Key`);
}

function entriesOf(source: URLSearchParams, name: string, field: Field | undefined): string[] {
  const tail = field?.entryMember === undefined ? "" : `.${field.entryMember}`;
  return numbered((index) => source.get(`${name}.member.${index}${tail}`));
}

function tagsOf(source: URLSearchParams, name: string): Tag[] {
  return numbered((index) => {
    const key = source.get(`${name}.member.${index}.Key`);
    return key === null ? null : { key, value: source.get(`${name}.member.${index}.Value`) ?? "" };
  });
}

/** `Name.member.1`, `Name.member.2` and so on, until one is absent. */
function numbered<T>(read: (index: number) => T | null): T[] {
  const found: T[] = [];
  for (;;) {
    const entry = read(found.length + 1);
    if (entry === null) return found;
    found.push(entry);
  }
}
