import { defineChecks } from "../../../errors/checks.ts";

/** The rules of the token exchange and of what comes after it, one check each, in the order in which a refusal is reported. */
export const judgeChecks = defineChecks({
  "gcp-provider-name": {
    summary: "the provider is named by its resource name, with the project's number",
    why: "The exchange takes //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER only; a project ID where the number belongs is the usual mistake.",
    fix: "use the name that gcloud iam workload-identity-pools providers describe prints, with the project's number",
  },
  "gcp-pool": {
    summary: "the pool exists, and is neither deleted nor disabled",
    why: "A deleted pool can be undeleted for 30 days and hands out nothing until then; a disabled one stops tokens that it handed out already.",
    fix: "create it: kubeassume setup gcp --project PROJECT --pool-id POOL --issuer-url ISSUER",
  },
  "gcp-provider": {
    summary: "the provider exists in the pool, takes JWTs, and is neither deleted nor disabled",
    why: "Google answers the same for a provider that was deleted or disabled, or that never existed.",
    fix: "create it: kubeassume setup gcp --project PROJECT --pool-id POOL --issuer-url ISSUER",
  },
  "gcp-token-form": {
    summary: "the token is a signed JWT",
    why: "Something else was sent: an access token, a file name, a token cut off or wrapped in quotes.",
    fix: "mint a fresh one: kubectl create token NAME --namespace NAMESPACE --audience AUDIENCE",
  },
  "gcp-token-algorithm": {
    summary: "the token is signed with RS256 or ES256",
    why: "Google takes these two only; RS384, ES384, EdDSA and none are refused.",
    fix: "sign service account tokens with an RSA or P-256 key",
  },
  "gcp-token-key-id": {
    summary: "the token's header names its key (kid)",
    why: "Google requires a kid and never tries keys one by one.",
    fix: "use a token of the TokenRequest API: kubectl create token, or a projected volume",
  },
  "gcp-token-required-claims": {
    summary: "the token has iss, sub, aud, iat and exp",
    why: "Without one of them Google reports what it then compares: an issuer null, an empty audience, a stale token. Tokens of the API server have all five.",
    fix: "use a token of the TokenRequest API: kubectl create token, or a projected volume",
  },
  "gcp-token-claim-types": {
    summary: "iss, sub, aud, iat and exp have types that Google reads",
    why: "iss and sub are strings, aud a string or a list of strings, iat and exp numbers of seconds.",
    fix: "use a token of the TokenRequest API",
  },
  "gcp-token-issuer": {
    summary: "the token's iss is the provider's issuer",
    why: "Google compares both byte for byte: a trailing slash, another path or another cluster is another issuer.",
    fix: "set the provider's issuer: kubeassume setup gcp --issuer-url ISSUER",
  },
  "gcp-issuer-reachable": {
    summary: "Google can read the issuer's documents, or needs none of them",
    why: "Without uploaded keys Google fetches discovery document and key set over HTTPS from the internet.",
    fix: "publish the documents, or upload the keys: kubeassume setup gcp --keys upload",
  },
  "gcp-discovery": {
    summary: "the discovery document names the provider's issuer and where its keys are",
    why: "Google compares the document's issuer with the provider's. With uploaded keys it is not fetched at all.",
    fix: "publish it again: kubeassume publish",
  },
  "gcp-keys-uploaded": {
    summary: "the provider's uploaded keys are of the form that Google takes",
    why: "Only RSA and P-256 keys with kty, alg, use, kid, n, e, x, y and crv are documented to work. gcloud uploads others without a word, and each exchange then fails with an error about the issuer.",
    fix: "upload them in the right form: kubeassume setup gcp --keys upload",
  },
  "gcp-keys": {
    summary: "the key set can be read and has a key",
    why: "The document at jwks_uri, or what was uploaded, is no key set or is empty.",
    fix: "publish the keys again with kubeassume publish, or upload them with kubeassume setup gcp --keys upload",
  },
  "gcp-keys-public": {
    summary: "the key set holds public keys only",
    why: "A private or symmetric key in a key set lets anybody who reads it mint tokens.",
    fix: "take the key set down, replace the signing key, and publish public keys only",
  },
  "gcp-key-found": {
    summary: "the key set has the key that the token names",
    why: "The key was rotated and not published or uploaded, or another cluster signed the token.",
    fix: "publish the cluster's present keys: kubeassume publish",
  },
  "gcp-key-usable": {
    summary: "the key can verify the token's algorithm",
    why: "RS256 needs an RSA key and ES256 one on P-256; the parameters may also be missing.",
    fix: "publish the key with kty, use, alg, kid and its parameters only: kubeassume publish does",
  },
  "gcp-token-signature": {
    summary: "the signature is right",
    why: "The token was changed or cut, or signed by another key under the same kid.",
    fix: "mint a fresh token; if that fails too, publish or upload the cluster's present keys",
  },
  "gcp-token-audience": {
    summary: "the token's audience is one that the provider takes",
    why: "A provider with allowed audiences takes those only; one without takes its own full name, with the project's number, with or without https:.",
    fix: "mint the token for the provider: kubectl create token NAME --audience https://iam.googleapis.com/PROVIDER_NAME",
  },
  "gcp-token-issued-at": {
    summary: "the token was not issued in the future",
    why: "The clock of the API server is more than a minute ahead of Google's.",
    fix: "set the clock of the control plane (NTP)",
  },
  "gcp-token-expired": {
    summary: "the token has not expired",
    why: "Its exp is a minute or more ago: a stale file, or a process that read the token once and kept it. Google calls such a token stale.",
    fix: "mint a fresh token; in a pod, read the projected file each time, the kubelet renews it",
  },
  "gcp-token-age": {
    summary: "the token was issued within the last 24 hours",
    why: "Google takes no older token, whatever its exp: one minted for longer, or the API server's extended lifetime of a year.",
    fix: "mint tokens for at most 24 hours; in a pod, use a projected volume with expirationSeconds up to 86400",
  },
  "gcp-token-lifetime": {
    summary: "the token is valid for at most 24 hours",
    why: "Google documents 24 hours for providers and less than 48 for the exchange.",
    fix: "mint tokens for at most 24 hours: expirationSeconds up to 86400, or kubectl create token --duration 24h",
  },
  "gcp-attribute-mapping": {
    summary: "the provider's attribute mapping can be evaluated",
    why: "Each expression is CEL over assertion, at most 2,048 characters; keys are google.subject, google.groups and attribute.NAME.",
    fix: "repair the mapping: kubeassume setup gcp, or gcloud iam workload-identity-pools providers update-oidc --attribute-mapping",
  },
  "gcp-attribute-condition": {
    summary: "the provider's attribute condition is true for the token",
    why: "Anything but true refuses, an expression that asks for a claim the token does not have among it.",
    fix: "change the condition: kubeassume setup gcp --attribute-condition EXPRESSION (the empty text removes it)",
  },
  "gcp-subject": {
    summary: "the mapping yields a text as google.subject",
    why: "The expression found nothing in the claims, or yields something else than a text, such as a comparison.",
    fix: "map google.subject to assertion.sub: kubeassume setup gcp does",
  },
  "gcp-subject-length": {
    summary: "google.subject has at most 127 bytes",
    why: "system:serviceaccount: takes 22 of them, which long names of namespaces and service accounts exceed.",
    fix: "use shorter names, or a mapping that takes a part of the claim: assertion.sub.extract('system:serviceaccount:{name}')",
  },
  "gcp-attributes": {
    summary: "custom attributes are texts, groups a list of texts, and all together have at most 8 KB",
    why: "Claims that are lists, numbers or objects cannot be attributes as they are.",
    fix: "take one element, or turn the claim into a text with string()",
  },
  "gcp-policy-form": {
    summary: "the policies are ones that IAM accepts",
    why: "A binding lacks a role, its members are no list of texts, or a condition stands in a policy of an earlier version than 3.",
    fix: "give the answer of getIamPolicy as it is, read with requestedPolicyVersion 3",
  },
  "gcp-impersonation": {
    summary: "the identity may impersonate the service account",
    why: "Its member needs roles/iam.workloadIdentityUser on the service account. Owner, Editor and roles/iam.serviceAccountUser do not contain the permission. A new binding takes minutes to take effect.",
    fix: "grant it: kubeassume grant gcp --service-account NAMESPACE/NAME --impersonate EMAIL",
  },
  "gcp-direct-access": {
    summary: "the policy gives the identity the roles that it needs",
    why: "No binding has its member, a set it belongs to, or a condition that holds. Bindings on the resource itself or above the project are not seen here.",
    fix: "grant it: kubeassume grant gcp --service-account NAMESPACE/NAME --role ROLE",
  },
});

export type JudgeCheckId = keyof typeof judgeChecks;
