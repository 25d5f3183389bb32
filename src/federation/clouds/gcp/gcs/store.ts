import type { Store } from "../../../publish/store.ts";
import { desiredPlace } from "./place.ts";
import { type GcsSpec, toGcsSpec } from "./spec.ts";

/** Google Cloud Storage as a store: the pure half, and the doors to the network. */
export const gcsStore: Store<GcsSpec> = {
  toSpec: toGcsSpec,
  desiredPlace,
  connect: async (world, spec) => (await import("./connection.ts")).connectGcs(world, spec),
  findPlace: async (world, input, issuer) => (await import("./find-place.ts")).findPlace(world, input, issuer),
};
