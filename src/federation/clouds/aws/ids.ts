/** Kinds of steps: what `perform` does with them. */
export const KIND = {
  provider: "aws.provider",
  role: "aws.role",
  rolePolicy: "aws.role-policy",
  inlinePolicy: "aws.role-inline-policy",
  roleTrust: "aws.role-trust",
} as const;

/** Ids of resources and steps: stable, so that what is observed meets what is desired. */
export const PROVIDER_ID = "aws.provider";

export function roleId(name: string): string {
  return `aws.role/${name}`;
}

export function rolePolicyId(name: string, policyArn: string): string {
  return `aws.role/${name}/policy/${policyArn}`;
}

export function inlinePolicyId(name: string): string {
  return `aws.role/${name}/inline`;
}

export function roleTrustId(name: string): string {
  return `aws.role/${name}/trust`;
}

/** The one inline policy that is ours; others of the role are left alone. */
export const INLINE_POLICY_NAME = "kubeassume";
