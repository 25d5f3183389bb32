import { isJsonObject, member } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { badField, invalidArgument } from "./errors.ts";
import type { GoogleError } from "./errors.ts";

/** The type of a member of a JSON body: the subset of proto3 JSON that these APIs use. */
export type Field = "string" | "boolean" | "integer" | "strings" | "map" | "messages" | { readonly list: Message } | Message;

/** A message: its members by name. What is `messages` is kept as it comes. */
export interface Message {
  readonly members: Readonly<Record<string, Field>>;
}

/** @throws GoogleError INVALID_ARGUMENT for unknown members and wrong types, as Google's JSON parser says it */
export function checkMessage(json: JsonObject, message: Message, at = ""): void {
  for (const [name, value] of Object.entries(json)) {
    const field = Object.hasOwn(message.members, name) ? message.members[name] : undefined;
    if (field === undefined) throw badField(at, `Invalid JSON payload received. Unknown name "${name}"${at === "" ? "" : ` at '${at}'`}: Cannot find field.`);
    if (value !== null) checkField(value, field, at === "" ? snake(name) : `${at}.${snake(name)}`);
  }
}

function checkField(value: unknown, field: Field, at: string): void {
  if (typeof field === "object" && "members" in field) {
    if (!isJsonObject(value)) throw wrongType(at, "MESSAGE");
    checkMessage(value, field, at);
    return;
  }
  if (typeof field === "object") {
    if (!Array.isArray(value)) throw wrongType(at, "MESSAGE");
    value.forEach((entry, index) => checkField(entry, field.list, `${at}[${index}]`));
    return;
  }
  if (!SCALARS[field](value)) throw wrongType(at, TYPES[field]);
}

const SCALARS: Readonly<Record<Extract<Field, string>, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: (value) => Number.isInteger(value),
  strings: (value) => Array.isArray(value) && value.every((entry) => typeof entry === "string"),
  map: (value) => isJsonObject(value) && Object.values(value).every((entry) => typeof entry === "string"),
  messages: (value) => Array.isArray(value) && value.every(isJsonObject),
};

const TYPES: Readonly<Record<Extract<Field, string>, string>> = { string: "TYPE_STRING", boolean: "TYPE_BOOL", integer: "TYPE_INT32", strings: "TYPE_STRING", map: "MapEntry", messages: "MESSAGE" };

function wrongType(at: string, type: string): GoogleError {
  return badField(at, `Invalid value at '${at}' (${type})`);
}

/** The name that the field has in Google's own definitions. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A text; empty when it is absent, as proto3 has it. */
export function textOf(json: JsonObject, name: string): string {
  const value = member(json, name);
  return typeof value === "string" ? value : "";
}

/** @throws GoogleError INVALID_ARGUMENT when a text is longer than so many characters */
export function checkLength(text: string, name: string, max: number): void {
  if ([...text].length > max) throw invalidArgument(`${snake(name)} must be at most ${max} characters long.`);
}

/**
 * The paths of a field mask in camel case, whichever case they came in.
 *
 * @throws GoogleError INVALID_ARGUMENT for an empty mask and for paths beside `known`
 */
export function parseMask(mask: string, known: ReadonlySet<string>): readonly string[] {
  const paths = mask.split(",").map((path) => path.trim()).filter((path) => path !== "");
  if (paths.length === 0) throw invalidArgument("The update_mask is required and must name at least one field.");
  return paths.map((path) => {
    const camel = path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!known.has(camel)) throw invalidArgument(`Invalid update_mask: "${path}" cannot be updated.`);
    return camel;
  });
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** The page that `pageSize` and `pageToken` ask for. A token names the item that the page begins after. */
export function pageOf<T>(items: readonly T[], keyOf: (item: T) => string, query: Readonly<Record<string, string>>, sizes: { readonly usual: number; readonly max: number }): Page<T> {
  const after = query["pageToken"] === undefined || query["pageToken"] === "" ? null : parseToken(query["pageToken"]);
  const asked = Number(query["pageSize"] ?? 0);
  if (asked < 0) throw invalidArgument("page_size must not be negative.");
  const size = Math.min(asked === 0 ? sizes.usual : asked, sizes.max);
  const sorted = items.filter((item) => after === null || keyOf(item) > after).toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const page = sorted.slice(0, size);
  const last = page.at(-1);
  return { items: page, nextPageToken: sorted.length > page.length && last !== undefined ? Buffer.from(`after:${keyOf(last)}`).toString("base64url") : "" };
}

function parseToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (!text.startsWith("after:")) throw invalidArgument("Invalid page token.");
  return text.slice("after:".length);
}
