import { CreateOpenIDConnectProviderCommand, CreateRoleCommand } from "@aws-sdk/client-iam";
import { DeleteBucketPolicyCommand, GetBucketPolicyCommand, PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { createPublicKey, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keyIdOf } from "../../../src/federation/oidc/pem.ts";
import { readRole } from "./account.ts";
import { runDone } from "./front-door.ts";
import type { TestIssuer } from "./issuer.ts";
import type { RestrictedAccount } from "./restricted-accounts.ts";
import type { ServiceAccountKey } from "./service-account-keys.ts";

export const ACCOUNT = "123456789012";
export const BUCKET = "acme-oidc";
const ROLE = "payments-api";
export const EXISTING_ROLE = `arn:aws:iam::${ACCOUNT}:role/team/legacy`;

export interface Stage {
  readonly account: RestrictedAccount;
  /** An issuer whose documents lie in the account's bucket, behind a gateway. */
  readonly issuer: TestIssuer;
  readonly key: ServiceAccountKey;
  /** For files; commands run in it. */
  readonly directory: string;
}

/** One situation in which a command uses some of what `permissions aws --for COMMAND` allows. */
export interface PermissionCase {
  readonly command: "setup" | "grant" | "publish" | "status" | "verify" | "teardown";
  readonly title: string;
  /** What the account has before the command runs. */
  readonly prepare: (stage: Stage) => Promise<void>;
  readonly args: (stage: Stage) => readonly string[];
  /** With the whole policy; 0 unless said otherwise. */
  readonly exit?: number;
  /** Without any one of these it is refused. In the order in which the command uses them. */
  readonly uses: readonly string[];
  /** Whether a run that is refused leaves the account such that the next one goes on there, up to the next action. */
  readonly goesOn: boolean;
  /** Only the sandbox can show it, for this reason. */
  readonly sandboxOnly?: string;
}

const nothing = async (): Promise<void> => undefined;

export const PERMISSION_CASES: readonly PermissionCase[] = [
  {
    command: "publish",
    title: "into a bucket that it makes",
    prepare: nothing,
    args: (stage) => [...publish(stage), "--create-bucket"],
    uses: ["s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock", "s3:PutBucketPolicy", "s3:PutBucketTagging", "s3:PutObject"],
    goesOn: false,
  },
  {
    command: "publish",
    title: "where everything is published",
    prepare: published,
    args: publish,
    uses: ["s3:ListBucket", "s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicy", "s3:GetBucketTagging"],
    goesOn: true,
  },
  {
    command: "publish",
    title: "where somebody took the bucket policy away, which lets everybody read",
    prepare: hidden,
    args: publish,
    uses: ["s3:GetObject"],
    goesOn: true,
  },
  {
    command: "setup",
    title: "of a new provider",
    prepare: published,
    args: setup,
    uses: ["iam:GetOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider"],
    goesOn: true,
  },
  {
    command: "setup",
    title: "of a provider with an old thumbprint and without the issuer's tag",
    prepare: (stage) => providerWith(stage, ["sts.amazonaws.com"]),
    args: setup,
    uses: ["iam:UpdateOpenIDConnectProviderThumbprint", "iam:TagOpenIDConnectProvider"],
    goesOn: true,
  },
  {
    command: "setup",
    title: "of a provider with other audiences",
    prepare: (stage) => providerWith(stage, ["old"]),
    args: setup,
    uses: ["iam:AddClientIDToOpenIDConnectProvider", "iam:RemoveClientIDFromOpenIDConnectProvider"],
    goesOn: true,
    sandboxOnly: "moto answers 500 when an audience is added or removed",
  },
  {
    command: "grant",
    title: "of a new role with its policies",
    prepare: policies,
    args: (stage) => [...grant(stage), ...roleFlags(stage)],
    uses: ["iam:GetOpenIDConnectProvider", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:GetRolePolicy", "iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"],
    goesOn: false,
  },
  {
    command: "grant",
    title: "of a role of ours that has drifted in everything",
    prepare: drifted,
    args: (stage) => [...grant(stage), ...roleFlags(stage)],
    uses: ["iam:TagRole", "iam:PutRolePermissionsBoundary", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy"],
    goesOn: true,
  },
  {
    command: "grant",
    title: "of a role that somebody else made",
    prepare: existingRole,
    args: (stage) => ["grant", "aws", "--issuer-url", stage.issuer.url, "--service-account", "payments/api", "--role-arn", EXISTING_ROLE],
    uses: ["iam:UpdateAssumeRolePolicy"],
    goesOn: true,
  },
  {
    command: "grant",
    title: "of more roles than are read one by one",
    prepare: manyGrants,
    args: ({ directory }) => ["grant", "aws", "--config", join(directory, "many.yaml")],
    uses: ["iam:GetAccountAuthorizationDetails", "iam:ListRoles"],
    goesOn: true,
  },
  {
    command: "status",
    title: "of one grant with its policies",
    prepare: granted,
    args: ({ directory }) => ["status", "aws", "--config", join(directory, "one.yaml")],
    uses: ["iam:GetOpenIDConnectProvider", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:GetRolePolicy"],
    goesOn: true,
  },
  {
    command: "status",
    title: "of more grants than are read one by one",
    prepare: async (stage) => {
      await trusted(stage);
      await manyGrants(stage);
      await asAdmin(stage, "GrantResult", ["grant", "aws", "--config", join(stage.directory, "many.yaml")]);
    },
    args: ({ directory }) => ["status", "aws", "--config", join(directory, "many.yaml")],
    uses: ["iam:GetAccountAuthorizationDetails", "iam:ListRoles"],
    goesOn: true,
  },
  {
    command: "verify",
    title: "of a token for a role",
    prepare: async (stage) => {
      await granted(stage);
      await writeFile(join(stage.directory, "token"), signToken(stage));
    },
    args: ({ directory }) => ["verify", "aws", "--role-arn", `arn:aws:iam::${ACCOUNT}:role/kubeassume/${ROLE}`, "--token-file", join(directory, "token")],
    uses: ["iam:GetOpenIDConnectProvider", "iam:GetRole"],
    goesOn: true,
  },
  {
    command: "teardown",
    title: "of role, provider, documents and bucket",
    prepare: granted,
    args: ({ issuer }) => ["teardown", "aws", "--issuer-url", issuer.url, "--delete-bucket", "--yes"],
    uses: [
      ...["iam:GetAccountAuthorizationDetails", "iam:GetOpenIDConnectProvider", "s3:ListAllMyBuckets", "s3:GetBucketPolicy", "s3:GetBucketTagging", "s3:ListBucket"],
      ...["iam:GetRole", "iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole", "iam:DeleteOpenIDConnectProvider"],
      ...["s3:DeleteObject", "s3:DeleteBucketPolicy", "s3:DeleteBucket"],
    ],
    goesOn: true,
  },
  {
    command: "teardown",
    title: "of documents where somebody took the bucket policy away",
    prepare: hidden,
    args: ({ issuer }) => ["teardown", "aws", "--issuer-url", issuer.url, "--yes"],
    uses: ["s3:GetObject"],
    goesOn: true,
  },
  {
    command: "teardown",
    title: "of what stands among other people's: a statement in their role, and one in their bucket's policy",
    prepare: async (stage) => {
      await existingRole(stage);
      await published(stage);
      await asAdmin(stage, "GrantResult", ["grant", "aws", "--issuer-url", stage.issuer.url, "--service-account", "payments/api", "--role-arn", EXISTING_ROLE]);
      await addForeignStatement(stage);
    },
    args: ({ issuer }) => ["teardown", "aws", "--issuer-url", issuer.url, "--yes"],
    uses: ["iam:UpdateAssumeRolePolicy", "s3:PutBucketPolicy"],
    goesOn: true,
  },
];

function publish({ issuer, directory }: Stage): readonly string[] {
  return ["publish", "s3", "--bucket", BUCKET, "--issuer-url", issuer.url, "--public-key-file", join(directory, "sa.pub")];
}

function setup({ issuer }: Stage): readonly string[] {
  return ["setup", "aws", "--issuer-url", issuer.url];
}

function grant({ issuer }: Stage): readonly string[] {
  return ["grant", "aws", "--issuer-url", issuer.url, "--service-account", "payments/api", "--role-name", ROLE];
}

function roleFlags({ directory }: Stage): readonly string[] {
  return ["--policy-arn", policyArn("reader"), "--policy-file", join(directory, "policy.json"), "--permissions-boundary", policyArn("boundary"), "--max-session-duration", "7200"];
}

function policyArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:policy/${name}`;
}

async function asAdmin({ account, issuer, directory }: Stage, kind: string, args: readonly string[]): Promise<void> {
  await runDone(kind, args, { env: { ...account.adminEnv, KUBEASSUME_CA_FILE: issuer.caFile }, cwd: directory });
}

function published(stage: Stage): Promise<void> {
  return asAdmin(stage, "PublishResult", [...publish(stage), "--create-bucket"]);
}

async function hidden(stage: Stage): Promise<void> {
  await published(stage);
  await stage.account.admin.s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
}

async function trusted(stage: Stage): Promise<void> {
  await published(stage);
  await asAdmin(stage, "SetupResult", setup(stage));
}

/** Everything for one grant, and a config that names it. */
async function granted(stage: Stage): Promise<void> {
  await trusted(stage);
  await policies(stage);
  const members = { roleName: ROLE, policyArns: [policyArn("reader")], policyFile: "policy.json", permissionsBoundary: policyArn("boundary"), maxSessionDuration: 7200 };
  await writeConfig(stage, "one.yaml", [{ serviceAccount: "payments/api", aws: members }]);
  await asAdmin(stage, "GrantResult", ["grant", "aws", "--config", join(stage.directory, "one.yaml")]);
}

async function policies({ account, directory }: Stage): Promise<void> {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] });
  for (const name of ["reader", "boundary"]) await account.createPolicy(name, document);
  await writeFile(join(directory, "policy.json"), document);
}

function manyGrants(stage: Stage): Promise<void> {
  const grants = Array.from({ length: 11 }, (_, index) => ({ serviceAccount: `payments/api-${index}`, aws: { roleName: `api-${index}`, maxSessionDuration: 7200 } }));
  return writeConfig(stage, "many.yaml", grants);
}

/** JSON is YAML. */
function writeConfig({ issuer, directory }: Stage, name: string, grants: readonly object[]): Promise<void> {
  const config = { apiVersion: "kubeassume.dev/v1", kind: "Federation", issuer: issuer.url, clouds: { aws: {} }, grants };
  return writeFile(join(directory, name), JSON.stringify(config));
}

async function providerWith(stage: Stage, ClientIDList: string[]): Promise<void> {
  await published(stage);
  const Tags = [{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }];
  await stage.account.admin.iam.send(new CreateOpenIDConnectProviderCommand({ Url: stage.issuer.url, ClientIDList, ThumbprintList: ["0".repeat(40)], Tags }));
}

const EC2_TRUST = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }] });

async function drifted(stage: Stage): Promise<void> {
  await policies(stage);
  const Tags = [{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }];
  await stage.account.admin.iam.send(new CreateRoleCommand({ RoleName: ROLE, Path: "/kubeassume/", AssumeRolePolicyDocument: EC2_TRUST, Tags }));
}

async function existingRole({ account }: Stage): Promise<void> {
  const { name, path } = { name: "legacy", path: "/team/" };
  await account.admin.iam.send(new CreateRoleCommand({ RoleName: name, Path: path, AssumeRolePolicyDocument: EC2_TRUST }));
  const { arn } = await readRole(account.admin, name);
  if (arn !== EXISTING_ROLE) throw new Error(`the account gave the role the ARN ${arn}`);
}

async function addForeignStatement({ account }: Stage): Promise<void> {
  const { Policy } = await account.admin.s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
  const { Version, Statement } = JSON.parse(Policy ?? "{}") as { Version: string; Statement: object[] };
  const foreign = { Sid: "Team", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/team/*` };
  await account.admin.s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify({ Version, Statement: [...Statement, foreign] }) }));
}

/** What the API server would sign for payments/api. */
function signToken({ issuer, key }: Stage): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer.url, sub: "system:serviceaccount:payments:api", aud: ["sts.amazonaws.com"], iat: now, nbf: now, exp: now + 3600 };
  const header = { alg: "RS256", kid: keyIdOf(createPublicKey(key.publicKeyPem)) };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${input}.${sign("sha256", Buffer.from(input), key.privateKeyPem).toString("base64url")}`;
}
