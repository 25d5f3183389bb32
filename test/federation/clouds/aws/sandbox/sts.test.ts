import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { AttachRolePolicyCommand, CreateOpenIDConnectProviderCommand, CreateRoleCommand, GetRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { GetObjectCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { AssumeRoleWithWebIdentityCommandInput, AssumeRoleWithWebIdentityCommandOutput } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thumbprintOf } from "../../../../../src/thumbprint/index.ts";
import { newBucket } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import { itConforms, refusalOf, startTestAws } from "./support/start.ts";
import type { TestAws, TestClock } from "./support/start.ts";

const AUDIENCE = "sts.amazonaws.com";
const SUBJECT = "system:serviceaccount:payments:api";
const ROLE = "arn:aws:iam::123456789012:role/kubeassume/payments-api";

const clock: TestClock = { now: new Date(Math.floor(Date.now() / 1000) * 1000) };
const signing = generateKeyPairSync("rsa", { modulusLength: 2048 });
const documents = { discovery: 200, jwks: 200, reads: 0 };

let aws: TestAws;
let issuer: string;
let providerArn: string;
let pinned: string;

beforeAll(async () => {
  aws = await startTestAws({ clock });
  issuer = await startIssuer(aws, signing.publicKey);
  pinned = thumbprintOf([new X509Certificate(aws.intermediate.certificatePem)]);
  const created = await aws.iam.send(new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: [AUDIENCE] }));
  providerArn = created.OpenIDConnectProviderArn ?? "";
  await createRole("payments-api", SUBJECT);
});

afterAll(() => aws.stop());

/** An issuer under the sandbox's CA, through an intermediate. */
async function startIssuer(on: TestAws, key: KeyObject): Promise<string> {
  const own = { url: "" };
  const server = await on.host.serve({
    service: "issuer",
    tls: true,
    handler: ({ path }) => {
      documents.reads += 1;
      const jwk = { ...key.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "key-1" };
      const discovery = { issuer: own.url, jwks_uri: `${own.url}/jwks`, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] };
      if (path === "/.well-known/openid-configuration") return { status: documents.discovery, body: JSON.stringify(discovery) };
      return { status: documents.jwks, body: JSON.stringify({ keys: [jwk] }) };
    },
  });
  own.url = server.url;
  return server.url;
}

async function createRole(name: string, subject: string, on = aws, of = issuer): Promise<string> {
  const host = of.replace("https://", "");
  const condition = { StringEquals: { [`${host}:sub`]: subject, [`${host}:aud`]: AUDIENCE } };
  const statement = { Effect: "Allow", Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${host}` }, Action: "sts:AssumeRoleWithWebIdentity", Condition: condition };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const { Role } = await on.iam.send(new CreateRoleCommand({ RoleName: name, Path: "/kubeassume/", AssumeRolePolicyDocument }));
  return Role?.Arn ?? "";
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function token(claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(clock.now.getTime() / 1000);
  const payload = { iss: issuer, sub: SUBJECT, aud: [AUDIENCE], iat: now, nbf: now, exp: now + 600, ...claims };
  const input = `${part({ alg: "RS256", kid: "key-1" })}.${part(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), signing.privateKey).toString("base64url")}`;
}

function assume(input: Partial<AssumeRoleWithWebIdentityCommandInput> = {}, on = aws): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  return on.sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: ROLE, RoleSessionName: "session", WebIdentityToken: token(), ...input }));
}

describe("AssumeRoleWithWebIdentity", () => {
  it("hands out a session in AWS's shape", async () => {
    const answer = await assume({ DurationSeconds: 900 });
    expect(answer).toMatchObject({
      SubjectFromWebIdentityToken: SUBJECT,
      Audience: AUDIENCE,
      Provider: providerArn,
      AssumedRoleUser: { Arn: "arn:aws:sts::123456789012:assumed-role/payments-api/session" },
    });
    expect(answer.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[A-Z2-7]{17}:session$/);
    expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA/);
    expect(answer.Credentials?.Expiration).toEqual(new Date(clock.now.getTime() + 900_000));
    expect((await aws.iam.send(new GetRoleCommand({ RoleName: "payments-api" }))).Role?.RoleLastUsed?.LastUsedDate).toEqual(clock.now);
  });

  it("is called without a signature", async () => {
    await assume();
    expect(aws.exchanges.at(-1)?.request.headers["authorization"]).toBeUndefined();
  });

  it.each([
    ["another audience", { aud: ["vault"] }, "InvalidIdentityToken", 400, "Incorrect token audience"],
    ["two audiences", { aud: [AUDIENCE, "vault"] }, "InvalidIdentityToken", 400, "more than one audience"],
    ["another service account", { sub: "system:serviceaccount:payments:other" }, "AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity"],
    ["another issuer", { iss: "https://elsewhere.example.com" }, "InvalidIdentityToken", 400, "No OpenIDConnect provider found in your account for https://elsewhere.example.com"],
    ["no issuer", { iss: undefined }, "InvalidIdentityToken", 400, "Missing a required claim: iss"],
    ["a time that has passed", { exp: 1_000_000_000, iat: 999_999_000, nbf: 999_999_000 }, "ExpiredTokenException", 400, "Token expired"],
  ])("refuses a token with %s", async (_name, claims, code, status, message) => {
    const refusal = await refusalOf(assume({ WebIdentityToken: token(claims) }));
    expect(refusal).toMatchObject({ code, status });
    expect(refusal.message).toContain(message);
  });

  it("refuses a token that was tampered with", async () => {
    const [head, , signature] = token().split(".");
    const forged = `${head}.${token({ sub: "system:serviceaccount:a:b" }).split(".")[1]}.${signature}`;
    expect(await refusalOf(assume({ WebIdentityToken: forged }))).toMatchObject({ code: "InvalidIdentityToken", status: 400 });
  });

  it("refuses a role that is not there as it refuses one that does not trust", async () => {
    expect(await refusalOf(assume({ RoleArn: `${ROLE}-x` }))).toMatchObject({ code: "AccessDenied", status: 403 });
  });

  it.each([
    ["a session name of one character", { RoleSessionName: "x" }],
    ["a session of 14 minutes", { DurationSeconds: 840 }],
    ["a session longer than the role allows", { DurationSeconds: 7200 }],
    ["an ARN that is not a role's", { RoleArn: "arn:aws:iam::123456789012:user/somebody" }],
  ])("refuses %s", async (_name, input) => {
    expect(await refusalOf(assume(input))).toMatchObject({ code: "ValidationError", status: 400 });
  });

  it("asks the issuer only when everything else is right", async () => {
    const before = documents.reads;
    await refusalOf(assume({ WebIdentityToken: token({ aud: ["vault"] }) }));
    expect(documents.reads).toBe(before);
    await assume();
    expect(documents.reads).toBeGreaterThan(before);
  });

  it.each(["discovery", "jwks"] as const)("refuses while the %s cannot be read", async (name) => {
    documents[name] = 404;
    const refusal = await refusalOf(assume());
    documents[name] = 200;
    expect(refusal).toMatchObject({ code: "InvalidIdentityToken", status: 400 });
    expect(refusal.message).toContain("Couldn't retrieve verification key from your identity provider");
  });
});

describe("the issuer's certificate", () => {
  it("gives the thumbprint that IAM keeps when none was given: the top of the served chain", () => {
    expect(aws.state.providers.get(providerArn)?.thumbprints).toEqual([pinned]);
  });

  it("must carry a registered thumbprint when its CA is private", async () => {
    const provider = aws.state.providers.get(providerArn);
    if (provider === undefined) throw new Error("no provider");
    provider.thumbprints = ["0".repeat(40)];
    const refusal = await refusalOf(assume());
    provider.thumbprints = [pinned];
    expect(refusal).toMatchObject({ code: "InvalidIdentityToken", status: 400 });
    expect(refusal.message).toContain("HTTPS certificate doesn't match configured thumbprint");
  });

  it("needs no registered thumbprint when AWS trusts its CA", async () => {
    const trusting = await startTestAws({ clock, trustsHostCa: true });
    const url = await startIssuer(trusting, signing.publicKey);
    await trusting.iam.send(new CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: [AUDIENCE], ThumbprintList: ["0".repeat(40)] }));
    const RoleArn = await createRole("trusted", SUBJECT, trusting, url);
    expect((await assume({ RoleArn, WebIdentityToken: token({ iss: url }) }, trusting)).Audience).toBe(AUDIENCE);
    await trusting.stop();
  });

  it("cannot be asked of a host that does not answer", async () => {
    const create = new CreateOpenIDConnectProviderCommand({ Url: "https://127.0.0.1:1", ClientIDList: [AUDIENCE] });
    expect(await refusalOf(aws.iam.send(create))).toMatchObject({ code: "OpenIdIdpCommunicationError", status: 400 });
  });
});

describe("a session", () => {
  it("is who it says, until it expires", async () => {
    const { Credentials } = await assume({ DurationSeconds: 900 });
    const session = aws.clients({ accessKeyId: Credentials?.AccessKeyId ?? "", secretAccessKey: Credentials?.SecretAccessKey ?? "", sessionToken: Credentials?.SessionToken ?? "" });
    expect(await session.sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: "arn:aws:sts::123456789012:assumed-role/payments-api/session", Account: "123456789012" });
    const issued = aws.state.credentials.get(Credentials?.AccessKeyId ?? "");
    if (issued === undefined) throw new Error("no credential");
    aws.state.credentials.set(issued.accessKeyId, { ...issued, expires: new Date(clock.now.getTime() - 1) });
    expect((await refusalOf(session.sts.send(new GetCallerIdentityCommand({})))).code).toBe("ExpiredToken");
  });

  it("may do what the role's policies allow, within the boundary and the session's own policy", async () => {
    const RoleArn = await createRole("reader", SUBJECT);
    const open = async (input: Partial<AssumeRoleWithWebIdentityCommandInput> = {}): Promise<ReturnType<TestAws["clients"]>["s3"]> => {
      const { Credentials } = await assume({ RoleArn, ...input });
      return aws.clients({ accessKeyId: Credentials?.AccessKeyId ?? "", secretAccessKey: Credentials?.SecretAccessKey ?? "", sessionToken: Credentials?.SessionToken ?? "" }).s3;
    };
    const list = new ListBucketsCommand({});
    const refusal = await refusalOf((await open()).send(list));
    expect(refusal.message).toBe(
      "User: arn:aws:sts::123456789012:assumed-role/reader/session is not authorized to perform: s3:ListAllMyBuckets on resource: * because no identity-based policy allows the s3:ListAllMyBuckets action",
    );
    await aws.iam.send(new AttachRolePolicyCommand({ RoleName: "reader", PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }));
    await (await open()).send(list);
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] });
    expect((await refusalOf((await open({ Policy })).send(list))).message).toContain("because no session policy allows");
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Deny", NotAction: "s3:GetObject", Resource: "*" } });
    await aws.iam.send(new PutRolePolicyCommand({ RoleName: "reader", PolicyName: "deny", PolicyDocument }));
    expect((await refusalOf((await open()).send(list))).message).toContain("with an explicit deny in an identity-based policy");
    aws.state.buckets.set("data", newBucket("data", "eu-west-1", "123456789012", clock.now));
    expect((await refusalOf((await open()).send(new GetObjectCommand({ Bucket: "data", Key: "absent" })))).code).toBe("AccessDenied");
  });
});

it("knows a new role and provider only after they have spread, when asked to be like that", async () => {
  const slow: TestClock = { now: clock.now };
  const late = await startTestAws({ clock: slow, propagationMs: 8000 });
  const url = await startIssuer(late, signing.publicKey);
  await late.iam.send(new CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: [AUDIENCE] }));
  const RoleArn = await createRole("late", SUBJECT, late, url);
  const attempt = (): Promise<AssumeRoleWithWebIdentityCommandOutput> => assume({ RoleArn, WebIdentityToken: token({ iss: url }) }, late);
  expect((await refusalOf(attempt())).code).toBe("InvalidIdentityToken");
  slow.now = new Date(slow.now.getTime() + 8000);
  expect((await attempt()).SubjectFromWebIdentityToken).toBe(SUBJECT);
  await late.stop();
});

itConforms(() => aws);
