import * as z from "zod/mini";
import type { ConfigPart } from "../../config/config-part.ts";
import { keyMembers, KEY_PATHS } from "../../config/keys.ts";
import { text, texts } from "../../config/values.ts";

/** The AWS members of `kubeassume.yaml`. Form is checked here; what values mean is judged where flags are judged too. */
export const awsConfig: ConfigPart = {
  cloud: {
    name: "aws",
    setup: z
      .strictObject({
        region: z.optional(text("The region of the STS endpoint; by default that of the environment and the profile")),
        audiences: z.optional(texts("Audiences of the provider; by default sts.amazonaws.com, or its counterpart in China")),
        thumbprint: z.optional(text("auto, none, or a SHA-1 thumbprint in hex; by default auto")),
      })
      .check(z.describe("The IAM OIDC provider of the account that the AWS credentials belong to")),
    grant: z
      .strictObject({
        roleName: z.optional(text("A role that kubeassume makes, under the path /kubeassume/; by default a name from the service account")),
        roleArn: z.optional(text("A role that exists: a statement is added to its trust policy and nothing else is changed")),
        policyArns: z.optional(texts("ARNs of managed policies to attach")),
        policyFile: z.optional(text("An inline policy (JSON); relative paths start from the folder of this file")),
        permissionsBoundary: z.optional(text("The ARN of the policy that bounds the role's permissions")),
        maxSessionDuration: z.optional(z.int().check(z.gte(3600), z.lte(43_200), z.describe("Seconds that a session may last, 3600 to 43200"))),
      })
      .check(z.describe("The IAM role that the service account may assume")),
  },
  stores: [
    {
      name: "s3",
      schema: z
        .strictObject({
          bucket: z.optional(text("The bucket; by default the one in the issuer, when that is an S3 URL")),
          region: z.optional(text("The bucket's region; by default that of clouds.aws or of the environment")),
          prefix: z.optional(text("What object names start with; by default the path of the issuer")),
          ...keyMembers,
        })
        .check(z.describe("An S3 bucket")),
      paths: KEY_PATHS,
    },
  ],
  grantPaths: ["policyFile"],
};
