import { member, stringsOf } from "../../../oidc/json.ts";
import { withoutScheme } from "../arn.ts";
import { providerArnOf } from "./facts.ts";
import type { Facts } from "./facts.ts";
import type { ContextValue, RequestContext } from "./policy/evaluate.ts";

/** Keys that the real request may have and this judge cannot know; they count as absent. */
export const UNKNOWN_KEYS: readonly string[] = [
  "aws:sourceip",
  "aws:requestedregion",
  "aws:useragent",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:vpcsourceip",
  "aws:resourceorgid",
  "aws:resourceorgpaths",
];

/**
 * What a trust policy can ask of AssumeRoleWithWebIdentity with a custom issuer. Keys that are not here are absent,
 * the claims of Kubernetes among them. Sources: IAM User Guide, reference_policies_iam-condition-keys ("Available keys
 * for AWS web identity federation") and reference_policies_condition-keys; `aws:PrincipalType`, `aws:PrincipalAccount`
 * and `aws:userid` as recorded against AWS, which had no `aws:PrincipalArn`.
 */
export function toRequestContext(facts: Facts): RequestContext {
  const { issuer, subject, audience, audiences, claims, input, roleArn, sessionName } = facts;
  const context = new Map<string, ContextValue>();
  const set = (key: string, values: readonly string[] | null | undefined, unconfirmed?: string): void => {
    if (values === null || values === undefined) return;
    context.set(key.toLowerCase(), unconfirmed === undefined ? { values } : { values, unconfirmed });
  };
  const prefix = withoutScheme(issuer ?? "");
  set(`${prefix}:sub`, subject === null ? null : [subject]);
  set(`${prefix}:aud`, audience === null ? null : [audience]);
  set(`${prefix}:oaud`, audiences, "documented, and not recorded for a custom issuer");
  set(`${prefix}:amr`, stringsOf(member(claims, "amr")));
  set(`${prefix}:email`, stringsOf(member(claims, "email")), "documented, and not recorded for a custom issuer");
  set("sts:RoleSessionName", [sessionName]);
  set("sts:RoleAuthorizedByIdp", ["false"]);
  set("aws:CurrentTime", [input.at.toISOString().replace(/\.\d{3}Z$/, "Z")]);
  set("aws:EpochTime", [String(facts.now)]);
  set("aws:SecureTransport", ["true"]);
  set("aws:SourceIp", input.request.sourceIp === undefined ? null : [input.request.sourceIp]);
  set("aws:PrincipalType", ["User"]);
  if (input.provider !== null) {
    const arn = providerArnOf(input.provider, roleArn);
    set("aws:FederatedProvider", [arn], "whether AWS sets it already on this call is not recorded");
    set("aws:userid", [arn]);
    set("aws:PrincipalAccount", [arn.split(":")[4] ?? ""]);
  }
  if (roleArn !== null) set("aws:ResourceAccount", [roleArn.account], "whether AWS sets it on this call is not recorded");
  return context;
}
