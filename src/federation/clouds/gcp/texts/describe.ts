import type { Caller, SetupDescription, TrustTexts } from "../../cloud.ts";
import type { IssuerFacts } from "../../../oidc/read-issuer.ts";
import { audiencesFor, providerNameOf } from "../desired/audiences.ts";
import { bindingsOf } from "../desired/grants.ts";
import { usableKeys } from "../desired/keys.ts";
import { toMapping } from "../desired/mapping.ts";
import type { GcpAccess, GcpGrantSpec } from "../input/grant-spec.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { renderJwksJson } from "../key-set.ts";
import { withMark } from "../marks.ts";
import { parseServiceAccountEmail, poolName, serviceAccountMember, subjectMember } from "../names.ts";
import { bindingCommands, credentialCommand } from "./commands.ts";
import { toCredentialConfig, universeOf } from "./credential-config.ts";
import { accessFlags, flagsFor } from "./flags.ts";
import { toAnnotations, toEnv, TOKEN_PATH, toManifests } from "./manifests.ts";
import { toRecords } from "./records.ts";

/** Pool and provider as they are registered, with a service account and a role to fill in. */
export function describeSetup(spec: GcpSetupSpec, facts: IssuerFacts, caller: Caller): SetupDescription {
  const provider = providerNameOf(spec, caller);
  const pool = poolName({ project: caller.account, poolId: spec.poolId });
  const trust = {
    pool,
    provider,
    displayName: spec.poolName,
    description: withMark("", spec.issuer) ?? "",
    issuer: spec.issuer,
    audiences: spec.audiences,
    mapping: toMapping(spec.subjectPrefix),
    condition: spec.attributeCondition ?? "",
    jwksJson: spec.keySource === "upload" ? renderJwksJson(usableKeys(facts.jwks)) : "",
  };
  const member = subjectMember(pool, `${spec.subjectPrefix}system:serviceaccount:NAMESPACE:NAME`);
  return {
    provider,
    audiences: audiencesFor(spec, caller),
    thumbprint: null,
    trustPolicy: toRecords(trust, { target: `projects/${spec.project}`, roles: ["ROLE"], members: [member] }),
    nextSteps: [`kubeassume grant gcp ${flagsFor(spec)} --service-account NAMESPACE/NAME --role ROLE`, `kubeassume status gcp ${flagsFor(spec)}${spec.keySource === "upload" ? " --keys upload" : ""}`],
  };
}

/** What a grant looks like from outside: the member, the policy, its texts for the cluster, and how to try it. */
export function describeGrant(spec: GcpGrantSpec, caller: Caller): TrustTexts & { readonly principal: string; readonly nextSteps: readonly string[] } {
  const binding = bindingsOf(spec, caller);
  const provider = providerNameOf(spec, caller);
  const [audience = ""] = audiencesFor(spec, caller);
  const { access } = spec;
  const impersonate = access.kind === "impersonate" ? access.email : null;
  const texts = toTexts({ serviceAccounts: spec.serviceAccounts, provider, audience, impersonate, project: clientProject(access, spec.project), universe: universeOf(caller) });
  const verify = spec.serviceAccounts.map(({ namespace, name }) => `kubeassume verify gcp ${flagsFor(spec)} --service-account ${namespace}/${name} ${accessFlags(access).replace(" --create-service-account", "")}`);
  return {
    ...texts,
    trustPolicy: policyOf(binding),
    commands: [...bindingCommands(binding, access.kind === "impersonate" && access.create ? spec.issuer : null), credentialCommand(provider, TOKEN_PATH, impersonate)],
    warnings: [],
    principal: impersonate === null ? (binding.members[0] ?? "") : serviceAccountMember(impersonate),
    nextSteps: verify.slice(0, 1),
  };
}

interface TextsInput {
  readonly serviceAccounts: GcpGrantSpec["serviceAccounts"];
  readonly provider: string;
  readonly audience: string;
  readonly impersonate: string | null;
  readonly project: string | null;
  readonly universe: string;
}

/** Manifests, annotations, environment and credential file of one identity. */
export function toTexts(input: TextsInput): Pick<TrustTexts, "manifests" | "serviceAccountAnnotations" | "env" | "credentialConfig"> {
  const credentialConfig = toCredentialConfig({ provider: input.provider, tokenFile: TOKEN_PATH, impersonate: input.impersonate, universe: input.universe });
  return { manifests: toManifests({ ...input, credentialConfig }), serviceAccountAnnotations: toAnnotations(input), env: toEnv(input), credentialConfig };
}

/** Where clients work by default: an impersonated account's own project, else the pool's; null when that is not known. */
export function clientProject(access: GcpAccess | null, project: string | null): string | null {
  if (access?.kind !== "impersonate") return project;
  const owner = parseServiceAccountEmail(access.email);
  return owner === null || /^\d+$/.test(owner.project) ? project : owner.project;
}

function policyOf({ target, roles, members }: ReturnType<typeof bindingsOf>) {
  return { resource: target, bindings: roles.map((role) => ({ role, members: [...members].sort() })) };
}
