import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { pathOf, queryOf } from "./wire.ts";
import type { WireRequest } from "./wire.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";

/** What the Authorization header says, and the request's date. */
export interface SignedHeader {
  readonly accessKeyId: string;
  /** `20261123` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261123T101112Z`, from x-amz-date. */
  readonly date: string;
}

/**
 * Takes the Authorization header of Signature Version 4 apart. Null when the request carries none.
 * "malformed" when it is something else, or when the date is absent.
 * docs.aws.amazon.com IAM `reference_sigv-create-signed-request`.
 */
export function parseAuthorization(headers: Readonly<Record<string, string>>): SignedHeader | "malformed" | null {
  const text = headers["authorization"];
  if (text === undefined) return null;
  const parts = /^AWS4-HMAC-SHA256 +Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/.exec(text);
  const date = headers["x-amz-date"];
  if (parts === null || date === undefined || !/^\d{8}T\d{6}Z$/.test(date)) return "malformed";
  const [, accessKeyId = "", day = "", region = "", service = "", names = "", signature = ""] = parts;
  return { accessKeyId, day, region, service, signedHeaders: names.split(";"), signature, date };
}

/** The instant of an `x-amz-date` value. */
export function dateOf(amzDate: string): Date {
  return new Date(amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

export interface Keys {
  /** For the signatures of single chunks. */
  readonly signingKey: Buffer;
  /** `DAY/REGION/SERVICE/aws4_request` */
  readonly scope: string;
}

export function keysOf(signed: SignedHeader, secretAccessKey: string): Keys {
  const steps = [signed.day, signed.region, signed.service, "aws4_request"];
  const signingKey = steps.reduce<Buffer>((key, step) => hmac(key, step), Buffer.from(`AWS4${secretAccessKey}`));
  return { signingKey, scope: steps.join("/") };
}

/** Whether the signature is that of this request under these keys; `payloadHash` is what the signer says the body hashes to. */
export function signatureMatches(request: WireRequest, signed: SignedHeader, keys: Keys, payloadHash: string): boolean {
  if (!signed.signedHeaders.includes("host") || !signed.date.startsWith(signed.day)) return false;
  const toSign = [ALGORITHM, signed.date, keys.scope, sha256Hex(canonicalRequest(request, signed, payloadHash))].join("\n");
  return equal(hmac(keys.signingKey, toSign).toString("hex"), signed.signature);
}

function canonicalRequest(request: WireRequest, signed: SignedHeader, payloadHash: string): string {
  const headers = signed.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`);
  return [request.method, canonicalPath(request, signed.service), canonicalQuery(request), headers.join(""), signed.signedHeaders.join(";"), payloadHash].join("\n");
}

/** S3 signs the path encoded once, as it is sent; every other service encodes it twice. */
function canonicalPath(request: WireRequest, service: string): string {
  const path = pathOf(request);
  if (service !== "s3") return path.split("/").map(encode).join("/");
  return path
    .split("/")
    .map((part) => encode(decodeOnce(part)))
    .join("/");
}

function decodeOnce(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function canonicalQuery(request: WireRequest): string {
  return queryOf(request)
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([leftName, leftValue], [rightName, rightValue]) => compare(leftName, rightName) || compare(leftValue, rightValue))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Percent-encodes everything but the unreserved characters of RFC 3986. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function equal(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
