import { randomUUID } from "node:crypto";
import { applyFields, updateFields } from "./managed-fields.ts";
import type { Conflict } from "./managed-fields.ts";
import { apiVersionOf, findResource, isRecord, omit, SERVER_METADATA } from "./resources.ts";
import type { JsonRecord, Resource } from "./resources.ts";
import { alreadyExists, ClusterRefusal, invalid, notFound } from "./status.ts";
import { validateObject } from "./validation.ts";

export interface Metadata extends JsonRecord {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface StoredObject extends JsonRecord {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: Metadata;
}

export interface Target {
  readonly resource: Resource;
  /** Empty for resources without namespaces. */
  readonly namespace: string;
  readonly name: string;
}

export interface Write {
  readonly manager: string;
  readonly dryRun: boolean;
}

/** The objects of the sandbox's cluster, in memory. Every method throws ClusterRefusal with what the API server would answer. */
export interface ObjectStore {
  get(target: Target): StoredObject;
  list(resource: Resource, namespace: string | null): readonly StoredObject[];
  create(target: Target, content: JsonRecord, write: Write): StoredObject;
  apply(target: Target, content: JsonRecord, write: Write & { readonly force: boolean }): { readonly object: StoredObject; readonly created: boolean };
  merge(target: Target, patch: JsonRecord, write: Write): StoredObject;
  remove(target: Target, dryRun: boolean): StoredObject;
  /** Writes an object as the control plane itself would, without checks. */
  put(resource: Resource, namespace: string, name: string, content: JsonRecord): void;
  readonly version: string;
}

export function createObjectStore(now: () => Date): ObjectStore {
  const shelf = createShelf(now);
  const { get, find, finish } = shelf;
  return {
    get,
    put: shelf.put,
    get version() {
      return shelf.version();
    },
    list: shelf.list,
    create(target, content, { manager, dryRun }) {
      shelf.requireNamespace(target);
      refuseInvalid(target, content);
      if (find(target) !== undefined) throw alreadyExists(target.resource.plural, target.name);
      const next = withContent(born(target, now()), content);
      return finish(target, updateFields(target.resource, null, next, { manager, time: toTime(now()) }), dryRun);
    },
    apply(target, content, { manager, dryRun, force }) {
      shelf.requireNamespace(target);
      const live = find(target);
      const change = { manager, force, time: toTime(now()) };
      const { object, conflicts } = applyFields(target.resource, live ?? born(target, now()), withContent({ metadata: {} }, content), change);
      if (conflicts.length > 0) throw refuseConflicts(conflicts);
      return { object: finish(target, object, dryRun), created: live === undefined };
    },
    merge(target, patch, { manager, dryRun }) {
      const live = get(target);
      const next = withContent(live, mergePatch(contentOf(live), patch) as JsonRecord);
      return finish(target, updateFields(target.resource, live, next, { manager, time: toTime(now()) }), dryRun);
    },
    remove(target, dryRun) {
      const object = get(target);
      if (!dryRun) shelf.drop(target);
      return object;
    },
  };
}

interface Shelf extends Pick<ObjectStore, "get" | "list" | "put"> {
  version(): string;
  find(target: Target): StoredObject | undefined;
  drop(target: Target): void;
  requireNamespace(target: Target): void;
  /** Checks an object and keeps it, with a new version unless it is as it was. */
  finish(target: Target, object: JsonRecord, dryRun: boolean): StoredObject;
}

/** Where the objects lie, and how each gets its version. */
function createShelf(now: () => Date): Shelf {
  const objects = new Map<string, StoredObject>();
  let version = 1;
  const find = (target: Target): StoredObject | undefined => objects.get(keyOf(target));
  const get = (target: Target): StoredObject => find(target) ?? refuseMissing(target);
  const save = (target: Target, object: StoredObject): StoredObject => {
    version += 1;
    const saved = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    objects.set(keyOf(target), saved);
    return saved;
  };
  const put: Shelf["put"] = (resource, namespace, name, content) => {
    const target = { resource, namespace, name };
    const own = born(target, now());
    save(target, { ...own, ...content, metadata: { ...own.metadata, ...(isRecord(content["metadata"]) ? content["metadata"] : {}) } });
  };
  return {
    find,
    get,
    put,
    version: () => String(version),
    list: (resource, namespace) => [...objects.values()].filter((object) => matches(object, resource, namespace)).sort(byName),
    drop: (target) => void objects.delete(keyOf(target)),
    requireNamespace: (target) => {
      if (target.resource.namespaced) get({ resource: findResource("namespaces"), namespace: "", name: target.namespace });
    },
    finish(target, object, dryRun) {
      refuseInvalid(target, object);
      const stored = object as StoredObject;
      const before = find(target);
      if (dryRun || (before !== undefined && JSON.stringify(before) === JSON.stringify(stored))) return stored;
      if (before === undefined && target.resource.plural === "namespaces") put(findResource("serviceaccounts"), target.name, "default", {});
      return save(target, stored);
    },
  };
}

/** RFC 3339 in seconds, as the API writes times. */
export function toTime(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}

function keyOf(target: Target): string {
  return `${target.resource.plural}/${target.namespace}/${target.name}`;
}

function matches(object: StoredObject, resource: Resource, namespace: string | null): boolean {
  return object.kind === resource.kind && (namespace === null || object.metadata.namespace === namespace);
}

function byName(a: StoredObject, b: StoredObject): number {
  const key = (object: StoredObject): string => `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}

function refuseMissing(target: Target): never {
  throw notFound(target.resource.plural, target.resource.group, target.name);
}

function refuseInvalid(target: Target, object: JsonRecord): void {
  const causes = validateObject(target.resource, object);
  if (causes.length > 0) throw invalid(target.resource.kind, target.resource.group, target.name, causes);
}

/** The words of k8s.io/apimachinery, util/managedfields/internal/conflict.go. */
function refuseConflicts(conflicts: readonly Conflict[]): ClusterRefusal {
  const managers = [...new Set(conflicts.map((conflict) => conflict.manager))];
  const [first] = conflicts;
  const lists = managers.map((manager) => {
    const fields = conflicts.filter((conflict) => conflict.manager === manager).map((conflict) => `- ${conflict.field}`);
    return [`conflicts with ${manager}:`, ...fields].join("\n");
  });
  const words = conflicts.length === 1 ? `1 conflict: conflict with ${first?.manager ?? ""}: ${first?.field ?? ""}` : `${conflicts.length} conflicts: ${lists.join("\n")}`;
  const causes = conflicts.map(({ manager, field }) => ({ reason: "FieldManagerConflict" as const, message: `conflict with ${manager}`, field }));
  return new ClusterRefusal(409, "Conflict", `Apply failed with ${words}`, { causes });
}

/** A new object as the server makes it, before anything that the client says. */
function born(target: Target, at: Date): StoredObject {
  const { resource, namespace, name } = target;
  const isNamespace = resource.plural === "namespaces";
  const place = resource.namespaced ? { namespace } : {};
  const labels = isNamespace ? { labels: { "kubernetes.io/metadata.name": name } } : {};
  const metadata = { name, ...place, uid: randomUUID(), resourceVersion: "", creationTimestamp: toTime(at), ...labels };
  const rest = isNamespace ? { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } } : {};
  return { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata, ...rest };
}

/** What a client may say of an object: everything but the members that the server sets. */
function contentOf(object: JsonRecord): JsonRecord {
  const metadata = isRecord(object["metadata"]) ? object["metadata"] : {};
  return { ...omit(object, "kind", "apiVersion", "metadata"), metadata: omit(metadata, ...SERVER_METADATA) };
}

/** An object with a client's content in place of its own; a namespace keeps its status and the label with its name. */
function withContent(base: JsonRecord, content: JsonRecord): JsonRecord {
  const { metadata: said, ...rest } = contentOf(content) as { metadata: JsonRecord };
  const { metadata, ...server } = base as JsonRecord & { metadata: JsonRecord };
  const kept = Object.entries(metadata).filter(([name]) => SERVER_METADATA.some((known) => known === name));
  const isNamespace = base["kind"] === "Namespace";
  const labels = isNamespace ? { labels: { ...(isRecord(said["labels"]) ? said["labels"] : {}), "kubernetes.io/metadata.name": metadata["name"] } } : {};
  const shell = isNamespace ? server : { kind: server["kind"], apiVersion: server["apiVersion"] };
  return { ...shell, metadata: { ...Object.fromEntries(kept), ...said, ...labels }, ...(isNamespace ? {} : rest) };
}

/** RFC 7396. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: JsonRecord = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

