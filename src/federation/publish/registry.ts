import { s3 } from "../clouds/aws/s3/definition.ts";
import { gcs } from "../clouds/gcp/gcs/definition.ts";
import { dir } from "./dir/definition.ts";
import type { StoreDefinition } from "./store.ts";

/** Every place that documents can be published to. Adding a store is adding a folder and a line here. */
export const stores: readonly StoreDefinition[] = [s3, gcs, dir];
