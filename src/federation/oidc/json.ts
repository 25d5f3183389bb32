/** A JSON object as parsed: own members only are meaningful, so read it with {@link member}. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper documents are refused: no real one comes near, and printing them could exhaust the stack. */
export const MAX_JSON_DEPTH = 32;

/** Whether a value is an object: no array, and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own member, or undefined: `constructor` and the like never come from the prototype. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** One string or a list of strings, as members of policies and claims may be; null for anything else. */
export function stringsOf(value: unknown): string[] | null {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.every((entry) => typeof entry === "string") ? list : null;
}

/** Parses a JSON object; null when the text is something else or nested deeper than {@link MAX_JSON_DEPTH}. */
export function parseJsonObject(text: string): JsonObject | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isJsonObject(value) && !isDeeperThan(value, MAX_JSON_DEPTH) ? value : null;
}

/** Whether a JSON value nests objects and arrays more than `limit` levels deep. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(inner, limit - 1));
}

/** What a text looks like, for messages about text that should have been JSON; never quotes more than its kind. */
export function kindOfText(text: string): string {
  const start = text.trimStart();
  if (start === "") return "it is empty";
  if (start.startsWith("<")) return "it looks like HTML or XML";
  if (start.startsWith("-----BEGIN ")) return "it looks like PEM";
  if (start.startsWith("{") || start.startsWith("[")) return "it starts like JSON but is cut off or malformed";
  return "it is not JSON";
}
