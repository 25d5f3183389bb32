import {
  AddClientIDToOpenIDConnectProviderCommand,
  AttachRolePolicyCommand,
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  ListRolesCommand,
  PutUserPolicyCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
} from "@aws-sdk/client-iam";
import type { CreateOpenIDConnectProviderCommandInput } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketOwnershipControlsCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { refusalOf, toAwsClients } from "./support/aws-clients.ts";
import type { AwsClients } from "./support/aws-clients.ts";
import { cannotRun } from "./support/cache.ts";
import { call } from "./support/http.ts";
import { startMoto } from "./support/moto.ts";
import type { Moto } from "./support/moto.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const toPolicy = (statement: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });

/** What the other tests may rely on, and, marked "unlike AWS", what they may not take for AWS's behaviour. */
describe.skipIf(await cannotRun("moto"))("moto", () => {
  const running = stoppedAfterAll();
  let moto: Moto;
  let aws: AwsClients;

  beforeAll(async () => {
    moto = await running(startMoto());
    aws = toAwsClients({ endpoint: moto.url });
  });

  describe("IAM", () => {
    const Url = "https://oidc.example.com/prod";
    const arn = { OpenIDConnectProviderArn: "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod" };
    const create = (input: CreateOpenIDConnectProviderCommandInput): Promise<unknown> =>
      aws.iam.send(new CreateOpenIDConnectProviderCommand(input));

    it("gives a provider the ARN that follows from its URL, and the URL back without its scheme", async () => {
      expect(await create({ Url, ClientIDList: ["sts.amazonaws.com"] })).toMatchObject(arn);
      const read = await aws.iam.send(new GetOpenIDConnectProviderCommand(arn));
      expect(read).toMatchObject({ Url: "oidc.example.com/prod", ClientIDList: ["sts.amazonaws.com"] });
    });

    it("refuses a second provider of the same URL", async () => {
      expect(await refusalOf(create({ Url }))).toMatchObject({ code: "EntityAlreadyExistsException", status: 409 });
    });

    it("says of a provider and of a role that there is none", async () => {
      const other = { OpenIDConnectProviderArn: `${arn.OpenIDConnectProviderArn}/other` };
      const missing = { code: "NoSuchEntityException", status: 404 };
      expect(await refusalOf(aws.iam.send(new GetOpenIDConnectProviderCommand(other)))).toEqual(missing);
      expect(await refusalOf(aws.iam.send(new GetRoleCommand({ RoleName: "none" })))).toEqual(missing);
    });

    it("refuses 101 audiences and six thumbprints", async () => {
      const audiences = Array.from({ length: 101 }, (_, index) => `audience-${index}`);
      expect((await refusalOf(create({ Url: `${Url}/many`, ClientIDList: audiences }))).status).toBe(409);
      const thumbprints = Array.from({ length: 6 }, (_, index) => String(index).repeat(40));
      expect((await refusalOf(create({ Url: `${Url}/many`, ThumbprintList: thumbprints }))).status).toBe(400);
    });

    it("unlike AWS, answers 500 when an audience is added or removed", async () => {
      const input = { ...arn, ClientID: "another" };
      expect((await refusalOf(aws.iam.send(new AddClientIDToOpenIDConnectProviderCommand(input)))).status).toBe(500);
      expect((await refusalOf(aws.iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand(input)))).status).toBe(500);
    });

    it("unlike AWS, takes an http issuer, a thumbprint that is none, and a trust policy that is none", async () => {
      await create({ Url: "http://oidc.example.com", ThumbprintList: ["not a thumbprint"] });
      const role = new CreateRoleCommand({ RoleName: "malformed", AssumeRolePolicyDocument: '{"Statement":[{"Effect":"Maybe"}]}' });
      await expect(aws.iam.send(role)).resolves.toMatchObject({ Role: { RoleName: "malformed" } });
    });

    it("refuses to delete a role that a policy is attached to, and pages its lists", async () => {
      const PolicyDocument = toPolicy({ Action: "s3:GetObject", Resource: "*" });
      const created = await aws.iam.send(new CreatePolicyCommand({ PolicyName: "attached", PolicyDocument }));
      for (const RoleName of ["one", "two", "three"]) {
        await aws.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: "{}" }));
      }
      await aws.iam.send(new AttachRolePolicyCommand({ RoleName: "one", PolicyArn: created.Policy?.Arn ?? "" }));
      const refusal = await refusalOf(aws.iam.send(new DeleteRoleCommand({ RoleName: "one" })));
      expect(refusal).toEqual({ code: "DeleteConflictException", status: 409 });
      expect(await aws.iam.send(new ListRolesCommand({ MaxItems: 2 }))).toMatchObject({ IsTruncated: true, Marker: expect.any(String) });
    });
  });

  describe("S3", () => {
    const createBucket = async (): Promise<string> => {
      const Bucket = `acme-${randomUUID()}`;
      await aws.s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
      return Bucket;
    };
    const put = async (Bucket: string, extra: Omit<Partial<PutObjectCommandInput>, "Body"> = {}): Promise<string> =>
      (await aws.s3.send(new PutObjectCommand({ Bucket, Key: "jwks", Body: randomUUID(), ...extra }))).ETag ?? "";
    const putPolicy = (Bucket: string, Principal: unknown): Promise<unknown> => {
      const Policy = toPolicy({ Principal, Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/jwks` });
      return aws.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    };

    it("creates an object only where there is none, and one of sixteen writers wins", async () => {
      const Bucket = await createBucket();
      const written = await Promise.allSettled(Array.from({ length: 16 }, () => put(Bucket, { IfNoneMatch: "*" })));
      expect(written.filter((result) => result.status === "fulfilled")).toHaveLength(1);
      expect(await refusalOf(put(Bucket, { IfNoneMatch: "*" }))).toEqual({ code: "PreconditionFailed", status: 412 });
    });

    it("replaces an object only when it is the one that was read", async () => {
      const Bucket = await createBucket();
      const first = await put(Bucket);
      await put(Bucket, { IfMatch: first });
      expect(await refusalOf(put(Bucket, { IfMatch: first }))).toEqual({ code: "PreconditionFailed", status: 412 });
    });

    it("refuses to delete a bucket with something in it", async () => {
      const Bucket = await createBucket();
      await put(Bucket);
      expect(await refusalOf(aws.s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({ code: "BucketNotEmpty", status: 409 });
    });

    it("unlike AWS, makes buckets without a public access block and without ownership controls", async () => {
      const Bucket = await createBucket();
      const block = await refusalOf(aws.s3.send(new GetPublicAccessBlockCommand({ Bucket })));
      expect(block).toEqual({ code: "NoSuchPublicAccessBlockConfiguration", status: 404 });
      const ownership = await refusalOf(aws.s3.send(new GetBucketOwnershipControlsCommand({ Bucket })));
      expect(ownership).toEqual({ code: "OwnershipControlsNotFoundError", status: 404 });
    });

    it("unlike AWS, ignores the bucket owner that a caller expects", async () => {
      await expect(put(await createBucket(), { ExpectedBucketOwner: "999999999999" })).resolves.not.toBe("");
    });

    it("unlike AWS, takes a public policy in spite of the block, and reads it without its principal", async () => {
      const Bucket = await createBucket();
      const all = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
      await aws.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: all }));
      await put(Bucket);
      const read = async (): Promise<number> => (await call(`${moto.url}/${Bucket}/jwks`)).status;
      expect(await read()).toBe(403);
      await putPolicy(Bucket, { AWS: "arn:aws:iam::999999999999:root" });
      expect(await read()).toBe(200);
    });

    it("unlike AWS, lets a stranger write a new object but not ask for the head of a public one", async () => {
      const Bucket = await createBucket();
      await put(Bucket);
      expect((await call(`${moto.url}/${Bucket}/strange`, { method: "PUT", text: "strange" })).status).toBe(200);
      await putPolicy(Bucket, "*");
      expect((await call(`${moto.url}/${Bucket}/jwks`, { method: "HEAD" })).status).toBe(403);
    });
  });

  describe("STS", () => {
    it("names the account and the partition", async () => {
      const identity = await aws.sts.send(new GetCallerIdentityCommand({}));
      expect(identity).toMatchObject({ Account: "123456789012", Arn: expect.stringMatching(/^arn:aws:sts::123456789012:/) });
    });

    it("unlike AWS, gives credentials for any token and any role", async () => {
      const RoleArn = "arn:aws:iam::123456789012:role/none";
      const command = new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "session", WebIdentityToken: "not a token at all" });
      await expect(aws.sts.send(command)).resolves.toHaveProperty("Credentials.AccessKeyId");
    });
  });

  /** Last, since it takes the other tests' rights away. */
  describe("when authorization is enforced", () => {
    it("allows a user what a policy allows, and refuses everything else and everybody else", async () => {
      const PolicyDocument = toPolicy({ Action: "iam:ListRoles", Resource: "*" });
      await aws.iam.send(new CreateUserCommand({ UserName: "reader" }));
      await aws.iam.send(new PutUserPolicyCommand({ UserName: "reader", PolicyName: "read", PolicyDocument }));
      const { AccessKey } = await aws.iam.send(new CreateAccessKeyCommand({ UserName: "reader" }));
      const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
      const reader = toAwsClients({ endpoint: moto.url, credentials });
      await moto.enforceAuthorization(true);

      await expect(reader.iam.send(new ListRolesCommand({}))).resolves.toHaveProperty("Roles");
      expect(await refusalOf(reader.iam.send(new GetRoleCommand({ RoleName: "one" })))).toEqual({ code: "AccessDenied", status: 403 });
      expect(await refusalOf(reader.s3.send(new CreateBucketCommand({ Bucket: "denied" })))).toEqual({ code: "AccessDenied", status: 403 });
      expect(await refusalOf(aws.iam.send(new ListRolesCommand({})))).toEqual({ code: "InvalidClientTokenId", status: 403 });
      await moto.enforceAuthorization(false);
      await expect(aws.iam.send(new ListRolesCommand({}))).resolves.toHaveProperty("Roles");
    });
  });
});
