import { defineChecks } from "../../errors/checks.ts";

/** What `status` checks at GCP, beside pool and provider, which the judge's checks document too. */
export const gcpChecks = defineChecks({
  "gcp-access": {
    summary: "Google Cloud lets the caller read what the checks need",
    why: "Without credentials, or without permission to read pools, providers and policies, nothing at GCP can be checked.",
    fix: "log in, or allow what kubeassume permissions gcp --for status prints",
  },
  "gcp-exchange": {
    summary: "STS exchanges a freshly minted token of the service account, and the service account it impersonates gives one",
    why: "The one answer that counts. Google refuses what its own view of pool, provider, keys and policies does not allow, for minutes after a change as well.",
    fix: "kubeassume verify gcp --service-account NAMESPACE/NAME --exchange says which rule refuses it",
  },
  "gcp-pool-shared": {
    summary: "no other issuer of the pool produces the same subjects",
    why: "Members of policies name pool and subject: a service account of the other cluster with the same name would have the same rights.",
    fix: "use one pool per cluster, or tell the clusters apart with --subject-prefix",
  },
  "gcp-provider-issuer": {
    summary: "the provider is for this issuer",
    why: "Google compares the token's iss with it byte for byte: a trailing slash or another path is another issuer.",
    fix: "run kubeassume setup gcp: it shows and repairs the difference",
  },
  "gcp-provider-keys": {
    summary: "the provider verifies with the keys that the cluster signs with",
    why: "Uploaded keys take the place of the issuer's: after a rotation they must be uploaded again, and where discovery is meant they hide the published ones.",
    fix: "run kubeassume setup gcp with --keys upload (or --keys discovery, where the issuer is public)",
  },
  "gcp-provider-audiences": {
    summary: "the provider accepts exactly the audiences that are wanted",
    why: "A token whose aud is not accepted is refused; an audience too many lets tokens in that were meant for others. Without any, the provider's own name is the audience.",
    fix: "run kubeassume setup gcp: it shows and repairs the difference",
  },
  "gcp-provider-mapping": {
    summary: "tokens become the subjects that policies name",
    why: "google.subject is what members of policies name. With another mapping every binding matches nobody, or somebody else.",
    fix: "run kubeassume setup gcp: it shows and repairs the difference",
  },
  "gcp-provider-condition": {
    summary: "the attribute condition is the one that is wanted and lets the granted service accounts pass",
    why: "Google answers unauthorized_client to every token for which the condition is not true.",
    fix: "run kubeassume setup gcp with the right --attribute-condition, or with an empty one to remove it",
  },
  "gcp-grant-service-account": {
    summary: "the service account that is impersonated exists and is enabled",
    why: "generateAccessToken answers the same for one that is missing, deleted or disabled as for a missing permission.",
    fix: "run kubeassume grant gcp with --create-service-account, or enable it",
  },
  "gcp-grant-binding": {
    summary: "the policy gives the service account's subject its roles",
    why: "The exchange succeeds without any binding; every call afterwards is refused.",
    fix: "run kubeassume grant gcp again: it shows and repairs the difference",
  },
  "gcp-grant-token": {
    summary: "Google would accept a token of the service account, and its policies what it asks for",
    why: "The whole way is judged: pool, provider, audience, claims, keys, mapping, condition, and the policy.",
    fix: "kubeassume verify gcp with the same service account names the rule that refuses",
  },
  "gcp-propagation": {
    summary: "what was changed has had the time to take effect everywhere",
    why: "Policies take two minutes, sometimes more than seven, and new pools as long; Google shows no time of the last change.",
    fix: "wait some minutes and check again with --mint --exchange",
  },
});
