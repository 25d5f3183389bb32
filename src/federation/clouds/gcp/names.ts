import { subjectOf, type ServiceAccountName } from "../../oidc/subject.ts";

/** Where a provider is: the project by its ID or its number, depending on what the name is for. */
export interface ProviderPlace {
  /** Members and audiences need the number; API calls take the ID too. */
  readonly project: string;
  readonly poolId: string;
  readonly providerId: string;
}

export const DEFAULT_PROVIDER_ID = "kubernetes";
/** google.subject may have so many bytes (IAM v1, WorkloadIdentityPoolProvider.attributeMapping). */
export const MAX_SUBJECT_BYTES = 127;
/** Google keeps what was deleted for so many days; its id cannot be used for anything else meanwhile. */
export const SOFT_DELETE_DAYS = 30;

const PROJECT_ID = /^(?:[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const ID = /^(?!gcp-)[a-z0-9-]{4,32}$/;
const ROLE = /^(?:roles\/[a-zA-Z0-9._]{1,100}|projects\/[a-z0-9.:-]{1,100}\/roles\/[a-zA-Z0-9_.]{3,64}|organizations\/\d{1,20}\/roles\/[a-zA-Z0-9_.]{3,64})$/;
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

/** The form of project IDs, old ones with a domain included (Resource Manager v3, Project.projectId). */
export function isProjectId(text: string): boolean {
  return PROJECT_ID.test(text);
}

/** Digits only, as in members and audiences. */
export function isProjectNumber(text: string): boolean {
  return /^[1-9]\d{0,19}$/.test(text);
}

/** The form of pool and provider ids: 4 to 32 of `[a-z0-9-]`, not beginning with `gcp-`. */
export function isPoolOrProviderId(text: string): boolean {
  return ID.test(text);
}

/** The form of role names: predefined, or custom of a project or an organization. Whether it exists is Google's to say. */
export function isRoleName(text: string): boolean {
  return ROLE.test(text);
}

/** The form of bucket names (Cloud Storage, bucket naming guidelines). */
export function isBucketName(text: string): boolean {
  return BUCKET.test(text) && !text.includes("..");
}

/** `projects/PROJECT/locations/global/workloadIdentityPools/POOL` */
export function poolName({ project, poolId }: Pick<ProviderPlace, "project" | "poolId">): string {
  return `projects/${project}/locations/global/workloadIdentityPools/${poolId}`;
}

/** `projects/PROJECT/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
export function providerName(place: ProviderPlace): string {
  return `${poolName(place)}/providers/${place.providerId}`;
}

/** The place behind a provider's name; null for anything else. */
export function parseProviderName(name: string): ProviderPlace | null {
  const [, project, poolId, providerId] = /^projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(name) ?? [];
  return project === undefined || poolId === undefined || providerId === undefined ? null : { project, poolId, providerId };
}

/** What the exchange names as its audience, whatever the token's own is: `//iam.googleapis.com/PROVIDER_NAME`. */
export function stsAudience(provider: string): string {
  return `//iam.googleapis.com/${provider}`;
}

/** The audience of tokens when none was chosen: with `https:`, as Google's page for Kubernetes has it. */
export function defaultAudience(provider: string): string {
  return `https:${stsAudience(provider)}`;
}

/** Both spellings that a provider without allowed audiences takes (IAM v1, Oidc.allowedAudiences). */
export function ownAudiences(provider: string): readonly string[] {
  return [defaultAudience(provider), stsAudience(provider)];
}

/** google.subject of a service account: the prefix that tells clusters of one pool apart, then `sub`. */
export function subjectFor(account: ServiceAccountName, subjectPrefix: string): string {
  return `${subjectPrefix}${subjectOf(account)}`;
}

const MEMBER = "principal://iam.googleapis.com/";

/** One subject of a pool as a member of a policy. `pool` has the project's number. */
export function subjectMember(pool: string, subject: string): string {
  return `${MEMBER}${pool}/subject/${subject}`;
}

/** Pool and subject behind {@link subjectMember}; null for every other kind of member. */
export function parseSubjectMember(member: string): { readonly pool: string; readonly subject: string } | null {
  const [, pool, subject] = /^principal:\/\/iam\.googleapis\.com\/(projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/]+)\/subject\/(.+)$/.exec(member) ?? [];
  return pool === undefined || subject === undefined ? null : { pool, subject };
}

/** What the e-mail of a service account says of it. */
export interface ServiceAccountEmail {
  readonly email: string;
  readonly name: string;
  /** The project ID (or, of Compute Engine's default account, its number). */
  readonly project: string;
  /** Made by people: Google's default accounts cannot be made by request. */
  readonly kind: "user" | "default";
}

/** Null when the text is no e-mail of a service account. Accounts of domain-scoped projects name them turned around. */
export function parseServiceAccountEmail(email: string): ServiceAccountEmail | null {
  const user = /^([a-z0-9][a-z0-9-]{0,62})@([a-z][a-z0-9-]{4,28}[a-z0-9])((?:\.[a-z0-9-]+)*)\.iam\.gserviceaccount\.com$/.exec(email);
  if (user !== null) {
    const [, name = "", id = "", domain = ""] = user;
    return { email, name, project: domain === "" ? id : `${domain.slice(1)}:${id}`, kind: "user" };
  }
  const [, project = ""] = /^([a-z][a-z0-9-]{4,28}[a-z0-9])@appspot\.gserviceaccount\.com$/.exec(email) ?? /^([1-9]\d{0,19})-compute@developer\.gserviceaccount\.com$/.exec(email) ?? [];
  return project === "" ? null : { email, name: email.slice(0, email.indexOf("@")), project, kind: "default" };
}

/** Whether IAM would make an account of that name: 6 to 30 of `[a-z0-9-]`, a letter first, no hyphen last. */
export function isNewServiceAccountName(name: string): boolean {
  return /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(name);
}

/** A service account of Google's as a member of a policy. */
export function serviceAccountMember(email: string): string {
  return `serviceAccount:${email}`;
}

/** Who a token becomes, as `GrantResult.principal` has it: a subject of a pool, or a service account. */
export type Principal = { readonly kind: "direct"; readonly pool: string; readonly subject: string } | { readonly kind: "impersonate"; readonly email: string };

/** Reads a member of a policy, or the e-mail of a service account alone; null for anything else. */
export function parsePrincipal(text: string): Principal | null {
  const subject = parseSubjectMember(text);
  if (subject !== null) return { kind: "direct", ...subject };
  const email = text.startsWith("serviceAccount:") ? text.slice("serviceAccount:".length) : text;
  return parseServiceAccountEmail(email) === null ? null : { kind: "impersonate", email };
}
