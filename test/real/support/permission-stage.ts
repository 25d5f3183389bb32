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
export const ROLE = "payments-api";
export const EXISTING_ROLE = `arn:aws:iam::${ACCOUNT}:role/team/legacy`;

export interface Stage {
  readonly account: RestrictedAccount;
  /** An issuer whose documents lie in the account's bucket, behind a gateway. */
  readonly issuer: TestIssuer;
  readonly key: ServiceAccountKey;
  /** For files; commands run in it. */
  readonly directory: string;
}

export function publish({ issuer, directory }: Stage): readonly string[] {
  return ["publish", "s3", "--bucket", BUCKET, "--issuer-url", issuer.url, "--public-key-file", join(directory, "sa.pub")];
}

export function setup({ issuer }: Stage): readonly string[] {
  return ["setup", "aws", "--issuer-url", issuer.url];
}

export function grant({ issuer }: Stage): readonly string[] {
  return ["grant", "aws", "--issuer-url", issuer.url, "--service-account", "payments/api", "--role-name", ROLE];
}

export function roleFlags({ directory }: Stage): readonly string[] {
  return ["--policy-arn", policyArn("reader"), "--policy-file", join(directory, "policy.json"), "--permissions-boundary", policyArn("boundary"), "--max-session-duration", "7200"];
}

function policyArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:policy/${name}`;
}

export async function asAdmin({ account, issuer, directory }: Stage, kind: string, args: readonly string[]): Promise<void> {
  await runDone(kind, args, { env: { ...account.adminEnv, KUBEASSUME_CA_FILE: issuer.caFile }, cwd: directory });
}

export function published(stage: Stage): Promise<void> {
  return asAdmin(stage, "PublishResult", [...publish(stage), "--create-bucket"]);
}

export async function hidden(stage: Stage): Promise<void> {
  await published(stage);
  await stage.account.admin.s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
}

export async function trusted(stage: Stage): Promise<void> {
  await published(stage);
  await asAdmin(stage, "SetupResult", setup(stage));
}

/** Everything for one grant, and a config that names it. */
export async function granted(stage: Stage): Promise<void> {
  await trusted(stage);
  await policies(stage);
  const members = { roleName: ROLE, policyArns: [policyArn("reader")], policyFile: "policy.json", permissionsBoundary: policyArn("boundary"), maxSessionDuration: 7200 };
  await writeConfig(stage, "one.yaml", [{ serviceAccount: "payments/api", aws: members }]);
  await asAdmin(stage, "GrantResult", ["grant", "aws", "--config", join(stage.directory, "one.yaml")]);
}

export async function policies({ account, directory }: Stage): Promise<void> {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] });
  for (const name of ["reader", "boundary"]) await account.createPolicy(name, document);
  await writeFile(join(directory, "policy.json"), document);
}

export function manyGrants(stage: Stage): Promise<void> {
  const grants = Array.from({ length: 11 }, (_, index) => ({ serviceAccount: `payments/api-${index}`, aws: { roleName: `api-${index}`, maxSessionDuration: 7200 } }));
  return writeConfig(stage, "many.yaml", grants);
}

/** JSON is YAML. */
function writeConfig({ issuer, directory }: Stage, name: string, grants: readonly object[]): Promise<void> {
  const config = { apiVersion: "kubeassume.dev/v1", kind: "Federation", issuer: issuer.url, clouds: { aws: {} }, grants };
  return writeFile(join(directory, name), JSON.stringify(config));
}

export async function providerWith(stage: Stage, ClientIDList: string[]): Promise<void> {
  await published(stage);
  const Tags = [{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }];
  await stage.account.admin.iam.send(new CreateOpenIDConnectProviderCommand({ Url: stage.issuer.url, ClientIDList, ThumbprintList: ["0".repeat(40)], Tags }));
}

const EC2_TRUST = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }] });

export async function drifted(stage: Stage): Promise<void> {
  await policies(stage);
  const Tags = [{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }];
  await stage.account.admin.iam.send(new CreateRoleCommand({ RoleName: ROLE, Path: "/kubeassume/", AssumeRolePolicyDocument: EC2_TRUST, Tags }));
}

export async function existingRole({ account }: Stage): Promise<void> {
  const { name, path } = { name: "legacy", path: "/team/" };
  await account.admin.iam.send(new CreateRoleCommand({ RoleName: name, Path: path, AssumeRolePolicyDocument: EC2_TRUST }));
  const { arn } = await readRole(account.admin, name);
  if (arn !== EXISTING_ROLE) throw new Error(`the account gave the role the ARN ${arn}`);
}

export async function addForeignStatement({ account }: Stage): Promise<void> {
  const { Policy } = await account.admin.s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
  const { Version, Statement } = JSON.parse(Policy ?? "{}") as { Version: string; Statement: object[] };
  const foreign = { Sid: "Team", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/team/*` };
  await account.admin.s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify({ Version, Statement: [...Statement, foreign] }) }));
}

/** What the API server would sign for payments/api. */
export function signToken({ issuer, key }: Stage): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer.url, sub: "system:serviceaccount:payments:api", aud: ["sts.amazonaws.com"], iat: now, nbf: now, exp: now + 3600 };
  const header = { alg: "RS256", kid: keyIdOf(createPublicKey(key.publicKeyPem)) };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${input}.${sign("sha256", Buffer.from(input), key.privateKeyPem).toString("base64url")}`;
}
