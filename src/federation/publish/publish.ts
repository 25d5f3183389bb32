import { applyPlan, type Outcome, type StepOutcome } from "../apply/apply.ts";
import type { CloudWorld } from "../clouds/cloud.ts";
import type { KubeassumeError, Problem } from "../errors/error.ts";
import { settleAll } from "../errors/settle-all.ts";
import { discoveryUrl, jwksUrl } from "../oidc/issuer.ts";
import type { PublishedJwk } from "../oidc/publish.ts";
import type { Http } from "../http/http.ts";
import type { Plan, Step, StepStatus } from "../plan/step.ts";
import { type ReportedStep, reportOutcome, reportPlanned } from "../report/envelope.ts";
import { type KeyChange, keyChanges, mergeKeys, parseKeySources, parsePublishedKeys } from "./keys.ts";
import { DISCOVERY_KIND, JWKS_KIND, type PublishPlan, planPublish } from "./plan-publish.ts";
import { readBack, readBackPauses, type Wait } from "./read-back.ts";
import type { KeySources } from "./read-keys.ts";
import type { Store, StoreConnection, StoreDefinition, StoreSpec, StoreState } from "./store.ts";
import { writeDiscovery, writeKeySet } from "./write-documents.ts";

/** Where to publish, with the pure half loaded. */
export interface PublishTarget<S extends StoreSpec = StoreSpec> {
  readonly definition: Pick<StoreDefinition, "name" | "cloud">;
  readonly store: Store<S>;
  readonly spec: S;
}

/** A publication that was read and planned, and not begun. */
export interface PreparedPublish {
  readonly spec: StoreSpec;
  readonly connection: StoreConnection;
  readonly state: StoreState;
  readonly signing: readonly PublishedJwk[];
  readonly planned: PublishPlan;
  /** What was done to the place before: it is reported with the rest and not done again. */
  readonly made: readonly StepOutcome[];
}

/** `PublishResult.data`. */
export interface PublishData {
  readonly issuer: string;
  readonly discoveryUrl: string;
  readonly jwksUrl: string;
  readonly keys: readonly KeyChange[];
  readonly steps: readonly ReportedStep[];
}

export interface PublishOutcome {
  readonly data: PublishData;
  readonly outcome: Outcome;
  readonly warnings: readonly Problem[];
  /** Why it is not published, or not readable; null when it is both. */
  readonly error: KubeassumeError | null;
}

export interface ApplyPublishOptions {
  /** Reads the documents back as a stranger. */
  readonly http: Http;
  readonly wait: Wait;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: Step, status: "started" | StepStatus) => void;
  readonly notify?: (message: string) => void;
  /** The command that resumes. */
  readonly resume: string;
}

/**
 * Reads the keys beside the store and plans. Writes nothing. Everything that can be refused is refused here, all
 * problems of the plan at once.
 */
export async function preparePublish(
  target: PublishTarget,
  world: CloudWorld,
  keys: () => Promise<KeySources>,
  prune: boolean,
  made: readonly StepOutcome[] = [],
): Promise<PreparedPublish> {
  const { definition, store, spec } = target;
  const connection = await store.connect(world, spec);
  const reading = keys().then((read) => ({ signing: parseKeySources(read.sources), unreachable: read.unreachable }));
  const [{ signing, unreachable }, state] = await settleAll([reading, connection.observe()]);
  const desiredPlace = store.desiredPlace(spec, state.place);
  const planned = planPublish({ store: definition, spec, desiredPlace, state, signing, prune, unreachable });
  return { spec, connection, state, signing, planned: { ...planned, plan: withMade(planned.plan, made) }, made };
}

/** The plan with the steps that were performed before in place of those that find nothing left to do. */
function withMade(plan: Plan, made: readonly StepOutcome[]): Plan {
  return { steps: plan.steps.map((step) => (step.action === "none" ? (made.find((one) => one.step.id === step.id)?.step ?? step) : step)) };
}

/** The result of a dry run. */
export function plannedData(prepared: PreparedPublish): PublishData {
  return { ...urlsOf(prepared.spec), keys: prepared.planned.keys, steps: reportPlanned(prepared.planned.plan) };
}

/**
 * Writes what was planned, conditionally, then reads both documents back through the issuer URL. Never throws for a
 * step that failed or a document that cannot be read back: the outcome says it.
 */
export async function applyPublish(prepared: PreparedPublish, options: ApplyPublishOptions): Promise<PublishOutcome> {
  const { spec, connection, planned, signing } = prepared;
  const writing = { spec, connection, signing, removed: planned.removed, state: prepared.state, wait: options.wait };
  let keys = mergeKeys(publishedBefore(prepared), signing, planned.removed);
  const done = new Map(prepared.made.map(({ step, result }) => [step, result]));
  const perform = async (step: Step) => {
    if (done.has(step)) return done.get(step) ?? undefined;
    if (step.kind === JWKS_KIND) keys = await writeKeySet(writing);
    else if (step.kind === DISCOVERY_KIND) keys = await writeDiscovery(writing, keys);
    else return connection.perform(step);
  };
  const { signal, resume } = options;
  const onStep: typeof options.onStep = (step, status) => (done.has(step) ? undefined : options.onStep?.(step, status));
  const outcome = await applyPlan(planned.plan, { perform, resume, onStep, ...(signal === undefined ? {} : { signal }) });
  const written = outcome.steps.some(({ step, status }) => step.kind === JWKS_KIND && status === "done");
  const data = { ...urlsOf(spec), keys: written ? changes(prepared, keys) : untouched(prepared), steps: reportOutcome(outcome.steps) };
  if (outcome.error !== null) return { data, outcome, warnings: planned.warnings, error: outcome.error };
  options.notify?.(`reading ${discoveryUrl(spec.issuer)} as a stranger`);
  const served = await readBack(options.http, { issuer: spec.issuer, keys, removed: planned.removed }, spec.servesAtOnce ? readBackPauses(spec.settleMs) : [], options.wait);
  const asWarning = served.problem === null || spec.servesAtOnce ? [] : [served.problem.toProblem()];
  return { data, outcome, warnings: [...planned.warnings, ...asWarning, ...served.warnings], error: spec.servesAtOnce ? served.problem : null };
}

function publishedBefore({ state, spec }: PreparedPublish): readonly PublishedJwk[] {
  return parsePublishedKeys(state.jwks?.body ?? null, spec.jwks.target);
}

/** Keys that appeared meanwhile and are not ours were added by another writer: here they are kept. */
function changes(prepared: PreparedPublish, keys: readonly PublishedJwk[]): readonly KeyChange[] {
  const signing = new Set(prepared.signing.map((key) => key.kid));
  const others = keys.filter((key) => !signing.has(key.kid));
  return keyChanges([...publishedBefore(prepared), ...others], prepared.signing, prepared.planned.removed);
}

/** Nothing was added or removed: what was published still is. */
function untouched(prepared: PreparedPublish): readonly KeyChange[] {
  return publishedBefore(prepared).map(({ kid }) => ({ kid, status: "kept" }));
}

function urlsOf(spec: StoreSpec): Pick<PublishData, "issuer" | "discoveryUrl" | "jwksUrl"> {
  return { issuer: spec.issuer, discoveryUrl: discoveryUrl(spec.issuer), jwksUrl: jwksUrl(spec.issuer) };
}
