import type { GcpState, Policy, Pool, Provider } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import type { Facts } from "./fault-cloud.ts";

type Bucket = GcpState["storage"]["buckets"] extends ReadonlyMap<string, infer B> ? B : never;
type Operation = GcpState["operations"] extends ReadonlyMap<string, infer O> ? O : never;

/** Pools and providers go by their names, everything else by the ids of steps. What an operation has begun counts. */
export function gcpFacts(state: GcpState): Facts {
  const begun = [...state.operations.values()].filter(({ carriedOut }) => !carriedOut);
  const pools = new Map([...state.pools.values(), ...begun.flatMap(poolOf)].map((pool) => [pool.name, poolFacts(pool)]));
  const providers = new Map([...state.providers.values(), ...begun.flatMap(providerOf)].map((provider) => [provider.name, providerFacts(provider)]));
  const accounts = [...state.serviceAccounts.values()].map(({ email, displayName, description, disabled }) => [`gcp.service-account/${email}`, { displayName, description, disabled }] as const);
  const policies = [...state.policies].map(([key, { versions }]) => [`gcp.policy/${key}`, policyFacts(versions.at(-1)?.policy)] as const);
  return { ...Object.fromEntries([...pools, ...providers, ...accounts, ...policies]), ...Object.assign({}, ...[...state.storage.buckets.values()].map(bucketFacts)) };
}

function poolOf(operation: Operation): readonly Pool[] {
  return operation.kind === "pool" ? [operation.value] : [];
}

function providerOf(operation: Operation): readonly Provider[] {
  return operation.kind === "provider" ? [operation.value] : [];
}

function poolFacts({ displayName, description, disabled, mode, state }: Pool): unknown {
  return { displayName, description, disabled, mode, state };
}

function providerFacts({ displayName, description, disabled, state, attributeMapping, attributeCondition, oidc }: Provider): unknown {
  const { issuerUri, allowedAudiences, jwksJson } = oidc;
  return { displayName, description, disabled, state, attributeMapping, attributeCondition, issuerUri, allowedAudiences: [...allowedAudiences].sort(), jwks: jwksJson === "" ? null : (JSON.parse(jwksJson) as unknown) };
}

function policyFacts(policy: Omit<Policy, "etag"> | undefined): unknown {
  if (policy === undefined || (policy.bindings.length === 0 && policy.auditConfigs === undefined)) return null;
  const { version, bindings, auditConfigs = null } = policy;
  return { version, auditConfigs, bindings };
}

/** Everybody's roles are what publishing writes into a bucket's policy; all others are those of grants and people. */
function bucketFacts(bucket: Bucket): Facts {
  const { name, location, uniform, publicAccessPrevention, labels, others, policy, objects } = bucket;
  const readers = withMembers(policy.bindings, (member) => member === "allUsers");
  const foreign = [...objects.keys()].filter((key) => !/openid/.test(key)).sort();
  return {
    [`gcs.bucket/${name}`]: { location, others },
    [`gcs.labels/${name}`]: Object.keys(labels).length === 0 ? null : labels,
    [`gcs.uniform-access/${name}`]: { uniform },
    [`gcs.public-access/${name}`]: { publicAccessPrevention },
    [`gcs.policy/${name}`]: readers.length === 0 ? null : readers,
    [`gcp.policy/buckets/${name}`]: { version: policy.version, bindings: withMembers(policy.bindings, (member) => member !== "allUsers") },
    [`gcs.jwks/${name}`]: objectFacts(bucket, "openid/v1/jwks"),
    [`gcs.discovery/${name}`]: objectFacts(bucket, ".well-known/openid-configuration"),
    [`other objects in ${name}`]: foreign.length === 0 ? null : foreign,
  };
}

function withMembers<T extends { readonly members: readonly string[] }>(bindings: readonly T[], isWanted: (member: string) => boolean): readonly T[] {
  return bindings.map((binding) => ({ ...binding, members: binding.members.filter(isWanted) })).filter(({ members }) => members.length > 0);
}

function objectFacts({ objects }: Bucket, name: string): unknown {
  const object = objects.get(name);
  if (object === undefined) return null;
  const { body, contentType, cacheControl, contentEncoding, contentDisposition, contentLanguage, metadata } = object;
  return { body: body.toString("utf8"), contentType, cacheControl, contentEncoding, contentDisposition, contentLanguage, metadata };
}
