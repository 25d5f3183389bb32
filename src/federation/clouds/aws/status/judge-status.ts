import type { StatusInput } from "../../cloud.ts";
import type { Check, CheckDefinition } from "../../../errors/checks.ts";
import { changedFields, type ObservedResource } from "../../../plan/plan-resources.ts";
import { accountOf, providerArn, withoutScheme } from "../arn.ts";
import { awsChecks } from "../checks.ts";
import { audiencesFor } from "../desired/account.ts";
import { thumbprintsFor, toTexts } from "../desired/provider.ts";
import { desiredGrants, roleArnOf } from "../desired/role.ts";
import { KIND, PROVIDER_ID, roleId, roleTrustId } from "../ids.ts";
import type { AwsGrantSpec } from "../input/grant-spec.ts";
import type { AwsSetupSpec } from "../input/setup-spec.ts";
import { judgeAws } from "../judge/judge.ts";
import type { ProviderRecord, RoleRecord } from "../judge/trust-file.ts";

type Input = Omit<StatusInput<AwsSetupSpec, AwsGrantSpec>, "minted" | "clusterJwks">;

/** Seconds within which a refusal may be nothing but propagation; about 8 were recorded. */
const PROPAGATION_SECONDS = 15;

/** The checks of `status aws` from what was read: provider, then each grant, then what is still settling. */
export function judgeStatus(input: Input): readonly Check[] {
  const byId = new Map(input.observed.map((resource) => [resource.id, resource]));
  const provider = byId.get(PROVIDER_ID);
  const grants = input.grants.flatMap((grant) => judgeGrant(input, grant, byId));
  return [...judgeProvider(input, provider), ...grants, judgePropagation(input)];
}

function judgeProvider(input: Input, provider: ObservedResource | undefined): readonly Check[] {
  const { spec, caller } = input;
  const arn = providerArn(spec.issuer, accountOf(caller));
  if (provider === undefined) {
    const message = `${arn} does not exist; AWS compares the issuer byte for byte, so a provider for ${spec.issuer}/ or in another case is another one`;
    return [answer(awsChecks["aws-oidc-provider"], "fail", message, `run kubeassume setup aws --issuer-url ${spec.issuer}`)];
  }
  return [
    answer(awsChecks["aws-oidc-provider"], "pass", `${arn} exists`),
    provider.marked ? answer(awsChecks["aws-oidc-provider-mark"], "pass", "it carries kubeassume's tags") : answer(awsChecks["aws-oidc-provider-mark"], "warn", "it carries no tag of kubeassume"),
    judgeAudiences(audiencesFor(spec, caller), toTexts(provider.fields, "audiences")),
    judgeThumbprint(input, toTexts(provider.fields, "thumbprints")),
  ];
}

function judgeAudiences(wanted: readonly string[], registered: readonly string[]): Check {
  const definition = awsChecks["aws-oidc-provider-audiences"];
  const missing = wanted.filter((audience) => !registered.includes(audience));
  const extra = registered.filter((audience) => !wanted.includes(audience));
  if (missing.length > 0) return answer(definition, "fail", `it does not accept ${missing.join(", ")}, only ${registered.join(", ") || "nothing"}`);
  if (extra.length > 0) return answer(definition, "warn", `it also accepts ${extra.join(", ")}`);
  return answer(definition, "pass", `it accepts ${registered.join(", ")}`);
}

function judgeThumbprint({ spec, facts }: Input, registered: readonly string[]): Check {
  const definition = awsChecks["aws-oidc-provider-thumbprint"];
  if (spec.thumbprint === "none") return answer(definition, "skip", "thumbprints are left alone");
  if (facts === null || facts.chain === null) return answer(definition, "skip", "the chain was not read");
  if (facts.chain.publiclyTrusted) return answer(definition, "pass", "the chain is publicly trusted: AWS uses no thumbprint");
  const wanted = thumbprintsFor(spec, facts.chain) ?? [];
  const have = registered.map((thumbprint) => thumbprint.toLowerCase());
  const missing = wanted.filter((thumbprint) => !have.includes(thumbprint));
  if (missing.length > 0) return answer(definition, "fail", `the chain is private and ${missing.join(", ")} is not registered, only ${have.join(", ") || "nothing"}`);
  return answer(definition, "pass", `the private chain's thumbprint ${wanted.join(", ")} is registered`);
}

function judgeGrant(input: Input, grant: AwsGrantSpec, byId: ReadonlyMap<string, ObservedResource>): readonly Check[] {
  const arn = roleArnOf(grant, accountOf(input.caller));
  const role = byId.get(grant.role.kind === "own" ? roleId(grant.role.name) : roleTrustId(grant.role.arn.name));
  const accounts = grant.serviceAccounts.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
  const command = `run kubeassume grant aws --issuer-url ${grant.issuer}${grant.serviceAccounts.map(({ namespace, name }) => ` --service-account ${namespace}/${name}`).join("")}`;
  if (role === undefined) return [answer(awsChecks["aws-grant-role"], "fail", `${arn} does not exist (${accounts})`, command)];
  const found = String(role.fields["arn"] ?? arn);
  if (found !== arn) return [answer(awsChecks["aws-grant-role"], "fail", `${arn} does not exist; the role of that name is ${found}`, `name it with --role-arn ${found}`)];
  const exists = role.marked ? answer(awsChecks["aws-grant-role"], "pass", `${arn} exists`) : answer(awsChecks["aws-grant-role"], "warn", `${arn} carries no tag of kubeassume`);
  return [exists, ...judgeDrift(input, grant, arn, byId), ...judgeTokens(input, grant, arn, role)];
}

function judgeDrift(input: Input, grant: AwsGrantSpec, arn: string, byId: ReadonlyMap<string, ObservedResource>): readonly Check[] {
  const { resources, problems } = desiredGrants([grant], input.caller, input.observed);
  const drifted = resources.flatMap((resource) => {
    const found = byId.get(resource.id);
    return found === undefined ? [] : changedFields(found.fields, resource.fields, resource.sets ?? []).map((field) => (resource.kind === KIND.inlinePolicy ? "inline policy" : field));
  });
  const [problem] = problems;
  const drift = problem !== undefined ? answer(awsChecks["aws-grant-drift"], "fail", problem.message, problem.hint) : drifted.length > 0 ? answer(awsChecks["aws-grant-drift"], "fail", `${arn} differs in ${drifted.join(", ")}`) : answer(awsChecks["aws-grant-drift"], "pass", `${arn} is as the grant says`);
  const policies = resources.filter(({ kind }) => kind === KIND.rolePolicy || kind === KIND.inlinePolicy);
  if (policies.length === 0) return [drift];
  const missing = policies.filter(({ id }) => !byId.has(id)).map(({ fields }) => String(fields["policyArn"] ?? "the inline policy"));
  if (missing.length > 0) return [drift, answer(awsChecks["aws-grant-policies"], "fail", `${arn} lacks ${missing.join(", ")}`)];
  return [drift, answer(awsChecks["aws-grant-policies"], "pass", `${arn} has its ${policies.length} ${policies.length === 1 ? "policy" : "policies"}`)];
}

function judgeTokens(input: Input, grant: AwsGrantSpec, arn: string, role: ObservedResource): readonly Check[] {
  return grant.serviceAccounts.map(({ namespace, name }) => {
    const definition = awsChecks["aws-grant-trust"];
    const account = `${namespace}/${name}`;
    const token = input.tokens.get(account);
    if (token === undefined) return answer(definition, "skip", `no token of ${account} to judge`);
    const verdict = judgeAws({ token, discovery: input.facts?.discovery, jwks: input.tokenJwks, provider: toProviderRecord(input), role: toRoleRecord(arn, role), request: {}, at: input.now });
    if (verdict.accepted) return answer(definition, "pass", `a token of ${account} would be accepted for ${arn}`);
    const refused = verdict.checks.find(({ id }) => id === verdict.refusedBy);
    return answer(definition, "fail", `AWS would answer a token of ${account} with ${verdict.code}: ${refused?.message ?? verdict.cloudMessage ?? ""}`, verdict.fix ?? undefined);
  });
}

function toProviderRecord({ spec, caller, observed }: Input): ProviderRecord | null {
  const provider = observed.find(({ id }) => id === PROVIDER_ID);
  if (provider === undefined) return null;
  return { Url: withoutScheme(spec.issuer), ClientIDList: toTexts(provider.fields, "audiences"), ThumbprintList: toTexts(provider.fields, "thumbprints"), Arn: providerArn(spec.issuer, accountOf(caller)) };
}

function toRoleRecord(arn: string, { fields }: ObservedResource): RoleRecord {
  const duration = fields["maxSessionDuration"];
  return { Arn: arn, AssumeRolePolicyDocument: fields["trustPolicy"], ...(typeof duration === "number" ? { MaxSessionDuration: duration } : {}) };
}

function judgePropagation({ observed, now }: Input): Check {
  const definition = awsChecks["aws-propagation"];
  if (observed.length === 0) return answer(definition, "skip", "nothing was found that could be settling");
  const young = observed.flatMap(({ id, fields }) => {
    const age = (now.getTime() - Date.parse(String(fields["createdAt"] ?? ""))) / 1000;
    return age >= 0 && age < PROPAGATION_SECONDS ? [`${id} (${Math.floor(age)} s)`] : [];
  });
  if (young.length === 0) return answer(definition, "pass", `everything is older than ${PROPAGATION_SECONDS} seconds`);
  return answer(definition, "warn", `made moments ago, and perhaps not known everywhere yet: ${[...new Set(young)].join(", ")}`);
}

function answer(definition: CheckDefinition, status: Check["status"], message: string, hint?: string): Check {
  return { id: definition.id, cloud: "aws", status, message, hint: status === "pass" || status === "skip" ? "" : (hint ?? definition.fix), durationMs: 0 };
}
