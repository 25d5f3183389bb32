import { isJsonObject, member } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { GoogleError, alreadyExists, errorInfo, invalidArgument, notFound, quotaExceeded } from "../errors.ts";
import { pageOf, parseMask, textOf } from "../fields.ts";
import type { Message } from "../fields.ts";
import { getPolicy, SET_POLICY, setPolicy, TEST_PERMISSIONS } from "../iam-policy.ts";
import { isAllowed } from "../authorize.ts";
import { currentPolicy, storePolicy } from "../policies.ts";
import type { Call, Method } from "../rest.ts";
import { newUniqueId } from "../state.ts";
import type { GcpState, ServiceAccount } from "../state.ts";
import { renderServiceAccount } from "./render.ts";

const COLLECTION = "/v1/projects/{project}/serviceAccounts";
const ONE = `${COLLECTION}/{account}`;
const ACCOUNT: Message = {
  members: { name: "string", projectId: "string", uniqueId: "string", email: "string", displayName: "string", etag: "string", description: "string", oauth2ClientId: "string", disabled: "boolean" },
};
const MASK = new Set(["displayName", "description"]);
const MAX_BYTES = { displayName: 100, description: 256 };

const resource = (path: Readonly<Record<string, string>>): string => `projects/${path["project"] ?? ""}/serviceAccounts/${path["account"] ?? ""}`;
/** The key of an account's policy, by e-mail or unique id. */
export const accountPolicy = (path: Readonly<Record<string, string>>, state: GcpState): string => `serviceAccounts/${findAccount(path["account"] ?? "", state)?.email ?? ""}`;
const one = (verb: string, permission: string): Pick<Method, "on" | "permission" | "resource" | "policy" | "denied"> => ({
  on: `${verb.startsWith(":") ? "POST" : verb} ${ONE}${verb.startsWith(":") ? verb : ""}`,
  permission: `iam.serviceAccounts.${permission}`,
  resource,
  policy: accountPolicy,
  denied: () => denied(`iam.serviceAccounts.${permission}`),
});

/** Service accounts without keys: whoever wants to be one has to be let in by its policy. */
export const serviceAccountMethods: readonly Method[] = [
  {
    on: `POST ${COLLECTION}`,
    permission: "iam.serviceAccounts.create",
    resource: (path) => `projects/${path["project"] ?? ""}`,
    denied: () => denied("iam.serviceAccounts.create"),
    body: { members: { accountId: "string", serviceAccount: ACCOUNT } },
    run: createAccount,
  },
  { on: `GET ${COLLECTION}`, permission: "iam.serviceAccounts.list", resource: (path) => `projects/${path["project"] ?? ""}`, query: { pageSize: "integer", pageToken: "string" }, run: listAccounts },
  { ...one("GET", "get"), run: (call) => render(found(call), call) },
  { ...one("PATCH", "update"), body: { members: { serviceAccount: ACCOUNT, updateMask: "string" } }, run: patchAccount },
  { ...one("DELETE", "delete"), run: deleteAccount },
  { ...one(":disable", "disable"), body: { members: {} }, run: (call) => setDisabled(call, true) },
  { ...one(":enable", "enable"), body: { members: {} }, run: (call) => setDisabled(call, false) },
  { ...one(":getIamPolicy", "getIamPolicy"), query: { "options.requestedPolicyVersion": "integer" }, body: { members: {} }, run: getAccountPolicy },
  { ...one(":setIamPolicy", "setIamPolicy"), body: SET_POLICY, run: (call) => setPolicy(`serviceAccounts/${found(call).email}`, "service-account", call) },
  { ...one(":testIamPermissions", "get"), body: TEST_PERMISSIONS, run: testPermissions },
];

/** IAM says of service accounts only that something is denied. */
export function denied(permission: string): GoogleError {
  return new GoogleError("PERMISSION_DENIED", `Permission '${permission}' denied on resource (or it may not exist).`, [errorInfo("IAM_PERMISSION_DENIED", "iam.googleapis.com", { permission })]);
}

/** By e-mail or unique id; with `-` for the project, what is not there is forbidden (IAM v1, ServiceAccount.name). */
function found(call: Call): ServiceAccount {
  const account = findAccount(call.path["account"] ?? "", call.state);
  if (account !== null) return account;
  if (call.path["project"] === "-") throw denied("iam.serviceAccounts.get");
  throw notFound(`Unknown service account: ${resource(call.path)} does not exist.`);
}

export function findAccount(emailOrId: string, { serviceAccounts }: Pick<GcpState, "serviceAccounts">): ServiceAccount | null {
  return serviceAccounts.get(emailOrId) ?? [...serviceAccounts.values()].find(({ uniqueId }) => uniqueId === emailOrId) ?? null;
}

function render(account: ServiceAccount, { state }: Call): unknown {
  return renderServiceAccount(account, state.project.id);
}

function createAccount(call: Call): unknown {
  const { state, body, now } = call;
  const id = textOf(body, "accountId");
  if (!/^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$/.test(id)) throw invalidArgument(`Invalid service account ID: "${id}". It must have 6-30 characters and match [a-z]([-a-z0-9]*[a-z0-9]).`);
  const email = `${id}@${state.project.id.split(":").toReversed().join(".")}.iam.gserviceaccount.com`;
  if (state.serviceAccounts.has(email)) throw alreadyExists(`Service account ${id} already exists within project projects/${state.project.id}.`);
  if (state.serviceAccounts.size >= state.quotas.serviceAccountsPerProject) throw quotaExceeded(`projects/${state.project.number}`, "Maximum number of service accounts on project reached.");
  const account: ServiceAccount = { email, uniqueId: newUniqueId(), ...textsOf(member(body, "serviceAccount")), disabled: false, since: now() };
  state.serviceAccounts.set(email, account);
  return render(account, call);
}

function textsOf(given: unknown): Pick<ServiceAccount, "displayName" | "description"> {
  const account: JsonObject = isJsonObject(given) ? given : {};
  const texts = { displayName: textOf(account, "displayName"), description: textOf(account, "description") };
  for (const name of ["displayName", "description"] as const) {
    if (Buffer.byteLength(texts[name]) > MAX_BYTES[name]) throw invalidArgument(`The ${name} of a service account must have at most ${MAX_BYTES[name]} bytes.`);
  }
  return texts;
}

function listAccounts(call: Call): unknown {
  const { items, nextPageToken } = pageOf([...call.state.serviceAccounts.values()], ({ email }) => email, call.query, { usual: 20, max: 100 });
  return { ...(items.length === 0 ? {} : { accounts: items.map((account) => render(account, call)) }), ...(nextPageToken === "" ? {} : { nextPageToken }) };
}

function patchAccount(call: Call): unknown {
  const account = found(call);
  const mask = parseMask(textOf(call.body, "updateMask"), MASK);
  const changes = Object.fromEntries(Object.entries(textsOf(member(call.body, "serviceAccount"))).filter(([field]) => mask.includes(field)));
  const changed = { ...account, ...changes };
  call.state.serviceAccounts.set(account.email, changed);
  return render(changed, call);
}

/** Bindings stay, and say that their account is gone. A later account of the same e-mail is somebody else. */
function deleteAccount(call: Call): unknown {
  const { email, uniqueId } = found(call);
  const { state } = call;
  state.serviceAccounts.delete(email);
  state.policies.delete(`serviceAccounts/${email}`);
  for (const key of state.policies.keys()) {
    const current = currentPolicy(key, call);
    if (!current.bindings.some(({ members }) => members.includes(`serviceAccount:${email}`))) continue;
    const bindings = current.bindings.map((binding) => ({ ...binding, members: binding.members.map((one) => (one === `serviceAccount:${email}` ? `deleted:${one}?uid=${uniqueId}` : one)) }));
    storePolicy(key, { ...current, bindings }, call);
  }
  return {};
}

function setDisabled(call: Call, disabled: boolean): unknown {
  const account = found(call);
  call.state.serviceAccounts.set(account.email, { ...account, disabled });
  return {};
}

function getAccountPolicy(call: Call): unknown {
  const version = call.query["options.requestedPolicyVersion"];
  return getPolicy(`serviceAccounts/${found(call).email}`, version === undefined ? undefined : Number(version), call);
}

function testPermissions(call: Call): unknown {
  const asked = member(call.body, "permissions");
  const key = `serviceAccounts/${found(call).email}`;
  const held = (Array.isArray(asked) ? asked.map(String) : []).filter((permission) => isAllowed(call.principal, permission, key, call));
  return held.length === 0 ? {} : { permissions: held };
}
