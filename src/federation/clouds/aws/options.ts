import type { OptionDefinition } from "../options.ts";

const issuerUrl: OptionDefinition = { name: "issuer-url", value: "URL", description: "the issuer, exactly as tokens carry it", defaultText: "issuer in kubeassume.yaml" };
const region: OptionDefinition = { name: "region", value: "REGION", description: "AWS region; IAM itself is global", defaultText: "clouds.aws.region, AWS_REGION, the profile" };
const audience: OptionDefinition = { name: "audience", value: "AUDIENCE", repeatable: true, description: "what tokens carry as aud", defaultText: "sts.amazonaws.com; in China sts.amazonaws.com.cn" };
const serviceAccount: OptionDefinition = { name: "service-account", value: "NAMESPACE/NAME", repeatable: true, description: "who may act as the role" };
const roleName: OptionDefinition = { name: "role-name", value: "NAME", description: "the role that kubeassume makes, under the path /kubeassume/", defaultText: "NAMESPACE.NAME with a hash" };
const roleArn: OptionDefinition = { name: "role-arn", value: "ARN", description: "a role that exists: only a statement is added to its trust policy" };
const policyArn: OptionDefinition = { name: "policy-arn", value: "ARN", repeatable: true, description: "a policy attached to the role; others stay attached" };
const adopt: OptionDefinition = { name: "adopt", description: "take over what exists without kubeassume's mark" };
const accountId: OptionDefinition = { name: "account-id", value: "ID", description: "the AWS account, 12 digits" };
const partition: OptionDefinition = { name: "partition", value: "PARTITION", description: "aws, aws-cn, aws-us-gov, ...", defaultText: "that of the region, else aws" };

/** Flags of the commands that concern AWS (contract, "Flags by command"). */
export const awsOptions = {
  setup: [
    issuerUrl,
    region,
    audience,
    { name: "thumbprint", value: "auto|none|HEX", description: "of the issuer's TLS chain; AWS uses one only where the chain is not publicly trusted", defaultText: "auto" },
    adopt,
  ],
  grant: [
    issuerUrl,
    serviceAccount,
    roleName,
    roleArn,
    policyArn,
    { name: "policy-file", value: "FILE", description: "identity policy (JSON) that becomes the role's inline policy kubeassume" },
    { name: "permissions-boundary", value: "ARN", description: "the role's permissions boundary" },
    { name: "max-session-duration", value: "SECONDS", description: "3600 to 43200", defaultText: "what the role has; 3600 for a new one" },
    audience,
    region,
    adopt,
  ],
  trustPolicy: [
    issuerUrl,
    accountId,
    partition,
    audience,
    serviceAccount,
    roleName,
    region,
    { name: "allow-pattern", description: "take * and ? in service accounts (StringLike); the namespace is never only a wildcard" },
  ],
  verify: [
    { ...issuerUrl, description: "whose grant's role is meant when no --role-arn is given", defaultText: "issuer in kubeassume.yaml, else the token's" },
    { name: "role-arn", value: "ARN", description: "the role to assume", defaultText: "that of the service account's grant" },
    { name: "role-session-name", value: "NAME", description: "2 to 64 characters", defaultText: "kubeassume" },
    { name: "duration-seconds", value: "SECONDS", description: "900 to the role's maximum", defaultText: "3600" },
    audience,
    region,
  ],
  status: [issuerUrl, serviceAccount, roleName, roleArn, policyArn, audience, region],
  teardown: [issuerUrl, region],
  permissions: [
    issuerUrl,
    accountId,
    partition,
    { ...roleArn, description: "a role that exists and that grant --role-arn shall reach", repeatable: true },
    { name: "bucket", value: "NAME", description: "the bucket that publish s3 writes to" },
  ],
} as const satisfies Readonly<Record<string, readonly OptionDefinition[]>>;

export const awsExamples = {
  setup: [
    "kubeassume setup aws --issuer-url https://oidc.example.com/prod --region eu-west-1",
    "kubeassume setup aws --issuer-url https://oidc.example.com/prod --dry-run",
  ],
  grant: [
    "kubeassume grant aws --service-account payments/api --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    "kubeassume grant aws --service-account payments/api --role-arn arn:aws:iam::123456789012:role/payments",
  ],
  trustPolicy: ["kubeassume trust-policy aws --issuer-url https://oidc.example.com/prod --account-id 123456789012 --service-account payments/api"],
  verify: [
    "kubeassume verify aws --service-account payments/api",
    "kubeassume verify aws --token-file token.jwt --jwks-file jwks.json --trust-file trust.json",
  ],
} as const;
