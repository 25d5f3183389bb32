import { join, resolve } from "node:path";
import { combineProblems } from "../../errors/codes.ts";
import type { KubeassumeError } from "../../errors/error.ts";
import { DISCOVERY_PATH, JWKS_PATH } from "../documents.ts";
import { givenIssuer, givenText, issuerProblems, missing } from "../input.ts";
import type { DesiredPlace, Store, StoreInput, StoreSpec } from "../store.ts";

/** A folder that holds the documents of one issuer. */
export interface DirSpec extends StoreSpec {
  /** Absolute. */
  readonly path: string;
}

export const FOLDER_KIND = "dir.folder";

/** The spec of a folder and an issuer that are known to be good. */
export function dirSpecOf(path: string, issuer: string): DirSpec {
  return {
    issuer,
    path,
    place: path,
    discovery: { name: DISCOVERY_PATH, target: join(path, DISCOVERY_PATH) },
    jwks: { name: JWKS_PATH, target: join(path, JWKS_PATH) },
    keepsHeaders: false,
    servesAtOnce: false,
  };
}

/**
 * Reads `--path` and `--issuer-url`; a relative path is relative to the working folder.
 *
 * @throws KubeassumeError FLAG_MISSING and the ISSUER_* codes, all at once
 */
function toSpec(input: StoreInput): DirSpec {
  const path = givenText(input, "path");
  const issuer = givenIssuer(input);
  const problems: KubeassumeError[] = [];
  if (path === null) problems.push(missing("path", "publish[].dir.path"));
  if (issuer === null) problems.push(missing("issuer-url", "issuer"));
  else problems.push(...issuerProblems(issuer));
  if (path === null || issuer === null || problems.length > 0) throw combineProblems(problems);
  return dirSpecOf(resolve(input.cwd, path), issuer);
}

function desiredPlace(spec: DirSpec): DesiredPlace {
  const id = `${FOLDER_KIND}/${spec.place}`;
  const folder = { id, kind: FOLDER_KIND, cloud: null, target: spec.path, fields: {}, part: true };
  return { resources: [folder], documentsNeed: [id], problems: [], warnings: [] };
}

/** Plain files for any web server. */
export const dirStore: Store<DirSpec> = {
  toSpec,
  desiredPlace,
  connect: async (_world, spec) => (await import("./connection.ts")).connectDir(spec),
  // A folder says nothing of itself: only the flags or the config can name it.
  findPlace: async (_world, input, issuer) => {
    const path = givenText(input, "path");
    return path === null ? null : dirSpecOf(resolve(input.cwd, path), issuer);
  },
};
