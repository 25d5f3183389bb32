import { KubeassumeError } from "../../../errors/error.ts";
import { isJsonObject, kindOfText, member, stringsOf } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { judgeCodes } from "../../judge/codes.ts";

/** A workload identity pool as IAM v1 returns it. */
export interface PoolRecord {
  readonly name: string;
  /** IAM always returns one; absent counts as `ACTIVE`. */
  readonly state?: string;
  readonly disabled?: boolean;
}

/** A provider of a pool as IAM v1 returns it. */
export interface ProviderRecord {
  readonly name: string;
  readonly state?: string;
  readonly disabled?: boolean;
  readonly attributeMapping?: Readonly<Record<string, string>>;
  readonly attributeCondition?: string;
  /** Absent for providers of AWS, SAML and X.509, which take no JWT. */
  readonly oidc?: OidcRecord;
}

export interface OidcRecord {
  readonly issuerUri: string;
  readonly allowedAudiences?: readonly string[];
  /** A key set as text; tokens are then verified with it and nothing is fetched. */
  readonly jwksJson?: string;
}

/** The records that a token is judged against; null for one that does not exist, undefined for one that nobody gave. */
export interface TrustRecords {
  readonly pool: PoolRecord | null;
  readonly provider: ProviderRecord | null;
  /** The allow policy of the service account. Judged later, as IAM would. */
  readonly serviceAccountPolicy?: unknown;
  /** The allow policy of the project, or of what the workload shall reach directly. */
  readonly projectPolicy?: unknown;
  /** E-mail of the service account to impersonate. */
  readonly serviceAccount: string | null;
}

/**
 * Reads `--trust-file`: `{"pool", "provider", "serviceAccountPolicy" or "projectPolicy", "serviceAccount"}` in Google's
 * own shapes. Members that are not needed are ignored; `null` stands for a record that does not exist.
 *
 * @throws KubeassumeError TRUST_FILE_MALFORMED
 */
export function parseTrustFile(text: string): TrustRecords {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(`it is not JSON: ${kindOfText(text)}`);
  }
  if (!isJsonObject(value)) throw malformed("it is not a JSON object");
  for (const name of ["pool", "provider"]) {
    if (member(value, name) === undefined) throw malformed(`it has no member ${JSON.stringify(name)}`);
  }
  const policies = ["serviceAccountPolicy", "projectPolicy"].filter((name) => Object.hasOwn(value, name));
  if (policies.length === 0) throw malformed('it has neither "serviceAccountPolicy" nor "projectPolicy"');
  const records = toTrustRecords(value);
  if (records.serviceAccount === null && !policies.includes("projectPolicy")) {
    throw malformed('it has a serviceAccountPolicy and no "serviceAccount" (the e-mail)');
  }
  return records;
}

/**
 * The records from a value that is parsed already; a pool or provider that is missing or null does not exist.
 *
 * @throws KubeassumeError TRUST_FILE_MALFORMED
 */
export function toTrustRecords(trust: JsonObject): TrustRecords {
  const serviceAccountPolicy = member(trust, "serviceAccountPolicy");
  const projectPolicy = member(trust, "projectPolicy");
  return {
    pool: parsePool(member(trust, "pool") ?? null),
    provider: parseProvider(member(trust, "provider") ?? null),
    ...(serviceAccountPolicy === undefined ? {} : { serviceAccountPolicy }),
    ...(projectPolicy === undefined ? {} : { projectPolicy }),
    serviceAccount: optional(trust, "the file", "serviceAccount", isText, "a string") ?? null,
  };
}

function parsePool(value: unknown): PoolRecord | null {
  if (value === null) return null;
  if (!isJsonObject(value)) throw malformed("pool is not an object");
  return common(value, "pool");
}

function parseProvider(value: unknown): ProviderRecord | null {
  if (value === null) return null;
  if (!isJsonObject(value)) throw malformed("provider is not an object");
  const mapping = optional(value, "provider", "attributeMapping", isTextMap, "an object of strings");
  const condition = optional(value, "provider", "attributeCondition", isText, "a string");
  const oidc = member(value, "oidc");
  return {
    ...common(value, "provider"),
    ...(mapping === undefined ? {} : { attributeMapping: mapping }),
    ...(condition === undefined ? {} : { attributeCondition: condition }),
    ...(oidc === undefined ? {} : { oidc: parseOidc(oidc) }),
  };
}

function parseOidc(value: unknown): OidcRecord {
  if (!isJsonObject(value)) throw malformed("provider.oidc is not an object");
  const issuerUri = optional(value, "provider.oidc", "issuerUri", isText, "a string");
  if (issuerUri === undefined || issuerUri === "") throw malformed("provider.oidc has no issuerUri");
  const audiences = optional(value, "provider.oidc", "allowedAudiences", isTextList, "a list of strings");
  const jwksJson = optional(value, "provider.oidc", "jwksJson", isText, "a string");
  return {
    issuerUri,
    ...(audiences === undefined ? {} : { allowedAudiences: audiences }),
    ...(jwksJson === undefined ? {} : { jwksJson }),
  };
}

function common(value: JsonObject, owner: string): PoolRecord {
  const name = optional(value, owner, "name", isText, "a string");
  if (name === undefined || name === "") throw malformed(`${owner} has no name`);
  const state = optional(value, owner, "state", isText, "a string");
  const disabled = optional(value, owner, "disabled", isFlag, "true or false");
  return { name, ...(state === undefined ? {} : { state }), ...(disabled === undefined ? {} : { disabled }) };
}

/** A member of the expected type; undefined when it is absent or, as in Google's JSON, null. */
function optional<T>(object: JsonObject, owner: string, name: string, isOne: (value: unknown) => value is T, kind: string): T | undefined {
  const value = member(object, name) ?? undefined;
  if (value === undefined) return undefined;
  if (!isOne(value)) throw malformed(`${owner} has a member ${name} that is not ${kind}`);
  return value;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && stringsOf(value) !== null;
}

function isTextMap(value: unknown): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every(isText);
}

const MEMBERS = 'write {"pool": ..., "provider": ...} with the answers of IAM v1, and "serviceAccount" (the e-mail) with "serviceAccountPolicy", or "projectPolicy"';

function malformed(problem: string): KubeassumeError {
  return new KubeassumeError(judgeCodes.TRUST_FILE_MALFORMED, { message: `the trust file cannot be used: ${problem}`, hint: MEMBERS });
}
