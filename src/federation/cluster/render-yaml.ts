/** What a manifest is made of. */
export type YamlValue = string | number | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/**
 * Plain data as YAML that every reader understands alike, YAML 1.1 (kubectl) and 1.2: text that either takes for
 * something else stands in quotes. Lines are not folded, since ARNs are long. A whole YAML library would be half of
 * what printing a manifest loads.
 */
export function renderYaml(value: YamlValue): string {
  const rendered = block(value, "");
  return rendered.startsWith("\n") ? `${rendered.slice(1)}\n` : `${rendered.trimStart()}\n`;
}

/** What stands behind `key:` or `-`: a scalar behind a space, or a block on the lines below. */
function block(value: YamlValue, indent: string): string {
  if (isList(value)) return value.length === 0 ? " []" : value.map((item) => `\n${indent}- ${inItem(item, `${indent}  `)}`).join("");
  if (typeof value === "string" && isLiteral(value)) return literal(value, indent);
  if (typeof value !== "object") return ` ${scalar(value)}`;
  const members = Object.entries(value);
  return members.length === 0 ? " {}" : members.map(([key, member]) => `\n${indent}${scalar(key)}:${block(member, `${indent}  `)}`).join("");
}

/**
 * Files of several lines are read by people too. Plain ASCII, the first line not indented, nothing blank at the end, and
 * no blank at the end of a line that an editor might drop; everything else stands in quotes.
 */
function isLiteral(text: string): boolean {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.length > 1 && lines.every((line) => line === "" || /^[ -~]*[!-~]$/.test(line)) && /^[!-~]/.test(text) && lines.at(-1) !== "";
}

/** A block scalar, its last line break kept or not as the text has it. */
function literal(text: string, indent: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return ` ${text.endsWith("\n") ? "|" : "|-"}${lines.map((line) => (line === "" ? "\n" : `\n${indent === "" ? "  " : indent}${line}`)).join("")}`;
}

/** The first line of an item stands behind its dash. */
function inItem(item: YamlValue, indent: string): string {
  return block(item, indent).replace(/^\s+/, "");
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

/** Letters and what names, paths, URLs and ARNs are made of; a colon only within a word. */
const PLAIN = /^[A-Za-z/](?:[\w./@+-]|:(?=[\w./@+:-])| (?=[\w./@+-]))*$/;
/** Words that YAML 1.1 or 1.2 reads as something else than text. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function scalar(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
}
