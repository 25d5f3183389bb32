import { applyPlan, type Outcome, type Perform } from "../apply/apply.ts";
import type { CloudWorld, Connection, MarkedResource } from "../clouds/cloud.ts";
import { codes } from "../errors/codes.ts";
import { type Problem, warning } from "../errors/error.ts";
import type { Plan, Step, StepStatus } from "../plan/step.ts";
import type { Store, StoreInput, StoreSpec } from "../publish/store.ts";
import { settleAll } from "../errors/settle-all.ts";

export interface TeardownCloud {
  readonly name: string;
  readonly connection: Connection;
}

export interface TeardownStore {
  readonly name: string;
  readonly store: Store;
  readonly input: StoreInput;
}

export interface TeardownJourney {
  readonly issuer: string;
  readonly clouds: readonly TeardownCloud[];
  readonly stores: readonly TeardownStore[];
  readonly world: CloudWorld;
  readonly grantsOnly: boolean;
  readonly keepDocuments: boolean;
  /** Also the emptied bucket. */
  readonly deletePlace: boolean;
}

export interface PlannedTeardown {
  readonly plan: Plan;
  /** What stays although it was asked to go. */
  readonly leftBehind: readonly Problem[];
  /** Performs each step by what made it. */
  readonly perform: Perform;
}

/**
 * Finds what kubeassume made for an issuer and plans its removal in the only safe order: grants, then the trust, then
 * the documents, the bucket last (whoever took a freed bucket name could otherwise mint tokens that are still trusted).
 */
export async function planTeardown(journey: TeardownJourney): Promise<PlannedTeardown> {
  const withDocuments = !journey.grantsOnly && !journey.keepDocuments;
  const [inClouds, inStores] = await settleAll([
    Promise.all(journey.clouds.map((cloud) => findInCloud(cloud, journey))),
    Promise.all(withDocuments ? journey.stores.map((store) => findInStore(store, journey)) : []),
  ]);
  const cloudSteps = inClouds.flatMap((found) => found.steps);
  const last = cloudSteps.map((step) => step.id);
  const storeSteps = inStores.flatMap((found) => found.steps.map((step) => ({ ...step, needs: [...new Set([...last, ...step.needs])] })));
  const performers = new Map([...inClouds, ...inStores].flatMap((found) => found.steps.map((step) => [step.id, found.perform] as const)));
  const perform: Perform = (step) => {
    const performer = performers.get(step.id);
    if (performer === undefined) throw new TypeError(`nobody performs ${step.id}`);
    return performer(step);
  };
  return { plan: { steps: [...cloudSteps, ...storeSteps] }, leftBehind: [...inClouds, ...inStores].flatMap((found) => found.leftBehind), perform };
}

interface Found {
  readonly steps: readonly Step[];
  readonly leftBehind: readonly Problem[];
  readonly perform: Perform;
}

async function findInCloud(cloud: TeardownCloud, journey: TeardownJourney): Promise<Found> {
  const { connection, name } = cloud;
  const marked = await connection.findMarked(journey.issuer, await connection.identify());
  const asked = marked.filter((resource) => resource.role === "grant" || !journey.grantsOnly);
  const wanted = asked.filter((resource) => resource.keep === undefined);
  const leftBehind = asked.flatMap(({ target, keep }) => (keep === undefined ? [] : [warning(codes.LEFT_BEHIND, { message: `${target} stays: ${keep}`, details: { target } })]));
  const grantIds = wanted.filter((resource) => resource.role === "grant").map((resource) => resource.id);
  const steps = wanted.map((resource) => toStep(name, resource, resource.role === "trust" ? grantIds : []));
  return { steps, leftBehind, perform: (step) => connection.perform(step) };
}

function toStep(cloud: string, resource: MarkedResource, before: readonly string[]): Step {
  const { id, kind, target, fields, remains, note, series } = resource;
  const common = { id, kind, cloud, target, before: fields, needs: [...before, ...resource.needs], ...(series === undefined ? {} : { series }) };
  if (remains !== undefined) return { ...common, action: "update", reason: "only our part goes, the rest is somebody else's", after: remains };
  return { ...common, action: "delete", reason: `made by kubeassume for this issuer${note === undefined ? "" : `; ${note}`}`, after: null };
}

async function findInStore({ store, input }: TeardownStore, journey: TeardownJourney): Promise<Found> {
  const spec: StoreSpec | null = await store.findPlace(journey.world, input, journey.issuer);
  if (spec === null) return { steps: [], leftBehind: [], perform: async () => undefined };
  const connection = await store.connect(journey.world, spec);
  const removal = await connection.planRemoval({ deletePlace: journey.deletePlace });
  return { ...removal, perform: (step) => connection.perform(step) };
}

/** Applies a planned teardown. Everything that fails or is skipped is in the outcome. */
export function applyTeardown(planned: PlannedTeardown, options: { readonly onStep: (step: Step, status: "started" | StepStatus) => void; readonly signal: AbortSignal; readonly resume: string }): Promise<Outcome> {
  return applyPlan(planned.plan, { perform: planned.perform, ...options });
}
