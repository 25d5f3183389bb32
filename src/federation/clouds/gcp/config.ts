import * as z from "zod/mini";
import type { ConfigPart } from "../../config/config-part.ts";
import { text, texts } from "../../config/values.ts";
import { gcsConfig } from "./gcs/config.ts";

/** The GCP members of `kubeassume.yaml`. Form is checked here; what values mean is judged where flags are judged too. */
export const gcpConfig: ConfigPart = {
  cloud: {
    name: "gcp",
    setup: z
      .strictObject({
        project: z.optional(text("The ID of the pool's project; its number is looked up")),
        poolId: z.optional(text("The workload identity pool, best one per cluster: 4 to 32 of a-z, 0-9 and -")),
        providerId: z.optional(text("The provider in the pool; by default kubernetes")),
        poolName: z.optional(text("The pool's display name, at most 32 characters")),
        audiences: z.optional(texts("What tokens may carry as aud; by default the provider's own name")),
        keys: z.optional(z.enum(["discovery", "upload"]).check(z.describe("Whether Google reads the keys at the issuer or stores them in the provider; by default discovery"))),
        attributeCondition: z.optional(z.string().check(z.describe("CEL: which tokens are let in; an empty text removes the condition"))),
        subjectPrefix: z.optional(text("Stands in front of sub, to tell clusters of one pool apart")),
      })
      .check(z.describe("The workload identity pool and its provider")),
    grant: z
      .strictObject({
        roles: z.optional(texts("Direct access: roles for the service account itself")),
        on: z.optional(text("Where the roles are given: project or bucket:NAME; by default project")),
        impersonate: z.optional(text("The e-mail of the Google service account to become, instead of direct access")),
        createServiceAccount: z.optional(z.boolean().check(z.describe("Make that service account when it does not exist"))),
      })
      .check(z.describe("What the service account may do, or whom it becomes")),
  },
  stores: [gcsConfig],
  grantPaths: [],
};
