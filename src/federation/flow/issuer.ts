import type { ChainFacts, Document, IssuerFacts } from "../oidc/read-issuer.ts";
import { readDocument } from "../oidc/read-issuer.ts";
import { parseDiscovery } from "../oidc/discovery.ts";
import { discoveryUrl } from "../oidc/issuer.ts";
import type { Http } from "../http/http.ts";

/** Reads the TLS chain behind a URL; given by the edge, so that flows stay free of sockets. */
export type ReadChain = (jwksUri: string, issuer: string) => Promise<ChainFacts>;

/**
 * Reads an issuer as a stranger in two sequential round trips: discovery, then JWKS beside the TLS chain.
 * Throws ISSUER_* codes, DISCOVERY_* for a document without a usable jwks_uri, and what `readChain` throws.
 */
export async function readIssuer(http: Http, issuer: string, readChain: ReadChain | null): Promise<IssuerFacts> {
  const discovery = await readDocument(http, discoveryUrl(issuer));
  const jwksUri = jwksUriOf(discovery, issuer);
  const [jwks, chain] = await Promise.all([readDocument(http, jwksUri), readChain?.(jwksUri, issuer) ?? null]);
  return {
    issuer,
    discovery: discovery.json,
    jwksUri,
    jwks: jwks.json,
    headers: { discovery: discovery.headers, jwks: jwks.headers },
    chain,
  };
}

/** The facts of an issuer that nobody needs to reach: the keys that its cluster signs with. */
export function privateIssuer(issuer: string, jwks: unknown): IssuerFacts {
  const none = { contentType: "", cacheControl: "" };
  return { issuer, discovery: null, jwksUri: null, jwks, headers: { discovery: none, jwks: none }, chain: null };
}

/** Only what is needed to go on reading: everything else about the document is judged with the keys, so that all problems come together. */
function jwksUriOf({ json }: Document, issuer: string): string {
  const uri = (json as { readonly jwks_uri?: unknown } | null)?.jwks_uri;
  if (typeof uri === "string" && URL.canParse(uri) && new URL(uri).protocol === "https:") return uri;
  return parseDiscovery(json, issuer).jwksUri;
}
