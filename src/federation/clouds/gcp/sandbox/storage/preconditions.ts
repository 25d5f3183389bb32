import type { StorageCall } from "./call.ts";
import { invalid, preconditionFailed, StorageError } from "./errors.ts";

/**
 * ifGenerationMatch and its three sisters (cloud.google.com/storage/docs/request-preconditions). Generation 0 stands for
 * "there is no live object". For reads, a NotMatch that does not hold is 304 instead of 412.
 *
 * @param generation null for a bucket, whose generation is no precondition
 * @throws StorageError 400, 304, 412
 */
export function checkPreconditions(call: StorageCall, generation: string | null, metageneration: number | null, isRead: boolean): void {
  const compare = (name: string, actual: string | null, wantsMatch: boolean) => {
    const asked = call.query.get(name);
    if (asked === null || actual === null) return;
    if (!/^\d+$/.test(asked)) throw invalid(`Invalid unsigned integer value: '${asked}'.`, { locationType: "parameter", location: name });
    if ((asked === actual) === wantsMatch) return;
    throw isRead && !wantsMatch ? new StorageError(304, "notModified", "Not Modified") : preconditionFailed(wantsMatch ? "If-Match" : "If-None-Match");
  };
  compare("ifGenerationMatch", generation, true);
  compare("ifGenerationNotMatch", generation, false);
  const meta = metageneration === null ? null : String(metageneration);
  compare("ifMetagenerationMatch", meta, true);
  compare("ifMetagenerationNotMatch", meta, false);
}
