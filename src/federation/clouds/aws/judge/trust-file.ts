import { KubeassumeError } from "../../../errors/error.ts";
import { isJsonObject, kindOfText, member } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { judgeCodes } from "../../judge/codes.ts";

/** IAM's OIDC provider as GetOpenIDConnectProvider returns it, with the ARN of ListOpenIDConnectProviders. */
export interface ProviderRecord {
  /** Without `https://`, as IAM returns it. */
  readonly Url: string;
  readonly ClientIDList?: readonly string[];
  readonly ThumbprintList?: readonly string[];
  readonly Arn?: string;
}

/** IAM's role as GetRole returns it. */
export interface RoleRecord {
  readonly Arn: string;
  /** Seconds; IAM's default is 3,600. */
  readonly MaxSessionDuration?: number;
  /** An object, JSON text, or the URL-encoded text that IAM returns. */
  readonly AssumeRolePolicyDocument: unknown;
}

/** The records that a token is judged against; null for one that does not exist. */
export interface TrustRecords {
  readonly provider: ProviderRecord | null;
  readonly role: RoleRecord | null;
}

const MEMBERS = 'write {"provider": ..., "role": ...} with the answers of aws iam get-open-id-connect-provider (and its Arn) and of aws iam get-role';

/**
 * Reads `--trust-file`: `{"provider": ..., "role": ...}` in AWS's own shapes. Members that are not needed are ignored;
 * `null` stands for a record that does not exist. The trust policy is judged later, as STS would.
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
  for (const name of ["provider", "role"]) {
    if (member(value, name) === undefined) throw malformed(`it has no member ${JSON.stringify(name)}`);
  }
  return toTrustRecords(value);
}

/**
 * The records from a value that is parsed already; a member that is missing or null is a record that does not exist.
 *
 * @throws KubeassumeError TRUST_FILE_MALFORMED
 */
export function toTrustRecords(trust: JsonObject): TrustRecords {
  return { provider: parseProvider(member(trust, "provider") ?? null), role: parseRole(member(trust, "role") ?? null) };
}

function parseProvider(value: unknown): ProviderRecord | null {
  if (value === null) return null;
  if (!isJsonObject(value)) throw malformed("provider is not an object");
  const clientIds = strings(value, "ClientIDList");
  const thumbprints = strings(value, "ThumbprintList");
  const arn = optionalString(value, "provider", "Arn");
  return {
    Url: requiredString(value, "provider", "Url"),
    ...(clientIds === undefined ? {} : { ClientIDList: clientIds }),
    ...(thumbprints === undefined ? {} : { ThumbprintList: thumbprints }),
    ...(arn === undefined ? {} : { Arn: arn }),
  };
}

function parseRole(value: unknown): RoleRecord | null {
  if (value === null) return null;
  if (!isJsonObject(value)) throw malformed("role is not an object");
  // The whole answer of GetRole is as good as its Role member: both are what people have at hand.
  const inner = member(value, "Role");
  const role = isJsonObject(inner) && member(value, "Arn") === undefined ? inner : value;
  const policy = member(role, "AssumeRolePolicyDocument");
  if (policy === undefined) throw malformed("role has no AssumeRolePolicyDocument");
  const duration = member(role, "MaxSessionDuration");
  if (duration !== undefined && (typeof duration !== "number" || !Number.isInteger(duration) || duration < 1)) {
    throw malformed("role has a MaxSessionDuration that is not a number of seconds");
  }
  return {
    Arn: requiredString(role, "role", "Arn"),
    ...(duration === undefined ? {} : { MaxSessionDuration: duration }),
    AssumeRolePolicyDocument: policy,
  };
}

function requiredString(object: JsonObject, owner: string, name: string): string {
  const value = optionalString(object, owner, name);
  if (value === undefined || value === "") throw malformed(`${owner} has no ${name}`);
  return value;
}

function optionalString(object: JsonObject, owner: string, name: string): string | undefined {
  const value = member(object, name);
  if (value !== undefined && typeof value !== "string") throw malformed(`${owner} has a member ${name} that is not a string`);
  return value;
}

function strings(object: JsonObject, name: string): string[] | undefined {
  const value = member(object, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === "string")) {
    throw malformed(`provider has a member ${name} that is not a list of strings`);
  }
  return value;
}

function malformed(problem: string): KubeassumeError {
  return new KubeassumeError(judgeCodes.TRUST_FILE_MALFORMED, { message: `the trust file cannot be used: ${problem}`, hint: MEMBERS });
}
