import { member } from "../../../../oidc/json.ts";
import { failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { GoogleError } from "../errors.ts";
import { textOf } from "../fields.ts";
import { accountPolicy, denied, findAccount } from "../iam/service-accounts.ts";
import type { Call, RestService } from "../rest.ts";
import { GET_ACCESS_TOKEN } from "../roles.ts";
import { issueToken } from "../state.ts";
import type { ServiceAccount } from "../state.ts";

const HOUR = 3600;
const MAX_SECONDS = 43_200;

/** IAM credentials v1: access tokens of service accounts, for those that the account's policy lets in. */
export const iamCredentials: RestService = {
  host: "iamcredentials.googleapis.com",
  title: "IAM Service Account Credentials API",
  methods: [
    {
      on: "POST /v1/projects/{project}/serviceAccounts/{account}:generateAccessToken",
      permission: GET_ACCESS_TOKEN,
      resource: (path) => `projects/-/serviceAccounts/${path["account"] ?? ""}`,
      policy: accountPolicy,
      denied: () => denied(GET_ACCESS_TOKEN),
      body: { members: { delegates: "strings", scope: "strings", lifetime: "string" } },
      run: generateAccessToken,
    },
  ],
};

function generateAccessToken(call: Call): unknown {
  const { state, path, body, now } = call;
  if (path["project"] !== "-") throw invalidArgument("Invalid form of name: the project must be the wildcard '-'.");
  const account = accountOf(call);
  const scope = member(body, "scope");
  const scopes = Array.isArray(scope) ? scope.map(String) : [];
  if (scopes.length === 0) throw invalidArgument("At least one scope is required.");
  const delegates = member(body, "delegates");
  if (Array.isArray(delegates) && delegates.length > 0) throw invalidArgument("The stand-in has no chains of delegation.");
  const seconds = lifetimeOf(textOf(body, "lifetime"), state.longLived.has(account.email));
  const expires = new Date(Math.floor(now().getTime() / 1000 + seconds) * 1000);
  const accessToken = issueToken(state, { kind: "service-account", name: account.email, email: account.email }, scopes, expires);
  return { accessToken, expireTime: expires.toISOString().replace(".000Z", "Z") };
}

function accountOf({ state, path, now, propagationMs }: Call): ServiceAccount {
  const account = findAccount(path["account"] ?? "", state);
  if (account === null || now().getTime() - account.since.getTime() < propagationMs) throw notFound(`Not found; Gaia id not found for email ${path["account"] ?? ""}`);
  if (account.disabled) throw failedPrecondition("The service account is disabled.");
  return account;
}

/** GenerateAccessTokenRequest.lifetime: an hour unless the organization lets the account have twelve. */
function lifetimeOf(text: string, long: boolean): number {
  if (text === "") return HOUR;
  const seconds = Number(/^(\d+(?:\.\d{1,9})?)s$/.exec(text)?.[1] ?? "0");
  const max = long ? MAX_SECONDS : HOUR;
  if (seconds <= 0) throw invalidArgument(`Invalid value at 'lifetime': "${text}".`);
  if (seconds > max) throw lifetimeTooLong(max);
  return seconds;
}

function lifetimeTooLong(max: number): GoogleError {
  const more = max === HOUR ? " To allow longer lifetimes, use the constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension." : "";
  return invalidArgument(`The access token lifetime cannot exceed ${max} seconds.${more}`);
}
