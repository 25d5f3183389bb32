import { type ObjectContent, toObjectFields } from "./fields.ts";

/** The field manager under which kubeassume applies (contract, `--apply-manifests`). */
export const FIELD_MANAGER = "kubeassume";

type Member = Readonly<Record<string, unknown>>;

/** A field that somebody else manages, and may be both theirs and ours while the values agree. */
export interface ForeignField {
  readonly manager: string;
  readonly value: string;
}

/**
 * The labels, annotations and keys of an object that kubeassume applied and still owns, by `metadata.managedFields`
 * (kubernetes.io/docs/reference/using-api/server-side-apply). Null when it never applied this object. Pure.
 */
export function ownContent(object: Member): Required<ObjectContent> | null {
  const entry = managersOf(object).find(isOurs);
  return entry === undefined ? null : managedContent(object, entry);
}

/** What the API server calls the manager of fields that it has not tracked from the start. */
const UNTRACKED_MANAGER = "before-first-apply";

/**
 * What others manage on the object, by field name as {@link toObjectFields} has it. On an object without any entry the
 * API server counts every field as somebody else's at the first apply. Pure.
 */
export function foreignFields(object: Member): ReadonlyMap<string, ForeignField> {
  const entries = managersOf(object);
  const held = (manager: string, content: ObjectContent) => Object.entries(toObjectFields(content)).map(([field, value]) => [field, { manager, value: String(value) }] as const);
  if (entries.length === 0) return new Map(held(UNTRACKED_MANAGER, wholeContent(object)));
  return new Map(entries.filter((entry) => !isOurs(entry)).flatMap((entry) => held(String(entry["manager"]), managedContent(object, entry))));
}

function wholeContent(object: Member): ObjectContent {
  const metadata = memberOf(object, "metadata");
  return { labels: textsOf(metadata, "labels"), annotations: textsOf(metadata, "annotations"), data: textsOf(object, "data") };
}

function managersOf(object: Member): readonly Member[] {
  const managed: unknown = memberOf(object, "metadata")["managedFields"];
  return (Array.isArray(managed) ? (managed as readonly unknown[]) : []).filter((entry): entry is Member => typeof entry === "object" && entry !== null);
}

/** A subresource has managers of its own, and an update under our name is none of ours. */
function isOurs({ manager, operation, subresource }: Member): boolean {
  return manager === FIELD_MANAGER && operation === "Apply" && (subresource === undefined || subresource === "");
}

function managedContent(object: Member, entry: Member): Required<ObjectContent> {
  const metadata = memberOf(object, "metadata");
  const fields = memberOf(entry, "fieldsV1");
  const ofMetadata = memberOf(fields, "f:metadata");
  return {
    labels: owned(metadata, "labels", ofMetadata),
    annotations: owned(metadata, "annotations", ofMetadata),
    data: owned(object, "data", fields),
  };
}

function owned(parent: Member, name: string, fields: Member): Readonly<Record<string, string>> {
  const keys = memberOf(fields, `f:${name}`);
  return Object.fromEntries(Object.entries(textsOf(parent, name)).filter(([key]) => Object.hasOwn(keys, `f:${key}`)));
}

function textsOf(parent: Member, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(memberOf(parent, name)).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function memberOf(parent: Member, name: string): Member {
  const value = Object.hasOwn(parent, name) ? parent[name] : undefined;
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Member) : {};
}
