import { createHash } from "node:crypto";
import { DISCOVERY_PATH, JWKS_PATH } from "../../../src/federation/publish/documents.ts";
import type { ObservedResource } from "../../../src/federation/plan/plan-resources.ts";
import type { DocumentWrite, Store, StoreConnection, StoredDocument, StoreSpec } from "../../../src/federation/publish/store.ts";

/** A store in memory with the conditional writes of a real one. */
export interface MemoryStore {
  readonly documents: Map<string, StoredDocument>;
  readonly writes: DocumentWrite[];
  readonly connection: StoreConnection;
  readonly store: Store;
  readonly spec: StoreSpec;
  /** Called before each write is looked at: the place for another writer. */
  beforeWrite: (write: DocumentWrite) => Promise<void>;
  /** What is around the documents, and what is done to it. */
  place: () => readonly ObservedResource[];
  perform: StoreConnection["perform"];
}

export const ISSUER = "https://oidc.example.com/prod";

export function memoryStore(documents = new Map<string, StoredDocument>()): MemoryStore {
  const spec: StoreSpec = {
    issuer: ISSUER,
    place: "memory",
    discovery: { name: DISCOVERY_PATH, target: `memory/${DISCOVERY_PATH}` },
    jwks: { name: JWKS_PATH, target: `memory/${JWKS_PATH}` },
    keepsHeaders: true,
    servesAtOnce: true,
  };
  const writes: DocumentWrite[] = [];
  const connection: StoreConnection = {
    observe: async () => ({ place: memory.place(), discovery: documents.get(DISCOVERY_PATH) ?? null, jwks: documents.get(JWKS_PATH) ?? null }),
    readDocument: async (name) => documents.get(name) ?? null,
    writeDocument: async (write) => {
      await memory.beforeWrite(write);
      if ((documents.get(write.name)?.version ?? null) !== write.replaces) return "conflict";
      writes.push(write);
      documents.set(write.name, stored(write.body, write));
      return "written";
    },
    perform: (step) => memory.perform(step),
    planRemoval: async () => ({ steps: [], leftBehind: [] }),
  };
  const store: Store = {
    toSpec: () => spec,
    desiredPlace: () => ({ resources: [], documentsNeed: [], problems: [], warnings: [] }),
    connect: async () => connection,
    findPlace: async () => spec,
  };
  const memory: MemoryStore = { documents, writes, connection, store, spec, beforeWrite: async () => undefined, place: () => [], perform: async () => undefined };
  return memory;
}

export function stored(body: string, headers: { readonly contentType: string; readonly cacheControl: string }): StoredDocument {
  const version = createHash("sha256").update(body).digest("hex");
  return { body, contentType: headers.contentType, cacheControl: headers.cacheControl, version, marked: true };
}
