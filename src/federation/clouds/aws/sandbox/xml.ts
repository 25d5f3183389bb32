import type { ParsedXml } from "./parse-xml.ts";

/** What becomes XML: members in order, undefined ones left out, arrays as repeated elements of the member's name. */
export type XmlValue = string | number | boolean | Date | readonly XmlValue[] | XmlTree | undefined;
export interface XmlTree {
  readonly [name: string]: XmlValue;
}

/** A list as the query protocol writes it: one `member` element each. */
export function members(values: readonly XmlValue[]): XmlTree {
  return { member: values };
}

/** One document with its namespace on the root; null for none. */
export function renderXml(root: string, namespace: string | null, value: XmlValue): string {
  const attribute = namespace === null ? "" : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, value, attribute)}`;
}

function element(name: string, value: XmlValue, attributes = ""): string {
  if (value === undefined) return "";
  if (isList(value)) return value.map((entry) => element(name, entry)).join("");
  const content = contentOf(value);
  return content === "" ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

function contentOf(value: Exclude<XmlValue, undefined | readonly XmlValue[]>): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object") return escape(String(value));
  return Object.entries(value)
    .map(([name, child]) => element(name, child))
    .join("");
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#xD;" };

function escape(text: string): string {
  return text.replace(/[&<>"'\r]/g, (character) => ENTITIES[character] ?? character);
}

/** The text of a child element; undefined when it is absent or has children of its own. */
export function textAt(parent: ParsedXml | readonly ParsedXml[] | undefined, name: string): string | undefined {
  const value = childAt(parent, name);
  return typeof value === "string" ? value : undefined;
}

export function childAt(parent: ParsedXml | readonly ParsedXml[] | undefined, name: string): ParsedXml | readonly ParsedXml[] | undefined {
  if (parent === undefined || typeof parent === "string" || isParsedList(parent)) return undefined;
  return Object.hasOwn(parent, name) ? parent[name] : undefined;
}

/** All children of a name, whether there is none, one or many. */
export function childrenAt(parent: ParsedXml | readonly ParsedXml[] | undefined, name: string): readonly ParsedXml[] {
  const value = childAt(parent, name);
  if (value === undefined) return [];
  return isParsedList(value) ? value : [value];
}

function isParsedList(value: ParsedXml | readonly ParsedXml[]): value is readonly ParsedXml[] {
  return Array.isArray(value);
}
