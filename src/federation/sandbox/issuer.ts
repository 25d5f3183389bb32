import { renderDiscovery } from "../oidc/discovery.ts";
import { discoveryUrl, jwksUrl } from "../oidc/issuer.ts";
import type { PublicJwk } from "../oidc/jwks.ts";
import { toPublishedKeySet } from "../oidc/publish.ts";
import { algorithmsOf } from "./cluster/documents.ts";
import type { Handler, StandInAnswer, StandInRequest } from "./http-core.ts";
import type { PublishedAnswer } from "./stand-ins.ts";

/** The bucket whose content is the sandbox's issuer: `https://127.0.0.1:PORT/oidc`. */
export const ISSUER_BUCKET = "oidc";

export interface IssuerSource {
  /** The stores of the running clouds, asked in this order. */
  readonly stores: readonly { readPublished(bucket: string, object: string): Promise<PublishedAnswer | null> }[];
  /** What the cluster signs with: served until some store has the bucket. */
  readonly jwks: () => readonly PublicJwk[];
  readonly url: () => string;
}

/**
 * A front before the stores, as a CDN would be: `/BUCKET/OBJECT` is read anonymously from whichever cloud has the
 * bucket, and its status, headers and body passed on. While nobody has the issuer's own bucket, its two documents
 * are made from the cluster's keys.
 */
export function createIssuerHandler(source: IssuerSource): Handler {
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, headers: { allow: "GET, HEAD" }, body: "" };
    const [bucket = "", ...rest] = request.path.slice(1).split("/");
    const object = decode(rest.join("/"));
    for (const store of source.stores) {
      const published = await store.readPublished(decode(bucket), object);
      if (published !== null) return passOn(request, published);
    }
    return bucket === ISSUER_BUCKET ? renderOwn(source, object) : null;
  };
}

/** Headers that belong to one connection, or that the front computes anew. */
const DROPPED = new Set(["connection", "keep-alive", "transfer-encoding", "date", "content-length"]);

function passOn(request: StandInRequest, published: PublishedAnswer): StandInAnswer {
  const kept = Object.entries(published.headers).filter(([name]) => !DROPPED.has(name.toLowerCase()));
  const length = request.method === "HEAD" ? published.headers["content-length"] : undefined;
  const headers = { ...Object.fromEntries(kept), ...(length === undefined ? {} : { "content-length": length }) };
  return { status: published.status, headers, body: published.body };
}

function renderOwn(source: IssuerSource, object: string): StandInAnswer | null {
  const issuer = source.url();
  const jwks = source.jwks();
  const bodies: Readonly<Record<string, () => string>> = {
    [discoveryUrl(issuer).slice(issuer.length + 1)]: () => renderDiscovery({ issuer, jwksUri: jwksUrl(issuer), algorithms: algorithmsOf(jwks) }),
    [jwksUrl(issuer).slice(issuer.length + 1)]: () => `${JSON.stringify(toPublishedKeySet({ keys: jwks }), null, 2)}\n`,
  };
  const body = Object.hasOwn(bodies, object) ? bodies[object] : undefined;
  return body === undefined ? null : { status: 200, headers: { "content-type": "application/json", "cache-control": "public, max-age=60" }, body: body() };
}

/** As it came when the escapes are broken: no store has such an object. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
