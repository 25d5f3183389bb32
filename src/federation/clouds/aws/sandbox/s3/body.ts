import { checksumOf } from "../checksums.ts";
import { AwsError } from "../errors.ts";
import { sha256Hex } from "../signature.ts";
import type { WireRequest } from "../wire.ts";
import { decodeChunked } from "./chunked.ts";
import type { ChunkSigner } from "./chunked.ts";
import { invalidRequest, notImplemented } from "./errors.ts";

export interface ReceivedBody {
  readonly data: Buffer;
  readonly checksum: { readonly header: string; readonly value: string } | null;
}

/**
 * The body as the client meant it: `aws-chunked` undone, its hash, its Content-MD5 and its checksum verified, whether the
 * checksum came as a header or as a trailer. `signer` is null for strangers.
 *
 * @throws AwsError XAmzContentSHA256Mismatch, IncompleteBody, BadDigest, InvalidDigest, InvalidRequest, NotImplemented
 */
export function receiveBody(request: WireRequest, signer: ChunkSigner | null): ReceivedBody {
  const hash = request.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD";
  const { data, trailers } = decodeBody(request, hash, signer);
  refuseWrongMd5(request.headers["content-md5"], data);
  return { data, checksum: verifiedChecksum({ ...request.headers, ...trailers }, data) };
}

function decodeBody(request: WireRequest, hash: string, signer: ChunkSigner | null): { readonly data: Buffer; readonly trailers: Readonly<Record<string, string>> } {
  if (hash === "UNSIGNED-PAYLOAD") return { data: request.body, trailers: {} };
  if (/^[0-9a-f]{64}$/.test(hash)) {
    const computed = sha256Hex(request.body);
    if (computed !== hash) throw contentMismatch(hash, computed);
    return { data: request.body, trailers: {} };
  }
  const signedChunks = hash === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" || hash === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
  if (!signedChunks && hash !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") throw notImplemented("x-amz-content-sha256");
  const decoded = decodeChunked(request.body, signedChunks ? signer : null);
  const promised = request.headers["x-amz-decoded-content-length"];
  if (promised === undefined) throw new AwsError("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  if (Number(promised) !== decoded.data.length) throw new AwsError("IncompleteBody", 400, "The request body terminated unexpectedly");
  for (const name of namesOf(request.headers["x-amz-trailer"])) {
    if (decoded.trailers[name] === undefined) throw new AwsError("MalformedTrailerError", 400, "The request contained trailing data that was not well-formed or did not conform to our published schema.");
  }
  return decoded;
}

function namesOf(header: string | undefined): string[] {
  return (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
}

function contentMismatch(given: string, computed: string): AwsError {
  const members = { ClientComputedContentSHA256: given, S3ComputedContentSHA256: computed };
  return new AwsError("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.", { members });
}

function refuseWrongMd5(given: string | undefined, data: Buffer): void {
  if (given === undefined) return;
  if (Buffer.from(given, "base64").length !== 16) throw new AwsError("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
  if (checksumOf("md5", data) !== given) throw new AwsError("BadDigest", 400, "The Content-MD5 you specified did not match what we received.");
}

/** These share the prefix of the checksums but say something else. */
const NO_CHECKSUM = new Set(["x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-type"]);

function verifiedChecksum(headers: Readonly<Record<string, string>>, data: Buffer): ReceivedBody["checksum"] {
  const given = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-checksum-") && !NO_CHECKSUM.has(name));
  const [first] = given;
  if (first === undefined) return null;
  if (given.length > 1) throw invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  const [header, value] = first;
  const name = header.slice("x-amz-checksum-".length);
  const computed = checksumOf(name, data);
  if (computed === null) throw notImplemented(header);
  if (computed !== value) throw new AwsError("BadDigest", 400, `The ${name.toUpperCase()} you specified did not match the calculated checksum.`);
  return { header, value };
}
