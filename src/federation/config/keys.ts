import * as z from "zod/mini";
import { text, texts } from "./values.ts";

/** Members that every store has: where the keys come from when not from the cluster. */
export const keyMembers = {
  jwksFile: z.optional(text("Publish the keys of this JWKS instead of the cluster's")),
  publicKeyFiles: z.optional(texts("Publish these public keys (PEM, RSA or EC) instead of the cluster's")),
};

/** Those of them that are paths. */
export const KEY_PATHS: readonly string[] = ["jwksFile", "publicKeyFiles"];
