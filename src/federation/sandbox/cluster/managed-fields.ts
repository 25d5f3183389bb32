import type { JsonRecord, Resource } from "./resources.ts";
import { apiVersionOf, isRecord, METADATA_FIELDS, omit } from "./resources.ts";
import type { FieldType } from "./resources.ts";

/** An entry of `metadata.managedFields`: which fields a manager has set, and how. */
interface Owner {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly time: string;
  /** Leaves as JSON of their path, such as `["f:data","f:a"]`. */
  readonly leaves: ReadonlySet<string>;
}

export interface Conflict {
  /** `"NAME"`, with ` using v1` for a manager that updated instead of applying: the server's words. */
  readonly manager: string;
  readonly field: string;
}

export interface Change {
  readonly manager: string;
  /** RFC 3339, in seconds. */
  readonly time: string;
}

/**
 * Server-side apply (kubernetes.io, "Server-Side Apply"): fields of `applied` are set and owned by the manager; those
 * that it owned alone and no longer names are removed; all others stay. A field that somebody else owns with another
 * value is a conflict, and with `force` changes hands. Entries of maps are fields of their own, other lists are one.
 */
export function applyFields(resource: Resource, live: JsonRecord | null, applied: JsonRecord, change: Change & { readonly force: boolean }): { readonly object: JsonRecord; readonly conflicts: readonly Conflict[] } {
  const wanted = leavesOf(resource, applied);
  const current = live === null ? new Map<string, unknown>() : leavesOf(resource, live);
  const owners = live === null ? [] : readOwners(live);
  const own = owners.find((owner) => owner.manager === change.manager && owner.operation === "Apply");
  const others = owners.filter((owner) => owner !== own);
  const differing = new Set([...wanted].filter(([leaf, value]) => current.has(leaf) && !same(current.get(leaf), value)).map(([leaf]) => leaf));
  const conflicts = others.flatMap((owner) => [...owner.leaves].filter((leaf) => differing.has(leaf)).map((leaf) => toConflict(resource, owner, leaf)));
  if (conflicts.length > 0 && !change.force) return { object: live ?? applied, conflicts: sortConflicts(conflicts) };

  const object = structuredClone(live ?? { metadata: {} });
  for (const leaf of own?.leaves ?? []) {
    if (!wanted.has(leaf) && !others.some((owner) => owner.leaves.has(leaf))) removeLeaf(object, leaf);
  }
  for (const [leaf, value] of wanted) setLeaf(object, leaf, value);
  const leaves = new Set(wanted.keys());
  const unchanged = own !== undefined && same([...own.leaves].sort(), [...leaves].sort()) && differing.size === 0;
  const entry: Owner = { manager: change.manager, operation: "Apply", time: unchanged ? own.time : change.time, leaves };
  return { object: withOwners(resource, object, [...others.map((owner) => without(owner, differing)), entry]), conflicts: [] };
}

/** What any other write does: every field that changed now belongs to the writer. */
export function updateFields(resource: Resource, live: JsonRecord | null, next: JsonRecord, change: Change): JsonRecord {
  const before = live === null ? new Map<string, unknown>() : leavesOf(resource, live);
  const after = leavesOf(resource, next);
  const set = [...after].filter(([leaf, value]) => !before.has(leaf) || !same(before.get(leaf), value)).map(([leaf]) => leaf);
  const gone = [...before.keys()].filter((leaf) => !after.has(leaf));
  const owners = live === null ? [] : readOwners(live);
  const own = owners.find((owner) => owner.manager === change.manager && owner.operation === "Update");
  const touched = new Set([...set, ...gone]);
  const kept = owners.filter((owner) => owner !== own).map((owner) => without(owner, touched));
  const leaves = new Set([...(own?.leaves ?? []), ...set].filter((leaf) => after.has(leaf)));
  const time = own === undefined || set.length > 0 ? change.time : own.time;
  return withOwners(resource, next, [...kept, { manager: change.manager, operation: "Update", time, leaves }]);
}

function sortConflicts(conflicts: readonly Conflict[]): readonly Conflict[] {
  return conflicts.toSorted((a, b) => (a.manager === b.manager ? compare(a.field, b.field) : compare(a.manager, b.manager)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function without(owner: Owner, leaves: ReadonlySet<string>): Owner {
  return { ...owner, leaves: new Set([...owner.leaves].filter((leaf) => !leaves.has(leaf))) };
}

function toConflict(resource: Resource, owner: Owner, leaf: string): Conflict {
  const using = owner.operation === "Update" ? ` using ${apiVersionOf(resource)}` : "";
  return { manager: `${JSON.stringify(owner.manager)}${using}`, field: fieldOf(leaf) };
}

/** `["f:metadata","f:labels","f:x"]` -> `.metadata.labels.x`; `k:{"name":"x"}` -> `[name="x"]`. */
function fieldOf(leaf: string): string {
  const segments = JSON.parse(leaf) as string[];
  return segments.map((segment) => (segment.startsWith("k:") ? `[name=${JSON.stringify(nameIn(segment))}]` : `.${segment.slice(2)}`)).join("");
}

function nameIn(segment: string): string {
  return (JSON.parse(segment.slice(2)) as { name: string }).name;
}

/** Every field that has a value, by its path. */
function leavesOf(resource: Resource, object: JsonRecord): Map<string, unknown> {
  const metadata = isRecord(object["metadata"]) ? object["metadata"] : {};
  return new Map([...leavesIn([], resource.fields, object), ...leavesIn(["f:metadata"], METADATA_FIELDS, metadata)]);
}

function leavesIn(prefix: readonly string[], fields: Readonly<Record<string, FieldType>>, values: JsonRecord): [string, unknown][] {
  return Object.entries(fields).flatMap(([name, type]): [string, unknown][] => {
    const value = values[name];
    const path = [...prefix, `f:${name}`];
    if (value === undefined || value === null || type === "server") return [];
    if (type === "string-map" && isRecord(value)) return Object.entries(value).map(([key, entry]) => [JSON.stringify([...path, `f:${key}`]), entry]);
    if (type === "list-by-name" && Array.isArray(value)) {
      return (value as { name: string }[]).map((item) => [JSON.stringify([...path, `k:${JSON.stringify({ name: item.name })}`]), item]);
    }
    return [[JSON.stringify(path), value]];
  });
}

function setLeaf(object: JsonRecord, leaf: string, value: unknown): void {
  const { parent, last } = parentOf(object, leaf);
  if (!last.startsWith("k:")) {
    (parent as JsonRecord)[last.slice(2)] = value;
    return;
  }
  const list = parent as JsonRecord[];
  const at = list.findIndex((item) => item["name"] === nameIn(last));
  if (at === -1) list.push(value as JsonRecord);
  else list[at] = value as JsonRecord;
}

function removeLeaf(object: JsonRecord, leaf: string): void {
  const { parent, last } = parentOf(object, leaf);
  if (Array.isArray(parent)) {
    const at = parent.findIndex((item) => item["name"] === nameIn(last));
    if (at !== -1) parent.splice(at, 1);
    return;
  }
  delete parent[last.slice(2)];
}

/** The map or list that holds a leaf, made when it is not there. */
function parentOf(object: JsonRecord, leaf: string): { parent: JsonRecord | JsonRecord[]; last: string } {
  const segments = JSON.parse(leaf) as string[];
  const last = segments.at(-1) ?? "";
  let parent: JsonRecord = object;
  for (const segment of segments.slice(0, -1)) {
    const name = segment.slice(2);
    parent[name] ??= last.startsWith("k:") ? [] : {};
    parent = parent[name] as JsonRecord;
  }
  return { parent, last };
}

function readOwners(object: JsonRecord): Owner[] {
  const metadata = object["metadata"] as { managedFields?: { manager: string; operation: "Apply" | "Update"; time: string; fieldsV1: JsonRecord }[] };
  return (metadata.managedFields ?? []).map(({ manager, operation, time, fieldsV1 }) => ({ manager, operation, time, leaves: new Set(toLeaves([], fieldsV1)) }));
}

function toLeaves(prefix: readonly string[], fields: JsonRecord): string[] {
  return Object.entries(fields).flatMap(([segment, inner]) => {
    const path = [...prefix, segment];
    return isRecord(inner) && Object.keys(inner).length > 0 ? toLeaves(path, inner) : [JSON.stringify(path)];
  });
}

/** The object with its managers written down: appliers first, then by time and name; who owns nothing is left out. */
function withOwners(resource: Resource, object: JsonRecord, owners: readonly Owner[]): JsonRecord {
  const order = (owner: Owner): string => `${owner.operation} ${owner.time} ${owner.manager}`;
  const named = owners.filter((owner) => owner.leaves.size > 0).toSorted((a, b) => compare(order(a), order(b)));
  const managedFields = named.map(({ manager, operation, time, leaves }) => {
    return { manager, operation, apiVersion: apiVersionOf(resource), time, fieldsType: "FieldsV1", fieldsV1: toFieldsV1(leaves) };
  });
  const metadata = omit(object["metadata"] as JsonRecord, "managedFields");
  return { ...object, metadata: { ...dropEmpty(metadata), ...(managedFields.length === 0 ? {} : { managedFields }) } };
}

function toFieldsV1(leaves: ReadonlySet<string>): JsonRecord {
  const fields: JsonRecord = {};
  for (const leaf of [...leaves].sort(compare)) {
    let inner = fields;
    for (const segment of JSON.parse(leaf) as string[]) {
      inner[segment] ??= {};
      inner = inner[segment] as JsonRecord;
    }
  }
  return fields;
}

function dropEmpty(metadata: JsonRecord): JsonRecord {
  const isEmptyMap = (name: string): boolean => (name === "labels" || name === "annotations") && Object.keys(metadata[name] ?? {}).length === 0;
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !isEmptyMap(name)));
}
