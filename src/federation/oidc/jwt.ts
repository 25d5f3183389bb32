import { KubeassumeError } from "../errors/error.ts";
import { tokenCodes } from "./codes.ts";
import { parseJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

/** A token longer than this is refused unread; AWS itself takes 20,000 characters. */
export const MAX_TOKEN_LENGTH = 65_536;

/** A signed JWT in compact form, taken apart but not verified. */
export interface ParsedJwt {
  readonly header: JsonObject;
  /** The payload; it never contains the signature, so it may be shown. */
  readonly claims: JsonObject;
  /** Secret as long as the token is valid: never print it. */
  readonly signature: Uint8Array;
  /** The bytes that the signature covers, exactly as they came: `header.payload`. */
  readonly signingInput: string;
}

/**
 * Takes a JWT in compact serialization apart (RFC 7515 section 7.1), without verifying it.
 * Strict: three non-empty parts in canonical base64url, the first two JSON objects in UTF-8, no white space.
 * The text of the token never appears in an error.
 *
 * @throws KubeassumeError TOKEN_MALFORMED, TOKEN_TOO_LARGE
 */
export function parseJwt(text: string): ParsedJwt {
  if (text.length > MAX_TOKEN_LENGTH) {
    throw new KubeassumeError(tokenCodes.TOKEN_TOO_LARGE, {
      message: `the token has ${text.length} characters, more than ${MAX_TOKEN_LENGTH}`,
    });
  }
  const parts = text.split(".");
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw malformed(partsProblem(text, parts.length));
  }
  return {
    header: objectOf(header, "header"),
    claims: objectOf(payload, "payload"),
    signature: bytesOf(signature, "signature"),
    signingInput: `${header}.${payload}`,
  };
}

/** Decodes canonical, unpadded base64url; null when the text is anything else. Empty text gives no bytes. */
export function decodeBase64Url(text: string): Buffer | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}

function objectOf(part: string, name: string): JsonObject {
  const bytes = bytesOf(part, name);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(`the token's ${name} is not UTF-8`);
  }
  const value = parseJsonObject(text);
  if (value === null) throw malformed(`the token's ${name} is not a JSON object`);
  return value;
}

function bytesOf(part: string, name: string): Uint8Array {
  if (part === "") throw malformed(`the token's ${name} is empty`);
  const bytes = decodeBase64Url(part);
  if (bytes === null) throw malformed(`the token's ${name} is not base64url`);
  return bytes;
}

function partsProblem(text: string, count: number): string {
  if (text.trim() === "") return "the token is empty";
  if (/^\s*\{/.test(text)) return "the token is a JSON document instead of three parts joined by dots";
  return `the token has ${count} parts joined by dots instead of 3`;
}

function malformed(message: string): KubeassumeError {
  return new KubeassumeError(tokenCodes.TOKEN_MALFORMED, { message });
}
