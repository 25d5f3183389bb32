import { randomUUID } from "node:crypto";
import type { Fault, FaultTime } from "../../../sandbox/traffic.ts";
import { AwsError } from "./errors.ts";
import { iam } from "./iam/service.ts";
import { renderQueryError } from "./query.ts";
import { renderS3Error } from "./s3/service.ts";
import { sts } from "./sts/service.ts";

/** As in the request log. */
export type AwsService = "aws.iam" | "aws.sts" | "aws.s3";

/** Refusals that come from load or failure and not from a request; for the fault hook of the sandbox. */
const KINDS = {
  throttling: {
    query: ["Throttling", 400, "Rate exceeded"],
    s3: ["SlowDown", 503, "Please reduce your request rate."],
  },
  internal: {
    query: ["InternalFailure", 500, "The request processing has failed because of an unknown error, exception or failure."],
    s3: ["InternalError", 500, "We encountered an internal error. Please try again."],
  },
  unavailable: {
    query: ["ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."],
    s3: ["ServiceUnavailable", 503, "Service is unable to handle request."],
  },
} as const;

export type AwsFaultKind = keyof typeof KINDS;

/** The fault that answers a request as the service itself does when it is overloaded or broken. */
export function awsFault(service: AwsService, kind: AwsFaultKind, when: FaultTime = "before"): Fault {
  const [code, status, message] = KINDS[kind][service === "aws.s3" ? "s3" : "query"];
  const error = new AwsError(code, status, message);
  const id = randomUUID();
  const answer = service === "aws.s3" ? renderS3Error(error, { "x-amz-request-id": id, "x-amz-id-2": id }) : renderQueryError(service === "aws.iam" ? iam : sts, error, id);
  return { kind: "status", when, status: answer.status, headers: answer.headers, body: answer.body.toString("utf8") };
}
