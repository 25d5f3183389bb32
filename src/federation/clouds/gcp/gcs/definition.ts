import { issuerOption, keyOptions } from "../../../publish/input.ts";
import type { StoreDefinition } from "../../../publish/store.ts";

/** A bucket of its own in Cloud Storage: everybody may read its objects, nobody may list them. */
export const gcs: StoreDefinition = {
  name: "gcs",
  title: "Google Cloud Storage",
  cloud: "gcp",
  options: [
    { name: "bucket", value: "NAME", description: "the bucket; several clusters may share one under different prefixes, but nothing else may be in it" },
    { name: "project", value: "ID", description: "the project that owns the bucket", defaultText: "clouds.gcp.project, GOOGLE_CLOUD_PROJECT, CLOUDSDK_CORE_PROJECT" },
    { name: "location", value: "LOCATION", description: "where the bucket is made, such as europe-west1", defaultText: "US" },
    { name: "prefix", value: "PATH", description: "where in the bucket the documents lie", defaultText: "the path of the issuer" },
    { ...issuerOption, defaultText: "https://storage.googleapis.com/BUCKET[/PREFIX]" },
    ...keyOptions,
    { name: "create-bucket", description: "make the bucket when it does not exist" },
  ],
  examples: [
    "kubeassume publish gcs --project acme-prod --bucket acme-oidc --location europe-west1 --prefix prod --create-bucket",
    "kubeassume publish gcs --project acme-prod --bucket acme-oidc --issuer-url https://oidc.example.com/prod --jwks-file jwks.json",
  ],
  documentation: async () => (await import("./codes.ts")).codes,
  load: async () => (await import("./store.ts")).gcsStore,
};
