import { combineProblems } from "../errors/codes.ts";
import { KubeassumeError, type Problem, warning } from "../errors/error.ts";
import { checkIssuerUrl } from "../oidc/issuer.ts";
import type { PublishedJwk } from "../oidc/publish.ts";
import { type DesiredResource, type ObservedResource, planResources } from "../plan/plan-resources.ts";
import type { Plan } from "../plan/step.ts";
import { codes as publishCodes } from "./codes.ts";
import { discoveryFields, jwksFields, refuseForeignDiscovery } from "./documents.ts";
import { type KeyChange, keyChanges, mergeKeys, narrowKeys, parsePublishedKeys, prunableKeys } from "./keys.ts";
import type { DesiredPlace, StoreSpec, StoreState } from "./store.ts";

/** Everything that planning a publication needs; nothing of it is read here. */
export interface PublishFacts {
  readonly store: { readonly name: string; readonly cloud: string | null };
  readonly spec: StoreSpec;
  readonly desiredPlace: DesiredPlace;
  readonly state: StoreState;
  /** The keys that sign now. */
  readonly signing: readonly PublishedJwk[];
  /** Remove published keys that sign no more. */
  readonly prune: boolean;
  /** API servers that could not be asked: with any of them, nothing can be pruned. */
  readonly unreachable: readonly Problem[];
}

export interface PublishPlan {
  readonly plan: Plan;
  readonly keys: readonly KeyChange[];
  /** Key ids that the plan removes. Fixed here: what appears later, by another writer, stays. */
  readonly removed: ReadonlySet<string>;
  readonly warnings: readonly Problem[];
}

export const JWKS_KIND = "publish.jwks";
export const DISCOVERY_KIND = "publish.discovery";

/**
 * Plans the place, then the key set, then the discovery document, so that no discovery document ever points at
 * nothing. Published keys stay unless `prune` is asked for. All problems are thrown together.
 */
export function planPublish(facts: PublishFacts): PublishPlan {
  const { spec, state, signing, desiredPlace } = facts;
  const problems: KubeassumeError[] = [...desiredPlace.problems];
  const collect = <T>(fallback: T, work: () => T): T => attempt(problems, fallback, work);
  const published = collect<readonly PublishedJwk[]>([], () => parsePublishedKeys(state.jwks?.body ?? null, spec.jwks.target));
  collect(undefined, () => refuseForeignDiscovery(spec, state.discovery));
  const removed = facts.prune ? prunableKeys(published, signing) : new Set<string>();
  if (removed.size > 0 && facts.unreachable.length > 0) problems.push(pruneUnsafe(removed, facts.unreachable));
  const merged = collect(signing, () => mergeKeys(published, signing, removed));
  const { plan, refusals } = planResources([...desiredPlace.resources, ...desiredDocuments(facts, merged)], observedAll(facts, published), { adopt: false });
  problems.push(...refusals);
  if (problems.length > 0) throw combineProblems(problems);
  return { plan, keys: keyChanges(published, signing, removed), removed, warnings: warningsOf(facts) };
}

function attempt<T>(problems: KubeassumeError[], fallback: T, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof KubeassumeError)) throw cause;
    problems.push(cause);
    return fallback;
  }
}

function desiredDocuments(facts: PublishFacts, merged: readonly PublishedJwk[]): readonly DesiredResource[] {
  const { spec, store, desiredPlace } = facts;
  const common = { cloud: store.cloud, part: true };
  const jwks = { ...common, ...jwksIdentity(facts), target: spec.jwks.target, fields: jwksFields(spec, merged), needs: desiredPlace.documentsNeed };
  const needs = [...desiredPlace.documentsNeed, jwks.id];
  const discovery = { ...common, ...discoveryIdentity(facts), target: spec.discovery.target, fields: discoveryFields(spec, merged), needs };
  return [jwks, discovery];
}

function observedAll(facts: PublishFacts, published: readonly PublishedJwk[]): readonly ObservedResource[] {
  const { spec, state } = facts;
  const documents: ObservedResource[] = [];
  if (state.jwks !== null) documents.push({ id: jwksIdentity(facts).id, marked: state.jwks.marked, fields: jwksFields(spec, published, state.jwks) });
  if (state.discovery !== null) {
    documents.push({ id: discoveryIdentity(facts).id, marked: state.discovery.marked, fields: discoveryFields(spec, published, state.discovery) });
  }
  return [...state.place, ...documents];
}

function jwksIdentity({ store, spec }: PublishFacts): { readonly id: string; readonly kind: string } {
  return { id: `${store.name}.jwks/${spec.place}`, kind: JWKS_KIND };
}

function discoveryIdentity({ store, spec }: PublishFacts): { readonly id: string; readonly kind: string } {
  return { id: `${store.name}.discovery/${spec.place}`, kind: DISCOVERY_KIND };
}

function warningsOf(facts: PublishFacts): readonly Problem[] {
  const narrow = narrowKeys(facts.signing).map(({ kid, algorithm }) =>
    warning(publishCodes.KEYS_NOT_RSA, { message: `key ${JSON.stringify(kid.slice(0, 200))} signs with ${algorithm}`, details: { kid, algorithm } }),
  );
  return [...checkIssuerUrl(facts.spec.issuer).warnings, ...facts.unreachable, ...facts.desiredPlace.warnings, ...narrow];
}

function pruneUnsafe(removed: ReadonlySet<string>, unreachable: readonly Problem[]): KubeassumeError {
  const kids = [...removed].map((kid) => JSON.stringify(kid.slice(0, 200))).join(", ");
  return new KubeassumeError(publishCodes.PRUNE_UNSAFE, {
    message: `${removed.size} published keys do not sign as far as could be read (${kids}), but ${unreachable.length} API servers could not be asked`,
    details: { keys: [...removed], unreachable: unreachable.map((problem) => problem.message) },
  });
}
