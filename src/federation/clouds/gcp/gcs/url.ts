/** What a URL of Cloud Storage names. */
export interface GcsLocation {
  readonly bucket: string;
  /** Without slashes around it; empty for the root of the bucket. */
  readonly prefix: string;
}

/** Google's own; others are Google Distributed Cloud and the sovereign ones. */
export const DEFAULT_UNIVERSE = "googleapis.com";

/** The URL under which Cloud Storage itself serves objects of a bucket to everybody. */
export function gcsUrl({ bucket, prefix }: GcsLocation, universe = DEFAULT_UNIVERSE): string {
  const host = `https://storage.${universe}/${bucket}`;
  return prefix === "" ? host : `${host}/${prefix}`;
}

/**
 * Bucket and prefix of an issuer that Cloud Storage itself serves, in both forms that it answers (bucket in the path or
 * in the host name); null for another host. Source: cloud.google.com/storage/docs/request-endpoints.
 */
export function parseGcsUrl(issuer: string, universe = DEFAULT_UNIVERSE): GcsLocation | null {
  if (!URL.canParse(issuer)) return null;
  const { host, pathname } = new URL(issuer);
  const path = pathname.replace(/^\/|\/$/g, "");
  const end = `.storage.${universe}`;
  if (host.endsWith(end) && host.length > end.length) return { bucket: host.slice(0, -end.length), prefix: path };
  const [bucket = "", ...rest] = path.split("/");
  return host !== `storage.${universe}` || bucket === "" ? null : { bucket, prefix: rest.join("/") };
}

/** Why Cloud Storage would refuse a bucket name; null when it would not. Source: cloud.google.com/storage/docs/buckets#naming. */
export function bucketNameProblem(name: string): string | null {
  const limit = name.includes(".") ? 222 : 63;
  if (name.length < 3 || name.length > limit) return `has ${name.length} characters instead of 3 to ${limit}`;
  if (!/^[a-z0-9._-]+$/.test(name)) return "has other characters than lower-case letters, digits, dashes, underscores and dots";
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return "does not begin and end with a letter or a digit";
  if (/\.\.|\.-|-\./.test(name)) return "has two dots in a row, or a dot beside a dash";
  if (name.split(".").some((part) => part.length > 63)) return "has more than 63 characters between two dots";
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return "looks like an IP address";
  if (name.startsWith("goog")) return "begins with goog, which Google keeps for itself";
  return /g[o0]{2}g[l1][e3]/.test(name) ? "contains google, or something that looks like it" : null;
}
