import type { StandInAnswer } from "../../../../sandbox/http-core.ts";

/** What of the request is meant, as some refusals say. */
export interface ErrorLocation {
  readonly locationType: "header" | "parameter" | "entity";
  readonly location: string;
}

/** A refusal of Cloud Storage. `reason` is the word that clients tell cases apart by (cloud.google.com/storage/docs/json_api/v1/status-codes). */
export class StorageError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly place: ErrorLocation | undefined;

  constructor(status: number, reason: string, message: string, place?: ErrorLocation) {
    super(message);
    this.name = "StorageError";
    this.status = status;
    this.reason = reason;
    this.place = place;
  }
}

/** In the form of the JSON API. */
export function renderJsonError({ status, reason, message, place }: StorageError): StandInAnswer {
  const error = { code: status, message, errors: [{ message, domain: "global", reason, ...place }] };
  return { status, headers: { "content-type": "application/json; charset=UTF-8" }, body: JSON.stringify({ error }) };
}

/** In the form of the XML API, which serves objects to everybody. */
export function renderXmlError(status: number, code: string, words: string, details = ""): StandInAnswer {
  const escaped = (text: string) => text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
  const more = details === "" ? "" : `<Details>${escaped(details)}</Details>`;
  const body = `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${escaped(words)}</Message>${more}</Error>`;
  return { status, headers: { "content-type": "application/xml; charset=UTF-8", "cache-control": "private, max-age=0" }, body };
}

export const invalid = (message: string, place?: ErrorLocation): StorageError => new StorageError(400, "invalid", message, place);
export const required = (parameter: string): StorageError =>
  new StorageError(400, "required", `Required parameter: ${parameter}`, { locationType: "parameter", location: parameter });
export const noBucket = (): StorageError => new StorageError(404, "notFound", "The specified bucket does not exist.");
export const noObject = (bucket: string, name: string): StorageError => new StorageError(404, "notFound", `No such object: ${bucket}/${name}`);
export const conflict = (message: string): StorageError => new StorageError(409, "conflict", message);

/** Generations, metagenerations and etags that are not what is there; the same reason as that of a prevented public member. */
export const preconditionFailed = (header = "If-Match"): StorageError =>
  new StorageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.", { locationType: "header", location: header });

export const unauthenticated = (): StorageError =>
  new StorageError(401, "authError", "Invalid Credentials", { locationType: "header", location: "Authorization" });

/** @param who null for a caller without credentials */
export function forbidden(who: string | null, permission: string, kind: string): StorageError {
  const message = `${who ?? "Anonymous caller"} does not have ${permission} access to the Google Cloud Storage ${kind}. Permission '${permission}' denied on resource (or it may not exist).`;
  return who === null ? new StorageError(401, "required", message, { locationType: "header", location: "Authorization" }) : new StorageError(403, "forbidden", message);
}
