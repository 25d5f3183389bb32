import type { Caller, Connection, GrantSpec, Provider, SetupSpec } from "../clouds/cloud.ts";
import type { FlagValues } from "../clouds/options.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Check } from "../errors/checks.ts";
import { KubeassumeError } from "../errors/error.ts";
import { settleAll } from "../errors/settle-all.ts";
import type { Http } from "../http/http.ts";
import type { IssuerFacts } from "../oidc/read-issuer.ts";
import type { ObservedResource } from "../plan/plan-resources.ts";
import { type ReadChain, readIssuer } from "./issuer.ts";
import { judgeCluster, judgeIssuerFacts, readableKeys } from "./judge-issuer-facts.ts";
import { buildTokens, type StatusTokens } from "./status-tokens.ts";

/** One cloud whose trust is checked. */
export interface StatusCloud {
  readonly name: string;
  readonly provider: Provider;
  readonly connection: Connection;
  readonly spec: SetupSpec;
  readonly grants: readonly GrantSpec[];
  readonly flags: FlagValues;
}

export interface StatusJourney {
  readonly issuer: string;
  readonly clouds: readonly StatusCloud[];
  readonly http: Http;
  readonly readChain: ReadChain;
  /** Null when there is no cluster to ask: the checks that need one are skipped. */
  readonly cluster: Cluster | null;
  /** Mint tokens instead of building them. */
  readonly mint: boolean;
  /** Also ask each cloud's real token service with the minted tokens. */
  readonly exchange: boolean;
  readonly now: () => Date;
}

/** What was read for the checks; every part says for itself when it could not be read. */
export interface Read<T> {
  readonly value: T | null;
  readonly failure: KubeassumeError | null;
  readonly durationMs: number;
}

/** Reads everything side by side, then judges it. Reads only; never throws for what a check can say. */
export async function readStatus(journey: StatusJourney): Promise<readonly Check[]> {
  const { now } = journey;
  // Where every cloud has the keys from us, the issuer may be private: it is nobody's business whether it answers.
  const isRead = journey.clouds.some((cloud) => cloud.spec.keySource === "discovery");
  const issuer = isRead ? timed(now, () => readIssuer(journey.http, journey.issuer, journey.readChain)) : null;
  const cluster = journey.cluster;
  const keySets = cluster === null ? null : timed(now, () => cluster.readKeySets());
  const clusterIssuer = cluster === null ? null : timed(now, () => cluster.readIssuer());
  const seen = journey.clouds.map((cloud) => ({ cloud, seen: timed(now, () => observe(cloud)) }));
  const tokens = await buildTokens(journey);
  const facts = await issuer;
  const sets = await keySets;
  const checks: Check[] = [...judgeIssuerFacts(journey.issuer, facts, now())];
  checks.push(...judgeCluster(journey.issuer, { facts, keySets: sets, clusterIssuer: await clusterIssuer, tokens }));
  const clusterJwks = sets?.value == null ? null : { keys: sets.value.sets.flatMap(readableKeys) };
  for (const { cloud, seen: observed } of seen) {
    const read = await observed;
    checks.push(...judgeCloud(cloud, { facts: facts?.value ?? null, clusterJwks, read, tokens, now: now() }));
    if (journey.exchange && read.value !== null) checks.push(...(await exchangeAll(cloud, read.value, tokens, now)));
  }
  return checks;
}

interface Observed {
  readonly caller: Caller;
  readonly observed: readonly ObservedResource[];
}

async function observe(cloud: StatusCloud): Promise<Observed> {
  const identified = cloud.connection.identify();
  const [caller, trust, grants] = await settleAll([
    identified,
    cloud.connection.observeSetup(cloud.spec, identified),
    cloud.grants.length === 0 ? Promise.resolve([]) : cloud.connection.observeGrants(cloud.grants, identified),
  ]);
  return { caller, observed: [...trust, ...grants] };
}

interface CloudReads {
  readonly facts: IssuerFacts | null;
  readonly clusterJwks: unknown;
  readonly read: Read<Observed>;
  readonly tokens: StatusTokens;
  readonly now: Date;
}

function judgeCloud(cloud: StatusCloud, { facts, clusterJwks, read: seen, tokens, now }: CloudReads): readonly Check[] {
  if (seen.value === null) {
    const message = seen.failure?.message ?? "could not be read";
    return [{ id: `${cloud.name}-access`, cloud: cloud.name, status: "fail", message, hint: seen.failure?.hint ?? "", durationMs: seen.durationMs }];
  }
  const { caller, observed } = seen.value;
  const checks = cloud.provider.judgeStatus({ spec: cloud.spec, grants: cloud.grants, facts, caller, observed, tokens: tokens.byCloud.get(cloud.name) ?? new Map(), tokenJwks: tokens.jwks ?? facts?.jwks ?? null, minted: tokens.jwks === null, clusterJwks, now });
  const access: Check = { id: `${cloud.name}-access`, cloud: cloud.name, status: "pass", message: `reading as ${caller.name}`, hint: "", durationMs: seen.durationMs };
  return [access, ...checks];
}

/** Asks the real token service with every minted token, side by side. */
async function exchangeAll(cloud: StatusCloud, { caller, observed }: Observed, tokens: StatusTokens, now: () => Date): Promise<readonly Check[]> {
  const minted = tokens.byCloud.get(cloud.name) ?? new Map<string, string>();
  const wanted = cloud.grants.flatMap((grant) => grant.serviceAccounts.map((account) => ({ account: `${account.namespace}/${account.name}`, principal: cloud.provider.describeGrant(grant, caller, observed).principal })));
  const asked = wanted.filter(({ account }) => minted.has(account));
  return Promise.all(asked.map(({ account, principal }) => exchangeOne(cloud, account, principal, minted.get(account) ?? "", now)));
}

async function exchangeOne(cloud: StatusCloud, account: string, principal: string, token: string, now: () => Date): Promise<Check> {
  const { value, failure, durationMs } = await timed(now, () => cloud.connection.exchange(token, { flags: cloud.flags, config: null }, principal));
  const common = { id: `${cloud.name}-exchange`, cloud: cloud.name, durationMs };
  if (value?.accepted === true) return { ...common, status: "pass", message: `${account} became ${value.principal ?? principal}`, hint: "" };
  if (value !== null) return { ...common, status: "fail", message: `${account} is refused: ${value.code ?? ""} ${value.cloudMessage ?? ""}`, hint: `kubeassume verify ${cloud.name} --service-account ${account} says which rule refuses it` };
  return { ...common, status: "fail", message: failure?.message ?? `${account} could not be exchanged`, hint: failure?.hint ?? "" };
}

/** Runs one reading and keeps its failure as data. A defect is still thrown. */
export async function timed<T>(now: () => Date, read: () => Promise<T>): Promise<Read<T>> {
  const start = now().getTime();
  try {
    const value = await read();
    return { value, failure: null, durationMs: now().getTime() - start };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { value: null, failure: error, durationMs: now().getTime() - start };
  }
}
