import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from "yaml";

export type Path = readonly PropertyKey[];

/** Lines and columns start at 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where the value at `path` stands, or else the nearest thing above it that is written. */
export function placeOfValue(document: Document.Parsed, lines: LineCounter, path: Path): Place {
  return toPlace(descend(document, path).node, lines);
}

/** Where the key `key` of the mapping at `path` stands. */
export function placeOfKey(document: Document.Parsed, lines: LineCounter, path: Path, key: string): Place {
  const { node } = descend(document, path);
  const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
  return toPlace(isScalar(pair?.key) ? pair.key : node, lines);
}

function descend(document: Document.Parsed, path: Path): { readonly node: Node | null } {
  let node: Node | null = document.contents;
  for (const step of path) {
    const child: unknown = childOf(node, step);
    const target: unknown = isAlias(child) ? (child.resolve(document) ?? null) : child;
    if (!isMap(target) && !isSeq(target) && !isScalar(target)) break;
    node = target;
  }
  return { node };
}

function childOf(node: Node | null, step: PropertyKey): unknown {
  if (isSeq(node) && typeof step === "number") return node.items[step];
  if (isMap(node)) return node.items.find((item) => isScalar(item.key) && item.key.value === step)?.value;
  return null;
}

function toPlace(node: Node | null, lines: LineCounter): Place {
  return placeAt(node?.range?.[0] ?? 0, lines);
}

/** The place of an offset into the text. */
export function placeAt(offset: number, lines: LineCounter): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
