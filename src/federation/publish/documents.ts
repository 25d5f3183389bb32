import { createHash } from "node:crypto";
import { KubeassumeError } from "../errors/error.ts";
import { differenceOf } from "../oidc/difference.ts";
import { renderDiscovery } from "../oidc/discovery.ts";
import { jwksUrl } from "../oidc/issuer.ts";
import { kindOfText, member, parseJsonObject } from "../oidc/json.ts";
import type { PublishedJwk } from "../oidc/publish.ts";
import type { Fields } from "../plan/step.ts";
import { codes as publishCodes } from "./codes.ts";
import { algorithmsOf, renderKeySet } from "./keys.ts";
import type { StoreSpec, StoredDocument } from "./store.ts";

export const CONTENT_TYPE = "application/json";
/** Short, because a rotation has to wait for it; relying parties and caches default to an hour without it. */
export const MAX_AGE_SECONDS = 60;
export const CACHE_CONTROL = `public, max-age=${MAX_AGE_SECONDS}`;

/** Names below the issuer. Relying parties fix the first; the API server serves its keys under the second. */
export const DISCOVERY_PATH = ".well-known/openid-configuration";
export const JWKS_PATH = "openid/v1/jwks";

/** The discovery document of an issuer with these keys: always made anew, never copied from the cluster. */
export function discoveryBody(issuer: string, keys: readonly PublishedJwk[]): string {
  return renderDiscovery({ issuer, jwksUri: jwksUrl(issuer), algorithms: algorithmsOf(keys) });
}

/** The key set as the fields of a resource. `body` is a hash: bodies are compared to the byte and shown by their keys. */
export function jwksFields(spec: StoreSpec, keys: readonly PublishedJwk[], stored?: StoredDocument): Fields {
  return { keys: keys.map((key) => key.kid), ...commonFields(spec, stored, renderKeySet(keys)) };
}

/** The discovery document as the fields of a resource. */
export function discoveryFields(spec: StoreSpec, keys: readonly PublishedJwk[], stored?: StoredDocument): Fields {
  const common = commonFields(spec, stored, discoveryBody(spec.issuer, keys));
  if (stored === undefined) return { issuer: spec.issuer, jwksUri: jwksUrl(spec.issuer), algorithms: algorithmsOf(keys), ...common };
  const document = parseJsonObject(stored.body) ?? {};
  const algorithms = member(document, "id_token_signing_alg_values_supported");
  return {
    issuer: textOf(member(document, "issuer")),
    jwksUri: textOf(member(document, "jwks_uri")),
    algorithms: Array.isArray(algorithms) ? algorithms.map(textOf) : null,
    ...common,
  };
}

/** Whether a stored document is to the byte and header what would be written. */
export function isAsDesired(spec: StoreSpec, stored: StoredDocument | null, body: string): boolean {
  if (stored === null || stored.body !== body) return false;
  return !spec.keepsHeaders || (stored.contentType === CONTENT_TYPE && stored.cacheControl === CACHE_CONTROL && stored.marked);
}

/**
 * Refuses a discovery document of somebody else: one issuer's place is never taken over by another issuer. An empty
 * document is nobody's.
 *
 * @throws KubeassumeError PUBLISHED_DOCUMENT_FOREIGN
 */
export function refuseForeignDiscovery(spec: StoreSpec, stored: StoredDocument | null): void {
  if (stored === null || stored.body.trim() === "") return;
  const { target } = spec.discovery;
  const document = parseJsonObject(stored.body);
  if (document === null) throw foreign(target, `is not a discovery document: ${kindOfText(stored.body)}`, {});
  const issuer = member(document, "issuer");
  if (typeof issuer !== "string") throw foreign(target, "is not a discovery document: it names no issuer", {});
  const difference = differenceOf(spec.issuer, issuer);
  if (difference === null) return;
  const found = issuer.slice(0, 300);
  throw foreign(target, `names issuer ${JSON.stringify(found)} instead of ${JSON.stringify(spec.issuer)}, ${difference.words}`, { found });
}

function foreign(target: string, words: string, details: Readonly<Record<string, unknown>>): KubeassumeError {
  return new KubeassumeError(publishCodes.PUBLISHED_DOCUMENT_FOREIGN, { message: `${target} ${words}`, details: { target, ...details } });
}

function commonFields(spec: StoreSpec, stored: StoredDocument | undefined, body: string): Fields {
  const hash = { sha256: createHash("sha256").update(stored?.body ?? body).digest("hex") };
  if (!spec.keepsHeaders) return hash;
  if (stored === undefined) return { ...hash, contentType: CONTENT_TYPE, cacheControl: CACHE_CONTROL, managedBy: "kubeassume" };
  return { ...hash, contentType: stored.contentType, cacheControl: stored.cacheControl, managedBy: stored.marked ? "kubeassume" : null };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
