import { defineCodes, EXIT } from "../../errors/error.ts";

/** What AWS, its SDK or the way to it can answer. */
export const awsErrorCodes = defineCodes({
  AWS_CREDENTIALS_MISSING: {
    exit: EXIT.input,
    summary: "no AWS credentials were found",
    why: "Environment variables, shared files, SSO, container and instance metadata were asked in the SDK's order, and none of them has any.",
    fix: "log in as for the aws command (aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY)",
  },
  AWS_CREDENTIALS_EXPIRED: {
    exit: EXIT.refused,
    summary: "the AWS credentials have expired",
    why: "Session credentials live for hours; AWS refuses them afterwards.",
    fix: "log in again, for example with aws sso login",
  },
  AWS_CREDENTIALS_INVALID: {
    exit: EXIT.refused,
    summary: "AWS does not accept the credentials",
    why: "The access key does not exist or is inactive, the secret does not belong to it, the session token is missing, or the credentials belong to another partition. A wrong clock breaks the signature too.",
    fix: "check them with aws sts get-caller-identity, and compare the clock",
  },
  AWS_ACCESS_DENIED: {
    exit: EXIT.refused,
    summary: "AWS denies an action to the caller",
    why: "A policy of the caller, a permissions boundary, or a service control policy does not allow it.",
    fix: "allow the action that the message names; kubeassume permissions aws prints the least policy for each command",
  },
  AWS_THROTTLED: {
    exit: EXIT.refused,
    summary: "AWS answers that there are too many requests",
    why: "IAM and STS share their request rates with everything else in the account. The SDK had repeated the request already.",
    fix: "wait a minute and run the same command again: it goes on where it stopped",
  },
  AWS_UNREACHABLE: {
    exit: EXIT.refused,
    summary: "no complete answer from AWS",
    why: "DNS, routing, a proxy, TLS, a connection that was cut, or no answer in time. What was asked may have happened nevertheless.",
    fix: "check the network, HTTPS_PROXY and AWS_ENDPOINT_URL, then run the same command again: every step is safe to repeat",
  },
  AWS_UNAVAILABLE: {
    exit: EXIT.refused,
    summary: "AWS failed on its side",
    why: "The service answered with an internal error, and did so again when the SDK repeated the request.",
    fix: "run the same command again: every step is safe to repeat",
  },
  AWS_REGION_MISSING: {
    exit: EXIT.input,
    summary: "no AWS region is set",
    why: "IAM is global, but requests are signed for a region, and the region also says which partition is meant.",
    fix: "give --region, set AWS_REGION, or write region into the profile",
  },
  AWS_REGION_INVALID: {
    exit: EXIT.input,
    summary: "what was given is not the name of a region",
    why: "Regions are named like eu-west-1; anything else would become part of a host name.",
    fix: "give a region's name: eu-west-1",
  },
  AWS_LIMIT_EXCEEDED: {
    exit: EXIT.refused,
    summary: "a quota of the AWS account is used up",
    why: "IAM limits providers, roles, attached policies and the size of documents per account or role.",
    fix: "remove what is not used any more, or have the quota raised (Service Quotas, IAM, in us-east-1)",
  },
  AWS_MALFORMED_POLICY: {
    exit: EXIT.refused,
    summary: "AWS refuses a policy document",
    why: "A statement that was in the role before, or the policy that was given, is not valid for IAM.",
    fix: "look at the document in the plan (--dry-run -o json) and mend what AWS names",
  },
  AWS_CONFLICT: {
    exit: EXIT.refused,
    summary: "something changed at the same time, or is still in use",
    why: "Another writer was faster, the resource was made by somebody else in between, or other resources hang on it.",
    fix: "run the same command again: it reads anew",
  },
  AWS_NOT_FOUND: {
    exit: EXIT.refused,
    summary: "AWS does not know the resource",
    why: "It was removed in between, never existed, or belongs to another account.",
    fix: "check the name and the account that the message shows",
  },
  AWS_ISSUER_NOT_READ: {
    exit: EXIT.refused,
    summary: "AWS cannot read the issuer",
    why: "IAM connects to the issuer when a provider is made without a thumbprint, from the internet.",
    fix: "make the issuer reachable from the internet over TLS 1.2 or later",
  },
  AWS_REFUSED: {
    exit: EXIT.refused,
    summary: "AWS refuses a request",
    why: "For a reason without a code of its own here; the message has AWS's own code and words.",
    fix: "read AWS's words; kubeassume changed nothing with this request",
  },
});

/** Input that AWS would refuse, refused before the first write. */
export const awsInputCodes = defineCodes({
  AWS_AUDIENCE_INVALID: {
    exit: EXIT.input,
    summary: "an audience cannot be registered with IAM",
    why: "A client id has 1 to 255 characters, and a service account token carries exactly what is asked for, so white space is always a mistake.",
    fix: "use a short name such as sts.amazonaws.com",
  },
  AWS_TOO_MANY_AUDIENCES: {
    exit: EXIT.input,
    summary: "more than 100 audiences",
    why: "IAM takes at most 100 client ids per provider.",
    fix: "name the audiences that tokens really carry; one is usually enough",
  },
  AWS_THUMBPRINT_INVALID: {
    exit: EXIT.input,
    summary: "the thumbprint is neither auto, none, nor a SHA-1 in hex",
    why: "IAM wants 40 hexadecimal digits and does not check that they are; a typing error would show only when a token is refused.",
    fix: "leave --thumbprint out, or give 40 hex digits (kubeassume thumbprint ISSUER prints them)",
  },
  AWS_ARN_INVALID: {
    exit: EXIT.input,
    summary: "what was given is not the ARN that is needed here",
    why: "Role and policy ARNs begin with arn:PARTITION:iam::ACCOUNT: and end with role/NAME or policy/NAME.",
    fix: "copy the ARN from the IAM console, or from aws iam get-role or aws iam list-policies",
  },
  AWS_ACCOUNT_INVALID: {
    exit: EXIT.input,
    summary: "an AWS account id has exactly 12 digits",
    why: "The ARNs of provider and role contain it.",
    fix: "give all 12 digits, leading zeros included; aws sts get-caller-identity prints them",
  },
  AWS_PARTITION_INVALID: {
    exit: EXIT.input,
    summary: "the partition is not one that AWS has",
    why: "Partitions are aws, aws-cn (China), aws-us-gov (GovCloud) and the isolated aws-iso, aws-iso-b, aws-iso-e, aws-iso-f and aws-eusc.",
    fix: "give aws, aws-cn or aws-us-gov",
  },
  AWS_ROLE_NAME_INVALID: {
    exit: EXIT.input,
    summary: "IAM would refuse the role name",
    why: "A role name has 1 to 64 letters, digits and + = , . @ _ - characters.",
    fix: "choose a shorter or plainer --role-name, or leave it out: kubeassume then makes one",
  },
  AWS_POLICY_INVALID: {
    exit: EXIT.input,
    summary: "the policy file is not an identity policy",
    why: "It must be JSON with a Statement whose entries have Effect, Action and Resource, and no Principal: that one belongs to trust policies.",
    fix: "mend the file; IAM's limit for all inline policies of a role is 10,240 characters",
  },
  AWS_SESSION_DURATION_INVALID: {
    exit: EXIT.input,
    summary: "the session duration is outside of what IAM takes",
    why: "A role's maximum session lasts 3,600 to 43,200 seconds (1 to 12 hours).",
    fix: "give seconds between 3600 and 43200",
  },
  AWS_PARTITION_MISMATCH: {
    exit: EXIT.input,
    summary: "two partitions are mixed",
    why: "The credentials, the region and every ARN must belong to one partition: aws, aws-cn and aws-us-gov know nothing of each other.",
    fix: "use credentials of the partition that the region and the ARNs name",
  },
  AWS_ACCOUNT_MISMATCH: {
    exit: EXIT.input,
    summary: "the role belongs to another account",
    why: "Provider and role must be in the same account, and the credentials must be for it.",
    fix: "use credentials of the role's account, and run kubeassume setup aws there first",
  },
  AWS_GRANTS_CONFLICT: {
    exit: EXIT.input,
    summary: "two grants name the same role and want different things of it",
    why: "Grants for one role are merged into one; that works only when they agree on everything but the service account.",
    fix: "make them agree, or give them different role names",
  },
  AWS_ADOPTION_REMOVES_AUDIENCES: {
    exit: EXIT.input,
    summary: "taking over the provider would take audiences away",
    why: "It was made by somebody else and accepts audiences that were not named here; their tokens would be refused from then on.",
    fix: "name them too, with --audience, or remove them from the provider yourself",
  },
  AWS_TRUST_POLICY_TOO_LARGE: {
    exit: EXIT.input,
    summary: "the trust policy would be larger than IAM takes",
    why: "The quota 'Role trust policy length' is 2,048 characters by default and can be raised to 8,192; white space does not count.",
    fix: "spread the service accounts over several roles",
  },
  AWS_TRUST_POLICY_UNREADABLE: {
    exit: EXIT.refused,
    summary: "the role's trust policy cannot be understood",
    why: "It is not JSON, or has no statements. Writing over it could take access away from others.",
    fix: "look at it with aws iam get-role, and mend it first",
  },
  AWS_ROLE_MISSING: {
    exit: EXIT.input,
    summary: "the role that --role-arn names does not exist",
    why: "With --role-arn a statement is added to a role that exists; kubeassume makes a role only with --role-name.",
    fix: "check the ARN with its path, or use --role-name to have a role made",
  },
  AWS_PATTERN_REFUSED: {
    exit: EXIT.input,
    summary: "a pattern instead of a service account",
    why: "With StringLike everybody who can create a matching name gets the role. Patterns need --allow-pattern, and the namespace is never only a wildcard.",
    fix: "name the service accounts; or add --allow-pattern and keep the namespace fixed: payments/*",
  },
  AWS_NO_USABLE_KEY: {
    exit: EXIT.input,
    summary: "AWS could use none of the issuer's keys",
    why: "AWS takes RSA and EC keys for signatures (RS256 to RS512, ES256 to ES512), ignores keys with key_ops or use other than sig, and needs a kid to choose.",
    fix: "publish the cluster's keys with kubeassume publish, or sign service account tokens with an RSA key",
  },
  AWS_TOO_MANY_KEYS: {
    exit: EXIT.input,
    summary: "the key set has more keys of one kind than AWS takes",
    why: "At most 100 RSA and 100 EC keys; with more than 100 RSA keys AWS refuses every RSA-signed token.",
    fix: "remove keys that no live token was signed with",
  },
});
