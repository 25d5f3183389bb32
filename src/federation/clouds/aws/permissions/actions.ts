/** Where actions apply. `any`: IAM knows no resource for them. */
export type Scope = "provider" | "role" | "ownRole" | "existingRole" | "bucket" | "object" | "any";

export type PermissionCommand = "setup" | "grant" | "publish" | "status" | "verify" | "teardown";

/** One block of actions that a command really uses, on one kind of resource. */
export interface Permission {
  readonly scope: Scope;
  readonly actions: readonly string[];
}

const readProvider: Permission = { scope: "provider", actions: ["iam:GetOpenIDConnectProvider"] };

// On all roles: for a role that does not exist IAM checks an ARN without its path, and what exists under the same
// name elsewhere has to be seen before it can be refused.
const readRoles: readonly Permission[] = [
  { scope: "role", actions: ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"] },
  { scope: "any", actions: ["iam:GetAccountAuthorizationDetails", "iam:ListRoles"] },
];

/**
 * What each command asks of AWS. GetCallerIdentity and AssumeRoleWithWebIdentity need no permission
 * (STS API reference), so they are not here.
 */
export const PERMISSIONS: Readonly<Record<PermissionCommand, readonly Permission[]>> = {
  setup: [
    {
      scope: "provider",
      actions: [
        "iam:AddClientIDToOpenIDConnectProvider",
        "iam:CreateOpenIDConnectProvider",
        "iam:GetOpenIDConnectProvider",
        "iam:RemoveClientIDFromOpenIDConnectProvider",
        "iam:TagOpenIDConnectProvider",
        "iam:UpdateOpenIDConnectProviderThumbprint",
      ],
    },
  ],
  grant: [
    readProvider,
    ...readRoles,
    {
      scope: "ownRole",
      actions: ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"],
    },
    { scope: "existingRole", actions: ["iam:UpdateAssumeRolePolicy"] },
  ],
  publish: [
    {
      scope: "bucket",
      actions: [
        "s3:CreateBucket",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketTagging",
        "s3:ListBucket",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
      ],
    },
    { scope: "object", actions: ["s3:GetObject", "s3:PutObject"] },
  ],
  status: [readProvider, ...readRoles],
  verify: [readProvider, { scope: "role", actions: ["iam:GetRole"] }],
  teardown: [
    { scope: "provider", actions: ["iam:DeleteOpenIDConnectProvider", "iam:GetOpenIDConnectProvider"] },
    // The bucket of an issuer with a name of its own is found by looking through the account's.
    { scope: "any", actions: ["iam:GetAccountAuthorizationDetails", "s3:ListAllMyBuckets"] },
    { scope: "role", actions: ["iam:GetRole"] },
    { scope: "ownRole", actions: ["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:UpdateAssumeRolePolicy"] },
    { scope: "existingRole", actions: ["iam:UpdateAssumeRolePolicy"] },
    {
      scope: "bucket",
      actions: ["s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:GetBucketTagging", "s3:ListBucket", "s3:PutBucketPolicy"],
    },
    { scope: "object", actions: ["s3:DeleteObject", "s3:GetObject"] },
  ],
};
