import type { Caller, SetupDescription, TrustTexts } from "../../cloud.ts";
import type { Problem } from "../../../errors/error.ts";
import type { IssuerFacts } from "../../../oidc/read-issuer.ts";
import { toShellWord } from "../../../report/shell-word.ts";
import { accountOf, providerArn } from "../arn.ts";
import { audiencesFor } from "../desired/account.ts";
import { thumbprintsFor } from "../desired/provider.ts";
import { roleArnOf, trustOf } from "../desired/role.ts";
import type { AwsGrantSpec } from "../input/grant-spec.ts";
import type { AwsSetupSpec } from "../input/setup-spec.ts";
import { toTrustPolicy, type TrustStatement } from "../trust/statement.ts";
import { type ManifestInput, toAnnotations, toEnv, toManifests } from "./manifests.ts";

/** The trust policy with a service account to fill in, for whoever writes roles by hand. */
export function describeSetup(spec: AwsSetupSpec, facts: IssuerFacts, caller: Caller): SetupDescription {
  const audiences = audiencesFor(spec, caller);
  const provider = providerArn(spec.issuer, accountOf(caller));
  const trust = { issuer: spec.issuer, providerArn: provider, audiences, subjects: ["system:serviceaccount:NAMESPACE:NAME"], patterns: false };
  return {
    provider,
    audiences,
    thumbprint: thumbprintsFor(spec, facts.chain)?.[0] ?? null,
    trustPolicy: toTrustPolicy(trust),
    nextSteps: [`kubeassume grant aws --issuer-url ${spec.issuer}${flagsFor(spec)} --service-account NAMESPACE/NAME --policy-arn POLICY`, `kubeassume status aws --issuer-url ${spec.issuer}${flagsFor(spec)}`],
  };
}

/** What a grant looks like from outside: the role's ARN, its texts for the cluster, and how to try it. */
export function describeGrant(spec: AwsGrantSpec, caller: Caller): TrustTexts & { readonly principal: string; readonly nextSteps: readonly string[] } {
  const principal = roleArnOf(spec, accountOf(caller));
  const texts = toTexts(trustOf(spec, caller), { ...spec, roleArn: principal, audience: audiencesFor(spec, caller)[0] ?? "" }, []);
  const [first] = spec.serviceAccounts;
  const account = `${first?.namespace}/${first?.name}`;
  return { ...texts, principal, nextSteps: [`kubeassume verify aws --issuer-url ${spec.issuer}${flagsFor(spec)} --service-account ${account} --role-arn ${principal}`] };
}

/** Trust policy, manifests and environment of one role. */
export function toTexts(trust: TrustStatement, input: ManifestInput, warnings: readonly Problem[]): TrustTexts {
  return {
    trustPolicy: toTrustPolicy(trust),
    manifests: toManifests(input),
    serviceAccountAnnotations: toAnnotations(input),
    env: toEnv(input),
    credentialConfig: null,
    commands: [],
    warnings,
  };
}

/** What the next command must be told again. */
function flagsFor(spec: AwsSetupSpec | AwsGrantSpec): string {
  const region = spec.region === null ? "" : ` --region ${spec.region}`;
  return spec.audiencesGiven ? `${region}${spec.audiences.map((audience) => ` --audience ${toShellWord(audience)}`).join("")}` : region;
}
