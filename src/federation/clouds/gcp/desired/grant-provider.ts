import type { Caller, Findings } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import { toShellWord } from "../../../report/shell-word.ts";
import { gcpInputCodes } from "../codes.ts";
import { POOL_ID, PROVIDER_ID } from "../ids.ts";
import type { GcpGrantSpec } from "../input/grant-spec.ts";
import { poolName } from "../names.ts";
import { gcpWarningCodes } from "../warning-codes.ts";
import { acceptedAudiences, audiencesFor, providerNameOf } from "./audiences.ts";
import { judgeCondition } from "./condition.ts";
import { readMapping, subjectPrefixOf } from "./mapping.ts";
import { textField } from "./setup.ts";
import { enablePool, enableProvider, listField } from "./setup-problems.ts";

/**
 * Whether tokens of the granted accounts would get as far as the bindings: the provider is there and on, for this issuer,
 * with the same subjects and the same audience, and its condition lets at least one of them pass.
 */
export function judgeProviderOfGrants(specs: readonly GcpGrantSpec[], caller: Caller, byId: ReadonlyMap<string, ObservedResource>): Findings {
  const [spec] = specs;
  if (spec === undefined) return { problems: [], warnings: [] };
  const provider = byId.get(PROVIDER_ID);
  const missing = missingWarnings(spec, caller, byId.get(POOL_ID), provider);
  if (missing.length > 0 || provider === undefined) return { problems: [], warnings: missing };
  const wrong = trustProblems(spec, caller, provider);
  if (wrong.length > 0) return { problems: wrong, warnings: [] };
  const condition = judgeCondition({
    issuer: spec.issuer,
    audience: audiencesFor(spec, caller)[0] ?? "",
    mapping: readMapping(provider.fields["attributeMapping"]),
    condition: textField(provider.fields, "attributeCondition"),
    accounts: specs.flatMap(({ serviceAccounts }) => serviceAccounts),
  });
  return { problems: condition.problems, warnings: [...offWarnings(spec, caller, byId), ...audienceWarnings(spec, caller, provider), ...condition.warnings] };
}

function missingWarnings(spec: GcpGrantSpec, caller: Caller, pool: ObservedResource | undefined, provider: ObservedResource | undefined): readonly Problem[] {
  const absent = [[poolName({ project: caller.account, poolId: spec.poolId }), pool] as const, [providerNameOf(spec, caller), provider] as const].find(([, found]) => found === undefined || found.fields["state"] === "DELETED");
  if (absent === undefined) return [];
  const [name, found] = absent;
  const hint = `run kubeassume setup gcp --issuer-url ${spec.issuer} --project ${spec.project} --pool-id ${spec.poolId} --provider-id ${spec.providerId}`;
  return [warning(gcpWarningCodes.GCP_PROVIDER_MISSING, { message: `${name} ${found === undefined ? "does not exist yet" : "is deleted"}`, hint, details: { name } })];
}

/** Access for subjects that this provider does not produce would be access for somebody else. */
function trustProblems(spec: GcpGrantSpec, caller: Caller, { fields }: ObservedResource): readonly KubeassumeError[] {
  const name = providerNameOf(spec, caller);
  const issuer = textField(fields, "issuerUri");
  if (issuer !== spec.issuer) return [new KubeassumeError(gcpInputCodes.GCP_PROVIDER_OTHER_ISSUER, { message: `provider ${name} is for ${issuer === "" ? "another kind of identity" : `issuer ${issuer}`}, not for ${spec.issuer}`, details: { provider: name, issuer } })];
  const mapping = readMapping(fields["attributeMapping"]);
  const prefix = subjectPrefixOf(mapping);
  if (prefix === spec.subjectPrefix) return [];
  const message = `provider ${name} maps google.subject to ${JSON.stringify((mapping["google.subject"] ?? "").slice(0, 200))}, so the bindings would match other subjects`;
  const hint = prefix === null ? "run kubeassume setup gcp, or bind the subjects that the mapping gives yourself" : `give --subject-prefix ${prefix === "" ? "''" : toShellWord(prefix)}`;
  return [new KubeassumeError(gcpInputCodes.GCP_SUBJECT_DIFFERS, { message, hint, details: { provider: name } })];
}

function offWarnings(spec: GcpGrantSpec, caller: Caller, byId: ReadonlyMap<string, ObservedResource>): readonly Problem[] {
  const pool = poolName({ project: caller.account, poolId: spec.poolId });
  const provider = providerNameOf(spec, caller);
  const off = [[pool, byId.get(POOL_ID), enablePool(pool)] as const, [provider, byId.get(PROVIDER_ID), enableProvider(provider)] as const].filter(([, found]) => found?.fields["disabled"] === true);
  return off.map(([name, , command]) => warning(gcpWarningCodes.GCP_PROVIDER_OFF, { message: `${name} is disabled`, hint: `enable it if that is right: ${command}`, details: { name } }));
}

function audienceWarnings(spec: GcpGrantSpec, caller: Caller, { fields }: ObservedResource): readonly Problem[] {
  const name = providerNameOf(spec, caller);
  const accepted = acceptedAudiences(listField(fields, "allowedAudiences"), name);
  const missing = audiencesFor(spec, caller).filter((audience) => !accepted.includes(audience));
  if (missing.length === 0) return [];
  return [warning(gcpWarningCodes.GCP_AUDIENCE_NOT_REGISTERED, { message: `${name} does not accept ${missing.join(", ")}, only ${accepted.join(", ")}`, details: { provider: name, audiences: missing } })];
}
