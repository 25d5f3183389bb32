import { type Alias, type Document, LineCounter, parseDocument, visit } from "yaml";
import type * as z from "zod/mini";
import { combineProblems } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import { codes } from "./codes.ts";
import type { ConfigPart } from "./config-part.ts";
import { type Finding, toFindings, toPathText } from "./issue-words.ts";
import type { ConfigGrant } from "./loaded-config.ts";
import { createConfigSchema } from "./schema.ts";
import { type Place, placeAt, placeOfKey, placeOfValue } from "./yaml-places.ts";

/** `kubeassume.yaml` as written: valid, paths not yet resolved. */
export interface WrittenConfig {
  readonly apiVersion: string;
  readonly kind: string;
  readonly issuer?: string;
  readonly cluster?: { readonly kubeconfig?: string; readonly context?: string };
  readonly publish?: readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[];
  readonly clouds?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly grants?: readonly ConfigGrant[];
}

/** Five thousand grants are well below; far more than this is another file. */
const MAX_LENGTH = 2 * 1024 * 1024;
/** How many aliases there may be, and how many nodes they may expand to before they count as a bomb. */
const MAX_ALIASES = 100;
/** More problems than these help nobody. */
const MAX_PROBLEMS = 50;
const TOO_DEEP = "it is nested too deep";

/**
 * Parses and validates the text of `kubeassume.yaml` (YAML 1.2, one document). Nothing is expanded or guessed.
 *
 * @throws KubeassumeError all problems at once, each with FILE:LINE:COLUMN: CONFIG_MALFORMED, CONFIG_UNKNOWN_KEY,
 *   CONFIG_INVALID, CONFIG_UNSUPPORTED
 */
export function parseConfig(text: string, file: string, parts: readonly ConfigPart[]): WrittenConfig {
  if (text.length > MAX_LENGTH) throw problemAt(file, { line: 1, column: 1 }, malformed(`the file has ${text.length} characters, more than ${MAX_LENGTH}`));
  const lines = new LineCounter();
  const { document, value } = parseYaml(text, file, lines);
  const schema = createConfigSchema(parts);
  const result = schema.safeParse(value);
  if (result.success) return result.data as unknown as WrittenConfig;
  const findings = withoutEchoes(result.error.issues).flatMap((issue) => toFindings(issue, value, schema, parts));
  const placed = findings.map((finding) => ({ finding, place: placeOf(finding, document, lines) }));
  placed.sort((one, other) => one.place.line - other.place.line || one.place.column - other.place.column);
  throw combineAll(placed.map(({ finding, place }) => problemAt(file, place, finding)), file);
}

/** A mapping with unknown keys is not also said to lack the known ones: one of them is probably misspelt. */
function withoutEchoes(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const strange = new Set(issues.filter((issue) => issue.code === "unrecognized_keys").map((issue) => toPathText(issue.path)));
  return issues.filter((issue) => issue.code !== "custom" || !strange.has(toPathText(issue.path)));
}

function placeOf({ path, key }: Finding, document: Document.Parsed, lines: LineCounter): Place {
  return key === null ? placeOfValue(document, lines, path) : placeOfKey(document, lines, path, key);
}

function parseYaml(text: string, file: string, lines: LineCounter): { readonly document: Document.Parsed; readonly value: unknown } {
  const document = guard(file, () => parseDocument(text, { version: "1.2", strict: true, uniqueKeys: true, stringKeys: true, prettyErrors: false, logLevel: "error", lineCounter: lines }));
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw combineAll(faults.map((fault) => problemAt(file, placeAt(fault.pos[0], lines), malformed(fault.code === "RESOURCE_EXHAUSTION" ? TOO_DEEP : toWords(fault.message)))), file);
  }
  checkAliases(document, file, lines);
  const value: unknown = guard(file, () => document.toJS({ maxAliasCount: MAX_ALIASES }));
  if (value === null || value === undefined) throw problemAt(file, { line: 1, column: 1 }, malformed("the document is empty"));
  return { document, value };
}

/** Each alias must have an anchor before it. There may not be many: resolving one walks the whole document. */
function checkAliases(document: Document.Parsed, file: string, lines: LineCounter): void {
  const aliases: Alias[] = [];
  guard(file, () => visit(document, { Alias: (_, alias) => void aliases.push(alias) }));
  const at = (alias: Alias, words: string) => problemAt(file, placeAt(alias.range?.[0] ?? 0, lines), malformed(words));
  const excess = aliases[MAX_ALIASES];
  if (excess !== undefined) throw at(excess, `more than ${MAX_ALIASES} aliases`);
  const lost = aliases.filter((alias) => alias.resolve(document) === undefined);
  if (lost.length > 0) throw combineAll(lost.map((alias) => at(alias, `the alias *${alias.source.slice(0, 100)} has no anchor before it`)), file);
}

/** The parser throws on its own for aliases that expand without end and for nesting that exhausts the stack. */
function guard<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const words = cause instanceof RangeError ? TOO_DEEP : "its aliases expand too far";
    throw problemAt(file, { line: 1, column: 1 }, malformed(words));
  }
}

function malformed(words: string): Finding {
  return { definition: codes.CONFIG_MALFORMED, path: [], key: null, words, hint: null };
}

function toWords(message: string): string {
  const line = (message.split("\n")[0] ?? "").slice(0, 300).replace(/\.$/, "");
  return line.charAt(0).toLowerCase() + line.slice(1);
}

function problemAt(file: string, { line, column }: Place, { definition, words, hint, path, key }: Finding): KubeassumeError {
  return new KubeassumeError(definition, {
    message: `${file}:${line}:${column}: ${words}`,
    ...(hint === null ? {} : { hint }),
    details: { file, line, column, path: [...path, ...(key === null ? [] : [key])].map(String) },
  });
}

function combineAll(problems: readonly KubeassumeError[], file: string): KubeassumeError {
  const rest = problems.length - MAX_PROBLEMS;
  if (rest <= 0) return combineProblems(problems);
  const more = new KubeassumeError(codes.CONFIG_INVALID, { message: `${file} has ${rest} more problems`, details: { file } });
  return combineProblems([...problems.slice(0, MAX_PROBLEMS), more]);
}
