import { isJsonObject, member, parseJsonObject } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { invalidArgument } from "../errors.ts";
import type { GoogleError } from "../errors.ts";

/** IAM v1, Oidc.jwksJson: "include only the following fields". */
const MEMBERS: ReadonlySet<string> = new Set(["kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"]);
const NEEDED: Readonly<Record<string, readonly string[]>> = { RSA: ["n", "e"], EC: ["crv", "x", "y"] };

/**
 * A key set as Google keeps it: checked, and formatted anew. Empty stays empty: the keys are then read at the issuer.
 *
 * @throws GoogleError INVALID_ARGUMENT
 */
export function reformatJwks(text: string): string {
  if (text === "") return "";
  const set = parseJsonObject(text);
  const keys = set === null ? undefined : member(set, "keys");
  if (set === null || !Array.isArray(keys) || Object.keys(set).length !== 1) throw malformed();
  return `${JSON.stringify({ keys: keys.map(toKey) }, null, 2)}\n`;
}

/** Members in the order of the alphabet. */
function toKey(key: unknown): JsonObject {
  if (!isJsonObject(key)) throw malformed();
  const entries = Object.entries(key);
  const kty = member(key, "kty");
  const needed = typeof kty === "string" && Object.hasOwn(NEEDED, kty) ? NEEDED[kty] : undefined;
  if (needed === undefined || !entries.every(([name, value]) => MEMBERS.has(name) && typeof value === "string")) throw malformed();
  if (![...needed, "kid"].every((name) => Object.hasOwn(key, name))) throw malformed();
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function malformed(): GoogleError {
  return invalidArgument("The jwks_json of the OIDC configuration is not in a valid json format.");
}
