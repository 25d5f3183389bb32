import { isIPv6 } from "node:net";
import { KubeassumeError, type Problem, warning } from "../errors/error.ts";
import { type Api, type ClusterApi, toObject, toRefusal } from "./api.ts";
import { clusterCodes } from "./codes.ts";

const JWKS = { path: "/openid/v1/jwks", asks: "get the path /openid/v1/jwks" };
const SLICES = {
  path: `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=${encodeURIComponent("kubernetes.io/service-name=kubernetes")}`,
  asks: 'list endpointslices.discovery.k8s.io in namespace "default"',
};
/** An API server that is reachable at all answers this small document at once; one behind a firewall must not hold the others up. */
const ENDPOINT_TIMEOUT_MS = 3000;
/** Control planes have a handful of servers; more than this is something else. */
const MAX_ENDPOINTS = 32;

export interface KeySets {
  /** JWKS as text, each different one once; the server's own first. */
  readonly sets: readonly string[];
  readonly warnings: readonly Problem[];
}

/**
 * Reads the key set of the server and, at the same time as each other, of every endpoint of the `kubernetes` service
 * (KEP-1393, discovery.k8s.io/v1). Endpoints that cannot be asked become one warning, unless the service has a single
 * endpoint, which the server's own answer stands for.
 *
 * @throws KubeassumeError CLUSTER_KEYS_UNAVAILABLE, and what {@link Api} throws for the server itself
 */
export async function readKeySets(api: ClusterApi, timeoutMs: number): Promise<KeySets> {
  const [own, endpoints] = await Promise.all([readKeySet(api.server), readEndpoints(api.server)]);
  if (endpoints instanceof KubeassumeError) return { sets: [own], warnings: [endpointsUnknown(endpoints)] };
  const asked = endpoints.slice(0, MAX_ENDPOINTS);
  const timeout = Math.min(timeoutMs, ENDPOINT_TIMEOUT_MS);
  const answers = await Promise.all(asked.map((url) => attempt(() => readKeySet(api.endpoint(url), timeout))));
  const failed = asked.flatMap((url, index) => {
    const answer = answers[index];
    return answer instanceof KubeassumeError ? [{ endpoint: url.host, reason: answer.message }] : [];
  });
  const sets = [own, ...answers.filter((answer) => typeof answer === "string")];
  const skipped = endpoints.slice(MAX_ENDPOINTS).map((url) => ({ endpoint: url.host, reason: `more than ${MAX_ENDPOINTS} endpoints` }));
  const missed = [...failed, ...skipped];
  return { sets: [...new Set(sets)], warnings: missed.length === 0 || endpoints.length === 1 ? [] : [missedEndpoints(missed, endpoints.length)] };
}

async function readKeySet(api: Api, timeoutMs?: number): Promise<string> {
  const answer = await api({ ...JWKS, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  if (answer.status === 200) return answer.text;
  if (answer.status === 404) throw new KubeassumeError(clusterCodes.CLUSTER_KEYS_UNAVAILABLE, { message: "the cluster serves no key set at /openid/v1/jwks (404)" });
  throw toRefusal(answer, JWKS.asks);
}

async function readEndpoints(api: Api): Promise<readonly URL[] | KubeassumeError> {
  return attempt(async () => {
    const answer = await api(SLICES);
    if (answer.status !== 200) throw toRefusal(answer, SLICES.asks);
    return parseEndpoints(toObject(answer, SLICES.asks));
  });
}

/** The addresses in a list of EndpointSlices, each once, as URLs of API servers. Pure; malformed entries are left out. */
export function parseEndpoints(list: Readonly<Record<string, unknown>>): readonly URL[] {
  const slices = arrayOf(list, "items");
  const urls = slices.flatMap((slice) => {
    const ports = arrayOf(slice, "ports").flatMap((port) => {
      const { name, port: number } = port as Readonly<Record<string, unknown>>;
      return typeof number === "number" && (name === "https" || name === undefined || name === null || name === "") ? [number] : [];
    });
    const addresses = arrayOf(slice, "endpoints").flatMap((endpoint) => arrayOf(endpoint, "addresses").filter((address) => typeof address === "string"));
    return addresses.flatMap((address) => ports.map((port) => `https://${isIPv6(address) ? `[${address}]` : address}:${port}`));
  });
  return [...new Set(urls)].filter((url) => URL.canParse(url)).map((url) => new URL(url));
}

function arrayOf(value: unknown, member: string): readonly unknown[] {
  const found: unknown = (value as Readonly<Record<string, unknown>> | null)?.[member];
  return Array.isArray(found) ? (found as readonly unknown[]).filter((item) => item !== null) : [];
}

async function attempt<T>(work: () => Promise<T>): Promise<T | KubeassumeError> {
  try {
    return await work();
  } catch (problem) {
    if (problem instanceof KubeassumeError) return problem;
    throw problem;
  }
}

function endpointsUnknown(problem: KubeassumeError): Problem {
  return warning(clusterCodes.CLUSTER_ONE_SERVER_SEEN, {
    message: `keys were read from one API server only: ${problem.message}`,
    ...(problem.code === clusterCodes.CLUSTER_FORBIDDEN.code ? { hint: 'allow list endpointslices.discovery.k8s.io in namespace "default", so that every API server can be asked' } : {}),
    details: { cause: problem.code },
  });
}

function missedEndpoints(missed: readonly { readonly endpoint: string; readonly reason: string }[], total: number): Problem {
  const names = missed.map(({ endpoint }) => endpoint);
  return warning(clusterCodes.CLUSTER_ONE_SERVER_SEEN, {
    message: `${missed.length} of ${total} API servers could not be asked for their keys: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", ..." : ""}`,
    details: { endpoints: missed, total },
  });
}
