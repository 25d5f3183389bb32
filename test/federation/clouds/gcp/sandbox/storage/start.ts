import { expect, it } from "vitest";
import { answerStorage } from "../../../../../../src/federation/clouds/gcp/sandbox/storage/service.ts";
import { type Bucket, newBucket, newStorageState, type NewBucket, type StorageState } from "../../../../../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import type { StorageWorld } from "../../../../../../src/federation/clouds/gcp/sandbox/storage/world.ts";
import type { JsonObject } from "../../../../../../src/federation/oidc/json.ts";
import type { Handler, StandInRequest } from "../../../../../../src/federation/sandbox/http-core.ts";
import { checkAnswer, checkRequest, specsMissing } from "../../support/google-spec.ts";

export const PROJECT = "acme-prod";
export const NUMBER = "123456789012";
/** The tokens that this world knows. */
export const OPERATOR = "operator-token";
export const WORKLOAD = "workload-token";
const MEMBER = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/system:serviceaccount:a:b";

export interface Exchanged {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly request: { readonly contentType: string; readonly body: string };
  readonly answer: { readonly status: number; readonly contentType: string; readonly body: string };
}

/** The stand-in's state, and a world in which one token may do everything but `denied`. */
export interface StorageScene {
  readonly state: StorageState;
  readonly world: StorageWorld;
  readonly denied: Set<string>;
  readonly handler: Handler;
  /** Every request and answer so far. */
  readonly exchanged: Exchanged[];
  /** A bucket without the API; of the world's project unless another number is given. */
  seed(bucket: Partial<NewBucket> & { readonly name: string }): Bucket;
}

export function createStorageScene(now = () => new Date()): StorageScene {
  const state = newStorageState();
  const denied = new Set<string>();
  const world: StorageWorld = { now, project: PROJECT, projectNumber: NUMBER, storage: state, authorize: (request, permission) => authorize(request, permission, denied) };
  const exchanged: Exchanged[] = [];
  const handler: Handler = (request) => {
    const answer = answerStorage(request, world);
    exchanged.push(toExchanged(request, answer));
    return answer;
  };
  const seed: StorageScene["seed"] = (given) => {
    const bucket = newBucket({ project: PROJECT, projectNumber: NUMBER, at: now(), ...given });
    state.buckets.set(bucket.name, bucket);
    return bucket;
  };
  return { state, world, denied, handler, exchanged, seed };
}

function authorize({ headers }: StandInRequest, permission: string, denied: ReadonlySet<string>): ReturnType<StorageWorld["authorize"]> {
  const token = /^Bearer (.+)$/.exec(headers["authorization"] ?? "")?.[1];
  if (headers["authorization"] === undefined) return { outcome: "denied", caller: null };
  if (token === WORKLOAD) return { outcome: "denied", caller: { name: MEMBER, members: [MEMBER, "allUsers"] } };
  if (token !== OPERATOR) return { outcome: "invalid" };
  const caller = { name: "operator@example.com", members: ["user:operator@example.com"] };
  return denied.has(permission) ? { outcome: "denied", caller } : { outcome: "allowed", caller };
}

function toExchanged(request: StandInRequest, answer: Awaited<ReturnType<Handler>>): Exchanged {
  const body = answer?.body ?? "";
  return {
    method: request.method,
    target: request.target,
    request: { contentType: request.headers["content-type"] ?? "", body: request.body.toString("utf8") },
    answer: { status: answer?.status ?? 0, contentType: answer?.headers?.["content-type"] ?? "", body: typeof body === "string" ? body : Buffer.from(body).toString("utf8") },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: JsonObject;
}

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: a stranger. Default: the operator. */
  readonly token?: string | null;
}

/** Sends one request without a network: `PUT /storage/v1/b/x/iam`. */
export async function ask(scene: StorageScene, line: string, { body, headers = {}, token = OPERATOR }: Asking = {}): Promise<Answer> {
  const [method = "", target = ""] = line.split(" ");
  const url = new URL(target, "http://127.0.0.1");
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const type = body === undefined || headers["content-type"] !== undefined ? {} : { "content-type": "application/json" };
  const bearer = token === null ? {} : { authorization: `Bearer ${token}` };
  const request = { service: "gcp.storage", method, url: url.href, headers: { ...type, ...headers, ...bearer }, body: bytes, target, path: url.pathname, query: url.searchParams };
  const answer = (await scene.handler(request)) ?? expect.fail(`nobody answers ${line}`);
  const text = answer.body === undefined ? "" : Buffer.from(answer.body).toString("utf8");
  const json = answer.headers?.["content-type"]?.startsWith("application/json") === true ? (JSON.parse(text) as JsonObject) : {};
  return { status: answer.status, headers: answer.headers ?? {}, text, json };
}

/** The reason of a refusal in storage's own form, with its status. */
export function refusalOf({ status, json }: Answer): readonly [number, string] {
  const { error } = json as { error?: { code: number; message: string; errors: { reason: string; domain: string; message: string }[] } };
  expect(error).toMatchObject({ code: status, message: expect.any(String), errors: [{ domain: "global", reason: expect.any(String), message: error?.message }] });
  return [status, error?.errors[0]?.reason ?? ""];
}

/** At the end of a file: everything of the JSON API that was exchanged is as Google describes it. */
export function itConforms(scenes: () => readonly StorageScene[]): void {
  it.skipIf(specsMissing !== null)("exchanged nothing that Google's description (../shared/specs) does not describe", () => {
    const done = scenes().flatMap((scene) => scene.exchanged).filter(({ target, answer }) => /^\/(?:upload\/|download\/)?storage\//.test(target) && answer.status < 400);
    expect(done.length).toBeGreaterThan(0);
    expect([...new Set(done.flatMap(undescribed))]).toEqual([]);
  });
}

function undescribed({ method, target, request, answer }: Exchanged): readonly string[] {
  const body = target.includes("uploadType=media") ? undefined : partOf(request.contentType, request.body);
  const { method: id, problems } = checkRequest("storage", { method, url: target.replace(/^\/download/, ""), ...(body === undefined ? {} : { body }) });
  const isDocument = answer.contentType.startsWith("application/json") && !target.includes("alt=media") && !target.startsWith("/download");
  return [...problems, ...(id === null || !isDocument || answer.status === 304 ? [] : checkAnswer("storage", id, JSON.parse(answer.body)))];
}

/** The JSON of a request, alone or as the first part of an upload. In a patch, null takes a member away: no type has it. */
function partOf(contentType: string, body: string): unknown {
  const json = contentType.startsWith("application/json") ? body : contentType.startsWith("multipart/related") ? /\r\n\r\n([\s\S]*?)\r\n--/.exec(body)?.[1] : undefined;
  return json === undefined ? undefined : (JSON.parse(json, (_, value: unknown) => value ?? undefined) as unknown);
}
