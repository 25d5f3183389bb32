import { KubeassumeError, warning } from "../errors/error.ts";
import type { CodeDefinition, Problem } from "../errors/error.ts";
import { issuerCodes } from "./codes.ts";

/** AWS's limit for the URL of a provider. */
export const MAX_ISSUER_LENGTH = 255;

export interface IssuerVerdict {
  /** Reasons to refuse the issuer, all of them at once. */
  readonly problems: readonly KubeassumeError[];
  readonly warnings: readonly Problem[];
}

/**
 * Judges an issuer by the rules that every relying party accepts: `https://`, lower-case host, no credentials,
 * query, fragment or trailing slash, at most 255 characters, no `:443`, written exactly as a URL parser would
 * write it. A path is fine; another port is a warning, because what AWS does with one is unconfirmed.
 * Sources: IAM CreateOpenIDConnectProvider, OpenID Connect Discovery 1.0 section 3.
 */
export function checkIssuerUrl(text: string): IssuerVerdict {
  const problems: KubeassumeError[] = [];
  const shown = show(text);
  const add = (definition: CodeDefinition, words: string): void => {
    problems.push(new KubeassumeError(definition, { message: `issuer ${shown} ${words}`, details: { issuer: shown } }));
  };
  if (/[^\x21-\x7e]/.test(text)) {
    add(issuerCodes.ISSUER_NOT_A_URL, "contains white space, control or non-ASCII characters");
    return { problems, warnings: [] };
  }
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/.exec(text);
  if (parts === null) {
    add(issuerCodes.ISSUER_NOT_A_URL, "is not an absolute URL");
    return { problems, warnings: [] };
  }
  const [, scheme = "", authority = "", path = "", query, fragment] = parts;
  if (scheme.toLowerCase() !== "https") add(issuerCodes.ISSUER_NOT_HTTPS, `has scheme ${scheme}`);
  if (authority.includes("@")) add(issuerCodes.ISSUER_HAS_CREDENTIALS, "contains credentials");
  if (query !== undefined) add(issuerCodes.ISSUER_HAS_QUERY, "contains a query");
  if (fragment !== undefined) add(issuerCodes.ISSUER_HAS_FRAGMENT, "contains a fragment");
  if (path.endsWith("/")) add(issuerCodes.ISSUER_TRAILING_SLASH, "ends with a slash");
  if (text.length > MAX_ISSUER_LENGTH) add(issuerCodes.ISSUER_TOO_LONG, `has ${text.length} characters, more than ${MAX_ISSUER_LENGTH}`);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (/[A-Z]/.test(scheme + host)) add(issuerCodes.ISSUER_UPPER_CASE, `has upper-case letters in ${/[A-Z]/.test(host) ? "its host" : "its scheme"}`);
  const port = /:([0-9]*)$/.exec(host)?.[1];
  if (port !== undefined && (port === "" || Number(port) === 443)) add(issuerCodes.ISSUER_DEFAULT_PORT, `spells out its port, ":${port}"`);
  if (!isPlain(host, path, port)) add(issuerCodes.ISSUER_NOT_A_URL, "is not a URL in its plain form");
  return { problems, warnings: portWarnings(shown, port, problems.length) };
}

/** Where the discovery document of an issuer is (OpenID Connect Discovery 1.0 section 4). */
export function discoveryUrl(issuer: string): string {
  return `${issuer}/.well-known/openid-configuration`;
}

/** Where kubeassume publishes the key set of an issuer, unless told otherwise; the API server uses the same path. */
export function jwksUrl(issuer: string): string {
  return `${issuer}/openid/v1/jwks`;
}

/** Whether a URL parser leaves host, port and path as they are written: no dot segments, no odd escapes, a real host. */
function isPlain(host: string, path: string, port: string | undefined): boolean {
  const bare = port === undefined ? host : host.slice(0, host.length - port.length - 1);
  const portIsPlain = port === undefined || port === "" || String(Number(port)) === port;
  if (bare === "" || !portIsPlain) return false;
  try {
    const url = new URL(`https://${host}${path}`);
    return url.hostname === bare.toLowerCase() && url.pathname === (path === "" ? "/" : path);
  } catch {
    return false;
  }
}

function portWarnings(shown: string, port: string | undefined, problems: number): Problem[] {
  if (port === undefined || port === "" || Number(port) === 443 || problems > 0) return [];
  const message = `issuer ${shown} has port ${port}; whether AWS accepts it is unconfirmed`;
  return [warning(issuerCodes.ISSUER_PORT, { message, details: { issuer: shown, port: Number(port) } })];
}

/** The issuer for messages: escaped, cut, and without credentials or the values of a query, which may be a signature. */
function show(text: string): string {
  const safe = text.replace(/^([^/]*\/\/)?[^/]*@/, "$1...@").replace(/\?[^#]+/, "?...");
  const cut = safe.length > 300 ? `${safe.slice(0, 300)}...` : safe;
  return JSON.stringify(cut).slice(1, -1);
}
