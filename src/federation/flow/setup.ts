import { applyPlan, type Outcome, type StepOutcome } from "../apply/apply.ts";
import type { Caller, Connection, Provider, SetupDescription, SetupSpec } from "../clouds/cloud.ts";
import type { Cluster, ClusterTarget } from "../cluster/cluster.ts";
import { judgeConflicts } from "../cluster/conflicts.ts";
import { combineProblems } from "../errors/codes.ts";
import type { Problem } from "../errors/error.ts";
import { settleAll } from "../errors/settle-all.ts";
import type { IssuerFacts } from "../oidc/read-issuer.ts";
import { type DesiredResource, type ObservedResource, planResources } from "../plan/plan-resources.ts";
import type { Fields, Plan, Step } from "../plan/step.ts";

/** What a setup is planned from and with; made at the edge. */
export interface SetupJourney<S extends SetupSpec> {
  readonly provider: Provider<S>;
  readonly connection: Connection<S>;
  readonly spec: S;
  /** The issuer as a stranger reads it, or the keys to upload; with what is worth a word about them. */
  readonly readFacts: () => Promise<{ readonly facts: IssuerFacts; readonly warnings: readonly Problem[] }>;
  readonly now: Date;
  /** The cluster with a resource that shall be kept in it, when one was asked for. */
  readonly inCluster: { readonly cluster: Cluster; readonly target: ClusterTarget; fields(description: SetupDescription): Fields } | null;
}

export interface PlannedSetup {
  readonly plan: Plan;
  readonly description: SetupDescription;
  /** The description with what the cloud assigned while steps were performed. */
  readonly describeAfter: (answers: readonly Answer[]) => SetupDescription;
  readonly warnings: readonly Problem[];
  readonly caller: Caller;
}

/**
 * Reads everything that a setup stands on and plans it; writes nothing. Sequential round trips: two
 * (discovery beside the caller's identity; then JWKS, TLS chain and the cloud's records side by side), fewer where the
 * records can be read without knowing the caller. Throws all problems at once.
 */
export async function planSetup<S extends SetupSpec>(journey: SetupJourney<S>): Promise<PlannedSetup> {
  const { provider, connection, spec } = journey;
  const identified = connection.identify();
  const [{ facts, warnings }, caller, observed, inCluster] = await settleAll([
    journey.readFacts(),
    identified,
    connection.observeSetup(spec, identified),
    journey.inCluster?.cluster.observe([journey.inCluster.target]) ?? Promise.resolve([]),
  ]);
  const judged = provider.judgeIssuer(facts, spec, journey.now);
  const desired = provider.desiredSetup(spec, facts, caller, observed);
  const describe = (known: readonly ObservedResource[]) => provider.describeSetup(spec, facts, caller, known);
  const description = describe(observed);
  const cloudIds = desired.resources.map(({ id }) => id);
  const resources = [...desired.resources, ...clusterResource(journey, description, cloudIds)];
  const { plan, refusals } = planResources(resources, [...observed, ...inCluster], { adopt: spec.adopt });
  const problems = [...judged.problems, ...desired.problems, ...refusals, ...judgeConflicts(plan.steps, inCluster)];
  if (problems.length > 0) throw combineProblems(problems);
  const describeAfter = (answers: readonly Answer[]) => describe(withAnswers(observed, answers));
  return { plan, description, describeAfter, caller, warnings: uniqueProblems([...warnings, ...judged.warnings, ...desired.warnings, ...(facts.chain?.warnings ?? [])]) };
}

/** It comes last: what it says of the trust may be assigned by the cloud. */
function clusterResource<S extends SetupSpec>(journey: SetupJourney<S>, description: SetupDescription, needs: readonly string[]): readonly DesiredResource[] {
  if (journey.inCluster === null) return [];
  const { target, fields } = journey.inCluster;
  const id = `${target.kind}/${target.namespace}/${target.name}`;
  return [{ id, kind: target.kind, cloud: null, target: `${target.namespace}/${target.name}`, fields: fields(description), needs, part: true }];
}

/** A performed step with what its owner answered. */
export type Answer = Pick<StepOutcome, "step" | "result">;

/** What was observed, with what performing answered, under the ids of the steps. */
function withAnswers(observed: readonly ObservedResource[], answers: readonly Answer[]): readonly ObservedResource[] {
  const known = answers.flatMap(({ step, result }) => (result === null ? [] : [{ id: step.id, marked: true, fields: { ...step.before, ...step.after, ...result } }]));
  return [...observed.filter(({ id }) => !known.some((answer) => answer.id === id)), ...known];
}

/** The same words once. */
export function uniqueProblems(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.code} ${problem.message}`, problem])).values()];
}

export interface ApplyJourney {
  readonly connection: Pick<Connection, "perform">;
  readonly cluster: Pick<Cluster, "perform"> | null;
  readonly onStep: (step: Step, status: "started" | "done" | "failed" | "skipped" | "planned") => void;
  readonly signal: AbortSignal;
  readonly resume: string;
  /** What shall be in the cluster, now that the cloud has answered; by default as planned. */
  readonly inCluster?: (answers: readonly Answer[]) => Fields;
}

/** Applies a plan whose steps belong to one cloud and to the cluster. */
export function applyToCloud(plan: Plan, journey: ApplyJourney): Promise<Outcome> {
  const answers: Answer[] = [];
  const perform = async (step: Step) => {
    if (step.cloud !== null) {
      const result = await journey.connection.perform(step);
      answers.push({ step, result: result ?? null });
      return result;
    }
    if (journey.cluster === null) throw new TypeError(`no cluster to perform ${step.id}`);
    return journey.cluster.perform(journey.inCluster === undefined ? step : { ...step, after: journey.inCluster(answers) });
  };
  return applyPlan(plan, { perform, onStep: journey.onStep, signal: journey.signal, resume: journey.resume });
}
