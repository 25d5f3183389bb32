import type { Store } from "../../../publish/store.ts";
import { desiredPlace } from "./place.ts";
import { type S3Spec, toS3Spec } from "./spec.ts";

/** Amazon S3 as a store: the pure half, and the doors to the SDK. */
export const s3Store: Store<S3Spec> = {
  toSpec: toS3Spec,
  desiredPlace,
  connect: async (world, spec) => (await import("./connection.ts")).connectS3(world, spec),
  findPlace: async (world, input, issuer) => (await import("./find-place.ts")).findPlace(world, input, issuer),
};
