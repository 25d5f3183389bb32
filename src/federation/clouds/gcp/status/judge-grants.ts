import type { Check } from "../../../errors/checks.ts";
import { isJsonObject } from "../../../oidc/json.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import { gcpChecks } from "../checks.ts";
import { providerNameOf } from "../desired/audiences.ts";
import { bindingsOf } from "../desired/grants.ts";
import { readMapping } from "../desired/mapping.ts";
import { storedKeys, textField } from "../desired/setup.ts";
import { listField } from "../desired/setup-problems.ts";
import { policyId, POOL_ID, PROVIDER_ID, serviceAccountId } from "../ids.ts";
import type { GcpGrantSpec } from "../input/grant-spec.ts";
import { judgeGcp } from "../judge/judge.ts";
import type { PoolRecord, ProviderRecord } from "../judge/trust-file.ts";
import { renderJwksJson } from "../key-set.ts";
import { poolName } from "../names.ts";
import { accessFlags, flagsFor } from "../texts/flags.ts";
import { answer } from "./answer.ts";
import type { GcpStatusInput } from "./judge-status.ts";

/** Each grant: the service account it impersonates, its bindings, and whether a token would get through. */
export function judgeGrants(input: GcpStatusInput): readonly Check[] {
  const byId = new Map(input.observed.map((resource) => [resource.id, resource]));
  const records = { pool: toPoolRecord(input, byId.get(POOL_ID)), provider: toProviderRecord(input, byId.get(PROVIDER_ID)) };
  return input.grants.flatMap((grant) => [...judgeAccount(grant, byId), judgeBinding(input, grant, byId), ...judgeTokens(input, grant, byId, records)]);
}

function accountsOf({ serviceAccounts }: GcpGrantSpec): string {
  return serviceAccounts.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
}

function commandFor(grant: GcpGrantSpec): string {
  return `run kubeassume grant gcp ${flagsFor(grant)}${grant.serviceAccounts.map(({ namespace, name }) => ` --service-account ${namespace}/${name}`).join("")} ${accessFlags(grant.access)}`;
}

function judgeAccount(grant: GcpGrantSpec, byId: ReadonlyMap<string, ObservedResource>): readonly Check[] {
  const { access } = grant;
  if (access.kind !== "impersonate") return [];
  const definition = gcpChecks["gcp-grant-service-account"];
  const found = byId.get(serviceAccountId(access.email));
  if (found === undefined) return [answer(definition, "fail", `${access.email} does not exist`, `${commandFor(grant)}${access.create ? "" : " --create-service-account"}`)];
  if (found.fields["disabled"] === true) return [answer(definition, "fail", `${access.email} is disabled`, `enable it if that is right: gcloud iam service-accounts enable ${access.email}`)];
  return [answer(definition, "pass", `${access.email} exists`)];
}

function judgeBinding(input: GcpStatusInput, grant: GcpGrantSpec, byId: ReadonlyMap<string, ObservedResource>): Check {
  const definition = gcpChecks["gcp-grant-binding"];
  const { target, roles, members } = bindingsOf(grant, input.caller);
  const found = byId.get(policyId(target));
  const missing = roles.filter((role) => {
    const present = new Set(listField(found?.fields, role));
    return members.some((member) => !present.has(member));
  });
  if (missing.length > 0) return answer(definition, "fail", `the policy of ${target} does not give ${missing.join(", ")} to ${accountsOf(grant)}`, commandFor(grant));
  return answer(definition, "pass", `the policy of ${target} gives ${roles.join(", ")} to ${accountsOf(grant)}`);
}

interface Records {
  readonly pool: PoolRecord | null;
  readonly provider: ProviderRecord | null;
}

function judgeTokens(input: GcpStatusInput, grant: GcpGrantSpec, byId: ReadonlyMap<string, ObservedResource>, records: Records): readonly Check[] {
  const { access } = grant;
  const { target, roles } = bindingsOf(grant, input.caller);
  const found = byId.get(policyId(target));
  const policy = { bindings: roles.map((role) => ({ role, members: listField(found?.fields, role) })) };
  const place = access.kind === "impersonate" ? { serviceAccount: access.email, serviceAccountPolicy: byId.has(serviceAccountId(access.email)) ? policy : null } : { projectPolicy: policy, roles: access.roles };
  return grant.serviceAccounts.map(({ namespace, name }) => {
    const definition = gcpChecks["gcp-grant-token"];
    const account = `${namespace}/${name}`;
    const token = input.tokens.get(account);
    if (token === undefined) return answer(definition, "skip", `no token of ${account} to judge`);
    const verdict = judgeGcp({ token, discovery: input.facts?.discovery ?? undefined, jwks: input.tokenJwks, ...records, ...place, at: input.now });
    if (verdict.accepted) return answer(definition, "pass", `a token of ${account} would be accepted ${access.kind === "impersonate" ? `for ${access.email}` : `on ${target}`}`);
    const refused = verdict.checks.find(({ id }) => id === verdict.refusedBy);
    return answer(definition, "fail", `Google would answer a token of ${account} with ${verdict.code}: ${refused?.message ?? verdict.cloudMessage ?? ""}`, verdict.fix ?? undefined);
  });
}

function toPoolRecord({ spec, caller }: GcpStatusInput, pool: ObservedResource | undefined): PoolRecord | null {
  if (pool === undefined) return null;
  return { name: poolName({ project: caller.account, poolId: spec.poolId }), state: textField(pool.fields, "state"), disabled: pool.fields["disabled"] === true };
}

/** Tokens that only stand for the cluster's are signed with a key that nobody stores: it takes the place of the stored ones. */
function toProviderRecord({ spec, caller, minted, tokenJwks }: GcpStatusInput, provider: ObservedResource | undefined): ProviderRecord | null {
  if (provider === undefined) return null;
  const { fields } = provider;
  const stored = storedKeys(fields);
  const standIn = isJsonObject(tokenJwks) ? JSON.stringify(tokenJwks) : "";
  const jwksJson = stored.length === 0 ? "" : minted ? renderJwksJson(stored) : standIn;
  return {
    name: providerNameOf(spec, caller),
    state: textField(fields, "state"),
    disabled: fields["disabled"] === true,
    attributeMapping: readMapping(fields["attributeMapping"]),
    attributeCondition: textField(fields, "attributeCondition"),
    oidc: { issuerUri: textField(fields, "issuerUri"), allowedAudiences: listField(fields, "allowedAudiences"), ...(jwksJson === "" ? {} : { jwksJson }) },
  };
}
