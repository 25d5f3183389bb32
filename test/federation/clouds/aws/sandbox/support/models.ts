import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** AWS's own API descriptions, as botocore ships them; they lie beside the repository and are never copied into it. */
const FOLDER = fileURLToPath(new URL("../../../../../../../shared/specs/aws/", import.meta.url));

export interface Shape {
  readonly type: "structure" | "list" | "map" | "string" | "integer" | "long" | "boolean" | "timestamp" | "blob" | "float" | "double";
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
  readonly flattened?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly payload?: string;
  readonly timestampFormat?: string;
  readonly error?: { readonly code?: string; readonly httpStatusCode?: number };
}

export interface Member {
  readonly shape: string;
  readonly location?: "header" | "headers" | "uri" | "querystring" | "statusCode";
  readonly locationName?: string;
  readonly flattened?: boolean;
}

export interface Operation {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string; readonly resultWrapper?: string };
  readonly errors?: readonly { readonly shape: string }[];
}

export interface Model {
  readonly metadata: { readonly apiVersion: string; readonly xmlNamespace?: string };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Absent outside of the project's own machines: tests then skip what needs them, but never in CI. */
export const hasModels = existsSync(FOLDER) || process.env["CI"] === "true";

const loaded = new Map<string, Model>();

export function readModel(service: "iam" | "sts" | "s3"): Model {
  const known = loaded.get(service);
  if (known !== undefined) return known;
  const model = JSON.parse(gunzipSync(readFileSync(`${FOLDER}${service}.service-2.json.gz`)).toString("utf8")) as Model;
  loaded.set(service, model);
  return model;
}

export function shapeOf(model: Model, name: string): Shape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`the description has no shape ${name}`);
  return shape;
}
