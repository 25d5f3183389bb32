import { KubeassumeError } from "../errors/error.ts";
import type { PublishedJwk } from "../oidc/publish.ts";
import { codes as publishCodes } from "./codes.ts";
import { CACHE_CONTROL, CONTENT_TYPE, discoveryBody, isAsDesired, refuseForeignDiscovery } from "./documents.ts";
import { mergeKeys, parsePublishedKeys, renderKeySet } from "./keys.ts";
import type { Wait } from "./read-back.ts";
import type { DocumentPlace, StoreConnection, StoreSpec, StoreState, StoredDocument } from "./store.ts";

/** What writing the two documents needs. */
export interface Writing {
  readonly spec: StoreSpec;
  readonly connection: StoreConnection;
  readonly signing: readonly PublishedJwk[];
  /** Key ids that the plan removes. */
  readonly removed: ReadonlySet<string>;
  /** What the plan was made from: the first try is conditional on it. */
  readonly state: StoreState;
  readonly wait: Wait;
}

/** Enough for a few dozen writers that begin at the same moment. */
const TRIES = 20;
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 500;

/**
 * Writes the key set, only over what it was merged with. When somebody else was faster, their set is read and merged,
 * and the write is tried again; so no key of any writer is lost.
 *
 * @returns the keys that are published now
 * @throws KubeassumeError PUBLISH_CONFLICT, PUBLISHED_DOCUMENT_FOREIGN, KEY_CONFLICT, KEYS_TOO_MANY
 */
export async function writeKeySet(writing: Writing): Promise<readonly PublishedJwk[]> {
  const { spec, signing, removed } = writing;
  return writeMerged(writing, spec.jwks, writing.state.jwks, async (stored) => {
    const keys = mergeKeys(parsePublishedKeys(stored?.body ?? null, spec.jwks.target), signing, removed);
    return { body: renderKeySet(keys), result: keys };
  });
}

/**
 * Writes the discovery document for the keys that are published. When somebody else was faster, the key set is read
 * again first: their keys' algorithms belong into the document too.
 *
 * @param keys what is published as far as is known
 * @returns the keys that the document was made for
 * @throws KubeassumeError PUBLISH_CONFLICT, PUBLISHED_DOCUMENT_FOREIGN
 */
export async function writeDiscovery(writing: Writing, keys: readonly PublishedJwk[]): Promise<readonly PublishedJwk[]> {
  const { spec, connection, state, signing, removed } = writing;
  return writeMerged(writing, spec.discovery, state.discovery, async (stored) => {
    refuseForeignDiscovery(spec, stored);
    if (stored === state.discovery) return { body: discoveryBody(spec.issuer, keys), result: keys };
    const jwks = await connection.readDocument(spec.jwks.name);
    const current = mergeKeys(parsePublishedKeys(jwks?.body ?? null, spec.jwks.target), signing, removed);
    return { body: discoveryBody(spec.issuer, current), result: current };
  });
}

async function writeMerged<T>(
  { spec, connection, wait }: Writing,
  place: DocumentPlace,
  first: StoredDocument | null,
  merge: (stored: StoredDocument | null) => Promise<{ readonly body: string; readonly result: T }>,
): Promise<T> {
  let stored = first;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const { body, result } = await merge(stored);
    if (isAsDesired(spec, stored, body)) return result;
    const write = { name: place.name, body, contentType: CONTENT_TYPE, cacheControl: CACHE_CONTROL, replaces: stored?.version ?? null };
    if ((await connection.writeDocument(write)) === "written") return result;
    await wait(pauseAfter(attempt));
    stored = await connection.readDocument(place.name);
  }
  throw new KubeassumeError(publishCodes.PUBLISH_CONFLICT, {
    message: `${place.target} was changed by somebody else ${TRIES} times in a row`,
    details: { target: place.target, tries: TRIES },
  });
}

/** Growing, and with chance in it: writers that began together must not go on together. */
function pauseAfter(attempt: number): number {
  return Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random());
}
