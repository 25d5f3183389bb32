import { defineChecks } from "../../errors/checks.ts";

/** What `status` checks at AWS. The rules by which a token is judged have checks of their own (judge). */
export const awsChecks = defineChecks({
  "aws-access": {
    summary: "AWS lets the caller read what the checks need",
    why: "Without credentials, or without permission to read providers and roles, nothing at AWS can be checked.",
    fix: "log in, or allow what kubeassume permissions aws --for status prints",
  },
  "aws-exchange": {
    summary: "STS exchanges a freshly minted token of the service account for a session of its role",
    why: "The one answer that counts. STS refuses what its own view of provider, keys and trust policy does not allow, for seconds after a change as well.",
    fix: "kubeassume verify aws --service-account NAMESPACE/NAME --exchange says which rule refuses it",
  },
  "aws-oidc-provider": {
    summary: "the account has an IAM OIDC provider for the issuer",
    why: "AWS looks the provider up by the token's issuer, byte for byte: without one, or with another spelling (a trailing slash, another case), it answers InvalidIdentityToken.",
    fix: "run kubeassume setup aws",
  },
  "aws-oidc-provider-mark": {
    summary: "the provider carries kubeassume's tags",
    why: "Without them teardown does not find it, and setup does not touch it without --adopt.",
    fix: "run kubeassume setup aws --adopt to take it over",
  },
  "aws-oidc-provider-audiences": {
    summary: "the provider accepts exactly the audiences that are wanted",
    why: "A token whose aud is not registered is refused with 'Incorrect token audience'; an audience too many lets tokens in that were meant for others.",
    fix: "run kubeassume setup aws: it shows and repairs the difference",
  },
  "aws-oidc-provider-thumbprint": {
    summary: "the thumbprint is that of the chain that is served, where AWS uses one",
    why: "For chains that are not publicly trusted AWS compares the top of the chain with the registered thumbprints. Publicly trusted ones are verified as usual.",
    fix: "run kubeassume setup aws: it registers the thumbprint of today's chain",
  },
  "aws-grant-role": {
    summary: "the role of a grant exists, under its own path and with kubeassume's tags",
    why: "The annotation on the ServiceAccount names the role by its ARN, path included.",
    fix: "run kubeassume grant aws for the service account",
  },
  "aws-grant-drift": {
    summary: "the role is as the grant says, field by field",
    why: "Somebody or something changed it since: trust policy, tags, session duration, permissions boundary, or a policy.",
    fix: "run kubeassume grant aws again: it shows and repairs the difference",
  },
  "aws-grant-policies": {
    summary: "the policies of the grant are attached to the role",
    why: "A role without policies can be assumed, but nothing can be done with it.",
    fix: "run kubeassume grant aws again",
  },
  "aws-grant-trust": {
    summary: "AWS would accept a token of the service account for the role",
    why: "The whole way is judged: provider, audience, claims, keys, and the role's trust policy as IAM evaluates it.",
    fix: "kubeassume verify aws with the same service account names the rule that refuses",
  },
  "aws-propagation": {
    summary: "what was made has had the time to take effect everywhere",
    why: "New providers and roles are refused with AccessDenied for some seconds, because IAM is copied to every region.",
    fix: "wait a few seconds and check again",
  },
});
