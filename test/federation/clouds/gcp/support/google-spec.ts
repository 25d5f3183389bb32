import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Google's own descriptions of its APIs (discovery documents, in `../shared/specs/gcp` beside the repository): every
 * request that we send and every answer that a stand-in fakes is held to them.
 */
export type SpecService = "iam" | "sts" | "iamcredentials" | "cloudresourcemanager" | "storage";

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly readOnly?: boolean;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
}

interface Parameter extends Schema {
  readonly location?: string;
  readonly required?: boolean;
}

interface Method {
  readonly id: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly flatPath?: string;
  readonly parameters?: Readonly<Record<string, Parameter>>;
  readonly request?: Schema;
  readonly response?: Schema;
  readonly mediaUpload?: { readonly protocols: { readonly simple?: { readonly path: string } } };
}

interface Resource {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}

interface Description extends Resource {
  readonly servicePath: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

const FOLDER = fileURLToPath(new URL("../../../../../../shared/specs/gcp/", import.meta.url));
const FILES: Readonly<Record<SpecService, string>> = {
  iam: "iam.v1.json",
  sts: "sts.v1.json",
  iamcredentials: "iamcredentials.v1.json",
  cloudresourcemanager: "cloudresourcemanager.v3.json",
  storage: "storage.v1.json",
};

/** Why tests against the descriptions cannot run; null when they can. In CI they must: then nothing is skipped, and they fail. */
export const specsMissing: string | null = existsSync(FOLDER) || process.env["CI"] === "true" ? null : "Google's API descriptions are not in ../shared/specs/gcp";

const loaded = new Map<SpecService, Description>();

function describe(service: SpecService): Description {
  const known = loaded.get(service) ?? (JSON.parse(readFileSync(`${FOLDER}${FILES[service]}`, "utf8")) as Description);
  loaded.set(service, known);
  return known;
}

/** A request as it arrived. `url` may be a path with a query. */
export interface SpecRequest {
  readonly method: string;
  readonly url: string;
  /** Parsed JSON; undefined for none and for what is no JSON (uploads). */
  readonly body?: unknown;
}

/** Which method of the API a request is, and all that is wrong with it; `method` is null when there is no such method. */
export function checkRequest(service: SpecService, request: SpecRequest): { readonly method: string | null; readonly problems: readonly string[] } {
  const api = describe(service);
  const url = new URL(request.url, "https://host/");
  const found = findMethod(service, request.method, url.pathname);
  if (found === null) return { method: null, problems: [`${request.method} ${url.pathname} is no method of ${service}`] };
  return { method: found.id, problems: [...checkQuery(api, found, url.searchParams), ...checkBody(api, found, request.body), ...checkMask(api, found, url.searchParams, request.body)].map((problem) => `${found.id}: ${problem}`) };
}

/** What is wrong with the answer to a method of {@link checkRequest}: members, types and values that the description does not have. */
export function checkAnswer(service: SpecService, method: string, answer: unknown): readonly string[] {
  const api = describe(service);
  const found = methodsOf(api).find(({ id }) => id === method);
  if (found === undefined) return [`${method} is no method of ${service}`];
  if (found.response === undefined) return [];
  return checkValue(api, found.response, answer, "answer", false).map((problem) => `${method}: ${problem}`);
}

/** The method behind a path, which begins with the version (storage: `/storage/v1/` or `/upload/storage/v1/`). */
function findMethod(service: SpecService, httpMethod: string, pathname: string): Method | null {
  const api = describe(service);
  const matching = methodsOf(api).flatMap((method) => {
    if (method.httpMethod !== httpMethod) return [];
    const paths = [`/${api.servicePath}${method.flatPath ?? method.path}`, ...(method.mediaUpload?.protocols.simple === undefined ? [] : [method.mediaUpload.protocols.simple.path])];
    const path = paths.find((pattern) => toPattern(pattern).test(pathname));
    return path === undefined ? [] : [{ method, literal: path.replace(/\{[^}]*\}/g, "").length }];
  });
  return matching.sort((one, other) => other.literal - one.literal)[0]?.method ?? null;
}

function toPattern(path: string): RegExp {
  const escaped = path.replace(/[.*?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\{[^}]*\}/g, "[^/]+")}$`);
}

function methodsOf(resource: Resource): readonly Method[] {
  return [...Object.values(resource.methods ?? {}), ...Object.values(resource.resources ?? {}).flatMap(methodsOf)];
}

function checkQuery(api: Description, method: Method, query: URLSearchParams): readonly string[] {
  const known = { ...api.parameters, ...method.parameters };
  const problems = [...new Set(query.keys())].flatMap((name) => {
    const parameter = known[name];
    if (parameter === undefined || parameter.location !== "query") return [`it has no query parameter ${name}`];
    const value = query.get(name) ?? "";
    if (parameter.enum !== undefined && !parameter.enum.includes(value)) return [`query parameter ${name} cannot be ${JSON.stringify(value)}`];
    if (parameter.type === "integer" && !/^-?\d+$/.test(value)) return [`query parameter ${name} is no integer: ${JSON.stringify(value)}`];
    return parameter.type === "boolean" && !/^(true|false)$/.test(value) ? [`query parameter ${name} is no boolean: ${JSON.stringify(value)}`] : [];
  });
  const missing = Object.entries(method.parameters ?? {}).filter(([name, { required, location }]) => required === true && location === "query" && !query.has(name));
  return [...problems, ...missing.map(([name]) => `query parameter ${name} is missing`)];
}

function checkBody(api: Description, method: Method, body: unknown): readonly string[] {
  if (body === undefined) return [];
  return method.request === undefined ? ["it takes no body"] : checkValue(api, method.request, body, "body", true);
}

/** A field mask in JSON: comma-separated paths in lowerCamelCase, each of the resource. */
function checkMask(api: Description, method: Method, query: URLSearchParams, body: unknown): readonly string[] {
  const inQuery = query.get("updateMask");
  if (inQuery !== null) return maskProblems(api, method.request ?? {}, inQuery);
  const request = resolve(api, method.request ?? {});
  const mask = typeof body === "object" && body !== null ? (body as Readonly<Record<string, unknown>>)["updateMask"] : undefined;
  const inside = Object.entries(request.properties ?? {}).find(([name, { $ref }]) => name !== "updateMask" && $ref !== undefined)?.[1];
  return typeof mask === "string" && inside !== undefined ? maskProblems(api, inside, mask) : [];
}

function maskProblems(api: Description, schema: Schema, mask: string): readonly string[] {
  return mask.split(",").flatMap((path) => {
    let at: Schema | undefined = schema;
    for (const part of path.split(".")) at = at === undefined ? undefined : resolve(api, at).properties?.[part];
    return at === undefined ? [`updateMask names ${JSON.stringify(path)}, which the resource does not have`] : at.readOnly === true ? [`updateMask names ${path}, which is read-only`] : [];
  });
}

function resolve(api: Description, schema: Schema): Schema {
  return schema.$ref === undefined ? schema : (api.schemas[schema.$ref] ?? {});
}

function checkValue(api: Description, schema: Schema, value: unknown, at: string, isRequest: boolean): readonly string[] {
  const { type, items, properties, additionalProperties, enum: values, format } = resolve(api, schema);
  switch (type) {
    case "object":
      if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} is no object`];
      return Object.entries(value).flatMap(([name, inner]) => {
        const member = properties?.[name] ?? additionalProperties;
        if (member === undefined) return [`${at}.${name} does not exist`];
        if (isRequest && member.readOnly === true) return [`${at}.${name} is read-only`];
        return checkValue(api, member, inner, `${at}.${name}`, isRequest);
      });
    case "array":
      return Array.isArray(value) ? value.flatMap((inner, index) => checkValue(api, items ?? {}, inner, `${at}[${index}]`, isRequest)) : [`${at} is no array`];
    case "string":
      if (typeof value !== "string") return [`${at} is no string`];
      if (values !== undefined && !values.includes(value)) return [`${at} cannot be ${JSON.stringify(value)}`];
      if (format === "byte" && !/^[\w+/-]*={0,2}$/.test(value)) return [`${at} is no base64: ${JSON.stringify(value)}`];
      return (format === "int64" || format === "uint64") && !/^-?\d+$/.test(value) ? [`${at} is no integer in a string: ${JSON.stringify(value)}`] : [];
    case "integer":
      return Number.isInteger(value) ? [] : [`${at} is no integer`];
    case "number":
      return typeof value === "number" ? [] : [`${at} is no number`];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${at} is no boolean`];
    default:
      return [];
  }
}
