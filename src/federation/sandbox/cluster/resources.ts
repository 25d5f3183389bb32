/**
 * How server-side apply sees a field: a map or keyed list merges by entry, everything else is owned as a whole. What
 * the `server` sets is taken from clients and dropped.
 */
export type FieldType = "string" | "boolean" | "list" | "server" | "string-map" | "list-by-name";

/** One resource of the API as discovery lists it, with the fields that may be written. */
export interface Resource {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  /** Empty for the core group. */
  readonly group: string;
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  /** Fields beside metadata; k8s.io/api, core/v1/types.go. */
  readonly fields: Readonly<Record<string, FieldType>>;
}

export type Verb = "create" | "delete" | "get" | "list" | "patch";

const WRITABLE: readonly Verb[] = ["create", "delete", "get", "list", "patch"];
const READABLE: readonly Verb[] = ["get", "list"];

/** The part of the API that federation needs; all of version v1. */
export const RESOURCES: readonly Resource[] = [
  {
    plural: "namespaces",
    singular: "namespace",
    kind: "Namespace",
    shortNames: ["ns"],
    group: "",
    namespaced: false,
    verbs: ["create", "get", "list", "patch"],
    fields: { spec: "server", status: "server" },
  },
  {
    plural: "serviceaccounts",
    singular: "serviceaccount",
    kind: "ServiceAccount",
    shortNames: ["sa"],
    group: "",
    namespaced: true,
    verbs: WRITABLE,
    fields: { secrets: "list-by-name", imagePullSecrets: "list", automountServiceAccountToken: "boolean" },
  },
  {
    plural: "configmaps",
    singular: "configmap",
    kind: "ConfigMap",
    shortNames: ["cm"],
    group: "",
    namespaced: true,
    verbs: WRITABLE,
    fields: { data: "string-map", binaryData: "string-map", immutable: "boolean" },
  },
  {
    plural: "services",
    singular: "service",
    kind: "Service",
    shortNames: ["svc"],
    group: "",
    namespaced: true,
    verbs: READABLE,
    fields: { spec: "server", status: "server" },
  },
  {
    plural: "endpoints",
    singular: "endpoints",
    kind: "Endpoints",
    shortNames: ["ep"],
    group: "",
    namespaced: true,
    verbs: READABLE,
    fields: { subsets: "list" },
  },
  {
    plural: "endpointslices",
    singular: "endpointslice",
    kind: "EndpointSlice",
    shortNames: [],
    group: "discovery.k8s.io",
    namespaced: true,
    verbs: READABLE,
    fields: { addressType: "string", endpoints: "list", ports: "list" },
  },
];

export const METADATA_FIELDS: Readonly<Record<string, FieldType>> = {
  labels: "string-map",
  annotations: "string-map",
  finalizers: "list",
  ownerReferences: "list",
};

/** Members of metadata that the server itself sets; a client's values are dropped. */
export const SERVER_METADATA = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generateName",
  "generation",
  "managedFields",
  "name",
  "namespace",
  "resourceVersion",
  "selfLink",
  "uid",
] as const;

export function findResource(plural: string): Resource {
  const found = RESOURCES.find((resource) => resource.plural === plural);
  if (found === undefined) throw new TypeError(`no resource is called ${plural}`);
  return found;
}

export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? "v1" : `${resource.group}/v1`;
}

export type JsonRecord = Record<string, unknown>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function omit(record: JsonRecord, ...names: readonly string[]): JsonRecord {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

/** The first thing that does not fit the fields of a resource: its path, and what was expected there; null when all fit. */
export function findMisfit(resource: Resource, object: JsonRecord): { readonly path: string; readonly expected: string } | null {
  const metadata = object["metadata"] ?? {};
  if (!isRecord(metadata)) return { path: ".metadata", expected: "map" };
  const fields = omit(object, "apiVersion", "kind", "metadata");
  return findMisfitIn("", resource.fields, fields) ?? findMisfitIn(".metadata", METADATA_FIELDS, omit(metadata, ...SERVER_METADATA));
}

function findMisfitIn(prefix: string, fields: Readonly<Record<string, FieldType>>, values: JsonRecord): { path: string; expected: string } | null {
  for (const [name, value] of Object.entries(values)) {
    const path = `${prefix}.${name}`;
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (type === undefined) return { path, expected: "" };
    const misfit = value === null || value === undefined ? null : misfitOf(path, type, value);
    if (misfit !== null) return misfit;
  }
  return null;
}

function misfitOf(path: string, type: FieldType, value: unknown): { path: string; expected: string } | null {
  if (type === "string" || type === "boolean") return typeof value === type ? null : { path, expected: type };
  if (type === "list") return Array.isArray(value) ? null : { path, expected: "list" };
  if (type === "server") return isRecord(value) ? null : { path, expected: "map" };
  if (type === "list-by-name") {
    const named = Array.isArray(value) && value.every((item) => isRecord(item) && typeof item["name"] === "string");
    return named ? null : { path, expected: "list of objects with a name" };
  }
  if (!isRecord(value)) return { path, expected: "map" };
  const odd = Object.entries(value).find(([, entry]) => typeof entry !== "string");
  return odd === undefined ? null : { path: `${path}.${odd[0]}`, expected: "string" };
}
