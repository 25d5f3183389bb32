import { randomInt } from "node:crypto";

/**
 * Everything that the stand-ins remember, as plain data: tests seed and inspect it. Requests change it only through
 * the services, which keep AWS's rules; a test that writes here is on its own.
 */
export interface AwsState {
  readonly account: string;
  readonly partition: string;
  /** By access key id. */
  readonly credentials: Map<string, Credential>;
  /** By ARN. */
  readonly providers: Map<string, OidcProvider>;
  /** By name in lower case: AWS tells role names apart without regard to case. */
  readonly roles: Map<string, Role>;
  /** Documents of customer managed policies, by ARN. */
  readonly policies: Map<string, string>;
  readonly buckets: Map<string, Bucket>;
  /** Block Public Access of the whole account; it wins over a bucket's own. */
  accountPublicAccessBlock: PublicAccessBlock;
  /** Actions that the operator may not perform, such as `iam:CreateRole`. */
  readonly denyActions: Set<string>;
  /** `bucket/key` of objects whose next conditional write loses a race (409). */
  readonly writeConflicts: Set<string>;
  readonly quotas: Quotas;
}

/** docs.aws.amazon.com IAM `reference_iam-quotas`, the defaults. */
export interface Quotas {
  providersPerAccount: number;
  rolesPerAccount: number;
  managedPoliciesPerRole: number;
  /** Characters of a trust policy, white space not counted. */
  trustPolicyLength: number;
  /** Characters of all inline policies of a role together, white space not counted. */
  inlinePoliciesLength: number;
}

export interface Principal {
  readonly arn: string;
  readonly userId: string;
  readonly account: string;
  /** The role behind a session; null for the operator, whom nothing but `denyActions` restricts. */
  readonly roleName: string | null;
  /** Policies (JSON text) that the session was narrowed to. */
  readonly sessionPolicies: readonly string[];
}

export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly expires: Date | null;
  readonly principal: Principal;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface OidcProvider {
  readonly arn: string;
  /** Without the scheme, as GetOpenIDConnectProvider answers. */
  readonly url: string;
  readonly createDate: Date;
  clientIds: string[];
  thumbprints: string[];
  tags: Tag[];
}

export interface Role {
  readonly name: string;
  readonly path: string;
  readonly roleId: string;
  readonly arn: string;
  readonly createDate: Date;
  assumeRolePolicyDocument: string;
  description: string | undefined;
  maxSessionDuration: number;
  permissionsBoundary: string | undefined;
  tags: Tag[];
  readonly attachedPolicies: Set<string>;
  readonly inlinePolicies: Map<string, string>;
  lastUsed: { readonly date: Date; readonly region: string } | undefined;
}

export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean;
  readonly IgnorePublicAcls: boolean;
  readonly BlockPublicPolicy: boolean;
  readonly RestrictPublicBuckets: boolean;
}

export type ObjectOwnership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";

export interface Bucket {
  readonly name: string;
  readonly region: string;
  /** Account id. */
  readonly owner: string;
  readonly createDate: Date;
  publicAccessBlock: PublicAccessBlock | null;
  ownership: ObjectOwnership | null;
  policy: string | null;
  tags: Tag[];
  readonly objects: Map<string, StoredObject>;
}

export interface StoredObject {
  readonly key: string;
  readonly body: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModified: Date;
  /** content-type, cache-control and the like, and x-amz-meta-*; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header that the checksum came in and its value: `x-amz-checksum-crc32`. */
  readonly checksum: { readonly header: string; readonly value: string };
  /** Readable for everybody by its ACL. */
  readonly publicAcl: boolean;
}

export const ALL_BLOCKED: PublicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
export const NONE_BLOCKED: PublicAccessBlock = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };

/** AWS's own example account (docs.aws.amazon.com IAM, documentation conventions). */
export const SANDBOX_ACCOUNT = "123456789012";

export interface NewState {
  readonly account: string;
  readonly partition: string;
  readonly denyActions: readonly string[];
  readonly quotas: Partial<Quotas>;
}

/** An empty account. */
export function newState({ account, partition, denyActions, quotas }: NewState): AwsState {
  return {
    account,
    partition,
    credentials: new Map(),
    providers: new Map(),
    roles: new Map(),
    policies: new Map(),
    buckets: new Map(),
    accountPublicAccessBlock: NONE_BLOCKED,
    denyActions: new Set(denyActions),
    writeConflicts: new Set(),
    quotas: { providersPerAccount: 100, rolesPerAccount: 1000, managedPoliciesPerRole: 10, trustPolicyLength: 2048, inlinePoliciesLength: 10_240, ...quotas },
  };
}

/** A bucket as CreateBucket leaves it since April 2023: ACLs off, everything public blocked. */
export function newBucket(name: string, region: string, owner: string, createDate: Date): Bucket {
  return { name, region, owner, createDate, publicAccessBlock: ALL_BLOCKED, ownership: "BucketOwnerEnforced", policy: null, tags: [], objects: new Map() };
}

/** Most of AWS's dates have no fraction of a second. */
export function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

const ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A unique id in AWS's form: prefix and upper-case letters and digits, 20 or 21 characters. */
export function newId(prefix: "AIDA" | "AKIA" | "AROA" | "ASIA" | "ANPA"): string {
  const length = prefix === "AKIA" || prefix === "ASIA" ? 16 : 17;
  return prefix + Array.from({ length }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join("");
}
