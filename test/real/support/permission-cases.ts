import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ACCOUNT,
  addForeignStatement,
  asAdmin,
  drifted,
  existingRole,
  EXISTING_ROLE,
  grant,
  granted,
  hidden,
  manyGrants,
  policies,
  providerWith,
  publish,
  published,
  ROLE,
  roleFlags,
  setup,
  signToken,
  trusted,
} from "./permission-stage.ts";
import type { Stage } from "./permission-stage.ts";

/** One situation in which a command uses some of what `permissions aws --for COMMAND` allows. */
export interface PermissionCase {
  readonly command: "setup" | "grant" | "publish" | "status" | "verify" | "teardown";
  readonly title: string;
  /** What the account has before the command runs. */
  readonly prepare: (stage: Stage) => Promise<void>;
  readonly args: (stage: Stage) => readonly string[];
  /** With the whole policy; 0 unless said otherwise. */
  readonly exit?: number;
  /** Without any one of these it is refused. In the order in which the command uses them. */
  readonly uses: readonly string[];
  /** Whether a run that is refused leaves the account such that the next one goes on there, up to the next action. */
  readonly goesOn: boolean;
  /** Only the sandbox can show it, for this reason. */
  readonly sandboxOnly?: string;
}

const nothing = async (): Promise<void> => undefined;

export const PERMISSION_CASES: readonly PermissionCase[] = [
  {
    command: "publish",
    title: "into a bucket that it makes",
    prepare: nothing,
    args: (stage) => [...publish(stage), "--create-bucket"],
    uses: ["s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock", "s3:PutBucketPolicy", "s3:PutBucketTagging", "s3:PutObject"],
    goesOn: false,
  },
  {
    command: "publish",
    title: "where everything is published",
    prepare: published,
    args: publish,
    uses: ["s3:ListBucket", "s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicy", "s3:GetBucketTagging"],
    goesOn: true,
  },
  {
    command: "publish",
    title: "where somebody took the bucket policy away, which lets everybody read",
    prepare: hidden,
    args: publish,
    uses: ["s3:GetObject"],
    goesOn: true,
  },
  {
    command: "setup",
    title: "of a new provider",
    prepare: published,
    args: setup,
    uses: ["iam:GetOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider"],
    goesOn: true,
  },
  {
    command: "setup",
    title: "of a provider with an old thumbprint and without the issuer's tag",
    prepare: (stage) => providerWith(stage, ["sts.amazonaws.com"]),
    args: setup,
    uses: ["iam:UpdateOpenIDConnectProviderThumbprint", "iam:TagOpenIDConnectProvider"],
    goesOn: true,
  },
  {
    command: "setup",
    title: "of a provider with other audiences",
    prepare: (stage) => providerWith(stage, ["old"]),
    args: setup,
    uses: ["iam:AddClientIDToOpenIDConnectProvider", "iam:RemoveClientIDFromOpenIDConnectProvider"],
    goesOn: true,
    sandboxOnly: "moto answers 500 when an audience is added or removed",
  },
  {
    command: "grant",
    title: "of a new role with its policies",
    prepare: policies,
    args: (stage) => [...grant(stage), ...roleFlags(stage)],
    uses: ["iam:GetOpenIDConnectProvider", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:GetRolePolicy", "iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"],
    goesOn: false,
  },
  {
    command: "grant",
    title: "of a role of ours that has drifted in everything",
    prepare: drifted,
    args: (stage) => [...grant(stage), ...roleFlags(stage)],
    uses: ["iam:TagRole", "iam:PutRolePermissionsBoundary", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy"],
    goesOn: true,
  },
  {
    command: "grant",
    title: "of a role that somebody else made",
    prepare: existingRole,
    args: (stage) => ["grant", "aws", "--issuer-url", stage.issuer.url, "--service-account", "payments/api", "--role-arn", EXISTING_ROLE],
    uses: ["iam:UpdateAssumeRolePolicy"],
    goesOn: true,
  },
  {
    command: "grant",
    title: "of more roles than are read one by one",
    prepare: manyGrants,
    args: ({ directory }) => ["grant", "aws", "--config", join(directory, "many.yaml")],
    uses: ["iam:GetAccountAuthorizationDetails", "iam:ListRoles"],
    goesOn: true,
  },
  {
    command: "status",
    title: "of one grant with its policies",
    prepare: granted,
    args: ({ directory }) => ["status", "aws", "--config", join(directory, "one.yaml")],
    uses: ["iam:GetOpenIDConnectProvider", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:GetRolePolicy"],
    goesOn: true,
  },
  {
    command: "status",
    title: "of more grants than are read one by one",
    prepare: async (stage) => {
      await trusted(stage);
      await manyGrants(stage);
      await asAdmin(stage, "GrantResult", ["grant", "aws", "--config", join(stage.directory, "many.yaml")]);
    },
    args: ({ directory }) => ["status", "aws", "--config", join(directory, "many.yaml")],
    uses: ["iam:GetAccountAuthorizationDetails", "iam:ListRoles"],
    goesOn: true,
  },
  {
    command: "verify",
    title: "of a token for a role",
    prepare: async (stage) => {
      await granted(stage);
      await writeFile(join(stage.directory, "token"), signToken(stage));
    },
    args: ({ directory }) => ["verify", "aws", "--role-arn", `arn:aws:iam::${ACCOUNT}:role/kubeassume/${ROLE}`, "--token-file", join(directory, "token")],
    uses: ["iam:GetOpenIDConnectProvider", "iam:GetRole"],
    goesOn: true,
  },
  {
    command: "teardown",
    title: "of role, provider, documents and bucket",
    prepare: granted,
    args: ({ issuer }) => ["teardown", "aws", "--issuer-url", issuer.url, "--delete-bucket", "--yes"],
    uses: [
      ...["iam:GetAccountAuthorizationDetails", "iam:GetOpenIDConnectProvider", "s3:ListAllMyBuckets", "s3:GetBucketPolicy", "s3:GetBucketTagging", "s3:ListBucket"],
      ...["iam:GetRole", "iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole", "iam:DeleteOpenIDConnectProvider"],
      ...["s3:DeleteObject", "s3:DeleteBucketPolicy", "s3:DeleteBucket"],
    ],
    goesOn: true,
  },
  {
    command: "teardown",
    title: "of documents where somebody took the bucket policy away",
    prepare: hidden,
    args: ({ issuer }) => ["teardown", "aws", "--issuer-url", issuer.url, "--yes"],
    uses: ["s3:GetObject"],
    goesOn: true,
  },
  {
    command: "teardown",
    title: "of what stands among other people's: a statement in their role, and one in their bucket's policy",
    prepare: async (stage) => {
      await existingRole(stage);
      await published(stage);
      await asAdmin(stage, "GrantResult", ["grant", "aws", "--issuer-url", stage.issuer.url, "--service-account", "payments/api", "--role-arn", EXISTING_ROLE]);
      await addForeignStatement(stage);
    },
    args: ({ issuer }) => ["teardown", "aws", "--issuer-url", issuer.url, "--yes"],
    uses: ["iam:UpdateAssumeRolePolicy", "s3:PutBucketPolicy"],
    goesOn: true,
  },
];
