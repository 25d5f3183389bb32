import type { Caller, CloudInput, ExchangeAnswer } from "../../cloud.ts";
import { textOf } from "../../input.ts";
import { gcpErrorCodes } from "../codes.ts";
import { givenText } from "../input/common.ts";
import { parsePrincipal, poolName, providerName, serviceAccountMember, stsAudience, subjectMember } from "../names.ts";
import { parseJwt } from "../../../oidc/jwt.ts";
import { chooseAccess, chooseProvider } from "./chosen.ts";
import { isAnswered, toUnreadable } from "./errors.ts";
import type { RestRequest } from "./rest.ts";
import type { Session } from "./session.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
/** The shortest that is still a token: it is dropped at once. */
const LIFETIME = "300s";

/**
 * Asks the real token service (STS v1, token), and for impersonation IAM credentials (generateAccessToken) with what it
 * answers. Whatever they hand out is dropped at once; what is kept is who the session would be. `principal`: the member
 * or e-mail that a grant names; else flags and config say. Throws GCP_UNREACHABLE, GCP_THROTTLED, GCP_UNAVAILABLE for
 * trouble that says nothing about the token, FLAG_MISSING, GCP_ID_INVALID.
 */
export async function exchange(session: Session, token: string, input: CloudInput, identified: () => Promise<Caller>, principal?: string): Promise<ExchangeAnswer> {
  const chosen = chooseProvider(input, principal);
  const project = chosen.projectNumber ?? (await identified()).account;
  const place = { ...chosen, project };
  const email = emailFor(input, principal, project);
  const federated = await asVerdict(() => federate(session, token, providerName(place)));
  if (typeof federated !== "string") return federated;
  if (email === null) return accepted(principal ?? subjectMember(poolName(place), `${givenText(input, "subjectPrefix") ?? ""}${subjectOf(token)}`));
  const impersonated = await asVerdict(() => impersonate(session, federated, email));
  return typeof impersonated === "string" ? accepted(serviceAccountMember(email)) : impersonated;
}

function emailFor(input: CloudInput, principal: string | undefined, account: string): string | null {
  const named = principal === undefined ? null : parsePrincipal(principal);
  if (named === null) return chooseAccess(input, { name: "", account }).email;
  return named.kind === "impersonate" ? named.email : null;
}

async function federate(session: Session, token: string, provider: string): Promise<string> {
  const body = {
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: stsAudience(provider),
    scope: SCOPE,
    requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
    subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
    subjectToken: token,
  };
  return handedOut(session, { service: "sts", method: "POST", path: "v1/token", body, secrets: [token], action: "sts.token", resource: provider }, "access_token");
}

async function impersonate(session: Session, federated: string, email: string): Promise<string> {
  const path = `v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
  const headers = { authorization: `Bearer ${federated}` };
  const action = "iam.serviceAccounts.getAccessToken";
  return handedOut(session, { service: "iamcredentials", method: "POST", path, body: { scope: [SCOPE], lifetime: LIFETIME }, headers, secrets: [federated], action, resource: `serviceAccounts/${email}` }, "accessToken");
}

/** Exchanges leave nothing behind, so they may be repeated. */
async function handedOut(session: Session, request: RestRequest, member: string): Promise<string> {
  const { json, status } = await session.rest({ ...request, authenticated: false, repeatable: true });
  const credential = textOf(json[member]);
  if (credential === null) throw toUnreadable(request, status);
  return credential;
}

/** A refusal of the token or of its bearer in Google's own form is an answer; everything else is trouble on the way. */
async function asVerdict(ask: () => Promise<string>): Promise<string | ExchangeAnswer> {
  try {
    return await ask();
  } catch (error) {
    if (!isAnswered(error, 400, 401, 403, 404) || error.code === gcpErrorCodes.GCP_API_DISABLED.code) throw error;
    const { googleStatus, googleMessage } = error.details;
    if (typeof googleStatus !== "string" || googleStatus === "") throw error;
    return { accepted: false, code: googleStatus, cloudMessage: typeof googleMessage === "string" ? googleMessage : "", principal: null };
  }
}

function accepted(principal: string): ExchangeAnswer {
  return { accepted: true, code: null, cloudMessage: null, principal };
}

/** The token was accepted, so it can be read. */
function subjectOf(token: string): string {
  const { sub } = parseJwt(token).claims;
  return typeof sub === "string" ? sub : "";
}
