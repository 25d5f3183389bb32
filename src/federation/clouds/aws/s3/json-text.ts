/** A stretch of a JSON text: an element of an array, or a member of an object with its key. */
export interface JsonItem {
  /** Null in an array. */
  readonly key: string | null;
  /** The element, or the member's value, as it is written. */
  readonly text: string;
  readonly start: number;
}

/**
 * The items of the object or array that begins at `start`, as they are written. What is passed on in these pieces
 * keeps every byte: spaces, escapes, the order of members, numbers in any notation.
 *
 * @param text valid JSON: whoever calls has parsed it
 */
export function jsonItems(text: string, start: number): readonly JsonItem[] {
  const items: JsonItem[] = [];
  const isObject = text[start] === "{";
  let at = skipSpace(text, start + 1);
  while (at < text.length && text[at] !== "}" && text[at] !== "]") {
    let key: string | null = null;
    if (isObject) {
      const end = endOfString(text, at);
      key = JSON.parse(text.slice(at, end)) as string;
      at = skipSpace(text, skipSpace(text, end) + 1);
    }
    const end = endOfValue(text, at);
    items.push({ key, text: text.slice(at, end), start: at });
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return items;
}

/** Where the first value of a text begins. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
  return at;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  let at = start;
  let depth = 0;
  while (at < text.length) {
    const character = text[at] ?? "";
    if (depth === 0 && at > start && /[\s,\]}]/.test(character)) return at;
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === "{" || character === "[") depth += 1;
    if (character === "}" || character === "]") depth -= 1;
    at += 1;
    if (depth === 0 && (character === "}" || character === "]")) return at;
  }
  return at;
}
