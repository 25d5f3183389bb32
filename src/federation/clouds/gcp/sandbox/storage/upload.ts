import { type JsonObject, parseJsonObject } from "../../../../oidc/json.ts";
import type { StandInRequest } from "../../../../sandbox/http-core.ts";
import { StorageError } from "./errors.ts";

/** What an upload sends: what it says of the object, and the object's bytes. */
export interface Upload {
  readonly resource: JsonObject;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/**
 * Reads uploads of the kinds `media` and `multipart` (cloud.google.com/storage/docs/uploading-objects).
 *
 * @throws StorageError 400 for a body in another form, 501 for resumable uploads
 */
export function readUpload({ headers, body }: StandInRequest, kind: string | null): Upload {
  const contentType = headers["content-type"];
  if (kind === "media" || kind === null) return { resource: {}, contentType, body };
  if (kind !== "multipart") throw new StorageError(501, "notImplemented", `The stand-in takes no uploads of type '${kind}'.`);
  const boundary = /^multipart\/related\s*;.*?boundary=(?:"([^"]+)"|'([^']+)'|([^\s;]+))/i.exec(contentType ?? "");
  const parts = boundary === null ? [] : partsOf(body, boundary[1] ?? boundary[2] ?? boundary[3] ?? "");
  const [first, second] = parts;
  if (first === undefined || second === undefined || parts.length !== 2) throw malformed("Multipart request body must have two parts.");
  const resource = first.body.toString("utf8").trim() === "" ? {} : parseJsonObject(first.body.toString("utf8"));
  if (resource === null) throw new StorageError(400, "parseError", "Parse Error");
  return { resource, contentType: second.contentType, body: second.body };
}

interface Part {
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** RFC 2046, section 5.1: everything between the delimiters, without the line end that belongs to the next of them. */
function partsOf(body: Buffer, boundary: string): readonly Part[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  let start = body.indexOf(delimiter);
  while (start !== -1) {
    const from = start + delimiter.length;
    const end = body.indexOf(delimiter, from);
    if (end === -1) break;
    parts.push(toPart(body.subarray(from, end)));
    start = end;
  }
  return parts;
}

function toPart(bytes: Buffer): Part {
  const text = bytes.toString("latin1");
  const [whole = "", heads = ""] = /^[ \t]*\r?\n([\s\S]*?(?:\r?\n)|)\r?\n/.exec(text) ?? [];
  if (whole === "") throw malformed("Malformed multipart body.");
  const contentType = /^content-type:[ \t]*(.*?)[ \t]*\r?$/im.exec(heads)?.[1];
  const end = text.endsWith("\r\n") ? bytes.length - 2 : text.endsWith("\n") ? bytes.length - 1 : bytes.length;
  return { contentType, body: bytes.subarray(whole.length, Math.max(whole.length, end)) };
}

function malformed(message: string): StorageError {
  return new StorageError(400, "badContent", message);
}
