import type { ChainFacts, Document, IssuerFacts } from "../oidc/read-issuer.ts";
import { readDocument } from "../oidc/read-issuer.ts";
import { discoveryUrl } from "../oidc/issuer.ts";
import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import type { Http } from "../http/http.ts";

/** Reads the TLS chain behind a URL; given by the edge, so that flows stay free of sockets. */
export type ReadChain = (jwksUri: string, issuer: string) => Promise<ChainFacts>;

/**
 * Reads an issuer as a stranger in two sequential round trips: discovery, then JWKS beside the TLS chain.
 * Throws ISSUER_* codes, and what `readChain` throws.
 */
export async function readIssuer(http: Http, issuer: string, readChain: ReadChain | null): Promise<IssuerFacts> {
  const discovery = await readDocument(http, discoveryUrl(issuer));
  const jwksUri = jwksUriOf(discovery);
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

function jwksUriOf(discovery: Document): string {
  const uri = (discovery.json as { readonly jwks_uri?: unknown } | null)?.jwks_uri;
  if (typeof uri === "string" && URL.canParse(uri) && new URL(uri).protocol === "https:") return uri;
  throw new KubeassumeError(codes.ISSUER_UNREACHABLE, {
    message: `${discovery.url} names no usable jwks_uri: ${JSON.stringify(uri) ?? "none"}`,
    hint: "the discovery document must name an https URL in jwks_uri",
    details: { url: discovery.url },
  });
}
