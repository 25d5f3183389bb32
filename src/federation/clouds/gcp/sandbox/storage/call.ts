import { type JsonObject, parseJsonObject } from "../../../../oidc/json.ts";
import type { StandInAnswer, StandInRequest } from "../../../../sandbox/http-core.ts";
import { invalid, noBucket, required, StorageError } from "./errors.ts";
import type { Bucket } from "./state.ts";
import type { StorageCaller, StorageWorld } from "./world.ts";

/** One call of the JSON API on its way. */
export interface StorageCall {
  readonly world: StorageWorld;
  readonly request: StandInRequest;
  readonly query: URLSearchParams;
  /** Names in the path, decoded: bucket, then object. */
  readonly bucketName: string;
  readonly objectName: string;
  /** Null for a caller without credentials. */
  readonly caller: StorageCaller | null;
}

/** A method of the API: who may call it, and what it does. */
export interface StorageMethod {
  /** Null when anybody may ask. */
  readonly permission: string | null;
  readonly run: (call: StorageCall) => StandInAnswer;
}

/** @throws StorageError 404 */
export function bucketOf({ world, bucketName }: StorageCall): Bucket {
  const bucket = world.storage.buckets.get(bucketName);
  if (bucket === undefined) throw noBucket();
  return bucket;
}

/** The body as a JSON object. @throws StorageError 400 */
export function bodyOf({ request }: StorageCall): JsonObject {
  const body = parseJsonObject(request.body.toString("utf8"));
  if (body === null) throw new StorageError(400, "parseError", "Parse Error");
  return body;
}

/** @throws StorageError 400 when the parameter is absent */
export function parameter(call: StorageCall, name: string): string {
  const value = call.query.get(name);
  if (value === null || value === "") throw required(name);
  return value;
}

/** One page of a sorted list; the token is the position of the next page. @throws StorageError 400 */
export function pageOf<T>(call: StorageCall, items: readonly T[], limit: number): { readonly page: readonly T[]; readonly next: string | undefined } {
  const asked = Number(call.query.get("maxResults") ?? limit);
  const token = call.query.get("pageToken");
  const from = token === null || token === "" ? 0 : Number(Buffer.from(token, "base64").toString("utf8"));
  if (!Number.isInteger(asked) || asked < 1) throw invalid("Invalid value for maxResults.", { locationType: "parameter", location: "maxResults" });
  if (!Number.isInteger(from) || from < 0) throw invalid("Invalid page token.", { locationType: "parameter", location: "pageToken" });
  const size = Math.min(asked, limit);
  const next = from + size < items.length ? Buffer.from(String(from + size)).toString("base64") : undefined;
  return { page: items.slice(from, from + size), next };
}

export function answerJson(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): StandInAnswer {
  return { status, headers: { "content-type": "application/json; charset=UTF-8", ...headers }, body: JSON.stringify(value) };
}
