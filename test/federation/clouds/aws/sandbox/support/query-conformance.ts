import type { WireAnswer, WireRequest } from "../../../../../../src/federation/clouds/aws/sandbox/wire.ts";
import { readModel, shapeOf } from "./models.ts";
import type { Model, Operation } from "./models.ts";
import { parseAnswer, textProblems, xmlProblems } from "./shapes.ts";
import type { Node } from "./shapes.ts";

/** Codes of every query service (AWS API reference, common errors), which the descriptions leave out. */
const COMMON: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  ExpiredToken: 403,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
};

/** What AWS's description says against a request to IAM or STS and its answer; empty when nothing. */
export function queryProblems(service: "iam" | "sts", request: WireRequest, answer: WireAnswer): string[] {
  const model = readModel(service);
  const form = new URLSearchParams(request.body.toString("utf8"));
  const operation = model.operations[form.get("Action") ?? ""];
  const problems = operation === undefined || answer.status !== 200 ? [] : requestProblems(model, operation, form);
  return [...problems, ...answerProblems(model, operation, answer)].map((problem) => `${service} ${form.get("Action")}: ${problem}`);
}

function requestProblems(model: Model, operation: Operation, form: URLSearchParams): string[] {
  const problems: string[] = form.get("Version") === model.metadata.apiVersion ? [] : [`version ${form.get("Version")}`];
  const shape = operation.input === undefined ? { required: [], members: {} } : shapeOf(model, operation.input.shape);
  for (const name of shape.required ?? []) {
    if (![...form.keys()].some((key) => key === name || key.startsWith(`${name}.`))) problems.push(`request lacks ${name}`);
  }
  for (const [key, value] of form) {
    if (key === "Action" || key === "Version") continue;
    const leaf = leafOf(model, operation.input?.shape ?? "", key);
    if (leaf === null) problems.push(`request has ${key}, which is not described`);
    else if (leaf !== "list") problems.push(...textProblems(shapeOf(model, leaf), value, `request ${key}`));
  }
  return problems;
}

/** The shape that a flattened name such as `Tags.member.1.Key` leads to; "list" for an empty list. */
function leafOf(model: Model, root: string, key: string): string | null {
  let current = root;
  for (const part of key.split(".")) {
    const shape = model.shapes[current];
    if (shape === undefined) return null;
    if (shape.type === "list") {
      if (part !== "member" && !/^\d+$/.test(part)) return null;
      if (/^\d+$/.test(part)) current = shape.member?.shape ?? "";
      continue;
    }
    const member = shape.members?.[part];
    if (member === undefined) return null;
    current = member.shape;
  }
  return model.shapes[current]?.type === "list" ? "list" : current;
}

function answerProblems(model: Model, operation: Operation | undefined, answer: WireAnswer): string[] {
  const { root, namespace, node } = parseAnswer(answer.body.toString("utf8"));
  const wrong = namespace === model.metadata.xmlNamespace ? [] : [`namespace ${namespace}`];
  if (!answer.headers["content-type"]?.startsWith("text/xml")) wrong.push("answer is not text/xml");
  if (answer.headers["x-amzn-requestid"] === undefined) wrong.push("answer has no x-amzn-requestid");
  if (answer.status !== 200) return [...wrong, ...errorProblems(model, operation, answer.status, root, node)];
  if (operation === undefined) return [...wrong, "answered 200 to an operation that is not described"];
  if (root !== `${operation.name}Response`) wrong.push(`root ${root}`);
  if (typeof node === "string") return [...wrong, "answer is empty"];
  const { ResponseMetadata: metadata, ...rest } = node;
  if (typeof metadata !== "object" || !("RequestId" in metadata)) wrong.push("no RequestId");
  const { output } = operation;
  if (output === undefined) return Object.keys(rest).length === 0 ? wrong : [...wrong, `answers ${Object.keys(rest).join(", ")} without a described output`];
  const result = rest[output.resultWrapper ?? ""];
  if (result === undefined || Object.keys(rest).length !== 1) return [...wrong, `has ${Object.keys(rest).join(", ")} instead of ${output.resultWrapper}`];
  return [...wrong, ...xmlProblems(model, output.shape, result, output.shape)];
}

function errorProblems(model: Model, operation: Operation | undefined, status: number, root: string, node: Node): string[] {
  if (root !== "ErrorResponse" || typeof node === "string") return [`error root ${root}`];
  const { Error: error, RequestId: id, ...rest } = node;
  const problems = Object.keys(rest).map((name) => `error has ${name}`);
  if (typeof id !== "string" || id === "") problems.push("error has no RequestId");
  if (typeof error !== "object" || !("Code" in error)) return [...problems, "error has no Code"];
  const fields = error as Readonly<Record<string, Node>>;
  const code = String(fields["Code"]);
  const described = (operation?.errors ?? []).map(({ shape }) => shapeOf(model, shape).error).find((one) => one?.code === code);
  const wanted = described?.httpStatusCode ?? COMMON[code];
  if (wanted === undefined) problems.push(`error ${code} is not described`);
  else if (wanted !== status) problems.push(`error ${code} has status ${status} instead of ${wanted}`);
  if (fields["Type"] !== (status >= 500 ? "Receiver" : "Sender")) problems.push(`error ${code} is of type ${String(fields["Type"])}`);
  if (typeof fields["Message"] !== "string" || fields["Message"] === "") problems.push(`error ${code} has no message`);
  return problems;
}
