import type * as z from "zod/mini";

/** What a cloud adds to `kubeassume.yaml`. All schemas are strict: an unknown key is an error. */
export interface ConfigPart {
  /** The member of `clouds` and of each grant; null for a part that has stores only. */
  readonly cloud: { readonly name: string; readonly setup: ObjectSchema; readonly grant: ObjectSchema } | null;
  /** The members that an entry of `publish` may have. */
  readonly stores: readonly StorePart[];
  /** Members of `grant` that are paths, relative to the config file. */
  readonly grantPaths: readonly string[];
}

export interface StorePart {
  readonly name: string;
  readonly schema: ObjectSchema;
  /** Members that are paths, relative to the config file. */
  readonly paths: readonly string[];
}

export type ObjectSchema = z.ZodMiniObject;
