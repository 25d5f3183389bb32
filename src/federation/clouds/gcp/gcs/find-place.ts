import type { CloudWorld } from "../../cloud.ts";
import { DISCOVERY_PATH } from "../../../publish/documents.ts";
import { givenText, missing } from "../../../publish/input.ts";
import { prefixOf } from "../../../publish/prefix.ts";
import type { StoreInput } from "../../../publish/store.ts";
import { isAnswered } from "../connection/errors.ts";
import { createRest } from "../connection/rest.ts";
import * as calls from "./calls.ts";
import { issuerLabel, readBucketMarks } from "./marks.ts";
import { gcsSpecOf, givenProject, type GcsSpec, toGcsSpec, universeOf } from "./spec.ts";
import { parseGcsUrl } from "./url.ts";

/** How many buckets are looked at together. */
const TOGETHER = 8;
/** Any discovery document, wherever it lies (cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob). */
const DISCOVERY_GLOB = `**${DISCOVERY_PATH}`;

/**
 * Where an issuer's documents lie: in the bucket that flags or config name, in the one that the issuer URL names, or in
 * a bucket of the project that has a discovery document with our mark for the issuer, or labels that name it. Null when
 * no bucket has any of it. Reads only. Throws FLAG_MISSING without a project.
 */
export async function findPlace(world: CloudWorld, input: StoreInput, issuer: string): Promise<GcsSpec | null> {
  const named = givenText(input, "bucket") !== null || parseGcsUrl(issuer, universeOf(input)) !== null;
  if (named) return toGcsSpec({ ...input, flags: { ...input.flags, issuerUrl: issuer } });
  const project = givenProject(input);
  if (project === null) throw missing("project", "clouds.gcp.project");
  const rest = await createRest(world);
  const buckets = await calls.listBuckets(rest, project);
  // Those that say something of kubeassume first: usually it is one of them.
  const rank = ({ labels }: { readonly labels: calls.BucketFacts["labels"] }) => (readBucketMarks(labels).ownsReaders ? 0 : 1);
  const ordered = [...buckets].sort((one, other) => rank(one) - rank(other));
  for (let from = 0; from < ordered.length; from += TOGETHER) {
    const batch = ordered.slice(from, from + TOGETHER).map(({ bucket }) => search({ rest, bucket, project }, issuer));
    const found = (await Promise.all(batch)).find((spec) => spec !== null);
    if (found !== undefined) return found;
  }
  // Made or opened for this issuer, and its documents are gone or were never written: what is left lies where publish puts it by itself.
  const made = buckets.find(({ labels }) => readBucketMarks(labels).issuer === issuerLabel(issuer));
  return made === undefined ? null : specAt({ rest, bucket: made.bucket, project }, issuer, prefixOf(issuer, made.bucket));
}

async function search(ref: calls.BucketRef, issuer: string): Promise<GcsSpec | null> {
  const isOurs = (object: calls.ListedObject) => object.managed && object.issuer === issuer && object.name.endsWith(DISCOVERY_PATH);
  try {
    const objects = await calls.listObjects(ref, (found) => !found.some(isOurs), DISCOVERY_GLOB);
    const discovery = objects.find(isOurs);
    return discovery === undefined ? null : specAt(ref, issuer, discovery.name.slice(0, -DISCOVERY_PATH.length));
  } catch (error) {
    // A bucket that this caller may not look into is not one that kubeassume filled with the caller's rights.
    if (isAnswered(error, 403)) return null;
    throw error;
  }
}

function specAt({ bucket, project }: calls.BucketRef, issuer: string, path: string): GcsSpec {
  return gcsSpecOf({ bucket, project, location: null, prefix: path.replace(/^\/|\/$/g, "") }, issuer, false);
}
