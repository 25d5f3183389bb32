import { defineCodes, EXIT } from "../../errors/error.ts";

/** Warnings: they stop nothing. */
export const gcpWarningCodes = defineCodes({
  GCP_KEY_UNUSABLE: {
    exit: EXIT.done,
    summary: "Google could not verify tokens with a key",
    why: "Google takes RSA keys for RS256 and EC keys on P-256 for ES256 that are meant for signatures and have a kid. Of an upload such a key is left out.",
    fix: "sign service account tokens with an RSA key; publish the keys with kubeassume publish, which keeps only what every relying party takes",
  },
  GCP_ALGORITHMS_UNSUPPORTED: {
    exit: EXIT.done,
    summary: "the discovery document lists no algorithm that Google takes",
    why: "Google verifies RS256 and ES256. The list is informative, but a wrong one shows that the document is not this cluster's.",
    fix: "publish the document again with kubeassume publish",
  },
  GCP_MANY_KEYS: {
    exit: EXIT.done,
    summary: "many keys are uploaded",
    why: "One runbook says that a provider takes 8 keys; Google documents no number, so this is unconfirmed.",
    fix: "remove keys that no live token was signed with: --prune-keys",
  },
  GCP_UPLOADED_KEYS_REMOVED: {
    exit: EXIT.done,
    summary: "the keys that were uploaded go, and Google will read the issuer instead",
    why: "With --keys discovery the provider holds no keys of its own. If the issuer cannot be reached from the internet, every token is refused from then on.",
    fix: "give --keys upload to keep them",
  },
  GCP_CONDITION_REJECTS_SOME: {
    exit: EXIT.done,
    summary: "the attribute condition rejects a service account that has a grant",
    why: "The condition was evaluated on what tokens of the account say; Google would answer unauthorized_client.",
    fix: "mend --attribute-condition, or remove the grant",
  },
  GCP_CONDITION_UNJUDGED: {
    exit: EXIT.done,
    summary: "whether the attribute condition accepts a service account cannot be said without a token",
    why: "The condition asks for something that only a real token says, such as the name of the pod.",
    fix: "kubeassume verify gcp --service-account NAMESPACE/NAME judges a real token",
  },
  GCP_PROVIDER_MISSING: {
    exit: EXIT.done,
    summary: "the pool or the provider does not exist yet, or is deleted",
    why: "The access can be given before, but every token is refused until both exist.",
    fix: "run kubeassume setup gcp",
  },
  GCP_PROVIDER_OFF: {
    exit: EXIT.done,
    summary: "the pool or the provider is disabled",
    why: "The access can be given, but every token is refused until somebody enables it again.",
    fix: "enable it if that is right: gcloud iam workload-identity-pools update POOL --location global --no-disabled",
  },
  GCP_AUDIENCE_NOT_REGISTERED: {
    exit: EXIT.done,
    summary: "the provider does not accept the audience that the pods would ask for",
    why: "A token is refused unless its aud is among the provider's allowed audiences, or is the provider's own name where there are none.",
    fix: "run kubeassume setup gcp with the same --audience",
  },
  GCP_SERVICE_ACCOUNT_ELSEWHERE: {
    exit: EXIT.done,
    summary: "the service account belongs to another project than the pool",
    why: "That works, but the permission to change its policy is needed there, and teardown looks only through the project that it is told.",
    fix: "remember to run kubeassume teardown gcp with its project too",
  },
  GCP_POOL_SUBJECTS_UNCLEAR: {
    exit: EXIT.done,
    summary: "the pool has another provider whose subjects cannot be told",
    why: "It maps google.subject by an expression that kubeassume does not read, so that it could produce the subject of a service account of this cluster.",
    fix: "look at its attribute mapping; a pool for this cluster alone is safer",
  },
});
