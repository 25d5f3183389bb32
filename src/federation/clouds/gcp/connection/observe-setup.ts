import type { Caller } from "../../cloud.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import { POOL_ID, POOL_PROVIDERS_ID, PROVIDER_ID } from "../ids.ts";
import type { GcpPlace } from "../input/common.ts";
import { readMarks } from "../marks.ts";
import { poolName, providerName } from "../names.ts";
import type { Session } from "./session.ts";
import { otherFields, poolFields, providerFields } from "./trust-fields.ts";
import { idOf, listProviders, readPool, readProvider } from "./trust-resources.ts";

/**
 * Pool, provider and the pool's other providers, side by side and by the project's ID, so that they need not wait for
 * its number. When the caller cannot be told, that is said rather than what follows from it.
 */
export async function observeSetup(session: Session, place: GcpPlace, caller: Caller | Promise<Caller>): Promise<readonly ObservedResource[]> {
  const reads = Promise.all([observeTrust(session, place), listProviders(session, poolName(place))]);
  reads.catch(() => undefined);
  await caller;
  const [observed, providers] = await reads;
  const found = providers.filter((provider) => idOf(provider) !== place.providerId);
  return found.length === 0 ? observed : [...observed, { id: POOL_PROVIDERS_ID, marked: true, fields: { others: found.map(otherFields) } }];
}

/** Pool and provider alone: what grants stand on. */
export async function observeTrust(session: Session, place: GcpPlace): Promise<readonly ObservedResource[]> {
  const [pool, provider] = await Promise.all([readPool(session, poolName(place)), readProvider(session, providerName(place))]);
  return [...(pool === null ? [] : [toObserved(POOL_ID, poolFields(pool))]), ...(provider === null ? [] : [toObserved(PROVIDER_ID, providerFields(provider))])];
}

function toObserved(id: string, fields: ObservedResource["fields"]): ObservedResource {
  const { description } = fields;
  return { id, marked: readMarks(typeof description === "string" ? description : "").managed, fields };
}
