export type PermissionCommand = "setup" | "grant" | "publish" | "status" | "verify" | "teardown";

/** Parts of `grant`, which asks only for what its grants need. */
export type GrantPart = "project" | "bucket" | "impersonate" | "create";

const PROJECT = ["resourcemanager.projects.get"];
const READ_TRUST = ["iam.workloadIdentityPoolProviders.get", "iam.workloadIdentityPools.get"];
const READ_POLICIES = ["iam.serviceAccounts.getIamPolicy", "resourcemanager.projects.getIamPolicy", "storage.buckets.getIamPolicy"];

/** What each kind of grant reads and writes. */
export const GRANT_PARTS: Readonly<Record<GrantPart, readonly string[]>> = {
  project: ["resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"],
  bucket: ["storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy"],
  impersonate: ["iam.serviceAccounts.get", "iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.setIamPolicy"],
  create: ["iam.serviceAccounts.create"],
};

/**
 * What each command asks of Google Cloud, by the permission that the API reference names for each method. The exchange
 * at STS needs none. Long-running operations are read with the permission of what they are about (unconfirmed).
 */
export const PERMISSIONS: Readonly<Record<Exclude<PermissionCommand, "grant">, readonly string[]>> = {
  setup: [
    ...PROJECT,
    ...READ_TRUST,
    "iam.workloadIdentityPoolProviders.create",
    "iam.workloadIdentityPoolProviders.list",
    "iam.workloadIdentityPoolProviders.undelete",
    "iam.workloadIdentityPoolProviders.update",
    "iam.workloadIdentityPools.create",
    "iam.workloadIdentityPools.undelete",
    "iam.workloadIdentityPools.update",
  ],
  // Writing over an object needs the permission to delete it too (Cloud Storage, IAM permissions for JSON methods).
  publish: [
    "storage.buckets.create",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
    "storage.buckets.list",
    "storage.buckets.setIamPolicy",
    "storage.buckets.update",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
  ],
  status: [...PROJECT, ...READ_TRUST, ...READ_POLICIES, "iam.serviceAccounts.get", "iam.workloadIdentityPoolProviders.list"],
  // Listing is for those who do not say which pool it is.
  verify: [...PROJECT, ...READ_TRUST, ...READ_POLICIES, "iam.workloadIdentityPoolProviders.list", "iam.workloadIdentityPools.list"],
  teardown: [
    ...PROJECT,
    ...READ_TRUST,
    ...READ_POLICIES,
    "iam.serviceAccounts.delete",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.list",
    "iam.serviceAccounts.setIamPolicy",
    "iam.workloadIdentityPoolProviders.delete",
    "iam.workloadIdentityPoolProviders.list",
    "iam.workloadIdentityPools.delete",
    "iam.workloadIdentityPools.list",
    "resourcemanager.projects.setIamPolicy",
    "storage.buckets.delete",
    "storage.buckets.get",
    "storage.buckets.list",
    "storage.buckets.setIamPolicy",
    "storage.buckets.update",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
  ],
};

export const BASE_OF_GRANT: readonly string[] = [...PROJECT, ...READ_TRUST];
