import type { Principal } from "../state.ts";
import type { AwsWorld } from "../world.ts";
import type { XmlValue } from "../xml.ts";

/** One request to S3, authenticated, with its body complete and checked. */
export interface S3Call extends AwsWorld {
  /** Null for a stranger. */
  readonly principal: Principal | null;
  /** The region that the request is signed for: that of the endpoint it was sent to. */
  readonly signedRegion: string;
  /** Empty for ListBuckets. */
  readonly bucketName: string;
  /** Empty for calls about the bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The checksum that came with the body, verified; null when none came. */
  readonly checksum: { readonly header: string; readonly value: string } | null;
  readonly secure: boolean;
}

export interface S3Answer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Root element and its content. */
  readonly xml?: readonly [root: string, value: XmlValue];
  readonly body?: Buffer;
}

export interface S3Action {
  /** As in policies: `s3:GetObject`. */
  readonly permission: string;
  readonly run: (call: S3Call) => S3Answer;
  /** The request must carry a checksum of its body. */
  readonly needsChecksum?: boolean;
}
