import type { Json } from "../../../plan/step.ts";

type JsonMap = { readonly [member: string]: Json };

/** A trust policy taken apart: everything beside the statements stays as it is. */
interface Parts {
  readonly document: JsonMap;
  readonly statements: readonly Json[];
}

/**
 * Puts our statement into an existing trust policy: in the place of the one with the same Sid, else at the end. All
 * other statements stay as they are and where they are. Null when the document has no statements to be understood.
 */
export function mergeStatement(existing: Json, statement: JsonMap): Json | null {
  const parts = takeApart(existing);
  if (parts === null) return null;
  const at = parts.statements.findIndex((other) => sidOf(other) === statement["Sid"]);
  const statements = at === -1 ? [...parts.statements, statement] : parts.statements.with(at, statement);
  return { ...parts.document, Statement: statements };
}

/** The trust policy without the statement of that Sid; null when none would be left, which IAM does not take. */
export function removeStatement(existing: Json, sid: string): Json | null {
  const parts = takeApart(existing);
  if (parts === null) return null;
  const statements = parts.statements.filter((other) => sidOf(other) !== sid);
  return statements.length === 0 ? null : { ...parts.document, Statement: statements };
}

/** The statement of that Sid; null when there is none, or the document cannot be understood. */
export function findStatement(existing: Json, sid: string): JsonMap | null {
  const found = takeApart(existing)?.statements.find((other) => sidOf(other) === sid);
  return found !== undefined && isMap(found) ? found : null;
}

/** Number of statements that are not ours; 0 for what cannot be understood. */
export function countOthers(existing: Json, sid: string): number {
  return takeApart(existing)?.statements.filter((other) => sidOf(other) !== sid).length ?? 0;
}

/** The subjects that a statement of ours names for an issuer key, whichever operator it uses. */
export function subjectsOf(statement: JsonMap, key: string): readonly string[] {
  const condition = statement["Condition"];
  if (condition === undefined || !isMap(condition)) return [];
  const values = Object.values(condition).flatMap((operator) => (isMap(operator) ? [operator[`${key}:sub`] ?? null] : []));
  return values.flatMap((value): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [value])).filter((value) => typeof value === "string");
}

function takeApart(existing: Json): Parts | null {
  if (!isMap(existing)) return null;
  const statement = existing["Statement"];
  if (Array.isArray(statement)) return { document: existing, statements: statement as readonly Json[] };
  return statement !== undefined && isMap(statement) ? { document: existing, statements: [statement] } : null;
}

function sidOf(statement: Json): Json | undefined {
  return isMap(statement) ? statement["Sid"] : undefined;
}

function isMap(value: Json): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
