import { createHash } from "node:crypto";
import type { ServiceAccount } from "../../cloud.ts";

const MAX_ROLE_NAME = 64;
const HASH_LENGTH = 12;

/**
 * The role name for a service account of one cluster when none is given: `NAMESPACE.NAME-HASH`, cut at IAM's 64
 * characters. The hash (48 bits of SHA-256) covers issuer, namespace and name, so neither the cut nor a second
 * cluster in the same account makes two of them meet. IAM compares role names without regard to case; these are lower case.
 */
export function defaultRoleName(issuer: string, { namespace, name }: ServiceAccount): string {
  const hash = createHash("sha256").update(JSON.stringify([issuer, namespace, name])).digest("hex").slice(0, HASH_LENGTH);
  const readable = `${namespace}.${name}`.slice(0, MAX_ROLE_NAME - HASH_LENGTH - 1);
  return `${readable}-${hash}`;
}
