import type { Caller } from "../../cloud.ts";
import type { GcpPlace } from "../input/common.ts";
import { defaultAudience, ownAudiences, providerName } from "../names.ts";

type Chosen = GcpPlace & { readonly audiences: readonly string[] };

/** The provider's name with the project's number, which is the caller's account. */
export function providerNameOf({ poolId, providerId }: Pick<GcpPlace, "poolId" | "providerId">, caller: Caller): string {
  return providerName({ project: caller.account, poolId, providerId });
}

/** What tokens carry: the given audiences, else the provider's own name. */
export function audiencesFor(chosen: Chosen, caller: Caller): readonly string[] {
  return chosen.audiences.length > 0 ? chosen.audiences : [defaultAudience(providerNameOf(chosen, caller))];
}

/** What a provider with these allowed audiences takes (IAM v1, Oidc.allowedAudiences). */
export function acceptedAudiences(allowed: readonly string[], provider: string): readonly string[] {
  return allowed.length > 0 ? allowed : ownAudiences(provider);
}
