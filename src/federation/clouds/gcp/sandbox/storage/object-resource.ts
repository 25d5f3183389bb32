import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, member } from "../../../../oidc/json.ts";
import { invalid } from "./errors.ts";
import { etagOf, type StoredObject } from "./state.ts";

/** What a client may say of an object beside its bytes. */
export type ObjectFields = Pick<StoredObject, "contentType" | "cacheControl" | "contentEncoding" | "contentDisposition" | "contentLanguage" | "metadata">;

/** The object as the JSON API shows it. */
export function toObjectResource(bucket: string, object: StoredObject): JsonObject {
  const { name, generation, metageneration, body, contentType, cacheControl, contentEncoding, contentDisposition, contentLanguage, metadata } = object;
  const link = `https://www.googleapis.com/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    kind: "storage#object",
    id: `${bucket}/${name}/${generation}`,
    selfLink: link,
    mediaLink: `https://www.googleapis.com/download/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation,
    metageneration: String(metageneration),
    contentType,
    storageClass: "STANDARD",
    size: String(body.length),
    ...hashesOf(body),
    etag: etagOf(metageneration),
    timeCreated: object.timeCreated.toISOString(),
    updated: object.updated.toISOString(),
    timeStorageClassUpdated: object.timeCreated.toISOString(),
    timeFinalized: object.timeCreated.toISOString(),
    ...defined({ cacheControl, contentEncoding, contentDisposition, contentLanguage }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}

/** Members of a request; what it does not name is taken from `before`. @throws StorageError 400 */
export function readObjectFields(body: JsonObject, before: ObjectFields): ObjectFields {
  const text = (name: "cacheControl" | "contentEncoding" | "contentDisposition" | "contentLanguage"): string | undefined => {
    const value = member(body, name);
    if (value === undefined) return before[name];
    if (value !== null && typeof value !== "string") throw invalid("Invalid argument.");
    return value === null || value === "" ? undefined : value;
  };
  const contentType = member(body, "contentType");
  return {
    contentType: typeof contentType === "string" && contentType !== "" ? contentType : before.contentType,
    cacheControl: text("cacheControl"),
    contentEncoding: text("contentEncoding"),
    contentDisposition: text("contentDisposition"),
    contentLanguage: text("contentLanguage"),
    metadata: readMetadata(member(body, "metadata"), before.metadata),
  };
}

/** They are served as headers x-goog-meta-*: keys have to be names of headers. */
function readMetadata(value: unknown, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (value === undefined) return before;
  if (value === null) return {};
  if (!isJsonObject(value)) throw invalid("Invalid argument.");
  const merged = Object.entries({ ...before, ...value }).filter((entry) => entry[1] !== null);
  for (const [key, one] of merged) if (typeof one !== "string" || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key)) throw invalid(`Invalid metadata key or value: '${key}'.`);
  return Object.fromEntries(merged) as Readonly<Record<string, string>>;
}

/** As the JSON API and the header x-goog-hash have them. */
export function hashesOf(body: Buffer): { readonly md5Hash: string; readonly crc32c: string } {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32c(body));
  return { md5Hash: createHash("md5").update(body).digest("base64"), crc32c: sum.toString("base64") };
}

/** CRC-32C (Castagnoli), reflected (RFC 3720 appendix B.4). */
function crc32c(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ ((sum & 1) === 1 ? 0x82f63b78 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function defined(members: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
