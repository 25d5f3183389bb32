import type { StandInAnswer } from "../http-core.ts";

/** One entry of `details.causes` in a Status (k8s.io/apimachinery, meta/v1, StatusCause). */
export interface Cause {
  readonly reason: "FieldValueInvalid" | "FieldValueRequired" | "FieldValueTooLong" | "FieldManagerConflict";
  readonly message: string;
  readonly field: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly Cause[];
}

/** Thrown by whatever refuses a request; the handler answers with it. */
export class ClusterRefusal extends Error {
  readonly answer: StandInAnswer;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = "ClusterRefusal";
    const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message };
    this.answer = toJsonAnswer(code, { ...status, ...(reason === "" ? {} : { reason }), ...(details === undefined ? {} : { details }), code });
  }
}

export function toJsonAnswer(status: number, value: unknown): StandInAnswer {
  return { status, headers: { "content-type": "application/json", "cache-control": "no-cache, private" }, body: `${JSON.stringify(value)}\n` };
}

export function badRequest(message: string): ClusterRefusal {
  return new ClusterRefusal(400, "BadRequest", message);
}

/** `group` is empty for the core group. */
export function notFound(plural: string, group: string, name: string): ClusterRefusal {
  const qualified = group === "" ? plural : `${plural}.${group}`;
  return new ClusterRefusal(404, "NotFound", `${qualified} "${name}" not found`, { name, ...(group === "" ? {} : { group }), kind: plural });
}

export function alreadyExists(resource: string, name: string): ClusterRefusal {
  return new ClusterRefusal(409, "AlreadyExists", `${resource} "${name}" already exists`, { name, kind: resource });
}

export function unauthorized(): ClusterRefusal {
  return new ClusterRefusal(401, "Unauthorized", "Unauthorized");
}

export function methodNotAllowed(): ClusterRefusal {
  return new ClusterRefusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

export function notAcceptable(offered: string): ClusterRefusal {
  return new ClusterRefusal(406, "NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${offered}`, {});
}

export function unsupportedMediaType(): ClusterRefusal {
  return new ClusterRefusal(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
}

/** 422 in the words of k8s.io/apimachinery, api/errors, NewInvalid. `group` is empty for the core group. */
export function invalid(kind: string, group: string, name: string, causes: readonly Cause[]): ClusterRefusal {
  const words = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const [only = ""] = words;
  const shown = words.length === 1 ? only : `[${words.join(", ")}]`;
  const message = `${group === "" ? kind : `${kind}.${group}`} "${name}" is invalid: ${shown}`;
  const details = { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind, causes };
  return new ClusterRefusal(422, "Invalid", message, details);
}

export function invalidValue(field: string, value: unknown, problem: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${problem}`, field };
}

export function requiredValue(field: string, problem: string): Cause {
  return { reason: "FieldValueRequired", message: `Required value: ${problem}`, field };
}
