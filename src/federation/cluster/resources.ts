import { combineProblems } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import type { Step } from "../plan/step.ts";
import { type Api, type ApiAnswer, toObject, toRefusal } from "./api.ts";
import type { ClusterTarget, ObservedObject } from "./cluster.ts";
import { clusterCodes } from "./codes.ts";
import { toConflictError } from "./conflicts.ts";
import { fromObjectFields, type ObjectContent, toObjectFields } from "./fields.ts";
import { FIELD_MANAGER, foreignFields, ownContent } from "./ownership.ts";

const KINDS = {
  "cluster.service-account": { kind: "ServiceAccount", resource: "serviceaccounts" },
  "cluster.config-map": { kind: "ConfigMap", resource: "configmaps" },
} as const;

/** Requests in flight at once; grants may name thousands of accounts. */
const CONCURRENCY = 8;

/** The id under which a target is planned and observed. */
function idOf({ kind, namespace, name }: ClusterTarget): string {
  return `${kind}/${namespace}/${name}`;
}

/**
 * Reads each target; what does not exist is left out. `fields` are those that kubeassume owns, as
 * {@link toObjectFields} names them. Throws CLUSTER_NAMESPACE_MISSING for all that could not be applied later because
 * their namespace does not exist, and what {@link Api} throws.
 */
export async function observeTargets(api: Api, targets: readonly ClusterTarget[]): Promise<readonly ObservedObject[]> {
  const unique = [...new Map(targets.map((target) => [idOf(target), target])).values()];
  const found = await inBatches(unique, (target) => observeTarget(api, target));
  const absent = unique.filter((_, index) => found[index] === null);
  const byNamespace = new Map(absent.map((target) => [target.namespace, target]));
  const problems = await inBatches([...byNamespace.values()], (target) => namespaceProblem(api, target));
  const missing = problems.filter((problem) => problem !== null);
  if (missing.length > 0) throw combineProblems(missing);
  return found.filter((resource) => resource !== null);
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += CONCURRENCY) {
    results.push(...(await Promise.all(items.slice(start, start + CONCURRENCY).map(work))));
  }
  return results;
}

/** Only a namespace that is known to be missing is a problem: who may not read namespaces may still write into one. */
async function namespaceProblem(api: Api, target: ClusterTarget): Promise<KubeassumeError | null> {
  const asks = `get namespace ${JSON.stringify(target.namespace)}`;
  try {
    const answer = await api({ path: `/api/v1/namespaces/${encodeURIComponent(target.namespace)}`, asks });
    return answer.status === 404 ? namespaceMissing(target) : null;
  } catch (error) {
    if (error instanceof KubeassumeError && error.code === clusterCodes.CLUSTER_FORBIDDEN.code) return null;
    throw error;
  }
}

function namespaceMissing({ kind, namespace, name }: ClusterTarget): KubeassumeError {
  return new KubeassumeError(clusterCodes.CLUSTER_NAMESPACE_MISSING, { message: `the cluster has no namespace ${JSON.stringify(namespace)} for ${KINDS[kind].kind} ${name}`, details: { namespace } });
}

async function observeTarget(api: Api, target: ClusterTarget): Promise<ObservedObject | null> {
  const object = await readObject(api, target);
  if (object === null) return null;
  const own = ownContent(object);
  return { id: idOf(target), marked: own !== null, fields: toObjectFields(own ?? {}), foreign: foreignFields(object) };
}

/**
 * Performs one step by server-side apply without force: `create`, `update` and `adopt` add the step's fields to those
 * that kubeassume owns already; `delete` gives all of them back and leaves the object, which pods may stand on.
 *
 * @throws KubeassumeError CLUSTER_CONFLICT, CLUSTER_NAMESPACE_MISSING, CLUSTER_REFUSED, and what {@link Api} throws
 */
export async function performStep(api: Api, step: Step): Promise<void> {
  if (step.action === "none") return;
  const target = toTarget(step);
  const object = await readObject(api, target);
  if (step.action === "delete") {
    if (object !== null && ownContent(object) !== null) await applyContent(api, target, {});
    return;
  }
  const own = object === null ? {} : toObjectFields(ownContent(object) ?? {});
  await applyContent(api, target, fromObjectFields({ ...own, ...step.after }));
}

function toTarget(step: Step): ClusterTarget {
  const [namespace, name] = step.target.split("/");
  if (!Object.hasOwn(KINDS, step.kind) || namespace === undefined || name === undefined) throw new TypeError(`the cluster cannot perform ${step.id}`);
  return { kind: step.kind as ClusterTarget["kind"], namespace, name };
}

async function readObject(api: Api, target: ClusterTarget): Promise<Readonly<Record<string, unknown>> | null> {
  const asks = asking("get", target);
  const answer = await api({ path: pathOf(target), asks });
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw toRefusal(answer, asks);
  return toObject(answer, asks);
}

async function applyContent(api: Api, target: ClusterTarget, content: ObjectContent): Promise<void> {
  const asks = asking("patch", target);
  const { labels, annotations, data } = content;
  const metadata = { name: target.name, namespace: target.namespace, ...filled({ labels, annotations }) };
  const answer = await api({
    method: "PATCH",
    path: `${pathOf(target)}?fieldManager=${FIELD_MANAGER}&force=false`,
    contentType: "application/apply-patch+yaml",
    body: { apiVersion: "v1", kind: KINDS[target.kind].kind, metadata, ...filled({ data }) },
    asks,
  });
  if (answer.status === 409 && answer.failure?.causes.some((cause) => cause.reason === "FieldManagerConflict") === true) throw conflict(answer, target);
  if (answer.status === 404) throw namespaceMissing(target);
  if (answer.status !== 200 && answer.status !== 201) throw toRefusal(answer, asks);
}

/** Empty maps are left out: applying one would claim the map itself. */
function filled(parts: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined && Object.keys(value).length > 0));
}

function conflict(answer: ApiAnswer, target: ClusterTarget): KubeassumeError {
  const conflicts = (answer.failure?.causes ?? [])
    .filter((cause) => cause.reason === "FieldManagerConflict")
    .map(({ field, message }) => ({ field: field.replace(/^\./, ""), manager: /"((?:[^"\\]|\\.)+)"/.exec(message)?.[1] ?? message }));
  return toConflictError(`${target.namespace}/${target.name}`, conflicts);
}

function pathOf({ kind, namespace, name }: ClusterTarget): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${KINDS[kind].resource}/${encodeURIComponent(name)}`;
}

function asking(verb: string, { kind, namespace }: ClusterTarget): string {
  return `${verb} ${KINDS[kind].resource} in namespace ${JSON.stringify(namespace)}`;
}
