import type { Caller, Connection, GrantSpec, Provider, ServiceAccount, SetupSpec, TrustTexts } from "../clouds/cloud.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { judgeConflicts } from "../cluster/conflicts.ts";
import { toObjectFields } from "../cluster/fields.ts";
import { combineProblems } from "../errors/codes.ts";
import type { Problem } from "../errors/error.ts";
import { type DesiredResource, planResources } from "../plan/plan-resources.ts";
import type { Plan } from "../plan/step.ts";
import { settleAll } from "../errors/settle-all.ts";
import { uniqueProblems } from "./setup.ts";

export interface GrantJourney<G extends GrantSpec> {
  readonly provider: Pick<Provider<SetupSpec, G>, "desiredGrants" | "describeGrant">;
  readonly connection: Pick<Connection<SetupSpec, G>, "identify" | "observeGrants">;
  readonly specs: readonly G[];
  /** Null unless the ServiceAccounts shall be applied to the cluster. */
  readonly cluster: Cluster | null;
}

export type GrantTexts = TrustTexts & { readonly principal: string; readonly nextSteps: readonly string[]; readonly serviceAccounts: readonly ServiceAccount[] };

export interface PlannedGrants {
  readonly plan: Plan;
  readonly grants: readonly GrantTexts[];
  readonly warnings: readonly Problem[];
  readonly caller: Caller;
}

/**
 * Reads what the grants stand on and plans them; writes nothing. Sequential round trips: two (identity beside the
 * cluster's ServiceAccounts; then the cloud's records), more only where the cloud's pages force them.
 * Throws all problems at once.
 */
export async function planGrants<G extends GrantSpec>(journey: GrantJourney<G>): Promise<PlannedGrants> {
  const { provider, connection, specs } = journey;
  const accounts = specs.flatMap((spec) => spec.serviceAccounts);
  const targets = accounts.map(({ namespace, name }) => ({ kind: "cluster.service-account" as const, namespace, name }));
  const identified = connection.identify();
  const [caller, observed, inCluster] = await settleAll([
    identified,
    connection.observeGrants(specs, identified),
    journey.cluster?.observe(targets) ?? Promise.resolve([]),
  ]);
  const desired = provider.desiredGrants(specs, caller, observed);
  const grants = specs.map((spec) => ({ ...provider.describeGrant(spec, caller, observed), serviceAccounts: spec.serviceAccounts }));
  const cloudIds = desired.resources.map((resource) => resource.id);
  const accountResources = journey.cluster === null ? [] : grants.flatMap((grant) => toAccountResources(grant, cloudIds));
  const adopt = specs.some((spec) => spec.adopt);
  const { plan, refusals } = planResources([...desired.resources, ...accountResources], [...observed, ...inCluster], { adopt });
  const problems = [...desired.problems, ...refusals, ...judgeConflicts(plan.steps, inCluster)];
  if (problems.length > 0) throw combineProblems(problems);
  const warnings = uniqueProblems([...desired.warnings, ...grants.flatMap((grant) => grant.warnings)]);
  return { plan, grants, caller, warnings };
}

/** The ServiceAccount comes last: a pod must not find an identity that does not exist yet. */
function toAccountResources(grant: GrantTexts, needs: readonly string[]): readonly DesiredResource[] {
  return grant.serviceAccounts.map(({ namespace, name }) => ({
    id: `cluster.service-account/${namespace}/${name}`,
    kind: "cluster.service-account",
    cloud: null,
    target: `${namespace}/${name}`,
    fields: toObjectFields({ annotations: grant.serviceAccountAnnotations }),
    needs,
    part: true,
  }));
}
