import { isJsonObject, type JsonObject, member, stringsOf } from "../../../oidc/json.ts";

/** Get, and not list (cloud.google.com/storage/docs/access-control/iam-roles). roles/storage.objectViewer lists too. */
export const READER_ROLE = "roles/storage.legacyObjectReader";
export const READERS: readonly string[] = ["allUsers"];

/** Google takes no condition for these two (cloud.google.com/iam/docs/conditions-overview). */
const PUBLIC_MEMBERS: readonly string[] = ["allUsers", "allAuthenticatedUsers"];
/** Predefined roles that let read objects. */
const READING_ROLES: readonly string[] = [READER_ROLE, "roles/storage.legacyObjectOwner", "roles/storage.objectViewer", "roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin"];
/** Predefined roles that let list; any other role of everybody is somebody's decision too, but not one that can be judged here. */
const LISTING_ROLES: readonly string[] = ["roles/storage.objectViewer", "roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin", "roles/storage.legacyBucketReader", "roles/storage.legacyBucketWriter", "roles/storage.legacyBucketOwner"];

/** A bucket's policy as it was read: what is not looked at here is written back as it came. */
export type BucketPolicy = JsonObject;

/** What planning needs to know of a bucket's policy. */
export interface PolicyFacts {
  /** Those of {@link READERS} that have {@link READER_ROLE} without a condition. */
  readonly readers: readonly string[];
  /** Whether everybody has a role, ours or another, that lets read every object: unless public access is prevented. */
  readonly readable: boolean;
  /** Roles of everybody that are not ours. */
  readonly publicRoles: readonly string[];
  /** Those of them that let everybody list. */
  readonly listingRoles: readonly string[];
  /** Bindings beside ours and those that Google gives each bucket. */
  readonly others: number;
}

export function readPolicyFacts(policy: BucketPolicy): PolicyFacts {
  const bindings = bindingsOf(policy);
  const readers = READERS.filter((one) => bindings.some((binding) => isReaders(binding) && binding.members.includes(one)));
  const open = bindings.filter((binding) => !isReaders(binding) && binding.members.some((one) => PUBLIC_MEMBERS.includes(one)));
  const publicRoles = [...new Set(open.map(({ role }) => role))].sort();
  return {
    readers,
    readable: bindings.some(({ role, members, conditional }) => !conditional && READING_ROLES.includes(role) && members.includes("allUsers")),
    publicRoles,
    listingRoles: publicRoles.filter((role) => LISTING_ROLES.includes(role)),
    others: bindings.filter((binding) => !isOrdinary(binding)).length,
  };
}

/** The policy with {@link READERS} in the unconditional binding of {@link READER_ROLE}; everything else stays as it is. */
export function withReaders(policy: BucketPolicy): BucketPolicy {
  const bindings = entriesOf(policy);
  const at = bindings.findIndex((entry) => isReaders(toBinding(entry)));
  const found = bindings[at];
  if (found === undefined) return replaceBindings(policy, [...bindings, { role: READER_ROLE, members: READERS }]);
  const { members } = toBinding(found);
  return replaceBindings(policy, bindings.with(at, { ...(found as JsonObject), members: [...members, ...READERS.filter((one) => !members.includes(one))] }));
}

/** The policy without them; a binding that is then empty goes. */
export function withoutReaders(policy: BucketPolicy): BucketPolicy {
  const bindings = entriesOf(policy).flatMap((entry) => {
    const binding = toBinding(entry);
    if (!isReaders(binding)) return [entry];
    const members = binding.members.filter((one) => !READERS.includes(one));
    return members.length === 0 ? [] : [{ ...(entry as JsonObject), members }];
  });
  return replaceBindings(policy, bindings);
}

/** The etag that makes a write conditional; null when the store has none. */
export function etagOf(policy: BucketPolicy): string | null {
  const etag = member(policy, "etag");
  return typeof etag === "string" ? etag : null;
}

interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly conditional: boolean;
}

function replaceBindings(policy: BucketPolicy, bindings: readonly unknown[]): BucketPolicy {
  const conditional = bindings.map(toBinding).some((binding) => binding.conditional);
  // A policy with conditions that is written as version 1 loses them (cloud.google.com/iam/docs/policies#versions).
  return { ...policy, ...(conditional ? { version: 3 } : {}), bindings };
}

function entriesOf(policy: BucketPolicy): readonly unknown[] {
  const bindings = member(policy, "bindings");
  return Array.isArray(bindings) ? bindings : [];
}

function bindingsOf(policy: BucketPolicy): readonly Binding[] {
  return entriesOf(policy).map(toBinding);
}

function toBinding(entry: unknown): Binding {
  if (!isJsonObject(entry)) return { role: "", members: [], conditional: false };
  const role = member(entry, "role");
  return { role: typeof role === "string" ? role : "", members: stringsOf(member(entry, "members") ?? []) ?? [], conditional: isJsonObject(member(entry, "condition")) };
}

function isReaders({ role, conditional }: Binding): boolean {
  return role === READER_ROLE && !conditional;
}

/** What Google gives each bucket: legacy roles to the project's owners, editors and viewers; and our readers. */
function isOrdinary(binding: Binding): boolean {
  const isBasic = (one: string) => /^project(?:Owner|Editor|Viewer):/.test(one);
  const ours = isReaders(binding) ? READERS : [];
  return !binding.conditional && binding.role.startsWith("roles/storage.legacy") && binding.members.every((one) => isBasic(one) || ours.includes(one));
}
