import { KubeassumeError } from "../../../errors/error.ts";
import { changedFields } from "../../../plan/plan-resources.ts";
import type { Fields, Step } from "../../../plan/step.ts";
import { gcpErrorCodes } from "../codes.ts";
import { readMarks } from "../marks.ts";
import { parseProviderName, poolName } from "../names.ts";
import { type Asked, isAnswered } from "./errors.ts";
import { waitForOperation } from "./operations.ts";
import { type RestRequest, restUnlessExists } from "./rest.ts";
import { type Session, untilIdle, untilKnown } from "./session.ts";
import { poolFields, providerFields, toBody, toMask, writableFields } from "./trust-fields.ts";
import { readTrustResource } from "./trust-resources.ts";

const SETS = ["allowedAudiences"];

/** Performs one step of a pool or a provider. Every call may be repeated: what a lost answer has brought about is found again. */
export async function performTrust(session: Session, step: Step): Promise<void> {
  if (step.action === "delete") return deleteResource(session, step.target, step.before ?? {});
  if (step.after === null) return;
  if (step.action === "create") await createResource(session, step.target, step.after);
  else await repairResource(session, step.target, step.before ?? {}, step.after);
  session.say("Google takes about 2 minutes, at times more than 7, until new pools, providers and bindings work everywhere");
}

async function createResource(session: Session, name: string, after: Fields): Promise<void> {
  const { parent, collection, parameter, id } = partsOf(name);
  const asked = askedFor(name, "create");
  const query = { [parameter]: id };
  const create = () => restUnlessExists(session.rest, { service: "iam", method: "POST", path: `v1/${parent}/${collection}`, query, body: toBody(after, writableFields(after)), repeatable: true, ...asked });
  // The pool of a provider may have been made a moment ago.
  const created = await untilKnown(session, asked, (error) => session.fresh.has(parent) && isAnswered(error, 404), create);
  if (created !== null) await waitForOperation(session, created.json, asked);
  else await repairExisting(session, name, after);
  session.fresh.add(name);
}

/** Made in between: by ourselves, when an answer was lost or a run was killed, or by somebody else. The name alone says neither. */
async function repairExisting(session: Session, name: string, after: Fields): Promise<void> {
  const found = await readMade(session, name);
  if (!hasMarkOf(found, after)) throw new KubeassumeError(gcpErrorCodes.GCP_CONFLICT, { message: `${name} was made by somebody else since it was looked for` });
  await repairResource(session, name, found, after);
}

/** While it is being made its name is taken, and nobody sees it yet. */
async function readMade(session: Session, name: string): Promise<Fields> {
  const { GCP_NOT_FOUND } = gcpErrorCodes;
  return untilKnown(session, askedFor(name, "get"), ({ code }) => code === GCP_NOT_FOUND.code, async () => {
    const found = await readFields(session, name);
    if (found === null) throw new KubeassumeError(GCP_NOT_FOUND, { message: `${name} is taken, and Google shows nothing of that name` });
    return found;
  });
}

async function repairResource(session: Session, name: string, before: Fields, after: Fields): Promise<void> {
  if (before["state"] === "DELETED") await undelete(session, name);
  const changed = changedFields(before, after, SETS).filter((field) => writableFields(after).includes(field));
  const asked = askedFor(name, "update");
  const started = await untilIdle(session, asked, async () => {
    const wanted = changed.includes("keys") && (await hasKeys(session, name, before, after)) ? changed.filter((field) => field !== "keys") : changed;
    if (wanted.length === 0) return null;
    return session.rest({ service: "iam", method: "PATCH", path: `v1/${name}`, query: { updateMask: toMask(wanted) }, body: toBody(after, wanted), ...asked });
  });
  if (started !== null) await waitForOperation(session, started.json, asked);
}

/**
 * A write replaces all keys, so they are read again right before: those that somebody else added since the plan was made
 * are not lost. True when the wanted ones are there already.
 */
async function hasKeys(session: Session, name: string, before: Fields, after: Fields): Promise<boolean> {
  const found = await readFields(session, name);
  if (found === null) throw new KubeassumeError(gcpErrorCodes.GCP_NOT_FOUND, { message: `${name} does not exist any more` });
  if (changedFields(found, { keys: after["keys"] ?? [] }, []).length === 0) return true;
  if (changedFields(found, { keys: before["keys"] ?? [] }, []).length === 0) return false;
  throw new KubeassumeError(gcpErrorCodes.GCP_CONFLICT, { message: `the keys of ${name} have changed since they were read` });
}

async function undelete(session: Session, name: string): Promise<void> {
  const request = { method: "POST", path: `v1/${name}:undelete`, body: {} } as const;
  await switchState(session, name, "undelete", request, (found) => found?.["state"] === "ACTIVE");
  session.fresh.add(name);
}

/** The mark is read again right before: whoever took it away wants to keep the resource. */
async function deleteResource(session: Session, name: string, before: Fields): Promise<void> {
  const found = await readFields(session, name);
  if (found === null || found["state"] === "DELETED") return;
  if (!hasMarkOf(found, before)) throw new KubeassumeError(gcpErrorCodes.GCP_CONFLICT, { message: `${name} does not carry kubeassume's mark any more` });
  await switchState(session, name, "delete", { method: "DELETE", path: `v1/${name}` }, (now) => now === null || now["state"] === "DELETED");
}

/** Deletes or undeletes. Google refuses what is done already, by a lost answer or by somebody else: what is there says whether it is. */
async function switchState(session: Session, name: string, verb: string, request: Pick<RestRequest, "method" | "path" | "body">, isDone: (found: Fields | null) => boolean): Promise<void> {
  const asked = askedFor(name, verb);
  try {
    const { json } = await untilIdle(session, asked, () => session.rest({ service: "iam", repeatable: true, ...request, ...asked }));
    await waitForOperation(session, json, asked);
  } catch (error) {
    if (!isAnswered(error, 400, 404) || !isDone(await readFields(session, name))) throw error;
  }
}

async function readFields(session: Session, name: string): Promise<Fields | null> {
  const found = await readTrustResource(session, name);
  if (found === null) return null;
  return parseProviderName(name) === null ? poolFields(found) : providerFields(found);
}

function hasMarkOf(found: Fields, wanted: Fields): boolean {
  const [own, other] = [readMarks(String(found["description"])), readMarks(String(wanted["description"]))];
  return own.managed && own.issuer === other.issuer;
}

function askedFor(name: string, verb: string): Asked {
  return { action: `iam.${parseProviderName(name) === null ? "workloadIdentityPools" : "workloadIdentityPoolProviders"}.${verb}`, resource: name };
}

function partsOf(name: string): { readonly parent: string; readonly collection: string; readonly parameter: string; readonly id: string } {
  const place = parseProviderName(name);
  if (place !== null) return { parent: poolName(place), collection: "providers", parameter: "workloadIdentityPoolProviderId", id: place.providerId };
  const [, parent, id] = /^(projects\/[^/]+\/locations\/global)\/workloadIdentityPools\/([^/]+)$/.exec(name) ?? [];
  if (parent === undefined || id === undefined) throw new TypeError(`a step names ${name}, which is neither pool nor provider`);
  return { parent, collection: "workloadIdentityPools", parameter: "workloadIdentityPoolId", id };
}
