import {
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListOpenIDConnectProvidersCommand,
  ListPoliciesCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
} from "@aws-sdk/client-iam";
import { GetBucketPolicyCommand, ListBucketsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { AwsClients } from "./aws-clients.ts";

/** Everything in an account that kubeassume could have touched, for comparing before with after. */
export async function readAccount(aws: AwsClients): Promise<Readonly<Record<string, unknown>>> {
  const [providers, roles, policies, buckets] = await Promise.all([readProviders(aws), readRoles(aws), readPolicies(aws), readBuckets(aws)]);
  return { providers, roles, policies, buckets };
}

/** What IAM has of one role, its trust policy decoded. */
export async function readRole({ iam }: Pick<AwsClients, "iam">, RoleName: string) {
  const [{ Role }, { AttachedPolicies }, { PolicyNames }] = await Promise.all([
    iam.send(new GetRoleCommand({ RoleName })),
    iam.send(new ListAttachedRolePoliciesCommand({ RoleName })),
    iam.send(new ListRolePoliciesCommand({ RoleName })),
  ]);
  const inline = (PolicyNames ?? []).map(async (PolicyName) => {
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    return [PolicyName, decode(PolicyDocument)] as const;
  });
  return {
    arn: Role?.Arn,
    path: Role?.Path,
    trustPolicy: decode(Role?.AssumeRolePolicyDocument) as TrustPolicy,
    tags: Object.fromEntries((Role?.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    boundary: Role?.PermissionsBoundary?.PermissionsBoundaryArn,
    maxSessionDuration: Role?.MaxSessionDuration,
    attached: (AttachedPolicies ?? []).map(({ PolicyArn }) => PolicyArn),
    inline: Object.fromEntries(await Promise.all(inline)) as Readonly<Record<string, unknown>>,
  };
}

export interface TrustPolicy {
  readonly Version: string;
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

function decode(document: string | undefined): unknown {
  const text = decodeURIComponent(document ?? "{}");
  return JSON.parse(text) as unknown;
}

async function readProviders({ iam }: AwsClients): Promise<readonly unknown[]> {
  const { OpenIDConnectProviderList } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
  const reading = (OpenIDConnectProviderList ?? []).map(async ({ Arn }) => {
    const { Url, ClientIDList, ThumbprintList, Tags } = await iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: Arn }));
    return { Arn, Url, ClientIDList, ThumbprintList, Tags };
  });
  return Promise.all(reading);
}

async function readRoles({ iam }: AwsClients): Promise<readonly unknown[]> {
  const { Roles } = await iam.send(new ListRolesCommand({}));
  return Promise.all((Roles ?? []).map(({ RoleName }) => readRole({ iam }, RoleName ?? "")));
}

async function readPolicies({ iam }: AwsClients): Promise<readonly unknown[]> {
  const { Policies } = await iam.send(new ListPoliciesCommand({ Scope: "Local" }));
  return (Policies ?? []).map(({ Arn, AttachmentCount, DefaultVersionId }) => ({ Arn, AttachmentCount, DefaultVersionId }));
}

async function readBuckets({ s3 }: AwsClients): Promise<readonly unknown[]> {
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  const reading = (Buckets ?? []).map(async ({ Name: Bucket }) => {
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const policy = await s3.send(new GetBucketPolicyCommand({ Bucket })).catch(() => undefined);
    return { Bucket, objects: (Contents ?? []).map(({ Key, ETag }) => ({ Key, ETag })), policy: policy?.Policy };
  });
  return Promise.all(reading);
}
