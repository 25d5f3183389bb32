import { algorithmOf } from "../../oidc/jwks.ts";
import type { PublicJwk } from "../../oidc/jwks.ts";
import { apiVersionOf, RESOURCES } from "./resources.ts";
import type { JsonRecord, Resource } from "./resources.ts";

/** The minor version whose answers the sandbox was compared with. */
export const KUBERNETES_VERSION = "1.35";

const GROUPS = [...new Set(RESOURCES.map((resource) => resource.group))].filter((group) => group !== "");

/** Documents of the API that never change, by path: version, discovery (kubernetes.io, "The Kubernetes API"), OpenAPI. */
export function renderStaticDocument(path: string, host: string): JsonRecord | null {
  if (path === "/version") return version();
  if (path === "/api") {
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: host }] };
  }
  if (path === "/apis") return { kind: "APIGroupList", apiVersion: "v1", groups: GROUPS.map(toGroup) };
  if (path === "/openapi/v3") return { paths: { "api/v1": { serverRelativeURL: "/openapi/v3/api/v1" } } };
  if (path === "/openapi/v3/api/v1") return openApi();
  const group = GROUPS.find((name) => path === `/apis/${name}`);
  if (group !== undefined) return { kind: "APIGroup", apiVersion: "v1", ...toGroup(group) };
  const listed = RESOURCES.filter((resource) => path === (resource.group === "" ? "/api/v1" : `/apis/${resource.group}/v1`));
  const [first] = listed;
  return first === undefined ? null : { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersionOf(first), resources: listed.flatMap(toApiResources) };
}

/** The cluster's own discovery document. Its `jwks_uri` is the API server, as in clusters that were not told otherwise. */
export function renderClusterDiscovery(issuer: string, serverUrl: string, jwks: readonly PublicJwk[]): JsonRecord {
  return {
    issuer,
    jwks_uri: `${serverUrl}/openid/v1/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: algorithmsOf(jwks),
  };
}

/** Sorted, each once. */
export function algorithmsOf(jwks: readonly PublicJwk[]): readonly string[] {
  return [...new Set(jwks.map((jwk) => algorithmOf(jwk) ?? "RS256"))].sort();
}

function version(): JsonRecord {
  const [major, minor] = KUBERNETES_VERSION.split(".");
  return {
    major,
    minor,
    gitVersion: `v${KUBERNETES_VERSION}.0+kubeassume.sandbox`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: "none",
    platform: "kubeassume/sandbox",
  };
}

function toGroup(name: string): JsonRecord {
  const v1 = { groupVersion: `${name}/v1`, version: "v1" };
  return { name, versions: [v1], preferredVersion: v1 };
}

function toApiResources(resource: Resource): JsonRecord[] {
  const { plural, singular, kind, namespaced, verbs, shortNames } = resource;
  const own = { name: plural, singularName: singular, namespaced, kind, verbs, ...(shortNames.length === 0 ? {} : { shortNames }) };
  if (plural !== "serviceaccounts") return [own];
  return [own, { name: "serviceaccounts/token", singularName: "", namespaced: true, group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] }];
}

/** As much as kubectl asks for before it applies: that the server itself judges unknown fields. */
function openApi(): JsonRecord {
  const patchable = RESOURCES.filter((resource) => resource.group === "" && resource.verbs.includes("patch"));
  const paths = patchable.map((resource) => {
    const place = resource.namespaced ? "namespaces/{namespace}/" : "";
    const patch = {
      parameters: [{ name: "fieldValidation", in: "query", schema: { type: "string" } }],
      responses: { "200": { description: "OK" } },
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": { group: "", version: "v1", kind: resource.kind },
    };
    return [`/api/v1/${place}${resource.plural}/{name}`, { patch }];
  });
  return { openapi: "3.0.0", info: { title: "kubeassume sandbox", version: `v${KUBERNETES_VERSION}` }, paths: Object.fromEntries(paths) as JsonRecord };
}
