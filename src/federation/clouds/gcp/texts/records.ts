import type { Json } from "../../../plan/step.ts";
import { type PolicyOwner, parsePolicyTarget } from "../ids.ts";

/** Pool and provider as they shall be, for texts. */
export interface TrustInput {
  readonly pool: string;
  readonly provider: string;
  readonly displayName: string | null;
  readonly description: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly mapping: Readonly<Record<string, string>>;
  readonly condition: string;
  /** Empty for discovery. */
  readonly jwksJson: string;
}

/** What one identity is allowed, for texts. */
export interface BindingInput {
  /** As `policyTarget` has it. */
  readonly target: string;
  readonly roles: readonly string[];
  readonly members: readonly string[];
}

/**
 * Pool, provider and policy as Google's API has them (IAM v1), under the names that `verify --trust-file` reads: what is
 * printed can be judged.
 */
export function toRecords(trust: TrustInput, binding: BindingInput | null): { readonly [member: string]: Json } {
  const { displayName, description } = trust;
  return {
    pool: { name: trust.pool, ...(displayName === null ? {} : { displayName }), description, state: "ACTIVE" },
    provider: {
      name: trust.provider,
      description,
      state: "ACTIVE",
      attributeMapping: trust.mapping,
      ...(trust.condition === "" ? {} : { attributeCondition: trust.condition }),
      oidc: { issuerUri: trust.issuer, ...(trust.audiences.length === 0 ? {} : { allowedAudiences: trust.audiences }), ...(trust.jwksJson === "" ? {} : { jwksJson: trust.jwksJson }) },
    },
    ...(binding === null ? {} : toPolicy(binding)),
  };
}

function toPolicy({ target, roles, members }: BindingInput): { readonly [member: string]: Json } {
  const policy = { bindings: roles.map((role) => ({ role, members: [...members].sort() })) };
  const owner: PolicyOwner | null = parsePolicyTarget(target);
  if (owner?.kind === "serviceAccount") return { serviceAccount: owner.email, serviceAccountPolicy: policy };
  return { projectPolicy: policy };
}
