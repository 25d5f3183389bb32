import { XMLParser } from "fast-xml-parser";
import { shapeOf } from "./models.ts";
import type { Member, Model, Shape } from "./models.ts";

export type Node = string | { readonly [name: string]: Node | readonly Node[] };

/** Parses an answer keeping attributes apart from children, so that both can be checked. */
export function parseAnswer(text: string): { readonly root: string; readonly namespace: string | undefined; readonly node: Node } {
  const attributed = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "@", parseTagValue: false, ignoreDeclaration: true, trimValues: false });
  const [root, value] = Object.entries(attributed.parse(text) as Record<string, Node>)[0] ?? ["", ""];
  const namespace = typeof value === "object" ? value["@xmlns"] : undefined;
  return { root, namespace: typeof namespace === "string" ? namespace : undefined, node: withoutAttributes(value) };
}

function withoutAttributes(value: Node): Node {
  if (typeof value === "string") return value;
  const children = Object.entries(value).filter(([name]) => !name.startsWith("@") && name !== "#text");
  if (children.length === 0) return typeof value["#text"] === "string" ? value["#text"] : "";
  return Object.fromEntries(children.map(([name, child]) => [name, isList(child) ? child.map(withoutAttributes) : withoutAttributes(child)]));
}

export function isList(value: Node | readonly Node[]): value is readonly Node[] {
  return Array.isArray(value);
}

/** What is wrong with a piece of XML for a shape; empty when nothing is. */
export function xmlProblems(model: Model, name: string, node: Node | readonly Node[], path: string, skipped: readonly string[] = []): string[] {
  const shape = shapeOf(model, name);
  if (shape.type === "structure") return structureProblems(model, shape, node, path, skipped);
  if (shape.type === "list") return listProblems(model, shape, node, path);
  if (isList(node)) return [`${path} repeats`];
  if (typeof node !== "string") return [`${path} has children but is a ${shape.type}`];
  return textProblems(shape, node, path);
}

function structureProblems(model: Model, shape: Shape, node: Node | readonly Node[], path: string, skipped: readonly string[]): string[] {
  if (isList(node)) return [`${path} repeats`];
  if (typeof node === "string") return node.trim() === "" ? missingMembers(shape, {}, path) : [`${path} is text but should have members`];
  const problems = missingMembers(shape, node, path);
  for (const [child, value] of Object.entries(node)) {
    const member = memberByName(shape, child);
    if (member === undefined) problems.push(`${path}.${child} is not described`);
    else if (!skipped.includes(child)) problems.push(...memberProblems(model, member, value, `${path}.${child}`));
  }
  return problems;
}

function memberByName(shape: Shape, name: string): Member | undefined {
  return Object.entries(shape.members ?? {}).find(([key, member]) => member.location === undefined && (member.locationName ?? key) === name)?.[1];
}

function missingMembers(shape: Shape, node: object, path: string): string[] {
  const required = (shape.required ?? []).filter((key) => shape.members?.[key]?.location === undefined);
  return required.filter((key) => !Object.hasOwn(node, shape.members?.[key]?.locationName ?? key)).map((key) => `${path}.${key} is required and absent`);
}

function memberProblems(model: Model, member: Member, value: Node | readonly Node[], path: string): string[] {
  const shape = shapeOf(model, member.shape);
  if (shape.type === "list" && (shape.flattened === true || member.flattened === true)) {
    const entry = shape.member;
    return (isList(value) ? value : [value]).flatMap((one, index) => xmlProblems(model, entry?.shape ?? "", one, `${path}[${index}]`));
  }
  return xmlProblems(model, member.shape, value, path);
}

function listProblems(model: Model, shape: Shape, node: Node | readonly Node[], path: string): string[] {
  if (isList(node)) return [`${path} repeats`];
  const entryName = shape.member?.locationName ?? "member";
  if (typeof node === "string") return node.trim() === "" ? [] : [`${path} is text but should be a list`];
  const wrong = Object.keys(node).filter((name) => name !== entryName);
  if (wrong.length > 0) return [`${path} has ${wrong.join(", ")} instead of ${entryName}`];
  const entries = node[entryName] ?? [];
  const list = isList(entries) ? entries : [entries];
  const size = shape.max !== undefined && list.length > shape.max ? [`${path} has ${list.length} entries, more than ${shape.max}`] : [];
  return [...size, ...list.flatMap((entry, index) => xmlProblems(model, shape.member?.shape ?? "", entry, `${path}[${index}]`))];
}

/** Problems of a scalar: format, bounds, pattern, enumeration. */
export function textProblems(shape: Shape, text: string, path: string, inHeader = false): string[] {
  const [min, max] = [shape.min ?? -Infinity, shape.max ?? Infinity];
  switch (shape.type) {
    case "boolean":
      return text === "true" || text === "false" ? [] : [`${path} is ${text}, not a boolean`];
    case "integer":
    case "long":
      return /^-?\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? [] : [`${path} is ${text}, not a number from ${min} to ${max}`];
    case "timestamp":
      return timestampProblems(shape, text, path, inHeader);
    case "string":
      return stringProblems(shape, text, path);
    default:
      return [];
  }
}

function timestampProblems(shape: Shape, text: string, path: string, inHeader: boolean): string[] {
  const format = shape.timestampFormat ?? (inHeader ? "rfc822" : "iso8601");
  const pattern = format === "rfc822" ? /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
  return pattern.test(text) ? [] : [`${path} is ${text}, not a timestamp in ${format}`];
}

/** AWS answers PermissionsBoundaryType with this (recorded), though its description knows only `PermissionsBoundaryPolicy`. */
const UNDESCRIBED = ["Policy"];

function stringProblems(shape: Shape, text: string, path: string): string[] {
  const problems: string[] = [];
  if (text.length < (shape.min ?? 0) || text.length > (shape.max ?? Infinity)) problems.push(`${path} has ${text.length} characters, not ${shape.min ?? 0} to ${shape.max ?? "any"}`);
  if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`, "u").test(text)) problems.push(`${path} is ${text}, which is not ${shape.pattern}`);
  if (shape.enum !== undefined && ![...shape.enum, ...UNDESCRIBED].includes(text)) problems.push(`${path} is ${text}, which is not one of its values`);
  return problems;
}
