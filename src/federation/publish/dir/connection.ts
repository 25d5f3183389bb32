import { dirname, join } from "node:path";
import { codes } from "../../errors/codes.ts";
import { KubeassumeError, type Problem, warning } from "../../errors/error.ts";
import { codes as publishCodes } from "../codes.ts";
import { DISCOVERY_PATH, JWKS_PATH, refuseForeignDiscovery } from "../documents.ts";
import type { Step } from "../../plan/step.ts";
import type { Removal, StoreConnection, StoredDocument } from "../store.ts";
import { listFolder, makeFolder, readPlainFile, removeEmptyFolder, removeFile, replaceFile } from "./files.ts";
import { type DirSpec, FOLDER_KIND } from "./store.ts";

const DOCUMENT_KIND = "dir.document";

/** A folder on this machine. Files carry no mark of their own: a discovery document that names the issuer is one. */
export function connectDir(spec: DirSpec): StoreConnection {
  const readDocument = (name: string) => readStored(join(spec.path, name));
  return {
    observe: async () => {
      const exists = (await listFolder(spec.path)) !== null;
      const [discovery, jwks] = await Promise.all([readDocument(spec.discovery.name), readDocument(spec.jwks.name)]);
      return { place: exists ? [{ id: `${FOLDER_KIND}/${spec.place}`, marked: true, fields: {} }] : [], discovery, jwks };
    },
    readDocument,
    writeDocument: ({ name, body, replaces }) => replaceFile(join(spec.path, name), body, replaces),
    perform: (step) => performStep(spec, step),
    planRemoval: async ({ deletePlace }) => {
      const [discovery, jwks, entries] = await Promise.all([readDocument(spec.discovery.name), readDocument(spec.jwks.name), listFolder(spec.path)]);
      return planRemoval(spec, { discovery, jwks, entries: deletePlace ? entries : null });
    },
  };
}

async function readStored(path: string): Promise<StoredDocument | null> {
  const found = await readPlainFile(path);
  return found === null ? null : { body: found.text, version: found.version, contentType: "", cacheControl: "", marked: true };
}

async function performStep(spec: DirSpec, step: Step): Promise<void> {
  if (step.kind === FOLDER_KIND && step.action === "create") return makeFolder(spec.path);
  if (step.kind === FOLDER_KIND) return removeEmptyFolder(spec.path);
  await removeFile(step.target);
  // The two folders below the root, and the one between: only while nothing else is in them.
  for (let folder = dirname(step.target); folder !== spec.path && folder.startsWith(spec.path); folder = dirname(folder)) await removeEmptyFolder(folder);
}

interface Found {
  readonly discovery: StoredDocument | null;
  readonly jwks: StoredDocument | null;
  /** What is in the folder, when it shall be deleted too and exists. */
  readonly entries: readonly string[] | null;
}

/** The folders that the documents are in. */
const OWN_ENTRIES = [DISCOVERY_PATH, JWKS_PATH].map((path) => path.split("/")[0]);

function planRemoval(spec: DirSpec, found: Found): Removal {
  const foreign = foreignProblem(spec, found.discovery);
  if (foreign !== null) return { steps: [], leftBehind: [foreign] };
  const documents = [
    { place: spec.discovery, stored: found.discovery, id: `dir.discovery/${spec.place}` },
    { place: spec.jwks, stored: found.jwks, id: `dir.jwks/${spec.place}` },
  ].filter(({ stored }) => stored !== null);
  const steps = documents.map(({ place, id }, index): Step => {
    const needs = documents.slice(0, index).map((earlier) => earlier.id);
    return { id, kind: DOCUMENT_KIND, cloud: null, action: "delete", target: place.target, reason: "published for this issuer", before: {}, after: null, needs };
  });
  const others = (found.entries ?? []).filter((entry) => !OWN_ENTRIES.includes(entry));
  if (others.length > 0) return { steps, leftBehind: [notEmpty(spec, others)] };
  if (found.entries === null) return { steps, leftBehind: [] };
  const needs = steps.map((step) => step.id);
  const folder: Step = { id: `${FOLDER_KIND}/${spec.place}`, kind: FOLDER_KIND, cloud: null, action: "delete", target: spec.path, reason: "asked for, and nothing else is in it", before: {}, after: null, needs };
  return { steps: [...steps, folder], leftBehind: [] };
}

function notEmpty(spec: DirSpec, others: readonly string[]): Problem {
  const shown = others.slice(0, 5).join(", ");
  const message = `${spec.path} stays: it holds ${others.length} other entries (${shown})`;
  return warning(codes.LEFT_BEHIND, { message, hint: "look at them, and delete the folder yourself if nobody needs them", details: { path: spec.path } });
}

/** A discovery document of another issuer. Without any, a teardown was cut short after its first step. */
function foreignProblem(spec: DirSpec, discovery: StoredDocument | null): Problem | null {
  try {
    refuseForeignDiscovery(spec, discovery);
    return null;
  } catch (cause) {
    if (!(cause instanceof KubeassumeError)) throw cause;
    return warning(publishCodes.PUBLISHED_DOCUMENT_FOREIGN, { message: cause.message, details: cause.details });
  }
}
