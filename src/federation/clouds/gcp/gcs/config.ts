import * as z from "zod/mini";
import type { StorePart } from "../../../config/config-part.ts";
import { keyMembers, KEY_PATHS } from "../../../config/keys.ts";
import { text } from "../../../config/values.ts";

/** `publish: - gcs: {...}` of kubeassume.yaml. */
export const gcsConfig: StorePart = {
  name: "gcs",
  schema: z
    .strictObject({
      bucket: z.optional(text("The bucket; by default the one in the issuer, when that is a URL of Cloud Storage")),
      project: z.optional(text("The ID of the project that owns the bucket; by default that of clouds.gcp or of the environment")),
      location: z.optional(text("Where the bucket is made, such as europe-west1; by default US, as Google has it")),
      prefix: z.optional(text("What object names start with; by default the path of the issuer")),
      ...keyMembers,
    })
    .check(z.describe("A bucket of its own in Google Cloud Storage")),
  paths: KEY_PATHS,
};
