import { alreadyExists, notFound, quotaExceeded } from "../errors.ts";
import { pageOf, parseMask } from "../fields.ts";
import type { Message } from "../fields.ts";
import { pendingOn, startOperation } from "../operations.ts";
import type { Call, Method } from "../rest.ts";
import type { Provider } from "../state.ts";
import { activeOf, checkId, checkIdle, deleted, locationOf, poolNameOf, providerNameOf, undeleted } from "./life.ts";
import { checkProvider, readProvider } from "./provider-input.ts";
import { renderProvider } from "./render.ts";

const COLLECTION = "/v1/projects/{project}/locations/{location}/workloadIdentityPools/{pool}/providers";
const ONE = `${COLLECTION}/{provider}`;
const OIDC: Message = { members: { issuerUri: "string", allowedAudiences: "strings", jwksJson: "string" } };
/** Providers of AWS, SAML and X.509 are left out, and unknown members here. */
const PROVIDER: Message = {
  members: { name: "string", displayName: "string", description: "string", state: "string", disabled: "boolean", attributeMapping: "map", attributeCondition: "string", oidc: OIDC, expireTime: "string" },
};
const OIDC_MASK = ["issuerUri", "allowedAudiences", "jwksJson"] as const;
const FIELDS = ["displayName", "description", "disabled", "attributeMapping", "attributeCondition", "oidc"] as const;
const MASK = new Set<string>([...FIELDS, ...OIDC_MASK.map((field) => `oidc.${field}`)]);

const parent = (path: Readonly<Record<string, string>>): string => `${locationOf(path)}/workloadIdentityPools/${path["pool"] ?? ""}`;
const resource = (path: Readonly<Record<string, string>>): string => `${parent(path)}/providers/${path["provider"] ?? ""}`;

/** OIDC providers of workload identity pools. */
export const providerMethods: readonly Method[] = [
  { on: `POST ${COLLECTION}`, permission: "iam.workloadIdentityPoolProviders.create", resource: parent, query: { workloadIdentityPoolProviderId: "string" }, body: PROVIDER, run: createProvider },
  { on: `GET ${COLLECTION}`, permission: "iam.workloadIdentityPoolProviders.list", resource: parent, query: { pageSize: "integer", pageToken: "string", showDeleted: "boolean" }, run: listProviders },
  { on: `GET ${ONE}`, permission: "iam.workloadIdentityPoolProviders.get", resource, run: getProvider },
  { on: `PATCH ${ONE}`, permission: "iam.workloadIdentityPoolProviders.update", resource, query: { updateMask: "string" }, body: PROVIDER, run: patchProvider },
  { on: `DELETE ${ONE}`, permission: "iam.workloadIdentityPoolProviders.delete", resource, run: deleteProvider },
  { on: `POST ${ONE}:undelete`, permission: "iam.workloadIdentityPoolProviders.undelete", resource, body: { members: {} }, run: undeleteProvider },
];

function createProvider(call: Call): unknown {
  const { state, path, query, now } = call;
  const id = query["workloadIdentityPoolProviderId"] ?? "";
  checkId(id, "workload_identity_pool_provider_id");
  const pool = activeOf(state.pools.get(poolNameOf(path, call)));
  const name = providerNameOf({ ...path, provider: id }, call);
  if (state.providers.has(name) || pendingOn(name, call) !== undefined) throw alreadyExists();
  const siblings = [...state.providers.keys()].filter((other) => other.startsWith(`${pool.name}/`)).length;
  if (siblings >= state.quotas.providersPerPool) throw quotaExceeded(`projects/${state.project.number}`, `Quota exceeded: at most ${state.quotas.providersPerPool} providers per workload identity pool.`);
  const given = readProvider(call.body);
  checkProvider(given);
  const value: Provider = { name, ...given, state: "ACTIVE", expireTime: null, since: now() };
  return startOperation({ kind: "provider", value }, call);
}

function listProviders(call: Call): unknown {
  const { state, query } = call;
  const pool = state.pools.get(poolNameOf(call.path, call));
  if (pool === undefined) throw notFound();
  const shown = [...state.providers.values()].filter((provider) => provider.name.startsWith(`${pool.name}/`) && (provider.state === "ACTIVE" || query["showDeleted"]?.toLowerCase() === "true"));
  const { items, nextPageToken } = pageOf(shown, ({ name }) => name, query, { usual: 50, max: 100 });
  return { ...(items.length === 0 ? {} : { workloadIdentityPoolProviders: items.map(renderProvider) }), ...(nextPageToken === "" ? {} : { nextPageToken }) };
}

function getProvider(call: Call): unknown {
  const provider = call.state.providers.get(providerNameOf(call.path, call));
  if (provider === undefined) throw notFound();
  return renderProvider(provider);
}

/** Exactly the fields of the mask are written: one that the mask names and the body lacks becomes empty. */
function patchProvider(call: Call): unknown {
  const mask = parseMask(call.query["updateMask"] ?? "", MASK);
  const name = providerNameOf(call.path, call);
  const provider = changeable(call, name);
  const given = readProvider(call.body);
  const fields = Object.fromEntries(FIELDS.filter((field) => mask.includes(field)).map((field) => [field, given[field]]));
  const changed: Provider = { ...provider, ...fields };
  const oidc = Object.fromEntries(OIDC_MASK.filter((field) => mask.includes(`oidc.${field}`)).map((field) => [field, given.oidc[field]]));
  const value = { ...changed, oidc: { ...changed.oidc, ...oidc } };
  checkProvider(value);
  return startOperation({ kind: "provider", value }, call);
}

function deleteProvider(call: Call): unknown {
  const provider = changeable(call, providerNameOf(call.path, call));
  return startOperation({ kind: "provider", value: deleted(provider, call.now()) }, call);
}

function undeleteProvider(call: Call): unknown {
  activeOf(call.state.pools.get(poolNameOf(call.path, call)));
  const name = providerNameOf(call.path, call);
  const value = undeleted(call.state.providers.get(name), call.now());
  checkIdle(name, call);
  return startOperation({ kind: "provider", value }, call);
}

/** An active provider of an active pool on which nothing is under way. */
function changeable(call: Call, name: string): Provider {
  activeOf(call.state.pools.get(poolNameOf(call.path, call)));
  const provider = activeOf(call.state.providers.get(name));
  checkIdle(name, call);
  return provider;
}
