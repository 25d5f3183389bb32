import { closest, distance } from "fastest-levenshtein";
import type * as z from "zod/mini";
import type { CodeDefinition } from "../errors/error.ts";
import { codes } from "./codes.ts";
import type { ConfigPart } from "./config-part.ts";
import { FORMAT_CLOUDS, FORMAT_STORES } from "./schema.ts";
import type { Path } from "./yaml-places.ts";

/** A problem of the config before it has its place in the file. */
export interface Finding {
  readonly definition: CodeDefinition;
  readonly path: Path;
  /** The key of the mapping at `path` that it is about; null when it is about the value. */
  readonly key: string | null;
  readonly words: string;
  readonly hint: string | null;
}

type Issue = z.core.$ZodIssue;

/** Words a schema issue for people: the member by its path, the wrong value, and what would be right. */
export function toFindings(issue: Issue, value: unknown, schema: z.ZodMiniType, parts: readonly ConfigPart[]): readonly Finding[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, issue.path, schema, parts));
  const found = valueAt(value, issue.path);
  const name = toPathText(issue.path);
  const hint = issue.code === "custom" && typeof issue.params?.["hint"] === "string" ? issue.params["hint"] : null;
  // A judge of our own, which has a hint, names the value itself; other words follow the member's name.
  const words = hint === null ? `${name} ${wordsFor(issue, found)}` : issue.message;
  return [{ definition: codes.CONFIG_INVALID, path: issue.path, key: null, words, hint }];
}

function wordsFor(issue: Issue, found: unknown): string {
  if (issue.code === "custom") return issue.message;
  if (found === undefined) return "is missing";
  if (issue.code === "invalid_type") return `is ${show(found)} instead of ${kindName(issue.expected)}`;
  if (issue.code === "invalid_value") return `is ${show(found)} instead of ${issue.values.map((one) => JSON.stringify(one)).join(" or ")}`;
  if (issue.code === "too_small") return issue.origin === "string" ? "is empty" : `is ${show(found)}, less than ${String(issue.minimum)}`;
  if (issue.code === "too_big") return `is ${show(found)}, more than ${String(issue.maximum)}`;
  return `is ${show(found)}, which cannot be right`;
}

function unknownKey(key: string, path: Path, schema: z.ZodMiniType, parts: readonly ConfigPart[]): Finding {
  const name = toPathText([...path, key]);
  const unsupported = unsupportedWords(key, path, parts);
  if (unsupported !== null) return { definition: codes.CONFIG_UNSUPPORTED, path, key, words: `${name}: ${unsupported}`, hint: null };
  const known = keysAt(schema, path);
  const near = known.length === 0 ? undefined : closest(key.slice(0, 100), [...known]);
  const isNear = near !== undefined && distance(near.toLowerCase(), key.slice(0, 100).toLowerCase()) <= Math.max(2, near.length / 2);
  const words = isNear ? `${name} is not a known key; did you mean ${near}?` : `${name} is not a known key; known here: ${known.join(", ")}`;
  return { definition: codes.CONFIG_UNKNOWN_KEY, path, key, words, hint: isNear ? `write ${near} instead of ${clip(key)}` : null };
}

/** Says that a cloud or store of the format is not part of this version; null for any other key. */
function unsupportedWords(key: string, path: Path, parts: readonly ConfigPart[]): string | null {
  const ofClouds = (path.length === 1 && path[0] === "clouds") || (path.length === 2 && path[0] === "grants");
  const ofStores = path.length === 2 && path[0] === "publish";
  if (ofClouds && FORMAT_CLOUDS.includes(key)) {
    const names = parts.flatMap((part) => (part.cloud === null ? [] : [part.cloud.name]));
    return `this version of kubeassume does not support the cloud ${key}, only ${names.join(", ")}`;
  }
  if (!ofStores || !FORMAT_STORES.includes(key)) return null;
  return `this version of kubeassume does not publish to ${key}, only to ${parts.flatMap((part) => part.stores.map((store) => store.name)).join(", ")}`;
}

/** The keys that an object schema knows at a path; none where it is no object. */
export function keysAt(schema: z.ZodMiniType, path: Path): readonly string[] {
  const def = (schema as unknown as z.core.$ZodTypes)._zod.def;
  if (def.type === "optional") return keysAt(def.innerType as z.ZodMiniType, path);
  const [step, ...rest] = path;
  if (def.type === "array") return step === undefined ? [] : keysAt(def.element as z.ZodMiniType, rest);
  if (def.type !== "object") return [];
  if (step === undefined) return Object.keys(def.shape);
  const member = Object.hasOwn(def.shape, step) ? def.shape[String(step)] : undefined;
  return member === undefined ? [] : keysAt(member as z.ZodMiniType, rest);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (typeof inner === "object" && inner !== null && Object.hasOwn(inner, step) ? (inner as Record<PropertyKey, unknown>)[step] : undefined), value);
}

/** `grants[0].aws.roleName`; the whole document is `the document`. */
export function toPathText(path: Path): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${clip(String(step))}`)).join("");
  return text === "" ? "the document" : text.replace(/^\./, "");
}

function show(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return clip(JSON.stringify(value) ?? typeof value);
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

const KIND_NAMES: Readonly<Record<string, string>> = { object: "a mapping", array: "a list", string: "a text", int: "a whole number", number: "a number", boolean: "true or false" };

function kindName(expected: string): string {
  return KIND_NAMES[expected] ?? expected;
}
