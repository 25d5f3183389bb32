import { randomBytes } from "node:crypto";
import { notFound } from "./errors.ts";
import { renderPool, renderProvider } from "./iam/render.ts";
import type { Operation, Pool, Provider } from "./state.ts";
import type { GcpWorld } from "./world.ts";

/**
 * Carries out what is due by now, and purges what was deleted long enough ago. Called before each request, so that time
 * passes without timers.
 */
export function settle({ state, now }: Pick<GcpWorld, "state" | "now">): void {
  for (const operation of state.operations.values()) {
    if (operation.carriedOut || operation.doneAt > now()) continue;
    operation.carriedOut = true;
    if (operation.kind === "pool") state.pools.set(operation.value.name, operation.value);
    else state.providers.set(operation.value.name, operation.value);
  }
  for (const things of [state.pools, state.providers]) {
    for (const { name, expireTime } of things.values()) {
      if (expireTime === null || expireTime > now()) continue;
      for (const provider of state.providers.keys()) if (provider.startsWith(`${name}/`)) state.providers.delete(provider);
      things.delete(name);
    }
  }
}

/** What is being made or changed under this name right now; undefined when nothing is. */
export function pendingOn(name: string, { state }: Pick<GcpWorld, "state">): Operation | undefined {
  return [...state.operations.values()].find((operation) => !operation.carriedOut && operation.value.name === name);
}

type Change = { readonly kind: "pool"; readonly value: Pool } | { readonly kind: "provider"; readonly value: Provider };

/** Starts an operation and answers it: done already when operations take no time. */
export function startOperation(change: Change, world: GcpWorld): unknown {
  const { state, now, operationMs } = world;
  const name = `${change.value.name}/operations/${randomBytes(16).toString("hex")}`;
  state.operations.set(name, { ...change, name, doneAt: new Date(now().getTime() + operationMs), carriedOut: false });
  settle(world);
  return getOperation(name, world);
}

/**
 * As operations.get answers it: `done` and `response` only once it is.
 *
 * @throws GoogleError NOT_FOUND
 */
export function getOperation(name: string, { state }: Pick<GcpWorld, "state">): unknown {
  const operation = state.operations.get(name);
  if (operation === undefined) throw notFound();
  const type = operation.kind === "pool" ? "WorkloadIdentityPool" : "WorkloadIdentityPoolProvider";
  const started = { name, metadata: { "@type": `type.googleapis.com/google.iam.v1.${type}OperationMetadata` } };
  if (!operation.carriedOut) return started;
  const resource = operation.kind === "pool" ? renderPool(operation.value) : renderProvider(operation.value);
  return { ...started, done: true, response: { "@type": `type.googleapis.com/google.iam.v1.${type}`, ...resource } };
}
