/** What an AWS managed policy grants at the stand-ins, which serve IAM, STS and S3 only. */
type Grants = readonly string[];

const READS: Grants = ["iam:Get*", "iam:List*", "s3:Get*", "s3:List*", "sts:Get*"];

/**
 * AWS managed policies that people attach most, with what each grants here; an empty list for those that are about
 * other services. docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
const MANAGED: Readonly<Record<string, Grants>> = {
  AdministratorAccess: ["*"],
  PowerUserAccess: ["s3:*", "sts:*"],
  ReadOnlyAccess: READS,
  SecurityAudit: ["iam:Get*", "iam:List*", "s3:GetBucket*", "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets", "s3:ListBucket"],
  "job-function/ViewOnlyAccess": ["iam:List*", "s3:ListAllMyBuckets", "s3:ListBucket"],
  IAMFullAccess: ["iam:*"],
  IAMReadOnlyAccess: ["iam:Get*", "iam:List*"],
  AmazonS3FullAccess: ["s3:*"],
  AmazonS3ReadOnlyAccess: ["s3:Get*", "s3:List*"],
  AmazonDynamoDBFullAccess: [],
  AmazonDynamoDBReadOnlyAccess: [],
  AmazonEC2ContainerRegistryPowerUser: [],
  AmazonEC2ContainerRegistryReadOnly: [],
  AmazonEC2FullAccess: [],
  AmazonEC2ReadOnlyAccess: [],
  AmazonRDSFullAccess: [],
  AmazonRDSReadOnlyAccess: [],
  AmazonRoute53FullAccess: [],
  AmazonRoute53ReadOnlyAccess: [],
  AmazonSNSFullAccess: [],
  AmazonSNSReadOnlyAccess: [],
  AmazonSQSFullAccess: [],
  AmazonSQSReadOnlyAccess: [],
  AmazonSSMReadOnlyAccess: [],
  AWSKeyManagementServicePowerUser: [],
  CloudWatchAgentServerPolicy: [],
  CloudWatchFullAccess: [],
  CloudWatchLogsFullAccess: [],
  CloudWatchReadOnlyAccess: [],
  SecretsManagerReadWrite: [],
  "service-role/AmazonEBSCSIDriverPolicy": [],
};

export interface ManagedPolicy {
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  readonly document: string;
}

/** The AWS managed policy of that ARN; null for any other ARN and for names that are not in the table. */
export function managedPolicyOf(arn: string): ManagedPolicy | null {
  const [, rest = ""] = /^arn:[a-z-]+:iam::aws:policy\/(.+)$/.exec(arn) ?? [];
  const grants = Object.hasOwn(MANAGED, rest) ? MANAGED[rest] : undefined;
  if (grants === undefined) return null;
  const slash = rest.lastIndexOf("/") + 1;
  const statement = grants.length === 0 ? [] : [{ Effect: "Allow", Action: grants, Resource: "*" }];
  return { name: rest.slice(slash), path: `/${rest.slice(0, slash)}`, document: JSON.stringify({ Version: "2012-10-17", Statement: statement }) };
}
