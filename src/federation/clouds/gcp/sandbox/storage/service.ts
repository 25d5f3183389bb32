import type { StandInAnswer, StandInRequest } from "../../../../sandbox/http-core.ts";
import { enter } from "./access.ts";
import { bucketMethods } from "./buckets.ts";
import { answerJson, type StorageCall, type StorageMethod } from "./call.ts";
import { noBucket, renderJsonError, renderXmlError, StorageError } from "./errors.ts";
import { objectMethods } from "./objects.ts";
import { policyMethods } from "./policies.ts";
import { serveObject } from "./published.ts";
import type { Bucket } from "./state.ts";
import type { StorageWorld } from "./world.ts";

export { readPublished } from "./published.ts";

const METHODS: Readonly<Record<string, StorageMethod>> = {
  ...bucketMethods,
  ...policyMethods,
  ...objectMethods,
  "GET serviceAccount": {
    permission: null,
    run: ({ world }) => answerJson({ kind: "storage#serviceAccount", email_address: `service-${world.projectNumber}@gs-project-accounts.iam.gserviceaccount.com` }),
  },
};

/** What a path of the JSON API names. */
interface Target {
  /** A key of {@link METHODS} without the HTTP method. */
  readonly what: string;
  readonly bucketName: string;
  readonly objectName: string;
}

/**
 * Answers one request to Cloud Storage: the JSON API v1 below `/storage/v1/` with its upload and download paths, and
 * objects at `/BUCKET/OBJECT`. Null for what is neither.
 */
export function answerStorage(request: StandInRequest, world: StorageWorld): StandInAnswer | null {
  try {
    const target = parseTarget(request.path);
    if (target === null) return answerObjectUrl(request, world);
    const method = METHODS[`${request.method} ${target.what}`];
    return method === undefined ? null : perform(method, target, request, world);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return error.status === 304 ? { status: 304 } : renderJsonError(error);
  }
}

function perform({ permission, run }: StorageMethod, target: Target, request: StandInRequest, asked: StorageWorld): StandInAnswer {
  const { query } = request;
  const { bucketName, objectName } = target;
  const bucket = asked.storage.buckets.get(bucketName);
  const world = worldOf(asked, bucket);
  const call: Omit<StorageCall, "caller"> = { world, request, query, bucketName, objectName };
  if (permission === null) return run({ ...call, caller: null });
  const caller = enter(world, request, permission, bucket, resourceOf(target, query));
  if (bucketName !== "" && bucket === undefined) throw noBucket();
  return run({ ...call, caller });
}

/** The project's policy has no say in buckets of other projects: there, a bucket's own policy decides alone. */
function worldOf(world: StorageWorld, bucket: Bucket | undefined): StorageWorld {
  if (bucket === undefined || bucket.projectNumber === world.projectNumber) return world;
  const authorize: StorageWorld["authorize"] = (...asked) => {
    const decision = world.authorize(...asked);
    return decision.outcome === "allowed" ? { outcome: "denied", caller: decision.caller } : decision;
  };
  return { ...world, authorize };
}

function resourceOf({ bucketName, objectName }: Target, query: URLSearchParams): string {
  if (bucketName === "") return `projects/${query.get("project") ?? ""}`;
  const bucket = `projects/_/buckets/${bucketName}`;
  const object = objectName === "" ? query.get("name") : objectName;
  return object === null || object === "" ? bucket : `${bucket}/objects/${object}`;
}

function parseTarget(path: string): Target | null {
  const [, area = "", rest = ""] = /^\/((?:(?:resumable\/)?upload\/|download\/)?storage\/v1)\/(.+?)\/?$/.exec(path) ?? [];
  if (area === "") return null;
  const parts = rest.split("/");
  const [collection = "", bucketName = "", sub = "", objectName = "", ...more] = parts.map(decode);
  if (collection === "projects") return { what: parts[2] ?? "", bucketName: "", objectName: "" };
  if (collection !== "b") return { what: collection, bucketName: "", objectName: "" };
  if (bucketName === "") return { what: "buckets", bucketName, objectName };
  if (area.includes("upload")) return { what: "upload", bucketName, objectName: "" };
  if (sub === "") return { what: "bucket", bucketName, objectName: "" };
  if (sub !== "o") return { what: ["bucket", sub, ...parts.slice(3)].join(" ").replace(" testPermissions", "/testPermissions"), bucketName, objectName: "" };
  if (objectName === "") return { what: "objects", bucketName, objectName };
  const what = area.startsWith("download") ? "download" : "object";
  return { what: [what, ...more].join(" "), bucketName, objectName };
}

/** `/BUCKET/OBJECT`, with credentials or without. */
function answerObjectUrl(request: StandInRequest, world: StorageWorld): StandInAnswer | null {
  const [, bucket, object] = /^\/([^/]+)\/(.+)$/.exec(request.path) ?? [];
  if (bucket === undefined || object === undefined || !["GET", "HEAD"].includes(request.method)) return null;
  const [bucketName, objectName] = [decode(bucket), decode(object)];
  const decision = worldOf(world, world.storage.buckets.get(bucketName)).authorize(request, "storage.objects.get", `projects/_/buckets/${bucketName}/objects/${objectName}`);
  if (decision.outcome === "invalid") return renderXmlError(401, "AuthenticationRequired", "Authentication required.");
  return serveObject(world, bucketName, objectName, decision.caller, decision.outcome === "allowed");
}

/** Percent-decodes; text that is not valid encoding stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
