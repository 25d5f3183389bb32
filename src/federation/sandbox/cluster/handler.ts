import { parse } from "yaml";
import type { Handler, StandInAnswer, StandInRequest } from "../http-core.ts";
import { refuseAccess } from "./access.ts";
import type { Access, Gate } from "./access.ts";
import { renderClusterDiscovery, renderStaticDocument } from "./documents.ts";
import type { ObjectStore, StoredObject, Target, Write } from "./object-store.ts";
import { decodeProtobuf } from "./protobuf.ts";
import { apiVersionOf, findMisfit, isRecord, omit, RESOURCES } from "./resources.ts";
import type { JsonRecord, Resource, Verb } from "./resources.ts";
import { parseSelector } from "./selectors.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { badRequest, ClusterRefusal, invalid, methodNotAllowed, notAcceptable, requiredValue, toJsonAnswer, unsupportedMediaType } from "./status.ts";
import { parseTokenRequest, toClaims, toTokenResponse } from "./token-request.ts";

export interface ClusterState {
  readonly objects: ObjectStore;
  readonly keys: SigningKeys;
  readonly now: () => Date;
  readonly gate: Gate;
  /** The first `--service-account-issuer`. */
  issuer: string;
}

/** Answers requests to the API as kube-apiserver does, for the resources that the sandbox knows. */
export function createHandler(state: ClusterState): Handler {
  return (request) => {
    try {
      return route(state, request);
    } catch (error) {
      if (error instanceof ClusterRefusal) return error.answer;
      throw error;
    }
  };
}

function route(state: ClusterState, request: StandInRequest): StandInAnswer | null {
  const place = parsePath(request.path);
  if (place === null) return answerDocument(state, request);
  const { resource, namespace, name, subresource } = place;
  if (subresource === "token") return createToken(state, request, { resource, namespace: namespace ?? "", name });
  if (subresource !== "") return null;
  const verb = verbOf(request.method, name);
  if (verb === null || !resource.verbs.includes(verb)) throw methodNotAllowed();
  refuseAccess(state.gate, request, { verb, resource, subresource: "", namespace: namespace ?? "", name });
  if (request.query.get("watch") === "true") throw new ClusterRefusal(501, "NotImplemented", "the sandbox's cluster does not watch");
  const target = { resource, namespace: namespace ?? "", name };
  if (verb === "list") return listObjects(state, request, resource, namespace);
  if (verb === "get") return toJsonAnswer(200, state.objects.get(target));
  if (resource.namespaced && namespace === null) throw methodNotAllowed();
  return writeObject(state, request, verb, target);
}

interface Place {
  readonly resource: Resource;
  /** Null for a request across all namespaces. */
  readonly namespace: string | null;
  /** Empty for the collection. */
  readonly name: string;
  readonly subresource: string;
}

/** `/api/v1/namespaces/NS/PLURAL/NAME/SUBRESOURCE`, and the same below `/apis/GROUP/v1`; null for any other path. */
function parsePath(path: string): Place | null {
  const segments = path.split("/").slice(1).map(decodeURIComponent);
  const group = segments[0] === "api" ? "" : segments[0] === "apis" ? segments[1] : undefined;
  const rest = group === undefined ? [] : segments.slice(group === "" ? 1 : 2);
  if (group === undefined || rest[0] !== "v1") return null;
  const inNamespace = rest[1] === "namespaces" && rest.length > 3;
  const [plural = "", name = "", subresource = ""] = rest.slice(inNamespace ? 3 : 1);
  const resource = RESOURCES.find((known) => known.plural === plural && known.group === group && (known.namespaced || !inNamespace));
  const namespace = inNamespace ? (rest[2] ?? "") : null;
  return resource === undefined || (resource.namespaced && namespace === null && name !== "") ? null : { resource, namespace, name, subresource };
}

function verbOf(method: string, name: string): Verb | null {
  const verbs: Readonly<Record<string, Verb>> = name === "" ? { GET: "list", POST: "create" } : { GET: "get", PATCH: "patch", DELETE: "delete" };
  return Object.hasOwn(verbs, method) ? (verbs[method] ?? null) : null;
}

function answerDocument(state: ClusterState, request: StandInRequest): StandInAnswer | null {
  const base = new URL(request.url).origin;
  refuseAccess(state.gate, request, { path: request.path });
  const keySet = request.path === "/openid/v1/jwks" ? { keys: state.keys.jwks } : null;
  const discovery = request.path === "/.well-known/openid-configuration" ? renderClusterDiscovery(state.issuer, base, state.keys.jwks) : null;
  const document = keySet ?? discovery ?? renderStaticDocument(request.path, new URL(base).host);
  if (document === null && ["/healthz", "/livez", "/readyz"].includes(request.path)) return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: "ok" };
  if (document === null) return null;
  if (request.method !== "GET") throw methodNotAllowed();
  const answer = toJsonAnswer(200, document);
  if (keySet === null) return answer;
  if (!accepts(request, JWKS_TYPE)) throw notAcceptable(JWKS_TYPE);
  return { ...answer, headers: { ...answer.headers, "content-type": JWKS_TYPE } };
}

/** The only one in which an API server gives its keys. */
const JWKS_TYPE = "application/jwk-set+json";

function accepts(request: StandInRequest, type: string): boolean {
  const ranges = (request.headers["accept"] || "*/*").split(",").map((range) => range.split(";")[0]?.trim());
  return ranges.includes("*/*") || ranges.includes(type);
}

function listObjects(state: ClusterState, request: StandInRequest, resource: Resource, namespace: string | null): StandInAnswer {
  const selects = parseSelector(request.query);
  const items = state.objects.list(resource, namespace).filter(selects).map((item) => omit(item, "kind", "apiVersion"));
  const metadata = { resourceVersion: state.objects.version };
  return toJsonAnswer(200, { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items });
}

function createToken(state: ClusterState, request: StandInRequest, target: Target): StandInAnswer | null {
  if (target.resource.plural !== "serviceaccounts") return null;
  const access: Access = { verb: "create", resource: target.resource, subresource: "token", namespace: target.namespace, name: target.name };
  if (request.method !== "POST") throw methodNotAllowed();
  refuseAccess(state.gate, request, access);
  const body = readBody(request, "TokenRequest", "authentication.k8s.io/v1");
  refuseOtherNamespace(isRecord(body["metadata"]) ? body["metadata"] : {}, target);
  const account = state.objects.get(target);
  const place = { namespace: target.namespace, name: target.name };
  const spec = parseTokenRequest(body, place, account.metadata.uid, state.issuer);
  const at = state.now();
  const token = state.keys.sign(toClaims(place, account.metadata.uid, spec, state.issuer, at));
  return toJsonAnswer(201, toTokenResponse(account, spec, token, at));
}

function writeObject(state: ClusterState, request: StandInRequest, verb: Verb, target: Target): StandInAnswer {
  const write: Write = { manager: managerOf(request), dryRun: request.query.get("dryRun") === "All" };
  if (verb === "delete") return toJsonAnswer(200, toDeleted(target.resource, state.objects.remove(target, write.dryRun)));
  if (verb === "patch") return patchObject(state, request, target, write);
  const content = readBody(request, target.resource.kind, apiVersionOf(target.resource));
  const misfit = findMisfit(target.resource, content);
  if (misfit !== null && misfit.expected !== "") {
    throw badRequest(`${target.resource.kind} in version "v1" cannot be handled as a ${target.resource.kind}: ${misfit.path} is not a ${misfit.expected}`);
  }
  const metadata = isRecord(content["metadata"]) ? content["metadata"] : {};
  refuseOtherNamespace(metadata, target);
  const name = typeof metadata["name"] === "string" ? metadata["name"] : "";
  return toJsonAnswer(201, state.objects.create({ ...target, name }, content, write));
}

function patchObject(state: ClusterState, request: StandInRequest, target: Target, write: Write): StandInAnswer {
  const type = mediaTypeOf(request);
  if (type === "application/merge-patch+json" || type === "application/strategic-merge-patch+json") {
    return toJsonAnswer(200, state.objects.merge(target, readJson(request, target.resource.kind), write));
  }
  if (type !== "application/apply-patch+yaml") throw unsupportedMediaType();
  if (!request.query.get("fieldManager")) {
    throw invalid("PatchOptions", "meta.k8s.io", "", [requiredValue("fieldManager", "is required for apply patch")]);
  }
  const content = readYaml(request);
  refuseOtherObject(content, target);
  const misfit = findMisfit(target.resource, content);
  if (misfit !== null) {
    const problem = misfit.expected === "" ? "field not declared in schema" : `expected ${misfit.expected}`;
    const type = `/${target.name}; /${apiVersionOf(target.resource)}, Kind=${target.resource.kind}`;
    throw new ClusterRefusal(500, "", `failed to create typed patch object (${type}): ${misfit.path}: ${problem}`);
  }
  const { object, created } = state.objects.apply(target, content, { ...write, force: request.query.get("force") === "true" });
  return toJsonAnswer(created ? 201 : 200, object);
}

function refuseOtherObject(content: JsonRecord, target: Target): void {
  const { apiVersion = "", kind = "" } = content as { apiVersion?: string; kind?: string };
  if (apiVersion !== apiVersionOf(target.resource) || kind !== target.resource.kind) {
    throw badRequest(`invalid object type: ${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`);
  }
  const metadata = isRecord(content["metadata"]) ? content["metadata"] : {};
  const name = metadata["name"] ?? target.name;
  if (name !== target.name) throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${target.name})`);
  refuseOtherNamespace(metadata, target);
}

function refuseOtherNamespace(metadata: JsonRecord, target: Target): void {
  const namespace = metadata["namespace"];
  if (!target.resource.namespaced || namespace === undefined || namespace === "" || namespace === target.namespace) return;
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** The `fieldManager` of the request, by default the name of the client before its version. */
function managerOf(request: StandInRequest): string {
  return request.query.get("fieldManager") || (request.headers["user-agent"] ?? "").split("/")[0] || "unknown";
}

function toDeleted(resource: Resource, object: StoredObject): JsonRecord {
  const { name, uid } = object.metadata;
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name, kind: resource.plural, uid } };
}

function mediaTypeOf(request: StandInRequest): string {
  return (request.headers["content-type"] ?? "application/json").split(";")[0]?.trim() ?? "";
}

/** The object in a request to create, as JSON, YAML or protobuf; it may leave out what it is. */
function readBody(request: StandInRequest, kind: string, apiVersion: string): JsonRecord {
  const type = mediaTypeOf(request);
  const body = type === "application/vnd.kubernetes.protobuf" ? decodeProtobuf(request.body) : type === "application/yaml" ? readYaml(request) : type === "application/json" ? readJson(request, kind) : null;
  if (body === null) throw unsupportedMediaType();
  const says = { kind: body["kind"] ?? kind, apiVersion: body["apiVersion"] ?? apiVersion };
  if (says.kind === kind && says.apiVersion === apiVersion) return body;
  throw badRequest(`${String(says.kind)} in version "${String(says.apiVersion)}" cannot be handled as a ${kind}`);
}

function readJson(request: StandInRequest, kind: string): JsonRecord {
  const text = Buffer.from(request.body).toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Answered below, with the words for everything that is no object.
  }
  throw badRequest(`the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error (${text.slice(0, 64) || "<empty>"})`);
}

function readYaml(request: StandInRequest): JsonRecord {
  try {
    const value: unknown = parse(Buffer.from(request.body).toString("utf8"));
    if (isRecord(value)) return value;
  } catch {
    // Answered below, with the words for everything that is no object.
  }
  throw badRequest("error decoding YAML: not an object");
}
