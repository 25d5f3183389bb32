import { IAMClient } from "@aws-sdk/client-iam";
import { STSClient } from "@aws-sdk/client-sts";
import type { Caller, CloudInput, CloudWorld, Connection } from "../../cloud.ts";
import type { Step } from "../../../plan/step.ts";
import { accountOf, providerArn } from "../arn.ts";
import { KIND } from "../ids.ts";
import type { AwsGrantSpec } from "../input/grant-spec.ts";
import type { AwsSetupSpec } from "../input/setup-spec.ts";
import { readCaller } from "./caller.ts";
import type { Sdk } from "./calls.ts";
import { chooseRegion, requireRegion, toClientConfig } from "./client.ts";
import { exchange } from "./exchange.ts";
import { findMarked } from "./marked.ts";
import { observeProvider } from "./observe-provider.ts";
import { observeRoles } from "./observe-roles.ts";
import { performProvider } from "./perform-provider.ts";
import { performRole, performRolePolicy, performRoleTrust } from "./perform-role.ts";
import { readTrust } from "./read-trust.ts";

export type AwsConnection = Connection<AwsSetupSpec, AwsGrantSpec>;

/** The SDK's clients for IAM and STS. Throws AWS_REGION_MISSING and AWS_REGION_INVALID; touches no network. */
export async function connect(world: CloudWorld, input: CloudInput): Promise<AwsConnection> {
  const region = chooseRegion(world, input);
  const [iamConfig, stsConfig] = await Promise.all([toClientConfig(world, "IAM", region), toClientConfig(world, "STS", region)]);
  const sdk: Sdk = { iamClient: new IAMClient(iamConfig), stsClient: new STSClient(stsConfig) };
  await requireRegion(sdk.stsClient);
  let caller: Promise<Caller> | undefined;
  const identify = () => (caller ??= readCaller(sdk.stsClient));
  return {
    identify,
    observeSetup: async (spec, who) => observeProvider(sdk, providerArn(spec.issuer, accountOf(await who))),
    observeGrants: (specs, who) => observeGrants(sdk, specs, who),
    findMarked: (issuer, who) => findMarked(sdk, issuer, who),
    perform: (step) => perform(sdk, step),
    readTrust: (trustInput, issuer, who) => readTrust(sdk, trustInput, issuer, who),
    exchange: (token, exchangeInput, principal) => exchange(sdk, token, exchangeInput, identify, principal),
  };
}

/** The roles beside the provider that they stand on: a grant without one deserves a warning. */
async function observeGrants(sdk: Sdk, specs: readonly AwsGrantSpec[], caller: Caller | Promise<Caller>) {
  const [first] = specs;
  if (first === undefined) return [];
  const [provider, roles] = await Promise.all([observeProvider(sdk, providerArn(first.issuer, accountOf(await caller))), observeRoles(sdk, specs)]);
  return [...provider, ...roles];
}

async function perform(sdk: Sdk, step: Step): Promise<void> {
  switch (step.kind) {
    case KIND.provider:
      return performProvider(sdk, step);
    case KIND.role:
      return performRole(sdk, step);
    case KIND.rolePolicy:
    case KIND.inlinePolicy:
      return performRolePolicy(sdk, step);
    case KIND.roleTrust:
      return performRoleTrust(sdk, step);
    default:
      throw new TypeError(`AWS has no steps of kind ${step.kind}`);
  }
}
