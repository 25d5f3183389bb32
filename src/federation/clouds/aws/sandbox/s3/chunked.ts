import { AwsError } from "../errors.ts";
import { equal, hmac, sha256Hex } from "../signature.ts";
import type { Keys, SignedHeader } from "../signature.ts";

const EMPTY_HASH = sha256Hex("");

export interface DecodedBody {
  readonly data: Buffer;
  /** Names in lower case. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** How single chunks are signed; null for unsigned chunks. */
export interface ChunkSigner {
  readonly signed: SignedHeader;
  readonly keys: Keys;
}

/**
 * Undoes `aws-chunked`: chunks of hexadecimal length and data, then trailers, both perhaps signed in a chain that starts
 * at the request's own signature (docs.aws.amazon.com S3 API, `sigv4-streaming` and `sigv4-streaming-trailers`).
 *
 * @throws AwsError IncompleteBody, SignatureDoesNotMatch
 */
export function decodeChunked(body: Buffer, signer: ChunkSigner | null): DecodedBody {
  const parts: Buffer[] = [];
  let previous = signer?.signed.signature ?? "";
  let offset = 0;
  for (;;) {
    const { text, next } = lineAt(body, offset);
    const [, length = "", signature] = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(text) ?? [];
    if (length === "") throw incomplete();
    const size = Number.parseInt(length, 16);
    const data = body.subarray(next, next + size);
    if (data.length < size) throw incomplete();
    if (signer !== null) previous = verifyChunk(signer, previous, sha256Hex(data), signature);
    offset = next + size;
    if (size === 0) return { data: Buffer.concat(parts), trailers: trailersAt(body, offset, signer, previous) };
    if (body.subarray(offset, offset + 2).toString("latin1") !== "\r\n") throw incomplete();
    offset += 2;
    parts.push(data);
  }
}

function trailersAt(body: Buffer, start: number, signer: ChunkSigner | null, previous: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  let offset = start;
  while (offset < body.length) {
    const { text, next } = lineAt(body, offset);
    offset = next;
    if (text === "") continue;
    const colon = text.indexOf(":");
    if (colon < 1) throw incomplete();
    trailers[text.slice(0, colon).toLowerCase()] = text.slice(colon + 1).trim();
  }
  const { "x-amz-trailer-signature": signature, ...rest } = trailers;
  if (signer !== null && Object.keys(rest).length > 0) verifyTrailer(signer, previous, rest, signature);
  return rest;
}

function verifyChunk({ signed, keys }: ChunkSigner, previous: string, hash: string, signature: string | undefined): string {
  const toSign = ["AWS4-HMAC-SHA256-PAYLOAD", signed.date, keys.scope, previous, EMPTY_HASH, hash].join("\n");
  if (signature === undefined || !equal(hmac(keys.signingKey, toSign).toString("hex"), signature)) throw mismatch();
  return signature;
}

function verifyTrailer({ signed, keys }: ChunkSigner, previous: string, trailers: Readonly<Record<string, string>>, signature: string | undefined): void {
  const text = Object.entries(trailers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join("");
  const toSign = ["AWS4-HMAC-SHA256-TRAILER", signed.date, keys.scope, previous, sha256Hex(text)].join("\n");
  if (signature === undefined || !equal(hmac(keys.signingKey, toSign).toString("hex"), signature)) throw mismatch();
}

function lineAt(body: Buffer, offset: number): { readonly text: string; readonly next: number } {
  const end = body.indexOf("\r\n", offset, "latin1");
  if (end === -1) throw incomplete();
  return { text: body.subarray(offset, end).toString("latin1"), next: end + 2 };
}

function incomplete(): AwsError {
  return new AwsError("IncompleteBody", 400, "The request body terminated unexpectedly");
}

function mismatch(): AwsError {
  return new AwsError("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
}
