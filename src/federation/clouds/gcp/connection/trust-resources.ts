import type { JsonObject } from "../../../oidc/json.ts";
import { parseProviderName, poolName } from "../names.ts";
import { isAnswered } from "./errors.ts";
import { restIfExists, restPages } from "./rest.ts";
import type { Session } from "./session.ts";

const PAGE_OF_POOLS = 1000;
const PAGE_OF_PROVIDERS = 100;

/** GET of a pool by its name, deleted ones included (`state` says so); null when there is none. `project`: ID or number. */
export async function readPool({ rest }: Session, name: string): Promise<JsonObject | null> {
  return (await restIfExists(rest, { service: "iam", method: "GET", path: `v1/${name}`, action: "iam.workloadIdentityPools.get", resource: name }))?.json ?? null;
}

/** The same of a provider; null too when there is no such pool. */
export async function readProvider({ rest }: Session, name: string): Promise<JsonObject | null> {
  return (await restIfExists(rest, { service: "iam", method: "GET", path: `v1/${name}`, action: "iam.workloadIdentityPoolProviders.get", resource: name }))?.json ?? null;
}

/** Pools and providers alike. */
export async function readTrustResource(session: Session, name: string): Promise<JsonObject | null> {
  return parseProviderName(name) === null ? readPool(session, name) : readProvider(session, name);
}

/** All pools of a project that are not deleted. */
export async function listPools({ rest }: Session, project: string): Promise<readonly JsonObject[]> {
  const path = `v1/projects/${project}/locations/global/workloadIdentityPools`;
  return restPages(rest, { service: "iam", method: "GET", path, query: { pageSize: PAGE_OF_POOLS }, action: "iam.workloadIdentityPools.list", resource: `project ${project}` }, "workloadIdentityPools");
}

/** All providers of a pool that are not deleted; none when there is no such pool. Throws what a call may throw. */
export async function listProviders({ rest }: Session, pool: string): Promise<readonly JsonObject[]> {
  const request = { service: "iam", method: "GET", path: `v1/${pool}/providers`, query: { pageSize: PAGE_OF_PROVIDERS }, action: "iam.workloadIdentityPoolProviders.list", resource: pool } as const;
  try {
    return await restPages(rest, request, "workloadIdentityPoolProviders");
  } catch (error) {
    if (isAnswered(error, 404)) return [];
    throw error;
  }
}

/** The last part of a name. */
export function idOf(resource: JsonObject): string {
  const { name } = resource;
  return typeof name === "string" ? name.slice(name.lastIndexOf("/") + 1) : "";
}

/** A name with the project's number, whichever way Google wrote it. */
export function canonicalPool(resource: JsonObject, projectNumber: string): string {
  return poolName({ project: projectNumber, poolId: idOf(resource) });
}
