import { bearerOf } from "../../../sandbox/bearer.ts";
import { unauthenticated } from "./errors.ts";
import type { AccessToken, GcpState, Principal } from "./state.ts";
import type { GcpWorld } from "./world.ts";

/**
 * Whose request this is, by its bearer token. `service` is the API's host name, for the refusal.
 *
 * @throws GoogleError UNAUTHENTICATED
 */
export function authenticate(headers: Readonly<Record<string, string>>, service: string, world: GcpWorld): AccessToken {
  const bearer = bearerOf(headers);
  if (bearer === null) throw unauthenticated(service, false);
  const token = tokenOf(bearer, world);
  if (token === null) throw unauthenticated(service, true);
  return token;
}

/** What was handed out under this name and still counts; null otherwise. */
export function tokenOf(token: string, { state, now }: Pick<GcpWorld, "state" | "now">): AccessToken | null {
  const known = state.tokens.get(token);
  return known === undefined || known.expires <= now() || !isUsable(known.principal, state) ? null : known;
}

/**
 * A disabled or deleted pool takes its tokens along, a disabled service account does too; deleting a provider does not
 * (IAM v1: `disabled` of pools and providers).
 */
function isUsable(principal: Principal, state: GcpState): boolean {
  if (principal.kind === "operator") return true;
  if (principal.kind === "service-account") return state.serviceAccounts.get(principal.email)?.disabled === false;
  const pool = state.pools.get(principal.identity.pool);
  return pool !== undefined && pool.state === "ACTIVE" && !pool.disabled;
}
