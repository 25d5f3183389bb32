import type { parse } from "@bufbuild/cel";

/** A parsed expression and where its parts stand in the text. */
export type Tree = ReturnType<typeof parse>;
export type Node = NonNullable<Tree["expr"]>;

/** What is wrong with an expression before anybody evaluates it. */
export interface TreeProblem {
  readonly message: string;
  readonly node: Node;
}

/** Identifiers and functions that an expression may use. */
export interface Vocabulary {
  readonly variables: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
}

const TYPES = new Set(["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"]);
/** Decided by the shape of the tree, before values are looked at: their operands may be errors. */
const CONTROL = new Set(["_&&_", "_||_", "_?_:_", "_[_]", "@not_strictly_false"]);

/** The first reference to something that is not there; null when there is none. */
export function findProblem(node: Node, vocabulary: Vocabulary): TreeProblem | null {
  const kind = node.exprKind;
  if (kind.case === "identExpr") {
    const { name } = kind.value;
    return vocabulary.variables.has(name) || TYPES.has(name) ? null : { message: `undeclared reference to '${name}'`, node };
  }
  if (kind.case === "callExpr" && !vocabulary.functions.has(kind.value.function)) {
    return { message: `undeclared reference to the function '${kind.value.function}'`, node };
  }
  if (kind.case === "structExpr" && kind.value.messageName !== "") {
    return { message: `a message of type ${kind.value.messageName} cannot be made here`, node };
  }
  if (kind.case === "comprehensionExpr") return findInLoop(kind.value, vocabulary);
  return firstOf(childrenOf(node), vocabulary);
}

type Loop = Extract<Node["exprKind"], { case: "comprehensionExpr" }>["value"];

function findInLoop(loop: Loop, vocabulary: Vocabulary): TreeProblem | null {
  const inner = { ...vocabulary, variables: new Set([...vocabulary.variables, loop.iterVar, loop.accuVar]) };
  return firstOf([loop.iterRange, loop.accuInit], vocabulary) ?? firstOf([loop.loopCondition, loop.loopStep, loop.result], inner);
}

function firstOf(nodes: readonly (Node | undefined)[], vocabulary: Vocabulary): TreeProblem | null {
  for (const node of nodes) {
    const problem = node === undefined ? null : findProblem(node, vocabulary);
    if (problem !== null) return problem;
  }
  return null;
}

function childrenOf(node: Node): readonly (Node | undefined)[] {
  const kind = node.exprKind;
  switch (kind.case) {
    case "callExpr":
      return [kind.value.target, ...kind.value.args];
    case "listExpr":
      return kind.value.elements;
    case "selectExpr":
      return [kind.value.operand];
    case "structExpr":
      return kind.value.entries.flatMap((entry) => [entry.keyKind.case === "mapKey" ? entry.keyKind.value : undefined, entry.value]);
    case "comprehensionExpr":
      return [kind.value.iterRange, kind.value.accuInit, kind.value.loopCondition, kind.value.loopStep, kind.value.result];
    default:
      return [];
  }
}

/**
 * Puts a meter into a tree, in place: each turn of a loop passes through the function `@tick`, each value that a
 * function is given through `@weigh`, and each regular expression through `@pattern`. CEL always ends, but may take
 * as long as nested loops and doubled lists make it.
 */
export function meter(node: Node): void {
  for (const child of childrenOf(node)) if (child !== undefined) meter(child);
  const kind = node.exprKind;
  if (kind.case === "comprehensionExpr" && kind.value.loopCondition !== undefined) {
    kind.value.loopCondition = wrap("@tick", kind.value.loopCondition);
  }
  if (kind.case !== "callExpr" || CONTROL.has(kind.value.function)) return;
  const name = kind.value.function === "matches" ? "@pattern" : "@weigh";
  kind.value.args = kind.value.args.map((argument) => wrap(name, argument));
  if (kind.value.target !== undefined) kind.value.target = wrap("@weigh", kind.value.target);
}

function wrap(name: string, node: Node): Node {
  const call = { $typeName: "cel.expr.Expr.Call", function: name, args: [node] } as const;
  return { $typeName: "cel.expr.Expr", id: node.id, exprKind: { case: "callExpr", value: { ...call, args: [node] } } };
}
