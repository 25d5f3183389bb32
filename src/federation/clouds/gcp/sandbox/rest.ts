import type { StandInAnswer, StandInRequest } from "../../../sandbox/http-core.ts";
import { isDeeperThan, isJsonObject, MAX_JSON_DEPTH } from "../../../oidc/json.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { authenticate } from "./authenticate.ts";
import { matchPath } from "../../../sandbox/match-path.ts";
import { isAllowed } from "./authorize.ts";
import { badField, GoogleError, invalidArgument, permissionDenied, renderGoogleError, renderJson, serviceDisabled } from "./errors.ts";
import { checkMessage } from "./fields.ts";
import type { Message } from "./fields.ts";
import { settle } from "./operations.ts";
import { isOwnProject } from "./state.ts";
import type { GcpState, Principal } from "./state.ts";
import type { GcpWorld } from "./world.ts";

/** Who asks, and what a method may use. */
export interface Call extends GcpWorld {
  readonly principal: Principal;
  /** Variables of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: QueryValues;
  /** The checked body; empty when the method takes none. */
  readonly body: JsonObject;
}

type QueryValues = Readonly<Record<string, string>>;
type QueryKind = "string" | "boolean" | "integer";

export interface Method {
  /** `POST /v1/projects/{project}/serviceAccounts`; a verb may follow a variable: `{pool}:undelete`. */
  readonly on: string;
  /** Null for what everybody may who has a token. */
  readonly permission: string | null;
  /** What the permission is needed on, without the service. */
  readonly resource: (path: Readonly<Record<string, string>>) => string;
  /** The key of the resource's own policy beside the project's. */
  readonly policy?: (path: Readonly<Record<string, string>>, state: GcpState) => string;
  /** Refuses in words of its own what the caller may not do. */
  readonly denied?: () => GoogleError;
  readonly query?: Readonly<Record<string, QueryKind>>;
  readonly body?: Message;
  /** What is answered with 200. */
  readonly run: (call: Call) => unknown;
}

/** One of Google's REST APIs. */
export interface RestService {
  /** Host name and title: `iam.googleapis.com`. */
  readonly host: string;
  readonly title: string;
  readonly methods: readonly Method[];
}

/** Parameters of every method that change nothing here. `fields` and the others would change the answer: such a request is unknown. */
const COMMON = new Set(["alt", "prettyPrint", "quotaUser", "$.xgafv"]);

/** Answers one request; null when the service has no such method, or one with such parameters. It never throws a GoogleError. */
export function answerRest(service: RestService, request: StandInRequest, world: GcpWorld): StandInAnswer | null {
  settle(world);
  const found = findMethod(service, request);
  if (found === null || (request.query.get("alt") ?? "json") !== "json") return null;
  try {
    return renderJson(200, perform(service, found, request, world));
  } catch (error) {
    if (!(error instanceof GoogleError)) throw error;
    return renderGoogleError(error);
  }
}

interface Found {
  readonly method: Method;
  readonly path: Readonly<Record<string, string>>;
}

function findMethod(service: RestService, request: StandInRequest): Found | null {
  for (const method of service.methods) {
    const [verb = "", template = ""] = method.on.split(" ");
    if (verb !== request.method) continue;
    const path = matchPath(template, request.path);
    if (path !== null) return { method, path };
  }
  return null;
}

/** In Google's order: who, whether the API is on, what, whether one may. */
function perform(service: RestService, { method, path }: Found, request: StandInRequest, world: GcpWorld): unknown {
  const { principal } = authenticate(request.headers, service.host, world);
  const { project } = world.state;
  if (world.state.disabledApis.has(service.host)) throw serviceDisabled(service.host, service.title, project.number);
  const query = checkQuery(request.query, method.query ?? {});
  const body = checkBody(request, method.body);
  const call: Call = { ...world, principal, path, query, body };
  const resource = method.resource(path);
  const named = path["project"];
  // Nobody here has anything in another project: what may not be seen is not told from what is not there.
  const isHere = named === undefined || named === "-" || isOwnProject(world.state, named);
  const { permission } = method;
  if (permission !== null && (!isHere || !isAllowed(principal, permission, method.policy?.(path, world.state), world))) {
    throw method.denied?.() ?? permissionDenied(service.host, permission, resource);
  }
  return method.run(call);
}

function checkQuery(query: URLSearchParams, known: Readonly<Record<string, QueryKind>>): QueryValues {
  const values: Record<string, string> = {};
  for (const [name, value] of query) {
    if (COMMON.has(name)) continue;
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) throw badField("", `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`);
    const fits = kind === "string" || (kind === "boolean" ? /^(?:true|false)$/i : /^-?\d{1,10}$/).test(value);
    if (!fits) throw badField(name, `Invalid value at '${name}' (TYPE_${kind === "boolean" ? "BOOL" : "INT32"}), "${value}"`);
    values[name] = value;
  }
  return values;
}

function checkBody(request: StandInRequest, message: Message | undefined): JsonObject {
  const text = request.body.toString("utf8");
  if (message === undefined) {
    if (text.trim() !== "" && text.trim() !== "{}") throw invalidArgument("Request body is not expected for this method.");
    return {};
  }
  if (text.trim() === "") return {};
  const json = parse(text);
  checkMessage(json, message);
  return json;
}

function parse(text: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalidArgument("Invalid JSON payload received. Parsing terminated before end of input.");
  }
  if (!isJsonObject(json) || isDeeperThan(json, MAX_JSON_DEPTH)) throw invalidArgument("Invalid JSON payload received. Unknown name \"\": Root element must be a message.");
  return json;
}
