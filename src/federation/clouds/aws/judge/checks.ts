import { defineChecks } from "../../../errors/checks.ts";

/** The rules of AssumeRoleWithWebIdentity, one check each, in the order in which a refusal is reported. */
export const judgeChecks = defineChecks({
  "aws-request-token-length": {
    summary: "the token has 4 to 20,000 characters",
    why: "STS refuses longer tokens before it looks at them. Tokens of service accounts stay far below.",
    fix: "give the token alone, without quotes or line breaks",
  },
  "aws-request-role-arn": {
    summary: "the role is named by its ARN",
    why: "A role name, an ARN of something else, or a placeholder that was never replaced.",
    fix: "pass arn:PARTITION:iam::ACCOUNT:role/NAME, with the path when the role has one",
  },
  "aws-request-session-name": {
    summary: "the session name has 2 to 64 characters of [A-Za-z0-9_+=,.@-]",
    why: "Names built from pod names or e-mail addresses get too long or contain other characters.",
    fix: "choose a shorter name without other characters (AWS_ROLE_SESSION_NAME)",
  },
  "aws-request-duration": {
    summary: "the requested duration is between 900 and 43,200 seconds",
    why: "STS knows no shorter and no longer sessions.",
    fix: "ask for 900 to 43200 seconds, or leave it out for 3600",
  },
  "aws-token-form": {
    summary: "the token is a signed JWT",
    why: "Something else was sent: an access token, a file name, a token cut off or wrapped in quotes.",
    fix: "mint a fresh one: kubectl create token NAME --namespace NAMESPACE --audience sts.amazonaws.com",
  },
  "aws-token-critical-header": {
    summary: "the token's header has no crit member",
    why: "crit names extensions that the reader must understand; AWS understands none.",
    fix: "sign service account tokens without critical header extensions",
  },
  "aws-token-algorithm": {
    summary: "the token is signed with RS256, RS384, RS512, ES256, ES384 or ES512",
    why: "AWS takes RSA and EC signatures only; EdDSA, RSA-PSS, HMAC and none are refused.",
    fix: "sign service account tokens with an RSA or P-256 key",
  },
  "aws-token-required-claims": {
    summary: "the token has iss, sub, aud, iat and exp",
    why: "AWS names the first claim that is missing. Tokens of the API server have all five.",
    fix: "use a token of the TokenRequest API: kubectl create token, or a projected volume",
  },
  "aws-token-claim-types": {
    summary: "iss, sub and aud have types that AWS reads",
    why: "iss is a string, sub a string or number, aud a string or a list with at least one entry.",
    fix: "use a token of the TokenRequest API",
  },
  "aws-token-issuer-provider": {
    summary: "the account has an OIDC provider for exactly the token's issuer",
    why: "AWS looks the provider up by the issuer, byte for byte, in the account of the role: a trailing slash, another path, another account or no provider at all.",
    fix: "create it: kubeassume setup aws --issuer-url ISSUER",
  },
  "aws-token-single-audience": {
    summary: "the token has one audience, or says by azp which one counts",
    why: "A token minted without an audience is for all audiences of the API server, and AWS refuses several.",
    fix: "mint the token for one audience: --audience sts.amazonaws.com",
  },
  "aws-token-audience": {
    summary: "the token's audience is one of the provider's client IDs",
    why: "The provider does not list the audience that the token was minted for.",
    fix: "add it with kubeassume setup aws --audience AUDIENCE, or mint the token with --audience sts.amazonaws.com",
  },
  "aws-token-timestamps": {
    summary: "iat, exp and nbf are whole seconds",
    why: "AWS refuses fractions of a second, null and text that is not a number.",
    fix: "use a token of the TokenRequest API: its times are whole seconds",
  },
  "aws-token-issued-at": {
    summary: "the token was not issued in the future",
    why: "The clock of the API server is more than 5 minutes ahead of AWS.",
    fix: "set the clock of the control plane (NTP)",
  },
  "aws-token-not-before": {
    summary: "the token is valid already",
    why: "Its nbf lies more than 5 minutes ahead.",
    fix: "set the clock of the control plane (NTP), or wait",
  },
  "aws-token-expired": {
    summary: "the token has not expired",
    why: "Its exp is more than 5 minutes ago: a stale file, or a process that read the token once and kept it.",
    fix: "mint a fresh token; in a pod, read the projected file each time, the kubelet renews it",
  },
  "aws-issuer-reachable": {
    summary: "AWS can read the issuer's documents",
    why: "AWS fetches both over HTTPS from the internet within about 5 seconds and compares the certificate with its roots or the provider's thumbprints.",
    fix: "see kubeassume thumbprint ISSUER and kubeassume status aws",
  },
  "aws-discovery": {
    summary: "the discovery document has the members that AWS needs and names the token's issuer",
    why: "AWS needs issuer, jwks_uri, response_types_supported, subject_types_supported and id_token_signing_alg_values_supported.",
    fix: "publish it again: kubeassume publish",
  },
  "aws-keys": {
    summary: "the key set can be read and has at most 100 keys of the token's kind",
    why: "The document at jwks_uri is no key set, has no key, or has more than 100 RSA or 100 EC keys.",
    fix: "publish the keys again, without the old ones: kubeassume publish --prune-keys",
  },
  "aws-keys-public": {
    summary: "the key set holds public keys only",
    why: "A private or symmetric key in a published set lets anybody mint tokens. AWS may accept the tokens all the same.",
    fix: "take the key set down, replace the signing key, and publish public keys only",
  },
  "aws-key-found": {
    summary: "the key set has the key that the token names",
    why: "The key was rotated and not published, another cluster signed the token, or the token has no kid and the set more than one key.",
    fix: "publish the cluster's present keys: kubeassume publish",
  },
  "aws-key-usable": {
    summary: "AWS takes the key for signatures of this kind",
    why: "key_ops or use enc is present, the certificate in x5c is of another key, the parameters are missing, or the curve does not fit the algorithm.",
    fix: "publish the key with kty, use, alg, kid and its parameters only: kubeassume publish does",
  },
  "aws-token-signature": {
    summary: "the signature is right",
    why: "The token was changed or cut, or signed by another key under the same kid.",
    fix: "mint a fresh token; if that fails too, publish the cluster's present keys: kubeassume publish",
  },
  "aws-token-session-claims": {
    summary: "the token has no claims with which AWS sets tags, roles or a source identity",
    why: "Claims under https://aws.amazon.com/ change the session and what the trust policy must allow. Kubernetes never writes them and this judge does not weigh them.",
    fix: "ask AWS itself: kubeassume verify aws --exchange",
  },
  "aws-request-role": {
    summary: "the role exists",
    why: "STS answers AccessDenied for a role that does not exist, so that nobody can probe for names.",
    fix: "create it: kubeassume grant aws --service-account NAMESPACE/NAME",
  },
  "aws-trust-policy-form": {
    summary: "the role's trust policy is one that IAM accepts",
    why: "IAM refuses malformed documents when they are written.",
    fix: "correct the part that the message names; kubeassume trust-policy aws prints a good document",
  },
  "aws-trust-policy": {
    summary: "the role's trust policy lets this token assume the role",
    why: "No statement allows it, a condition on sub or aud does not fit, or a Deny applies. AWS answers the same for a role or provider made a few seconds ago.",
    fix: "grant it: kubeassume grant aws --service-account NAMESPACE/NAME --role-arn ROLE",
  },
  "aws-role-duration": {
    summary: "the role allows sessions of the requested duration",
    why: "Each role has its own maximum, 3,600 seconds unless it was raised.",
    fix: "ask for a shorter session, or raise it: kubeassume grant aws --max-session-duration SECONDS",
  },
});

export type JudgeCheckId = keyof typeof judgeChecks;
