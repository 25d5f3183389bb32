/** Predefined roles by service. A sandbox that knew all of Google's thousands would tell nobody more. */
const SERVICES: Readonly<Record<string, string>> = {
  aiplatform: "admin user viewer",
  artifactregistry: "admin reader repoAdmin writer",
  bigquery: "admin connectionUser dataEditor dataOwner dataViewer jobUser metadataViewer readSessionUser resourceViewer user",
  bigtable: "admin reader user viewer",
  cloudbuild: "builds.builder builds.editor builds.viewer",
  cloudfunctions: "admin developer invoker viewer",
  cloudkms: "admin cryptoKeyDecrypter cryptoKeyEncrypter cryptoKeyEncrypterDecrypter publicKeyViewer signer signerVerifier viewer",
  cloudscheduler: "admin jobRunner viewer",
  cloudsql: "admin client editor instanceUser viewer",
  cloudtasks: "admin enqueuer taskRunner viewer",
  cloudtrace: "admin agent user",
  compute: "admin instanceAdmin.v1 networkAdmin networkUser networkViewer osLogin securityAdmin storageAdmin viewer",
  container: "admin clusterAdmin clusterViewer developer viewer",
  dataflow: "admin developer viewer worker",
  datastore: "owner user viewer",
  dns: "admin reader",
  errorreporting: "admin user viewer writer",
  file: "editor viewer",
  firebase: "admin viewer",
  iam: "oidcProviderViewer roleAdmin roleViewer securityAdmin securityReviewer serviceAccountAdmin serviceAccountCreator serviceAccountDeleter serviceAccountKeyAdmin serviceAccountOpenIdTokenCreator serviceAccountTokenCreator serviceAccountUser serviceAccountViewer workloadIdentityPoolAdmin workloadIdentityPoolViewer workloadIdentityUser",
  logging: "admin bucketWriter configWriter logWriter privateLogViewer viewAccessor viewer",
  monitoring: "admin alertPolicyEditor editor metricWriter viewer",
  pubsub: "admin editor publisher subscriber viewer",
  redis: "admin editor viewer",
  resourcemanager: "projectIamAdmin tagUser tagViewer",
  run: "admin builder developer invoker viewer",
  secretmanager: "admin secretAccessor secretVersionAdder secretVersionManager viewer",
  serviceusage: "apiKeysAdmin serviceUsageAdmin serviceUsageConsumer serviceUsageViewer",
  spanner: "admin backupAdmin databaseAdmin databaseReader databaseUser viewer",
  storage: "admin bucketViewer folderAdmin hmacKeyAdmin insightsCollectorService objectAdmin objectCreator objectUser objectViewer",
  storagetransfer: "admin user viewer",
  workflows: "admin editor invoker viewer",
};

const BASIC = ["owner", "editor", "viewer", "browser"];
const NAMES: ReadonlySet<string> = new Set([...BASIC.map((name) => `roles/${name}`), ...Object.entries(SERVICES).flatMap(([service, names]) => names.split(" ").map((name) => `roles/${service}.${name}`))]);

/** To become a service account. */
export const GET_ACCESS_TOKEN = "iam.serviceAccounts.getAccessToken";

const OBJECT_READ = ["storage.objects.get", "storage.objects.list"];
const OBJECT_ALL = [...OBJECT_READ, "storage.objects.create", "storage.objects.update", "storage.objects.delete"];
const BUCKET_ALL = ["create", "get", "list", "update", "delete", "getIamPolicy", "setIamPolicy"].map((verb) => `storage.buckets.${verb}`);
const ACCOUNT_READ = ["iam.serviceAccounts.get", "iam.serviceAccounts.list"];
const POOL_READ = ["iam.workloadIdentityPools", "iam.workloadIdentityPoolProviders"].flatMap((kind) => [`${kind}.get`, `${kind}.list`]);
const POOL_ALL = [...POOL_READ, ...["iam.workloadIdentityPools", "iam.workloadIdentityPoolProviders"].flatMap((kind) => ["create", "update", "delete", "undelete"].map((verb) => `${kind}.${verb}`))];
const PROJECT_GET = "resourcemanager.projects.get";

/** What roles give, as far as the stand-ins have something to allow. cloud.google.com/iam/docs/understanding-roles */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  "roles/browser": [PROJECT_GET, "resourcemanager.projects.getIamPolicy"],
  "roles/viewer": [PROJECT_GET, ...ACCOUNT_READ, ...POOL_READ, "storage.buckets.list"],
  "roles/iam.securityAdmin": ["resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.setIamPolicy", ...ACCOUNT_READ],
  "roles/iam.serviceAccountAdmin": [PROJECT_GET, ...ACCOUNT_READ, ...["create", "update", "delete", "enable", "disable", "getIamPolicy", "setIamPolicy"].map((verb) => `iam.serviceAccounts.${verb}`)],
  "roles/iam.serviceAccountTokenCreator": [GET_ACCESS_TOKEN, ...ACCOUNT_READ],
  "roles/iam.serviceAccountViewer": [PROJECT_GET, ...ACCOUNT_READ, "iam.serviceAccounts.getIamPolicy"],
  "roles/iam.workloadIdentityPoolAdmin": [PROJECT_GET, ...POOL_ALL],
  "roles/iam.workloadIdentityPoolViewer": [PROJECT_GET, ...POOL_READ],
  "roles/iam.workloadIdentityUser": [GET_ACCESS_TOKEN, ...ACCOUNT_READ],
  "roles/resourcemanager.projectIamAdmin": [PROJECT_GET, "resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"],
  "roles/storage.admin": [...BUCKET_ALL, ...OBJECT_ALL],
  "roles/storage.bucketViewer": ["storage.buckets.get", "storage.buckets.list"],
  "roles/storage.objectAdmin": OBJECT_ALL,
  "roles/storage.objectCreator": ["storage.objects.create"],
  "roles/storage.objectUser": OBJECT_ALL,
  "roles/storage.objectViewer": OBJECT_READ,
};

/** Whether there is a predefined role of that name that the project, or with `iam` a service account, can carry. */
export function isPredefinedRole(role: string, on: "project" | "service-account"): boolean {
  return NAMES.has(role) && (on === "project" || role.startsWith("roles/iam.") || BASIC.includes(role.slice("roles/".length)));
}

/** Whether a role gives a permission that the stand-ins know. Neither owner nor editor may become a service account; editors leave policies alone. */
export function gives(role: string, permission: string, customRoles: ReadonlyMap<string, readonly string[]>): boolean {
  if (role === "roles/owner") return permission !== GET_ACCESS_TOKEN;
  if (role === "roles/editor") return !permission.endsWith("IamPolicy") && permission !== GET_ACCESS_TOKEN;
  const permissions = customRoles.get(role) ?? (Object.hasOwn(PERMISSIONS, role) ? PERMISSIONS[role] : undefined);
  return permissions?.includes(permission) === true;
}
