import { randomUUID } from "node:crypto";
import { authenticate } from "./authenticate.ts";
import type { AuthenticationProblem } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { AwsError } from "./errors.ts";
import { parseForm } from "./form.ts";
import type { Field, Form } from "./form.ts";
import { sha256Hex } from "./signature.ts";
import type { Principal } from "./state.ts";
import { pathOf, queryOf } from "./wire.ts";
import type { WireAnswer, WireRequest } from "./wire.ts";
import type { AwsWorld } from "./world.ts";
import { renderXml } from "./xml.ts";
import type { XmlTree } from "./xml.ts";

/** Who asks, and what an action may use. */
export interface Call extends AwsWorld {
  readonly form: Form;
  /** Null for the actions that need no signature. */
  readonly principal: Principal | null;
  readonly region: string;
}

export interface QueryAction {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** The ARN that the caller must be allowed to act on; null where nobody needs a permission. */
  readonly resource: ((call: Call) => string) | null;
  /** The permission that the call needs too when it brings tags along: AWS treats them as if they were added by themselves. */
  readonly tagging?: string;
  /** What stands inside the action's result element; undefined for actions that answer nothing. */
  readonly run: (call: Call) => XmlTree | undefined | Promise<XmlTree | undefined>;
}

/** A service of AWS's query protocol: form in, XML out. */
export interface QueryService {
  /** As in signatures and actions: `iam`. */
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly actions: Readonly<Record<string, QueryAction>>;
  /** Actions that anybody may call without a signature. */
  readonly unsigned: readonly string[];
}

/** Answers one request of a query service, refusals included; it never throws an AwsError. */
export async function answerQuery(service: QueryService, request: WireRequest, world: AwsWorld): Promise<WireAnswer> {
  const requestId = randomUUID();
  try {
    const { name, result } = await perform(service, request, world);
    const body = { ...(result === undefined ? {} : { [`${name}Result`]: result }), ResponseMetadata: { RequestId: requestId } };
    return answer(200, requestId, renderXml(`${name}Response`, service.namespace, body));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return renderQueryError(service, error, requestId);
  }
}

/** A refusal in the query protocol's form. */
export function renderQueryError(service: Pick<QueryService, "namespace">, error: AwsError, requestId: string): WireAnswer {
  const type = error.status >= 500 ? "Receiver" : "Sender";
  const body = { Error: { Type: type, Code: error.code, Message: error.message, ...error.members }, RequestId: requestId };
  return answer(error.status, requestId, renderXml("ErrorResponse", service.namespace, body));
}

function answer(status: number, requestId: string, xml: string): WireAnswer {
  return { status, headers: { "content-type": "text/xml", "x-amzn-requestid": requestId }, body: Buffer.from(xml) };
}

async function perform(service: QueryService, request: WireRequest, world: AwsWorld): Promise<{ name: string; result: XmlTree | undefined }> {
  if (pathOf(request) !== "/" || !["GET", "POST"].includes(request.method)) throw new AwsError("UnknownOperationException", 404, "");
  const source = request.method === "POST" ? new URLSearchParams(request.body.toString("utf8")) : new URLSearchParams(queryOf(request).map(([key, value]): [string, string] => [key, value]));
  const name = source.get("Action") ?? "";
  const signer = authenticate(request, service.name, sha256Hex(request.body), world.state, world.now());
  if (!signer.ok && !(signer.problem === "missing" && service.unsigned.includes(name))) throw refusal(signer, service.name, world.now());
  const action = Object.hasOwn(service.actions, name) ? service.actions[name] : undefined;
  if (name === "") throw new AwsError("MissingAction", 400, "Missing Action");
  if (action === undefined || source.get("Version") !== service.version) {
    throw new AwsError("InvalidAction", 400, `Could not find operation ${name} for version ${source.get("Version") ?? "NO_VERSION_SPECIFIED"}`);
  }
  const form = parseForm(source, { fields: service.fields, required: action.required, optional: action.optional });
  const call: Call = { ...world, form, principal: signer.ok ? signer.principal : null, region: signer.ok ? signer.region : world.region };
  if (call.principal !== null && action.resource !== null) {
    const tags = action.tagging !== undefined && form.tags("Tags").length > 0 ? [action.tagging] : [];
    for (const permission of [`${service.name}:${name}`, ...tags]) authorize(call.principal, permission, action.resource(call), call.state);
  }
  return { name, result: await action.run(call) };
}

/** The words of docs.aws.amazon.com IAM API `CommonErrors`, as the services say them. */
function refusal(failed: { readonly problem: AuthenticationProblem; readonly date: string }, service: string, now: Date): AwsError {
  const at = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const answers: Readonly<Record<AuthenticationProblem, readonly [string, number, string]>> = {
    missing: ["MissingAuthenticationToken", 403, "Request is missing Authentication Token"],
    malformed: ["IncompleteSignature", 400, "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."],
    "unknown-key": ["InvalidClientTokenId", 403, "The security token included in the request is invalid."],
    "bad-token": ["InvalidClientTokenId", 403, "The security token included in the request is invalid"],
    expired: ["ExpiredToken", 403, "The security token included in the request is expired"],
    skewed: ["SignatureDoesNotMatch", 403, `Signature not yet current or expired: ${failed.date} is more than 15 min. from ${at}`],
    mismatch: ["SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."],
    "wrong-service": ["SignatureDoesNotMatch", 403, `Credential should be scoped to correct service: '${service}'. `],
  };
  const [code, status, message] = answers[failed.problem];
  return new AwsError(code, status, message);
}
