import { parseTarget } from "../../../../../../src/federation/clouds/aws/sandbox/s3/target.ts";
import { queryOf } from "../../../../../../src/federation/clouds/aws/sandbox/wire.ts";
import type { WireAnswer, WireRequest } from "../../../../../../src/federation/clouds/aws/sandbox/wire.ts";
import { readModel, shapeOf } from "./models.ts";
import type { Member, Model, Operation, Shape } from "./models.ts";
import { parseAnswer, textProblems, xmlProblems } from "./shapes.ts";

/** Codes and statuses of docs.aws.amazon.com S3 API, "Error responses": the description names only a few. */
const CODES: Readonly<Record<string, number>> = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  ExpiredToken: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketAclWithObjectOwnership: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidLocationConstraint: 400,
  InvalidRequest: 400,
  InvalidTag: 400,
  InvalidToken: 400,
  KeyTooLongError: 400,
  MalformedPolicy: 400,
  MalformedXML: 400,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchKey: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NotImplemented: 501,
  OwnershipControlsNotFoundError: 404,
  PermanentRedirect: 301,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
};

/** Headers that any answer may have. */
const ANY_HEADER = new Set(["content-length", "content-type", "server", "x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region"]);

/** What AWS's description says against a request to S3 and its answer; empty when nothing. */
export function s3Problems(request: WireRequest, answer: WireAnswer): string[] {
  const model = readModel("s3");
  const operation = operationOf(model, request);
  const name = operation?.name ?? `${request.method} ${request.target}`;
  if (answer.headers["x-amz-request-id"] === undefined || answer.headers["x-amz-id-2"] === undefined) return [`${name}: no request id`];
  if (answer.status === 304) return [];
  if (answer.status >= 300) return errorProblems(answer).map((problem) => `${name}: ${problem}`);
  if (operation === undefined) return [`${name}: answered ${answer.status} to an operation that is not described`];
  return [...requestProblems(model, operation, request), ...answerProblems(model, operation, answer)].map((problem) => `${name}: ${problem}`);
}

/** By method, path template and the static part of the query; the most specific one. */
function operationOf(model: Model, request: WireRequest): Operation | undefined {
  const { bucketName, key } = parseTarget(request);
  const scope = bucketName === "" ? "/" : key === "" ? "/{Bucket}" : "/{Bucket}/{Key+}";
  const query = new Map(queryOf(request));
  const fits = Object.values(model.operations).filter(({ http }) => {
    const [path, fixed = ""] = http.requestUri.split("?");
    return http.method === request.method && path === scope && fixedPairs(fixed).every(([name, value]) => query.get(name) === value);
  });
  const named = fits.filter(({ name }) => name === query.get("x-id"));
  const candidates = (named.length > 0 ? named : fits).filter(({ name }) => name !== "ListDirectoryBuckets");
  return candidates.toSorted((left, right) => fixedCount(right) - fixedCount(left) || requiredCount(model, left) - requiredCount(model, right))[0];
}

function fixedCount({ http }: Operation): number {
  return fixedPairs(http.requestUri.split("?")[1] ?? "").length;
}

function fixedPairs(text: string): (readonly [string, string])[] {
  return text === "" ? [] : text.split("&").map((pair) => [pair.split("=")[0] ?? "", pair.split("=")[1] ?? ""] as const);
}

function requiredCount(model: Model, { input }: Operation): number {
  return input === undefined ? 0 : (shapeOf(model, input.shape).required ?? []).length;
}

function requestProblems(model: Model, operation: Operation, request: WireRequest): string[] {
  const shape: Shape = operation.input === undefined ? { type: "structure" } : shapeOf(model, operation.input.shape);
  const problems: string[] = [];
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    if (member.location !== "header") continue;
    const value = request.headers[(member.locationName ?? name).toLowerCase()];
    if (value === undefined && shape.required?.includes(name) === true) problems.push(`request lacks ${name}`);
    if (value !== undefined) problems.push(...textProblems(shapeOf(model, member.shape), value, `request ${name}`, true));
  }
  const payload = shape.payload === undefined ? undefined : shape.members?.[shape.payload];
  if (payload === undefined || shapeOf(model, payload.shape).type !== "structure" || request.body.length === 0 || request.headers["content-encoding"] !== undefined) return problems;
  const { root, node } = parseAnswer(request.body.toString("utf8"));
  if (root !== payload.locationName) problems.push(`request root ${root} instead of ${payload.locationName}`);
  return [...problems, ...xmlProblems(model, payload.shape, node, "request")];
}

function answerProblems(model: Model, operation: Operation, answer: WireAnswer): string[] {
  const shape: Shape = operation.output === undefined ? { type: "structure" } : shapeOf(model, operation.output.shape);
  return [...headerProblems(model, shape, answer), ...bodyProblems(model, operation, shape, answer)];
}

function headerProblems(model: Model, shape: Shape, answer: WireAnswer): string[] {
  const described = new Map<string, Member>();
  for (const [name, member] of Object.entries(shape.members ?? {})) if (member.location === "header") described.set((member.locationName ?? name).toLowerCase(), member);
  return Object.entries(answer.headers).flatMap(([name, value]) => {
    const member = described.get(name.toLowerCase());
    if (member !== undefined) return textProblems(shapeOf(model, member.shape), value, `header ${name}`, true);
    return ANY_HEADER.has(name) || name.startsWith("x-amz-meta-") ? [] : [`header ${name} is not described`];
  });
}

function bodyProblems(model: Model, operation: Operation, shape: Shape, answer: WireAnswer): string[] {
  const wanted = operation.http.responseCode;
  const empty = answer.body.length === 0;
  if (wanted !== undefined && wanted !== answer.status) return [`status ${answer.status} instead of ${wanted}`];
  const payload = shape.payload === undefined ? undefined : shape.members?.[shape.payload];
  const inBody = Object.values(shape.members ?? {}).some((member) => member.location === undefined);
  if (payload !== undefined && shapeOf(model, payload.shape).type !== "structure") return [];
  if (!inBody) return empty ? [] : ["has a body that is not described"];
  const { root, namespace, node } = parseAnswer(answer.body.toString("utf8"));
  if (namespace !== "http://s3.amazonaws.com/doc/2006-03-01/") return [`namespace ${namespace}`];
  // The one answer whose root element is itself the value.
  if (operation.name === "GetBucketLocation") return root === "LocationConstraint" && typeof node === "string" ? [] : [`root ${root}`];
  return xmlProblems(model, payload?.shape ?? operation.output?.shape ?? "", node, root);
}

function errorProblems(answer: WireAnswer): string[] {
  const { root, namespace, node } = parseAnswer(answer.body.toString("utf8"));
  if (root !== "Error" || namespace !== undefined || typeof node === "string") return [`error root ${root}`];
  const code = String(node["Code"]);
  const problems = ["Message", "RequestId", "HostId"].filter((name) => typeof node[name] !== "string" || node[name] === "").map((name) => `error ${code} has no ${name}`);
  if (CODES[code] === undefined) problems.push(`error ${code} is not documented`);
  else if (CODES[code] !== answer.status) problems.push(`error ${code} has status ${answer.status} instead of ${CODES[code]}`);
  return problems;
}
