import { randomBytes } from "node:crypto";
import { judgeAws } from "../../judge/judge.ts";
import type { AwsJudgeInput } from "../../judge/facts.ts";
import { KubeassumeError } from "../../../../errors/error.ts";
import { parseJsonObject } from "../../../../oidc/json.ts";
import { parseJwt } from "../../../../oidc/jwt.ts";
import { policyDocument } from "../authorize.ts";
import { AwsError, malformedPolicy, validationError } from "../errors.ts";
import type { Call } from "../query.ts";
import { newId, wholeSeconds } from "../state.ts";
import type { AwsState, Credential, OidcProvider, Role } from "../state.ts";
import type { XmlTree } from "../xml.ts";
import { readIssuer } from "./read-issuer.ts";

/**
 * AssumeRoleWithWebIdentity, answered by the judge. The issuer is asked only when everything that needs no network
 * is right, as AWS does.
 *
 * @throws AwsError with the judge's code, status and words
 */
export async function assumeRoleWithWebIdentity(call: Call): Promise<XmlTree> {
  const { form, now } = call;
  if (form.optional("ProviderId") !== undefined) throw validationError("ProviderId is for OAuth 2.0 access tokens and not for OpenID Connect ID tokens.");
  const sessionPolicies = sessionPoliciesOf(call);
  const token = form.text("WebIdentityToken");
  const role = roleOf(call);
  const provider = providerOf(call, token);
  const input = toJudgeInput(call, token, role, provider);
  const offline = judgeAws(input);
  const verdict = offline.refusedBy === "aws-issuer-reachable" && provider !== null ? judgeAws({ ...input, ...(await readIssuer(provider, call)), at: now() }) : offline;
  if (verdict.session === null || role === null) throw new AwsError(verdict.code ?? "AccessDenied", verdict.httpStatus, verdict.cloudMessage ?? "");
  const { subject, audience, provider: providerArn, principal: arn, durationSeconds } = verdict.session;
  const userId = `${role.roleId}:${form.text("RoleSessionName")}`;
  const credential = issueSession(call, durationSeconds, { arn, userId, account: call.state.account, roleName: role.name, sessionPolicies });
  role.lastUsed = { date: wholeSeconds(now()), region: call.region };
  return {
    SubjectFromWebIdentityToken: subject,
    Audience: audience,
    AssumedRoleUser: { Arn: arn, AssumedRoleId: userId },
    Credentials: {
      AccessKeyId: credential.accessKeyId,
      SecretAccessKey: credential.secretAccessKey,
      SessionToken: credential.sessionToken ?? undefined,
      Expiration: credential.expires ?? undefined,
    },
    Provider: providerArn,
  };
}

function toJudgeInput({ form, now }: Call, token: string, role: Role | null, provider: OidcProvider | null): AwsJudgeInput {
  return {
    token,
    provider: provider === null ? null : { Url: provider.url, ClientIDList: provider.clientIds, ThumbprintList: provider.thumbprints, Arn: provider.arn },
    role: role === null ? null : { Arn: role.arn, MaxSessionDuration: role.maxSessionDuration, AssumeRolePolicyDocument: role.assumeRolePolicyDocument },
    request: { roleArn: form.text("RoleArn"), roleSessionName: form.text("RoleSessionName"), durationSeconds: form.number("DurationSeconds"), sourceIp: "127.0.0.1" },
    at: now(),
  };
}

/** The role, when STS knows it by now. */
function roleOf({ form, state, now, propagationMs }: Call): Role | null {
  const arn = form.text("RoleArn");
  const role = state.roles.get(arn.slice(arn.lastIndexOf("/") + 1).toLowerCase());
  return role === undefined || role.arn !== arn || isTooNew(role, now(), propagationMs) ? null : role;
}

/** The account's provider for the token's issuer, found before the token is trusted in any way. */
function providerOf({ state, now, propagationMs }: Call, token: string): OidcProvider | null {
  const issuer = unverifiedIssuer(token);
  if (issuer === null || !issuer.startsWith("https://")) return null;
  const provider = state.providers.get(`arn:${state.partition}:iam::${state.account}:oidc-provider/${issuer.slice("https://".length)}`);
  return provider === undefined || isTooNew(provider, now(), propagationMs) ? null : provider;
}

function isTooNew({ createDate }: { readonly createDate: Date }, now: Date, propagationMs: number): boolean {
  return now.getTime() - createDate.getTime() < propagationMs;
}

function unverifiedIssuer(token: string): string | null {
  try {
    const { iss } = parseJwt(token).claims;
    return typeof iss === "string" ? iss : null;
  } catch (error) {
    if (error instanceof KubeassumeError) return null;
    throw error;
  }
}

function sessionPoliciesOf({ form, state }: Call): string[] {
  const inline = form.optional("Policy");
  if (inline !== undefined && parseJsonObject(inline) === null) throw malformedPolicy("Syntax errors in policy.");
  return [...(inline === undefined ? [] : [inline]), ...form.list("PolicyArns").map((arn) => policyDocument(arn, state))];
}

function issueSession({ state, now }: { readonly state: AwsState; readonly now: () => Date }, seconds: number, principal: Credential["principal"]): Credential {
  const expires = wholeSeconds(new Date(now().getTime() + seconds * 1000));
  const secrets = { secretAccessKey: randomBytes(30).toString("base64"), sessionToken: randomBytes(192).toString("base64") };
  const credential: Credential = { accessKeyId: newId("ASIA"), ...secrets, expires, principal };
  state.credentials.set(credential.accessKeyId, credential);
  return credential;
}
