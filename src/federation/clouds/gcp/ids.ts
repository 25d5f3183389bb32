/** Kinds of steps: what `perform` does with them. */
export const KIND = {
  pool: "gcp.pool",
  provider: "gcp.provider",
  serviceAccount: "gcp.service-account",
  policy: "gcp.policy",
} as const;

/** Ids of resources and steps: stable, so that what is observed meets what is desired. */
export const POOL_ID = "gcp.pool";
export const PROVIDER_ID = "gcp.provider";
/** Observed only: the pool's other providers, as `fields.others`. */
export const POOL_PROVIDERS_ID = "gcp.pool/providers";

/** A service account that is impersonated; observed whether it is to be made or not. */
export function serviceAccountId(email: string): string {
  return `gcp.service-account/${email}`;
}

/** One policy; `target` is that of {@link policyTarget}. */
export function policyId(target: string): string {
  return `gcp.policy/${target}`;
}

/**
 * What a policy belongs to. Fields of the desired policy: `{ [role]: members }`; of the observed one: per role those of
 * the wanted members that an unconditional binding has, and {@link PRINCIPALS_FIELD}.
 */
export type PolicyOwner = { readonly kind: "project"; readonly project: string } | { readonly kind: "bucket"; readonly name: string } | { readonly kind: "serviceAccount"; readonly email: string };

/** `projects/ID`, `buckets/NAME` or `serviceAccounts/EMAIL`. */
export function policyTarget(owner: PolicyOwner): string {
  if (owner.kind === "project") return `projects/${owner.project}`;
  return owner.kind === "bucket" ? `buckets/${owner.name}` : `serviceAccounts/${owner.email}`;
}

/** The owner behind {@link policyTarget}; null for anything else. */
export function parsePolicyTarget(target: string): PolicyOwner | null {
  const [, collection, name] = /^(projects|buckets|serviceAccounts)\/(.+)$/.exec(target) ?? [];
  if (name === undefined) return null;
  if (collection === "projects") return { kind: "project", project: name };
  return collection === "buckets" ? { kind: "bucket", name } : { kind: "serviceAccount", email: name };
}

/** In the observed fields of a policy: how many principals all its bindings name, each occurrence counted. */
export const PRINCIPALS_FIELD = "principals";
