import { alreadyExists, notFound, quotaExceeded } from "../errors.ts";
import { pageOf, parseMask, textOf } from "../fields.ts";
import type { Message } from "../fields.ts";
import { getOperation, pendingOn, startOperation } from "../operations.ts";
import type { Call, Method } from "../rest.ts";
import type { Pool } from "../state.ts";
import { activeOf, checkId, checkIdle, checkLocation, checkTexts, deleted, locationOf, poolNameOf, providerNameOf, undeleted } from "./life.ts";
import { renderPool } from "./render.ts";

const COLLECTION = "/v1/projects/{project}/locations/{location}/workloadIdentityPools";
const ONE = `${COLLECTION}/{pool}`;
/** Trust configurations and certificate issuance belong to managed workload identities, which the stand-in leaves out. */
const POOL: Message = { members: { name: "string", displayName: "string", description: "string", state: "string", disabled: "boolean", mode: "string", expireTime: "string" } };
const MASK = new Set(["displayName", "description", "disabled"]);

const resource = (path: Readonly<Record<string, string>>): string => `${locationOf(path)}/workloadIdentityPools/${path["pool"] ?? ""}`;

/** Workload identity pools, and the operations on them and their providers. */
export const poolMethods: readonly Method[] = [
  { on: `POST ${COLLECTION}`, permission: "iam.workloadIdentityPools.create", resource: (path) => locationOf(path), query: { workloadIdentityPoolId: "string" }, body: POOL, run: createPool },
  { on: `GET ${COLLECTION}`, permission: "iam.workloadIdentityPools.list", resource: (path) => locationOf(path), query: { pageSize: "integer", pageToken: "string", showDeleted: "boolean" }, run: listPools },
  { on: `GET ${ONE}`, permission: "iam.workloadIdentityPools.get", resource, run: getPool },
  { on: `PATCH ${ONE}`, permission: "iam.workloadIdentityPools.update", resource, query: { updateMask: "string" }, body: POOL, run: patchPool },
  { on: `DELETE ${ONE}`, permission: "iam.workloadIdentityPools.delete", resource, run: deletePool },
  { on: `POST ${ONE}:undelete`, permission: "iam.workloadIdentityPools.undelete", resource, body: { members: {} }, run: undeletePool },
  { on: `GET ${ONE}/operations/{operation}`, permission: "iam.workloadIdentityPools.get", resource, run: (call) => getOperation(`${poolNameOf(call.path, call)}/operations/${call.path["operation"] ?? ""}`, call) },
  {
    on: `GET ${ONE}/providers/{provider}/operations/{operation}`,
    permission: "iam.workloadIdentityPoolProviders.get",
    resource,
    run: (call) => getOperation(`${providerNameOf(call.path, call)}/operations/${call.path["operation"] ?? ""}`, call),
  },
];

function createPool(call: Call): unknown {
  const { body, state, path, query, now } = call;
  checkLocation(path, "iam.workloadIdentityPools.create");
  const id = query["workloadIdentityPoolId"] ?? "";
  checkId(id, "workload_identity_pool_id");
  checkTexts(body);
  const name = poolNameOf({ ...path, pool: id }, call);
  if (state.pools.has(name) || pendingOn(name, call) !== undefined) throw alreadyExists();
  if (state.pools.size >= state.quotas.poolsPerProject) throw quotaExceeded(`projects/${state.project.number}`, `Quota exceeded: at most ${state.quotas.poolsPerProject} workload identity pools per project.`);
  const mode = textOf(body, "mode");
  const texts = { displayName: textOf(body, "displayName"), description: textOf(body, "description") };
  const value: Pool = { name, ...texts, disabled: body["disabled"] === true, mode: mode === "" || mode === "MODE_UNSPECIFIED" ? null : mode, state: "ACTIVE", expireTime: null, since: now() };
  return startOperation({ kind: "pool", value }, call);
}

function listPools({ state, path, query }: Call): unknown {
  checkLocation(path, "iam.workloadIdentityPools.list");
  const shown = [...state.pools.values()].filter((pool) => pool.state === "ACTIVE" || query["showDeleted"]?.toLowerCase() === "true");
  const { items, nextPageToken } = pageOf(shown, ({ name }) => name, query, { usual: 50, max: 1000 });
  return { ...(items.length === 0 ? {} : { workloadIdentityPools: items.map(renderPool) }), ...(nextPageToken === "" ? {} : { nextPageToken }) };
}

function getPool(call: Call): unknown {
  const pool = call.state.pools.get(poolNameOf(call.path, call));
  if (pool === undefined) throw notFound();
  return renderPool(pool);
}

function patchPool(call: Call): unknown {
  const { body, state, query } = call;
  const mask = parseMask(query["updateMask"] ?? "", MASK);
  const name = poolNameOf(call.path, call);
  const pool = activeOf(state.pools.get(name));
  checkTexts(body);
  checkIdle(name, call);
  const wanted = { displayName: textOf(body, "displayName"), description: textOf(body, "description"), disabled: body["disabled"] === true };
  const changes = Object.fromEntries(Object.entries(wanted).filter(([field]) => mask.includes(field)));
  return startOperation({ kind: "pool", value: { ...pool, ...changes } }, call);
}

function deletePool(call: Call): unknown {
  const name = poolNameOf(call.path, call);
  const pool = activeOf(call.state.pools.get(name));
  checkIdle(name, call);
  return startOperation({ kind: "pool", value: deleted(pool, call.now()) }, call);
}

function undeletePool(call: Call): unknown {
  const name = poolNameOf(call.path, call);
  const value = undeleted(call.state.pools.get(name), call.now());
  checkIdle(name, call);
  return startOperation({ kind: "pool", value }, call);
}
