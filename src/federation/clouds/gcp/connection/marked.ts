import type { Caller, CloudInput, MarkedResource } from "../../cloud.ts";
import { createProblems } from "../../input.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { readMapping, subjectPrefixOf } from "../desired/mapping.ts";
import { KIND, POOL_ID, PROVIDER_ID, serviceAccountId } from "../ids.ts";
import { readProject } from "../input/common.ts";
import { isMarkedFor, readMarks } from "../marks.ts";
import { SOFT_DELETE_DAYS } from "../names.ts";
import { findBindings, isOwnMember, type OwnSubjects } from "./marked-bindings.ts";
import { accountFields } from "./observe-grants.ts";
import { bindingsOf, isUnconditional, membersOf } from "./policy-document.ts";
import { readPolicy } from "./policies.ts";
import { restPages } from "./rest.ts";
import { mapBounded, type Session } from "./session.ts";
import { poolFields, providerFields } from "./trust-fields.ts";
import { canonicalPool, idOf, listPools, listProviders } from "./trust-resources.ts";

/** A pool that kubeassume made, for whichever issuer, with its providers. */
interface Pool {
  readonly name: string;
  readonly record: JsonObject;
  readonly providers: readonly JsonObject[];
  /** Those of the issuer. */
  readonly own: readonly JsonObject[];
  /** Made for the issuer, and nobody else's provider is in it: it can go as a whole. */
  readonly isWhole: boolean;
}

/** A service account of the project with its policy. */
export interface Account {
  readonly email: string;
  readonly record: JsonObject;
  readonly policy: JsonObject;
}

/**
 * Everything of one issuer in the project of `--project`: pools, providers and service accounts by the mark in their
 * description; members of the issuer's subjects in the policies of the project, its service accounts and its buckets.
 * Needs neither the flags of the grants nor a state file. Throws FLAG_MISSING, GCP_PROJECT_INVALID.
 */
export async function findMarked(session: Session, input: CloudInput, issuer: string, caller: Caller): Promise<readonly MarkedResource[]> {
  const problems = createProblems();
  const project = readProject(input, problems);
  problems.throwAll();
  const [pools, records] = await Promise.all([readPools(session, project, issuer, caller), listAccounts(session, project)]);
  const subjects = pools.filter(({ own }) => own.length > 0).map(toSubjects);
  const isOwn = (record: JsonObject) => isMarkedFor(String(accountFields(record)["description"]), issuer);
  // Without a pool of the issuer nobody's policy can name it.
  const accounts = await readAccounts(session, records.filter((record) => subjects.length > 0 || isOwn(record)));
  const marked = accounts.filter(({ record }) => isOwn(record)).map((account) => toAccountRemoval(account, subjects));
  const gone = new Set(marked.filter(({ keep }) => keep === undefined).map(({ target }) => target));
  const bindings = subjects.length === 0 ? [] : await findBindings(session, project, accounts.filter(({ email }) => !gone.has(email)), subjects);
  return [...bindings, ...marked, ...toTrustRemovals(pools, issuer)];
}

async function readPools(session: Session, project: string, issuer: string, caller: Caller): Promise<readonly Pool[]> {
  // Providers only stand in pools that kubeassume made or took over.
  const managed = (await listPools(session, project)).filter((pool) => readMarks(String(pool["description"] ?? "")).managed);
  return mapBounded(managed, async (record) => {
    const name = canonicalPool(record, caller.account);
    const providers = await listProviders(session, name);
    const own = providers.filter((provider) => isMarkedFor(String(provider["description"] ?? ""), issuer));
    return { name, record, providers, own, isWhole: isMarkedFor(String(record["description"] ?? ""), issuer) && own.length === providers.length };
  });
}

async function listAccounts({ rest }: Session, project: string): Promise<readonly JsonObject[]> {
  return restPages(rest, { service: "iam", method: "GET", path: `v1/projects/${project}/serviceAccounts`, query: { pageSize: 100 }, action: "iam.serviceAccounts.list", resource: `project ${project}` }, "accounts");
}

async function readAccounts(session: Session, records: readonly JsonObject[]): Promise<readonly Account[]> {
  const read = await mapBounded(records.filter(({ email }) => typeof email === "string"), async (record) => {
    const email = String(record["email"]);
    return { email, record, policy: await readPolicy(session, { kind: "serviceAccount", email }) };
  });
  return read.filter((account): account is Account => account.policy !== null);
}

/** In a pool that others use too, only subjects that begin as this issuer's do are its own. */
function toSubjects({ name, own, isWhole }: Pool): OwnSubjects {
  return { pool: name, prefixes: isWhole ? null : own.flatMap((provider) => subjectPrefixOf(readMapping(providerFields(provider)["attributeMapping"])) ?? []) };
}

/** One whose policy lets somebody else in too is in use: it stays. */
function toAccountRemoval({ email, record, policy }: Account, subjects: readonly OwnSubjects[]): MarkedResource {
  const { displayName = "", description = "" } = accountFields(record);
  const common: MarkedResource = { id: serviceAccountId(email), kind: KIND.serviceAccount, target: email, fields: { displayName, description }, role: "grant", needs: [] };
  const others = bindingsOf(policy).flatMap((binding) => membersOf(binding).filter((member) => !isUnconditional(binding) || !subjects.some((own) => isOwnMember(own, member))));
  if (others[0] !== undefined) return { ...common, keep: `its policy lets others use it: ${others[0]}${others.length === 1 ? "" : ` and ${others.length - 1} more`}` };
  return { ...common, note: `it can be restored for ${SOFT_DELETE_DAYS} days` };
}

function toTrustRemovals(pools: readonly Pool[], issuer: string): readonly MarkedResource[] {
  const own = pools.flatMap((pool) => pool.own.map((record) => ({ pool, record, name: `${pool.name}/providers/${idOf(record)}` })));
  const providerId = (name: string) => (own.length === 1 ? PROVIDER_ID : `${PROVIDER_ID}/${name}`);
  const marked = pools.filter(({ record }) => isMarkedFor(String(record["description"] ?? ""), issuer));
  const note = `its id cannot be used for anything else for ${SOFT_DELETE_DAYS} days, in which setup restores it`;
  return [
    ...own.map(({ name, record }): MarkedResource => ({ id: providerId(name), kind: KIND.provider, target: name, fields: providerFields(record), role: "trust", needs: [], note })),
    ...marked.map((pool): MarkedResource => {
      const needs = own.filter((provider) => provider.pool === pool).map(({ name }) => providerId(name));
      const common: MarkedResource = { id: marked.length === 1 ? POOL_ID : `${POOL_ID}/${idOf(pool.record)}`, kind: KIND.pool, target: pool.name, fields: poolFields(pool.record), role: "trust", needs, note };
      const foreign = pool.providers.find((provider) => !pool.own.includes(provider));
      return foreign === undefined ? common : { ...common, keep: `it has the provider ${idOf(foreign)}, which is not this issuer's` };
    }),
  ];
}
