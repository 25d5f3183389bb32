import { isIP } from "node:net";
import { decode, pathOf } from "../wire.ts";
import type { WireRequest } from "../wire.ts";

export interface Target {
  readonly bucketName: string;
  readonly key: string;
  readonly virtualHosted: boolean;
}

/** Bucket and key, from a virtual-hosted name (`BUCKET.s3.REGION.amazonaws.com`, `BUCKET.localhost`) or else from the path. */
export function parseTarget(request: WireRequest): Target {
  const path = pathOf(request).replace(/^\//, "");
  const host = (request.headers["host"] ?? "").replace(/:\d+$/, "");
  const bucket = bucketOfHost(host);
  if (bucket !== null) return { bucketName: bucket, key: decode(path), virtualHosted: true };
  const slash = path.indexOf("/");
  if (slash === -1) return { bucketName: decode(path), key: "", virtualHosted: false };
  return { bucketName: decode(path.slice(0, slash)), key: decode(path.slice(slash + 1)), virtualHosted: false };
}

function bucketOfHost(host: string): string | null {
  if (isIP(host.replace(/^\[|\]$/g, "")) !== 0) return null;
  const [, bucket] = /^(.+?)\.(?:s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com|s3\.localhost|localhost)$/.exec(host) ?? [];
  return bucket === undefined || bucket === "s3" ? null : bucket;
}
