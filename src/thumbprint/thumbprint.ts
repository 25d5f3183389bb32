import { KubeassumeError, warning } from "../federation/errors/error.ts";
import type { Problem } from "../federation/errors/error.ts";
import type { Http } from "../federation/http/http.ts";
import { documentCodes } from "../federation/oidc/codes.ts";
import { discoveryUrl } from "../federation/oidc/issuer.ts";
import { readDocument } from "../federation/oidc/read-issuer.ts";
import { sameAddress, toAddress } from "./address.ts";
import { readVerdict } from "./chain-facts.ts";
import type { ReadChainOptions } from "./chain-facts.ts";
import { codes } from "./codes.ts";
import type { ChainEntry } from "./fingerprint.ts";
import type { ChainVerdict } from "./judge-chain.ts";

export interface ReadThumbprintOptions extends ReadChainOptions {
  /** Reads the discovery document; it must follow no redirect and bound time and size, as `createHttp` does. */
  readonly http: Http;
  /** True: a URL without discovery document is an error. By default it is answered for its own host, with a warning. */
  readonly jwks?: boolean | undefined;
}

/** `Thumbprint.data` of the JSON output. */
export interface ThumbprintData {
  readonly url: string;
  /** From the discovery document; null when there is none. */
  readonly jwksUri: string | null;
  /** As served by the host of `jwksUri`, or of `url` when there is none. */
  readonly chain: readonly ChainEntry[];
  readonly thumbprint: string;
  readonly publiclyTrusted: boolean;
  readonly usedByAws: boolean;
}

export interface Thumbprint {
  readonly data: ThumbprintData;
  /** False: the thumbprint must not be registered anywhere. */
  readonly verified: boolean;
  readonly warnings: readonly Problem[];
}

/** Statuses with which web servers and buckets say that there is no such document. */
const ABSENT = new Set([403, 404, 410]);

/**
 * The served chain and the AWS thumbprint of an issuer, or of a plain host. Of an issuer the discovery document is
 * followed to the host of the `jwks_uri`, which is the one whose chain AWS judges; the issuer's own chain is read meanwhile.
 * A chain that does not verify is still shown, with `usedByAws` false and warnings that say why.
 *
 * @throws KubeassumeError THUMBPRINT_URL_INVALID, TLS_UNREACHABLE, TLS_TIMEOUT, TLS_HANDSHAKE_FAILED, ISSUER_UNREACHABLE,
 *   ISSUER_REDIRECTS, ISSUER_NOT_JSON, DISCOVERY_INCOMPLETE
 */
export async function readThumbprint(url: string, options: ReadThumbprintOptions): Promise<Thumbprint> {
  const address = toAddress(url);
  const [own, discovery] = await together((signal) => [readVerdict(url, { ...options, signal }), readJwksUri(toIssuer(url), options)], options.signal);
  if (discovery.jwksUri === null) return toThumbprint(url, null, own, [discovery.problem]);
  const jwksAddress = toAddress(discovery.jwksUri);
  if (sameAddress(address, jwksAddress)) return toThumbprint(url, discovery.jwksUri, own, []);
  const theirs = await readVerdict(discovery.jwksUri, options);
  const [issuerHost, jwksHost] = [new URL(url).host, new URL(discovery.jwksUri).host];
  const message = `the JWKS of ${url} is served by ${jwksHost}, whose chain is shown; the thumbprint of ${issuerHost} itself is ${own.thumbprint}`;
  const details = { issuerHost, issuerThumbprint: own.thumbprint, jwksHost, jwksThumbprint: theirs.thumbprint };
  return toThumbprint(url, discovery.jwksUri, theirs, [...own.failures, warning(codes.JWKS_ON_ANOTHER_HOST, { message, details })]);
}

/** People paste the address of the discovery document too, or the issuer with a slash behind it. */
function toIssuer(url: string): string {
  return url.replace(/\/\.well-known\/openid-configuration$/, "").replace(/\/$/, "");
}

/** Runs both at once; when one of them fails, the other is told to stop. */
async function together<A, B>(start: (signal: AbortSignal) => [Promise<A>, Promise<B>], outer: AbortSignal | undefined): Promise<[A, B]> {
  const stop = new AbortController();
  try {
    return await Promise.all(start(outer === undefined ? stop.signal : AbortSignal.any([stop.signal, outer])));
  } finally {
    stop.abort();
  }
}

type DiscoveryAnswer = { readonly jwksUri: string } | { readonly jwksUri: null; readonly problem: Problem };

async function readJwksUri(issuer: string, options: ReadThumbprintOptions): Promise<DiscoveryAnswer> {
  const url = discoveryUrl(issuer);
  try {
    const { json } = await readDocument(options.http, url);
    return { jwksUri: jwksUriOf(url, json) };
  } catch (error) {
    if (options.jwks === true || !(error instanceof KubeassumeError)) throw error;
    const { status, reason } = error.details;
    if (typeof status === "number" && ABSENT.has(status)) {
      const message = `${url} answers ${status}, so the thumbprint is that of the URL's own host`;
      return { jwksUri: null, problem: warning(codes.DISCOVERY_ABSENT, { message, details: { url, status } }) };
    }
    if (reason !== "tls") throw error;
    // The chain's own verdict says what is wrong with it, more exactly than an HTTP client can.
    const message = `${url} was not read, so the thumbprint is that of the URL's own host`;
    return { jwksUri: null, problem: warning(codes.DISCOVERY_NOT_READ, { message, details: { url } }) };
  }
}

function jwksUriOf(url: string, document: unknown): string {
  const jwksUri = typeof document === "object" && document !== null && "jwks_uri" in document ? document.jwks_uri : undefined;
  if (typeof jwksUri === "string" && URL.canParse(jwksUri) && new URL(jwksUri).protocol === "https:") return jwksUri;
  const what = typeof jwksUri === "string" ? `has the jwks_uri ${JSON.stringify(jwksUri.slice(0, 300))}, which is not an https URL` : "is JSON without a jwks_uri";
  throw new KubeassumeError(documentCodes.DISCOVERY_INCOMPLETE, { message: `${url} ${what}`, details: { url } });
}

function toThumbprint(url: string, jwksUri: string | null, verdict: ChainVerdict, warnings: readonly Problem[]): Thumbprint {
  const { chain, thumbprint, publiclyTrusted, usedByAws, verified } = verdict;
  return {
    data: { url, jwksUri, chain, thumbprint, publiclyTrusted, usedByAws },
    verified,
    warnings: [...verdict.failures, ...warnings, ...verdict.warnings],
  };
}
