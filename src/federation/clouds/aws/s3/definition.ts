import { issuerOption, keyOptions } from "../../../publish/input.ts";
import type { StoreDefinition } from "../../../publish/store.ts";

/** An S3 bucket that serves the documents to everybody, and nothing else of it. */
export const s3: StoreDefinition = {
  name: "s3",
  title: "Amazon S3",
  cloud: "aws",
  options: [
    { name: "bucket", value: "NAME", description: "the bucket; several clusters may share one under different prefixes" },
    { name: "region", value: "REGION", description: "the bucket's region", defaultText: "that of the issuer when it is an S3 URL, clouds.aws.region, AWS_REGION" },
    { name: "prefix", value: "PATH", description: "where in the bucket the documents lie", defaultText: "the path of the issuer" },
    { ...issuerOption, defaultText: "https://BUCKET.s3.REGION.amazonaws.com[/PREFIX]" },
    ...keyOptions,
    { name: "create-bucket", description: "make the bucket when it does not exist" },
  ],
  examples: [
    "kubeassume publish s3 --bucket acme-oidc --region eu-west-1 --prefix prod --create-bucket",
    "kubeassume publish s3 --bucket acme-oidc --region eu-west-1 --issuer-url https://oidc.example.com/prod --jwks-file jwks.json",
  ],
  documentation: async () => (await import("./codes.ts")).codes,
  load: async () => (await import("./store.ts")).s3Store,
};
