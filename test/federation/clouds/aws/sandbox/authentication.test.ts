import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, GetPolicyCommand, GetRoleCommand, ListRolesCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, HeadBucketCommand, ListBucketsCommand, PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsFault, newBucket } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import type { AwsService } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import { itConforms, refusalOf, startTestAws } from "./support/start.ts";
import type { TestAws } from "./support/start.ts";

let aws: TestAws;
const overloaded = { service: "" };

beforeAll(async () => {
  aws = await startTestAws({
    denyActions: ["iam:GetRole", "s3:PutObject"],
    faults: ({ service }) => (service === overloaded.service ? awsFault(service as AwsService, "throttling") : null),
  });
});

afterAll(() => aws.stop());

const identity = new GetCallerIdentityCommand({});

describe("signatures", () => {
  it("of the operator are accepted by all three services", async () => {
    expect(await aws.sts.send(identity)).toMatchObject({ Account: "123456789012", Arn: "arn:aws:iam::123456789012:user/sandbox" });
    expect((await aws.iam.send(new ListRolesCommand({}))).Roles).toEqual([]);
    expect((await aws.s3.send(new ListBucketsCommand({}))).Buckets).toEqual([]);
  });

  it("by an unknown key are refused", async () => {
    const other = aws.clients({ accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" });
    expect(await refusalOf(other.sts.send(identity))).toEqual({ code: "InvalidClientTokenId", status: 403, message: "The security token included in the request is invalid." });
    expect((await refusalOf(other.iam.send(new ListRolesCommand({})))).code).toBe("InvalidClientTokenId");
    expect(await refusalOf(other.s3.send(new ListBucketsCommand({})))).toMatchObject({ code: "InvalidAccessKeyId", status: 403 });
  });

  it("with a wrong secret are refused", async () => {
    const other = aws.clients({ ...aws.credentials, secretAccessKey: "wrong" });
    const calls = [other.sts.send(identity), other.iam.send(new ListRolesCommand({})), other.s3.send(new ListBucketsCommand({}))].map(refusalOf);
    expect(await Promise.all(calls)).toMatchObject([1, 2, 3].map(() => ({ code: "SignatureDoesNotMatch", status: 403 })));
  });

  it("with a session token that is not the key's are refused", async () => {
    const other = aws.clients({ ...aws.credentials, sessionToken: "made-up" });
    expect((await refusalOf(other.sts.send(identity))).code).toBe("InvalidClientTokenId");
    expect(await refusalOf(other.s3.send(new ListBucketsCommand({})))).toMatchObject({ code: "InvalidToken", status: 400 });
  });

  it("of a session that has expired are refused", async () => {
    const expired = { ...aws.credentials, accessKeyId: "ASIAEXPIREDEXPIRED00", sessionToken: "t", expires: new Date(Date.now() - 1000) };
    aws.state.credentials.set(expired.accessKeyId, expired);
    const other = aws.clients(expired);
    expect(await refusalOf(other.sts.send(identity))).toEqual({ code: "ExpiredToken", status: 403, message: "The security token included in the request is expired" });
    expect(await refusalOf(other.s3.send(new ListBucketsCommand({})))).toMatchObject({ code: "ExpiredToken", status: 400 });
  });

  it("are needed where AWS needs them", async () => {
    const body = new URLSearchParams({ Action: "GetCallerIdentity", Version: "2011-06-15" });
    const answer = await fetch(aws.urls.sts, { method: "POST", body });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("<Code>MissingAuthenticationToken</Code>");
    expect((await fetch(aws.urls.s3)).status).toBe(403);
  });

  it("cover the body", async () => {
    let sent: { headers: Record<string, string>; body: string } | undefined;
    const client = aws.clients(aws.credentials).iam;
    client.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { headers: Record<string, string>; body: string };
        sent = { headers: { ...request.headers }, body: request.body };
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    await client.send(new ListRolesCommand({ PathPrefix: "/a/" }));
    const replay = (body: string): Promise<Response> => {
      const { host: _host, "content-length": _length, ...headers } = sent?.headers ?? {};
      return fetch(aws.urls.iam, { method: "POST", headers, body });
    };
    expect((await replay(sent?.body ?? "")).status).toBe(200);
    expect(await (await replay(`${sent?.body}x`)).text()).toContain("SignatureDoesNotMatch");
  });
});

describe("permissions", () => {
  it("that were taken away are named with action and resource", async () => {
    const message =
      "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: iam:GetRole on resource: arn:aws:iam::123456789012:role/x because no identity-based policy allows the iam:GetRole action";
    expect(await refusalOf(aws.iam.send(new GetRoleCommand({ RoleName: "x" })))).toEqual({ code: "AccessDenied", status: 403, message });
  });

  // IAM User Guide, "Tagging IAM resources": creating with tags needs the permission to tag as well.
  it("to tag are needed by whoever creates with tags", async () => {
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Principal: "*", Action: "sts:*" }] });
    aws.state.denyActions.add("iam:TagRole");
    const tagged = new CreateRoleCommand({ RoleName: "tagged", AssumeRolePolicyDocument, Tags: [{ Key: "a", Value: "b" }] });
    expect((await refusalOf(aws.iam.send(tagged))).message).toContain("not authorized to perform: iam:TagRole on resource: arn:aws:iam::123456789012:role/tagged");
    await aws.iam.send(new CreateRoleCommand({ RoleName: "untagged", AssumeRolePolicyDocument }));
  });

  it("of S3 are judged by the permission that AWS asks for", async () => {
    aws.state.buckets.set("denied", newBucket("denied", "eu-west-1", "123456789012", new Date()));
    const refusal = await refusalOf(aws.s3.send(new PutObjectCommand({ Bucket: "denied", Key: "k", Body: "x" })));
    expect(refusal).toMatchObject({ code: "AccessDenied", status: 403 });
    expect(refusal.message).toContain('s3:PutObject on resource: "arn:aws:s3:::denied/k" because no identity-based policy allows the s3:PutObject action');
  });

  it("reach no bucket of another account", async () => {
    aws.state.buckets.set("foreign", newBucket("foreign", "eu-west-1", "210987654321", new Date()));
    expect((await refusalOf(aws.s3.send(new HeadBucketCommand({ Bucket: "foreign" })))).status).toBe(403);
  });
});

describe("overload", () => {
  it("is answered in each service's own form, which the SDK recognises", async () => {
    const calls = [
      ["aws.iam", () => aws.iam.send(new ListRolesCommand({})), "Throttling", 400],
      ["aws.sts", () => aws.sts.send(identity), "Throttling", 400],
      ["aws.s3", () => aws.s3.send(new ListBucketsCommand({})), "SlowDown", 503],
    ] as const;
    for (const [service, call, code, status] of calls) {
      overloaded.service = service;
      expect(await refusalOf(call())).toMatchObject({ code, status });
    }
    overloaded.service = "";
  });
});

it("has every ARN in the partition that it was started for", async () => {
  const china = await startTestAws({ partition: "aws-cn", region: "cn-north-1" });
  const { iam, sts, s3 } = china.clients(china.credentials, "cn-north-1");
  expect((await sts.send(identity)).Arn).toBe("arn:aws-cn:iam::123456789012:user/sandbox");
  const { OpenIDConnectProviderArn } = await iam.send(new CreateOpenIDConnectProviderCommand({ Url: "https://x.example.com", ThumbprintList: ["a".repeat(40)] }));
  expect(OpenIDConnectProviderArn).toBe("arn:aws-cn:iam::123456789012:oidc-provider/x.example.com");
  expect((await iam.send(new GetPolicyCommand({ PolicyArn: "arn:aws-cn:iam::aws:policy/ReadOnlyAccess" }))).Policy?.PolicyName).toBe("ReadOnlyAccess");
  expect((await refusalOf(iam.send(new GetPolicyCommand({ PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" })))).code).toBe("InvalidInput");
  await s3.send(new CreateBucketCommand({ Bucket: "china" }));
  const policy = (partition: string): string => {
    const statement = { Effect: "Allow", Principal: { AWS: "210987654321" }, Action: "s3:GetObject", Resource: `arn:${partition}:s3:::china/*` };
    return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  };
  await s3.send(new PutBucketPolicyCommand({ Bucket: "china", Policy: policy("aws-cn") }));
  expect((await refusalOf(s3.send(new PutBucketPolicyCommand({ Bucket: "china", Policy: policy("aws") })))).code).toBe("MalformedPolicy");
  await china.stop();
});

it("writes the credentials into a file that only the owner reads, and not into the environment", async () => {
  const { stat, readFile } = await import("node:fs/promises");
  const file = aws.env["AWS_SHARED_CREDENTIALS_FILE"] ?? "";
  expect(file.startsWith(aws.dir)).toBe(true);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, "utf8")).toContain(aws.credentials.secretAccessKey);
  expect(JSON.stringify(aws.env)).not.toContain(aws.credentials.secretAccessKey);
  expect(aws.unset).toContain("AWS_ACCESS_KEY_ID");
});

itConforms(() => aws);
