import type { Findings } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { isJsonObject, member } from "../../../oidc/json.ts";
import type { PublicJwk } from "../../../oidc/jwks.ts";
import { materialOf } from "../../../oidc/publish.ts";
import { gcpInputCodes } from "../codes.ts";
import { complaintOf, sortByKid, type StoredKey, toStoredKey } from "../key-set.ts";
import { gcpWarningCodes } from "../warning-codes.ts";

/** What one runbook says a provider takes; Google documents no number. */
const MANY_KEYS = 8;

/**
 * The key set that the provider shall store: the cluster's keys as far as Google can use them, and those that are stored
 * already, because live tokens may be signed with them. With `prune` exactly the cluster's.
 */
export function toUpload(jwks: unknown, stored: readonly StoredKey[], prune: boolean): Findings & { readonly keys: readonly StoredKey[] } {
  const wanted = usableKeys(jwks);
  const byKid = new Map(prune ? [] : stored.map((key) => [key["kid"] ?? "", key] as const));
  const problems: KubeassumeError[] = [];
  for (const key of wanted) {
    const kid = key["kid"] ?? "";
    const other = byKid.get(kid);
    if (other !== undefined && materialOf(asJwk(other)) !== materialOf(asJwk(key))) {
      problems.push(new KubeassumeError(gcpInputCodes.GCP_KEY_CONFLICT, { message: `the provider stores another key than the cluster's under kid ${JSON.stringify(kid.slice(0, 200))}`, details: { kid } }));
    }
    byKid.set(kid, key);
  }
  const keys = sortByKid([...byKid.values()]);
  return { keys, problems, warnings: countWarnings(keys.length) };
}

/** The keys of a set that Google can use, each kid once. */
export function usableKeys(jwks: unknown): readonly StoredKey[] {
  const keys = isJsonObject(jwks) ? member(jwks, "keys") : null;
  if (!Array.isArray(keys)) return [];
  const usable = keys.filter((key): key is PublicJwk => isJsonObject(key) && complaintOf(asJwk(key)) === null);
  return sortByKid([...new Map(usable.map((key) => [key.kid, toStoredKey(key)])).values()]);
}

function countWarnings(count: number): readonly Problem[] {
  if (count <= MANY_KEYS) return [];
  return [warning(gcpWarningCodes.GCP_MANY_KEYS, { message: `${count} keys would be uploaded; whether Google takes more than ${MANY_KEYS} is unconfirmed`, details: { count } })];
}

function asJwk(key: Readonly<Record<string, unknown>>): PublicJwk {
  return { ...key, kty: typeof key["kty"] === "string" ? key["kty"] : "" };
}
