import * as z from "zod/mini";
import type { ConfigPart, ObjectSchema } from "./config-part.ts";
import { issuerUrl, serviceAccountName, text } from "./values.ts";

export const CONFIG_API_VERSION = "kubeassume.dev/v1";
export const CONFIG_KIND = "Federation";

/** Names that the config format has for every version, so that a cloud of another version is told from a misspelling. */
export const FORMAT_CLOUDS: readonly string[] = ["aws", "gcp", "azure", "oci"];
export const FORMAT_STORES: readonly string[] = ["s3", "gcs", "azure", "oci", "dir"];

/** The schema of `kubeassume.yaml` with the members of the clouds and stores that `parts` bring. Everything is strict. */
export function createConfigSchema(parts: readonly ConfigPart[]): ObjectSchema {
  const clouds = parts.flatMap((part) => (part.cloud === null ? [] : [part.cloud]));
  const stores = parts.flatMap((part) => part.stores);
  const byName = <T extends { readonly name: string }>(list: readonly T[], schemaOf: (item: T) => z.ZodMiniType) =>
    Object.fromEntries(list.map((item) => [item.name, z.optional(schemaOf(item))]));
  const grant = z
    .strictObject({
      serviceAccount: serviceAccountName("NAMESPACE/NAME of the service account that gets access"),
      ...byName(clouds, (cloud) => cloud.grant),
    })
    .check(oneAtLeast(clouds.map((cloud) => cloud.name)), z.describe("One service account and the cloud identities that it may act as"));
  const store = z.strictObject(byName(stores, (item) => item.schema)).check(exactlyOne(stores.map((item) => item.name)), z.describe("One place for the documents"), z.meta({ minProperties: 1, maxProperties: 1 }));
  return z
    .strictObject({
      apiVersion: z.literal(CONFIG_API_VERSION).check(z.describe("The version of this format")),
      kind: z.literal(CONFIG_KIND).check(z.describe("What this document is")),
      issuer: z.optional(issuerUrl("The issuer URL, byte for byte as the API server's first --service-account-issuer; chosen once, never changed")),
      cluster: z.optional(
        z
          .strictObject({
            kubeconfig: z.optional(text("A kubeconfig; relative paths start from the folder of this file")),
            context: z.optional(text("A context of the kubeconfig; by default its current one")),
          })
          .check(z.describe("The cluster whose service accounts get access; by default what kubectl uses")),
      ),
      publish: z.optional(z.array(store).check(z.describe("Where discovery document and JWKS are published"))),
      clouds: z.optional(z.strictObject(byName(clouds, (cloud) => cloud.setup)).check(z.describe("The clouds that shall trust the issuer"))),
      grants: z.optional(z.array(grant).check(z.describe("Which service account may act as which cloud identity"))),
    })
    .check(z.meta({ title: "kubeassume.yaml", description: "What kubeassume shall bring about for one cluster" }));
}

function exactlyOne(names: readonly string[]): z.core.$ZodCheck<object> {
  return z.superRefine((value, context) => {
    const found = names.filter((name) => Object.hasOwn(value, name));
    if (found.length === 1) return;
    const message = found.length === 0 ? `has none of ${names.join(", ")}` : `has ${found.join(" and ")}; write one entry for each`;
    context.addIssue({ code: "custom", message, input: value });
  });
}

function oneAtLeast(names: readonly string[]): z.core.$ZodCheck<object> {
  return z.superRefine((value, context) => {
    if (names.some((name) => Object.hasOwn(value, name))) return;
    context.addIssue({ code: "custom", message: `grants nothing: it has none of ${names.join(", ")}`, input: value });
  });
}
