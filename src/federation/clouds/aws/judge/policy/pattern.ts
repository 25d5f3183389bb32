/** A pattern as IAM compares it: literal characters and the two wildcards. Variables only ever add literals. */
export type PatternToken = { readonly literal: string } | "any" | "one";

/** The values of a condition key; null when the request has no such key. */
export type KeyLookup = (key: string) => readonly string[] | null;

/** The tokens of a text without policy variables: `*` stands for any characters, `?` for exactly one. */
export function toPattern(text: string): PatternToken[] {
  return Array.from(text, (character) => (character === "*" ? "any" : character === "?" ? "one" : { literal: character }));
}

/** The tokens of a text in which nothing is a wildcard. */
export function toLiterals(text: string): PatternToken[] {
  return Array.from(text, (character) => ({ literal: character }));
}

/**
 * Replaces the policy variables of a value: `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the
 * characters themselves. Null when a variable has no value, or several, and no default: such a value matches nothing.
 * Source: IAM User Guide, reference_policies_variables.
 */
export function expandVariables(text: string, lookup: KeyLookup): PatternToken[] | null {
  const tokens: PatternToken[] = [];
  let rest = text;
  for (let start = rest.indexOf("${"); start >= 0; start = rest.indexOf("${")) {
    const end = rest.indexOf("}", start);
    if (end < 0) break;
    const value = variableValue(rest.slice(start + 2, end), lookup);
    if (value === null) return null;
    tokens.push(...toPattern(rest.slice(0, start)), ...toLiterals(value));
    rest = rest.slice(end + 1);
  }
  return [...tokens, ...toPattern(rest)];
}

function variableValue(content: string, lookup: KeyLookup): string | null {
  if (content === "*" || content === "?" || content === "$") return content;
  const [, key = content, fallback] = /^\s*([^,]+?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(content) ?? [];
  const values = lookup(key);
  const only = values?.length === 1 ? values[0] : undefined;
  return only ?? fallback ?? null;
}

/** Whether the whole text matches. Linear in practice: only the last `*` is ever tried again. */
export function matchesPattern(pattern: readonly PatternToken[], text: string): boolean {
  const characters = Array.from(text);
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  while (at < characters.length) {
    const token = pattern[next];
    if (token === "any") {
      star = next;
      resume = at;
      next += 1;
    } else if (token !== undefined && (token === "one" || token.literal === characters[at])) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      resume += 1;
      at = resume;
      next = star + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(next).every((token) => token === "any");
}

/** The pattern's text with every wildcard taken literally, as the Equals operators do. */
export function textOf(pattern: readonly PatternToken[]): string {
  return pattern.map((token) => (token === "any" ? "*" : token === "one" ? "?" : token.literal)).join("");
}

/** Actions are compared without regard to case and may contain wildcards anywhere. */
export function matchesAction(pattern: string, action: string): boolean {
  return matchesPattern(toPattern(pattern.toLowerCase()), action.toLowerCase());
}
