import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import { type Http, type HttpAnswer, HttpFailure } from "../http/http.ts";

/**
 * What a stranger sees of an issuer. Documents are parsed JSON of any shape: judging them is for pure code. Of an issuer
 * that nobody needs to reach, because its keys are uploaded, only `jwks` is known, and it is the cluster's own.
 */
export interface IssuerFacts {
  readonly issuer: string;
  readonly discovery: unknown;
  /** Null when the issuer was not asked. */
  readonly jwksUri: string | null;
  readonly jwks: unknown;
  /** Content-Type and Cache-Control of both documents. */
  readonly headers: { readonly discovery: DocumentHeaders; readonly jwks: DocumentHeaders };
  /** The chain of the host that serves the JWKS; null when no cloud asked for it. */
  readonly chain: ChainFacts | null;
}

export interface DocumentHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
}

/** The TLS facts that a cloud with thumbprints needs; read by src/thumbprint. */
export interface ChainFacts {
  readonly publiclyTrusted: boolean;
  /** Hosts in the order in which their thumbprints are registered: the JWKS host first. */
  readonly thumbprints: readonly { readonly host: string; readonly thumbprint: string; readonly notAfter: string }[];
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly hint: string; readonly details: Readonly<Record<string, unknown>> }[];
}

export interface Document {
  readonly url: string;
  readonly json: unknown;
  readonly headers: DocumentHeaders;
}

/** Seconds that AWS gives an endpoint; the slowest that any relying party is known to wait. */
const ENDPOINT_TIMEOUT_MS = 5000;
const DOCUMENT_MAX_BYTES = 1024 * 1024;

/**
 * Reads one document of an issuer as a stranger: anonymously, without following a redirect, bounded in time
 * (5 s, as AWS waits: repost.aws/knowledge-center/iam-sts-invalididentitytoken) and size (1 MiB).
 * Throws ISSUER_UNREACHABLE, ISSUER_REDIRECTS, ISSUER_NOT_JSON.
 */
export async function readDocument(http: Http, url: string): Promise<Document> {
  const answer = await request(http, url);
  if (answer.status >= 300 && answer.status < 400) throw redirects(url, answer);
  if (answer.status !== 200) {
    const message = `${url} answers ${answer.status}`;
    const hint = answer.status === 403 || answer.status === 401 ? "it must be readable without credentials" : codes.ISSUER_UNREACHABLE.fix;
    throw new KubeassumeError(codes.ISSUER_UNREACHABLE, { message, hint, details: { url, status: answer.status } });
  }
  const headers = { contentType: answer.headers["content-type"] ?? "", cacheControl: answer.headers["cache-control"] ?? "" };
  return { url, json: parseJson(url, answer.body, headers), headers };
}

async function request(http: Http, url: string): Promise<HttpAnswer> {
  try {
    return await http({ url, timeoutMs: ENDPOINT_TIMEOUT_MS, maxBytes: DOCUMENT_MAX_BYTES, headers: { accept: "application/json" } });
  } catch (cause) {
    if (!(cause instanceof HttpFailure)) throw cause;
    const message = `${url} could not be read: ${cause.message}`;
    throw new KubeassumeError(codes.ISSUER_UNREACHABLE, { message, hint: hintFor(cause), details: { url, reason: cause.reason }, cause });
  }
}

function hintFor(failure: HttpFailure): string {
  if (failure.reason === "tls") return "the certificate must verify; a private CA is named with --ca-file";
  if (failure.reason === "timeout") return "it must answer completely within 5 seconds, from the internet";
  if (failure.reason === "too-large") return "a discovery document or JWKS is a few kilobytes: this is something else";
  return codes.ISSUER_UNREACHABLE.fix;
}

function redirects(url: string, answer: HttpAnswer): KubeassumeError {
  const location = answer.headers["location"] ?? "nowhere";
  const target = URL.canParse(location, url) ? new URL(location, url) : null;
  const where = target === null ? location : `${target.origin}${target.pathname}`;
  return new KubeassumeError(codes.ISSUER_REDIRECTS, {
    message: `${url} redirects to ${where} (status ${answer.status})`,
    details: { url, location: where, sameHost: target?.host === new URL(url).host },
  });
}

function parseJson(url: string, body: string, headers: DocumentHeaders): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    const what = /^\s*</.test(body) ? "a web page" : body.trim() === "" ? "an empty body" : "something that is not JSON";
    const message = `${url} answers with ${what} (${headers.contentType || "no content type"})`;
    throw new KubeassumeError(codes.ISSUER_NOT_JSON, { message, details: { url, contentType: headers.contentType }, cause });
  }
}
