import { KubeassumeError } from "../../../errors/error.ts";
import { isJsonObject, type JsonObject, member } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { gcpErrorCodes } from "../codes.ts";
import { type Asked, toGcpError, toUnreadable } from "./errors.ts";
import { parseGoogleError } from "./google-answer.ts";
import { pause, type Session } from "./session.ts";

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2000;
/** An operation may take as long as so many remote calls: a command's whole time is about four of them. */
const CALLS_WORTH = 4;

/**
 * Waits for a long-running operation: creating, changing, deleting and undeleting pools and providers all answer with
 * one (IAM v1, Operation). Asked for at 250 ms, then twice as late each time up to every 2 s. Throws GCP_OPERATION_FAILED
 * and, by Google's status, what every call may throw; GCP_OPERATION_TIMEOUT.
 */
export async function waitForOperation(session: Session, started: JsonObject, asked: Asked): Promise<void> {
  const name = textOf(started["name"]);
  let operation = started;
  const end = performance.now() + CALLS_WORTH * session.world.timeoutMs;
  for (let milliseconds = FIRST_PAUSE_MS; member(operation, "done") !== true; milliseconds = Math.min(milliseconds * 2, MAX_PAUSE_MS)) {
    if (name === null || !/^[\w.:/-]+\/operations\/[\w.-]+$/.test(name)) throw toUnreadable(asked, 200);
    if (performance.now() + milliseconds >= end) {
      throw new KubeassumeError(gcpErrorCodes.GCP_OPERATION_TIMEOUT, { message: `${asked.action} of ${asked.resource} is not finished`, details: { action: asked.action, resource: asked.resource, operation: name } });
    }
    await pause(session, milliseconds, asked);
    operation = (await session.rest({ service: "iam", method: "GET", path: `v1/${name}`, ...asked })).json;
    if (milliseconds >= MAX_PAUSE_MS) session.say("waiting for Google to finish what it has begun");
  }
  const error = member(operation, "error");
  if (isJsonObject(error)) throw toFailure(error, asked);
}

/** Operations carry google.rpc.Status with a number (google.rpc.Code) instead of HTTP's. */
function toFailure(error: JsonObject, asked: Asked): KubeassumeError {
  const code = member(error, "code");
  const status = typeof code === "number" ? (STATUS[code] ?? "") : "";
  const known = toGcpError(parseGoogleError(0, JSON.stringify({ error: { ...error, status } })), asked);
  if (known.code !== gcpErrorCodes.GCP_REFUSED.code) return known;
  const words = textOf(error["message"]) ?? `code ${JSON.stringify(code ?? null)}`;
  const message = `${asked.action} of ${asked.resource} was begun and failed: ${words.replace(/\s+/g, " ").slice(0, 600)}`;
  return new KubeassumeError(gcpErrorCodes.GCP_OPERATION_FAILED, { message, details: known.details });
}

const STATUS: Readonly<Record<number, string>> = { 5: "NOT_FOUND", 6: "ALREADY_EXISTS", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 10: "ABORTED", 13: "INTERNAL", 14: "UNAVAILABLE" };
