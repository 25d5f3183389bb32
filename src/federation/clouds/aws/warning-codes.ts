import { defineCodes, EXIT } from "../../errors/error.ts";

/** Warnings: they stop nothing. */
export const awsWarningCodes = defineCodes({
  AWS_KEY_UNUSABLE: {
    exit: EXIT.done,
    summary: "AWS would ignore a key of the issuer",
    why: "key_ops, a use other than sig, a kind or curve that AWS does not take, an x5c that disagrees, no kid, or a kid that a later key has too.",
    fix: "publish the keys with kubeassume publish, which keeps only what every relying party takes",
  },
  AWS_ALGORITHMS_UNSUPPORTED: {
    exit: EXIT.done,
    summary: "the discovery document lists no algorithm that AWS takes",
    why: "AWS verifies RS256, RS384, RS512, ES256, ES384 and ES512. The list is informative, but a wrong one shows that the document is not this cluster's.",
    fix: "publish the document again with kubeassume publish",
  },
  AWS_TRUST_POLICY_OVER_DEFAULT: {
    exit: EXIT.done,
    summary: "the trust policy is larger than the default quota",
    why: "The quota 'Role trust policy length' is 2,048 characters unless it was raised (at most 8,192); white space does not count.",
    fix: "have 'Role trust policy length' raised (Service Quotas, IAM, in us-east-1), or spread the service accounts over several roles",
  },
  AWS_GOVCLOUD_AUDIENCE: {
    exit: EXIT.done,
    summary: "which audience GovCloud's own tools use is unconfirmed",
    why: "Any registered audience works. sts.amazonaws.com is the convention elsewhere; one source names sts.amazonaws-us-gov.com for GovCloud.",
    fix: "set the audience that your tokens carry with --audience",
  },
  AWS_PATTERN_USED: {
    exit: EXIT.done,
    summary: "the trust policy matches service accounts by a pattern",
    why: "Whoever can create a service account with a matching name can act as the role.",
    fix: "name the service accounts where that is possible",
  },
  AWS_THUMBPRINT_UNUSED: {
    exit: EXIT.done,
    summary: "AWS would not look at the thumbprint",
    why: "The issuer's certificate chain leads to a public root, and AWS then verifies it as every client does.",
    fix: "leave --thumbprint out",
  },
  AWS_THUMBPRINT_DIFFERS: {
    exit: EXIT.done,
    summary: "the thumbprint that was given is not what the issuer serves",
    why: "It is of a leaf or of an old chain, or a proxy replaces the certificates on one of the two ways.",
    fix: "compare with kubeassume thumbprint ISSUER, run from a network without an inspecting proxy",
  },
  AWS_PROVIDER_MISSING: {
    exit: EXIT.done,
    summary: "the account has no provider for the issuer yet",
    why: "The role can be made before, but every token is refused until the provider exists.",
    fix: "run kubeassume setup aws",
  },
  AWS_AUDIENCE_NOT_REGISTERED: {
    exit: EXIT.done,
    summary: "the provider does not accept an audience that the role asks for",
    why: "A token must pass both: the provider's client ids and the role's condition on aud.",
    fix: "run kubeassume setup aws with the same --audience",
  },
  AWS_ACCESS_REMOVED: {
    exit: EXIT.done,
    summary: "service accounts lose a role that they have now",
    why: "kubeassume's statement lists exactly the service accounts that are named; these are in it and were not named.",
    fix: "name them too if they still need the role",
  },
});
