import { randomBytes, randomInt } from "node:crypto";
import type { Principal as FederatedIdentity } from "../judge/policy.ts";
import { newStorageState } from "./storage/state.ts";
import type { StorageState } from "./storage/state.ts";

/**
 * Everything that the stand-ins remember, as plain data: tests seed and inspect it. Requests change it only through
 * the services, which keep Google's rules; a test that writes here is on its own.
 */
export interface GcpState {
  readonly project: Project;
  /** By access token. */
  readonly tokens: Map<string, AccessToken>;
  /** The opaque subject token of the operator's workforce pool: what their credential file leads to. */
  readonly operatorSecret: string;
  /** By resource name, with the project's number. */
  readonly pools: Map<string, Pool>;
  /** By resource name, with the project's number. */
  readonly providers: Map<string, Provider>;
  /** By resource name. What has not been carried out yet is at the end. */
  readonly operations: Map<string, Operation>;
  /** By e-mail. */
  readonly serviceAccounts: Map<string, ServiceAccount>;
  /** By `projects/ID` and `serviceAccounts/EMAIL`; absent means that none has ever been set. */
  readonly policies: Map<string, PolicyRecord>;
  /** Keys of `policies` whose next setIamPolicy loses a race: somebody else writes the same policy a moment before (409). */
  readonly policyRaces: Set<string>;
  /** Names of custom roles (`projects/ID/roles/NAME`) and their permissions. */
  readonly customRoles: Map<string, readonly string[]>;
  /** E-mails whose access tokens may live up to twelve hours (the organization's constraint iam.allowServiceAccountCredentialLifetimeExtension). */
  readonly longLived: Set<string>;
  /** Permissions that the operator has not, such as `iam.workloadIdentityPools.create`. */
  readonly denyPermissions: Set<string>;
  /** The only permissions that the operator has; null: all of them. */
  readonly allowPermissions: Set<string> | null;
  /** APIs that are not enabled in the project, such as `iam.googleapis.com`. */
  readonly disabledApis: Set<string>;
  readonly quotas: Quotas;
  readonly storage: StorageState;
}

/** Of docs.cloud.google.com/iam/quotas; how many pools and providers there may be is not known, so they have no bound unless one is given. */
export interface Quotas {
  poolsPerProject: number;
  providersPerPool: number;
  serviceAccountsPerProject: number;
}

export interface Project {
  /** The project's ID. */
  readonly id: string;
  readonly number: string;
  readonly createTime: Date;
}

export interface AccessToken {
  readonly principal: Principal;
  readonly expires: Date;
  readonly scopes: readonly string[];
}

/** Whose request it is. Only the operator may do everything. */
export type Principal =
  | { readonly kind: "operator"; readonly name: string }
  | { readonly kind: "federated"; readonly name: string; readonly identity: FederatedIdentity }
  | { readonly kind: "service-account"; readonly name: string; readonly email: string };

export type LifeState = "ACTIVE" | "DELETED";

export interface Pool {
  /** With the project's number. */
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly disabled: boolean;
  readonly mode: string | null;
  readonly state: LifeState;
  readonly expireTime: Date | null;
  /** Since when it can be used, before the propagation: creation, or the last undelete. */
  readonly since: Date;
}

export interface Provider {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly disabled: boolean;
  readonly state: LifeState;
  readonly expireTime: Date | null;
  readonly since: Date;
  readonly attributeMapping: Readonly<Record<string, string>>;
  readonly attributeCondition: string;
  readonly oidc: { readonly issuerUri: string; readonly allowedAudiences: readonly string[]; /** As Google reformats it; empty when the keys come from the issuer. */ readonly jwksJson: string };
}

/** A long-running operation: what `get` will answer for `target` once it is done. */
export type Operation = { readonly name: string; readonly doneAt: Date; carriedOut: boolean } & (
  | { readonly kind: "pool"; readonly value: Pool }
  | { readonly kind: "provider"; readonly value: Provider }
);

export interface ServiceAccount {
  readonly email: string;
  /** 21 digits. */
  readonly uniqueId: string;
  readonly displayName: string;
  readonly description: string;
  readonly disabled: boolean;
  readonly since: Date;
}

/** Policies as they were set, the oldest first: who judges by them knows a new one only after the propagation. */
export interface PolicyRecord {
  readonly versions: readonly PolicyVersion[];
}

export interface PolicyVersion {
  readonly policy: Policy;
  readonly at: Date;
}

export interface Policy {
  readonly version: number;
  readonly etag: string;
  readonly bindings: readonly Binding[];
  /** Kept as they come; the stand-ins log nothing. */
  readonly auditConfigs?: readonly unknown[];
}

export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: { readonly expression: string; readonly title?: string; readonly description?: string; readonly location?: string };
}

/** The project that the sandbox is. */
export const SANDBOX_PROJECT = "kubeassume-sandbox";
export const SANDBOX_PROJECT_NUMBER = "123456789012";

/** Who the operator is to the stand-ins: a subject of a workforce pool, because such a credential needs no key. */
export const OPERATOR_PROVIDER = "//iam.googleapis.com/locations/global/workforcePools/sandbox/providers/operator";
export const OPERATOR_NAME = "principal://iam.googleapis.com/locations/global/workforcePools/sandbox/subject/operator";

export interface NewState {
  readonly project: string;
  readonly number: string;
  readonly now: Date;
  readonly denyPermissions: readonly string[];
  readonly allowPermissions: readonly string[] | null;
  readonly disabledApis: readonly string[];
  readonly quotas: Partial<Quotas>;
}

/** An empty project. */
export function newState({ project, number, now, denyPermissions, allowPermissions, disabledApis, quotas }: NewState): GcpState {
  return {
    project: { id: project, number, createTime: now },
    tokens: new Map(),
    operatorSecret: randomBytes(32).toString("base64url"),
    pools: new Map(),
    providers: new Map(),
    operations: new Map(),
    serviceAccounts: new Map(),
    policies: new Map([[`projects/${project}`, { versions: [{ policy: { version: 1, etag: "BwXZjR6Y0Qg=", bindings: [{ role: "roles/owner", members: [OPERATOR_NAME] }] }, at: new Date(0) }] }]]),
    policyRaces: new Set(),
    customRoles: new Map(),
    longLived: new Set(),
    denyPermissions: new Set(denyPermissions),
    allowPermissions: allowPermissions === null ? null : new Set(allowPermissions),
    disabledApis: new Set(disabledApis),
    quotas: { poolsPerProject: Number.POSITIVE_INFINITY, providersPerPool: Number.POSITIVE_INFINITY, serviceAccountsPerProject: 100, ...quotas },
    storage: newStorageState(),
  };
}

/** Hands out an access token in Google's form (`ya29.` and more), good for `seconds`. */
export function issueToken(state: GcpState, principal: Principal, scopes: readonly string[], expires: Date): string {
  const token = `ya29.${principal.kind === "service-account" ? "c" : "d"}.${randomBytes(96).toString("base64url")}`;
  state.tokens.set(token, { principal, expires, scopes });
  return token;
}

/** The unique id of a service account: 21 digits. */
export function newUniqueId(): string {
  return `1${Array.from({ length: 20 }, () => String(randomInt(10))).join("")}`;
}

/** Whether a path that names a project by ID or number names this one. */
export function isOwnProject(state: GcpState, idOrNumber: string): boolean {
  return idOrNumber === state.project.id || idOrNumber === state.project.number;
}
