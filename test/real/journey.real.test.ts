import { AttachRolePolicyCommand, CreateOpenIDConnectProviderCommand, CreatePolicyCommand, CreateRoleCommand, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readAccount, readRole } from "./support/account.ts";
import { toAwsClients } from "./support/aws-clients.ts";
import type { AwsClients } from "./support/aws-clients.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import { actionsOf, runDone, runJson } from "./support/front-door.ts";
import type { StepsData } from "./support/front-door.ts";
import { call } from "./support/http.ts";
import { startIssuer } from "./support/issuer.ts";
import type { TestIssuer } from "./support/issuer.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startMoto } from "./support/moto.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const ACCOUNT = "123456789012";
const BUCKET = "acme-oidc";
const ROLE = "payments-api";
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/kubeassume/${ROLE}`;
const INLINE = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-data/*" }] };

interface StatusData {
  readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string }[];
  readonly summary: Readonly<Record<string, number>>;
}

/**
 * One journey, its tests in order, from a cluster that nobody manages and an account with things of other people to
 * AWS access and back. moto is not AWS in some places (`moto.real.test.ts` proves each), so this journey
 * - registers its audiences when the provider is made and never changes them: moto answers 500 to AddClientID;
 * - finds a new bucket without the public access block and ownership that AWS gives to one: both become steps;
 * - does not exchange a token: moto's STS takes anything.
 */
describe.skipIf(await cannotRun("etcd", "kube-apiserver", "moto"))("the journey to AWS, with a real API server and moto", () => {
  const running = stoppedAfterAll();
  let aws: AwsClients;
  let issuer: TestIssuer;
  let cluster: KubeApiserver;
  let env: Readonly<Record<string, string>>;
  let before: unknown;
  let policyFile: string;

  const publish = () => ["publish", "s3", "--bucket", BUCKET, "--issuer-url", issuer.url, "--create-bucket"];
  const setup = () => ["setup", "aws", "--issuer-url", issuer.url];
  const grant = () => {
    const policies = ["--policy-arn", policyArn("reader"), "--policy-file", policyFile, "--permissions-boundary", policyArn("boundary")];
    return ["grant", "aws", "--issuer-url", issuer.url, "--service-account", "default/api", "--role-name", ROLE, "--max-session-duration", "7200", ...policies];
  };
  const status = () => ["status", "aws", "--issuer-url", issuer.url, "--service-account", "default/api", "--role-name", ROLE, "--mint"];
  const run = <D = StepsData>(kind: string, args: readonly string[]) => runDone<D>(kind, args, { env });

  beforeAll(async () => {
    const [etcd, moto] = await Promise.all([running(startEtcd()), running(startMoto())]);
    aws = toAwsClients({ endpoint: moto.url });
    issuer = await running(startIssuer({ upstream: `${moto.url}/${BUCKET}`, path: "/prod" }));
    cluster = await running(startKubeApiserver({ etcd, issuers: [issuer.url] }));
    await cluster.admin.createServiceAccount("api");
    env = { ...moto.env, KUBECONFIG: cluster.kubeconfigFile, KUBEASSUME_CA_FILE: issuer.caFile };
    policyFile = join(cluster.directory, "policy.json");
    await writeFile(policyFile, JSON.stringify(INLINE));
    await fillAccount(aws);
    before = await readAccount(aws);
  });

  it("plans everything without a write", async () => {
    const planned = await run("Plan", [...publish(), "--dry-run"]);
    expect(new Set(planned.steps.map(({ status: is }) => is))).toEqual(new Set(["planned"]));
    expect(await readAccount(aws)).toEqual(before);
  });

  it("publishes the keys of the API server in a bucket of its own", async () => {
    const { steps } = await run("PublishResult", publish());
    expect(steps.every(({ action, status: is }) => action === "create" && is === "done")).toBe(true);
    const served = await call(`${issuer.url}/openid/v1/jwks`, { caPem: issuer.caPem });
    const own = await cluster.admin.request("GET", "/openid/v1/jwks");
    expect(kidsOf(served.json())).toEqual(kidsOf(own.json()));
  });

  it("makes the provider with the thumbprint of the private chain", async () => {
    const made = await run<StepsData & { provider: string; audiences: readonly string[]; thumbprint: string }>("SetupResult", setup());
    expect(made).toMatchObject({ provider: providerArn(issuer), audiences: ["sts.amazonaws.com"], thumbprint: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(await readAccount(aws)).toMatchObject({
      providers: expect.arrayContaining([expect.objectContaining({ Arn: providerArn(issuer), ClientIDList: ["sts.amazonaws.com"], ThumbprintList: [made.thumbprint] })]),
    });
  });

  it("grants a role with a policy, an inline policy, a boundary and a session duration", async () => {
    const made = await run<StepsData & { principal: string }>("GrantResult", grant());
    expect(made.principal).toBe(ROLE_ARN);
    expect(await readRole(aws, ROLE)).toEqual({
      arn: ROLE_ARN,
      path: "/kubeassume/",
      trustPolicy: { Version: "2012-10-17", Statement: [ourStatement(issuer)] },
      tags: { "kubeassume.dev/managed-by": "kubeassume", "kubeassume.dev/issuer": issuer.url },
      boundary: policyArn("boundary"),
      maxSessionDuration: 7200,
      attached: [policyArn("reader")],
      inline: { kubeassume: INLINE },
    });
  });

  it("changes nothing the second time", async () => {
    const done = await readAccount(aws);
    for (const [kind, args] of [["PublishResult", publish()], ["SetupResult", setup()], ["GrantResult", grant()]] as const) {
      const actions = Object.values(actionsOf(await run(kind, args)));
      expect(new Set(actions), kind).toEqual(new Set(["none"]));
    }
    expect(await readAccount(aws)).toEqual(done);
  });

  it("finds everything in order with a token that the API server has just signed", async () => {
    const { checks, summary } = await run<StatusData>("StatusReport", status());
    expect(checks.filter(({ status: is }) => is === "fail")).toEqual([]);
    expect(summary["fail"]).toBe(0);
    const passed = checks.filter(({ status: is }) => is === "pass").map(({ id }) => id);
    expect(passed).toEqual(expect.arrayContaining(["issuer-keys", "cluster-issuer", "cluster-api-audiences", "aws-oidc-provider", "aws-grant-trust", "aws-grant-drift"]));
  });

  it("says which field has drifted, and repairs it beside what somebody else added", async () => {
    const foreign = { Sid: "Operators", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" };
    const [ours] = (await readRole(aws, ROLE)).trustPolicy.Statement;
    const loosened = { ...ours, Condition: { StringLike: { [`${hostOf(issuer)}:sub`]: "system:serviceaccount:*" } } };
    const write = (...Statement: readonly unknown[]): Promise<unknown> =>
      aws.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: ROLE, PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }) }));
    await write(foreign, loosened);

    const { exit, data } = await runJson<StatusData>("StatusReport", status(), { env });
    expect(exit).toBe(3);
    const drift = data.checks.find(({ id }) => id === "aws-grant-drift");
    expect(drift).toMatchObject({ status: "fail", message: expect.stringContaining("trustPolicy") });

    expect(actionsOf(await run("GrantResult", grant()))[ROLE_ARN]).toBe("update");
    expect((await readRole(aws, ROLE)).trustPolicy.Statement).toEqual([foreign, ours]);
    // A role with statements of other people would be left behind by the teardown below.
    await write(ours);
  });

  it("refuses a role of the same name that carries no mark, and touches nothing of it", async () => {
    const foreign = await readRole(aws, "legacy");
    const { exit, document } = await runJson("GrantResult", ["grant", "aws", "--issuer-url", issuer.url, "--service-account", "default/api", "--role-name", "legacy"], { env });
    expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code: "NOT_OURS" });
    expect(document.error?.hint).toContain("--role-arn");
    expect(await readRole(aws, "legacy")).toEqual(foreign);
  });

  it("adds one statement to a role that is named by its ARN, and takes only that away again", async () => {
    const foreign = await readRole(aws, "legacy");
    const withArn = ["grant", "aws", "--issuer-url", issuer.url, "--service-account", "default/api", "--role-arn", foreign.arn ?? ""];
    await run("GrantResult", withArn);
    expect((await readRole(aws, "legacy")).trustPolicy.Statement).toEqual([...foreign.trustPolicy.Statement, ourStatement(issuer)]);
    expect(Object.values(actionsOf(await run("GrantResult", withArn)))).toEqual(["none"]);
  });

  it("leaves the account as it was before", async () => {
    const { steps } = await run("TeardownResult", ["teardown", "aws", "--issuer-url", issuer.url, "--delete-bucket", "--yes"]);
    expect(steps.map(({ target }) => target)).toEqual(expect.arrayContaining([ROLE_ARN, providerArn(issuer), `s3://${BUCKET}`]));
    expect(await readAccount(aws)).toEqual(before);
  });

  it("finds nothing to remove the second time", async () => {
    const { steps } = await run("TeardownResult", ["teardown", "aws", "--issuer-url", issuer.url, "--delete-bucket", "--yes"]);
    expect(steps).toEqual([]);
  });
});

function policyArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:policy/${name}`;
}

function hostOf(issuer: TestIssuer): string {
  return issuer.url.slice("https://".length);
}

function providerArn(issuer: TestIssuer): string {
  return `arn:aws:iam::${ACCOUNT}:oidc-provider/${hostOf(issuer)}`;
}

function ourStatement(issuer: TestIssuer): Readonly<Record<string, unknown>> {
  return {
    Sid: expect.stringMatching(/^Kubeassume[0-9a-f]{16}$/),
    Effect: "Allow",
    Principal: { Federated: providerArn(issuer) },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${hostOf(issuer)}:aud`]: "sts.amazonaws.com", [`${hostOf(issuer)}:sub`]: "system:serviceaccount:default:api" } },
  };
}

function kidsOf(jwks: { readonly keys: readonly { readonly kid: string }[] }): readonly string[] {
  return jwks.keys.map(({ kid }) => kid).sort();
}

/** What other people have: a provider, a role with a policy, a bucket with an object; and the policies to grant. */
async function fillAccount({ iam, s3 }: AwsClients): Promise<void> {
  const PolicyDocument = JSON.stringify(INLINE);
  for (const PolicyName of ["reader", "boundary", "legacy"]) await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
  const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }] };
  await iam.send(new CreateRoleCommand({ RoleName: "legacy", AssumeRolePolicyDocument: JSON.stringify(trust), Tags: [{ Key: "team", Value: "shop" }] }));
  await iam.send(new AttachRolePolicyCommand({ RoleName: "legacy", PolicyArn: policyArn("legacy") }));
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: "https://token.example.com", ClientIDList: ["sts.amazonaws.com"] }));
  await s3.send(new CreateBucketCommand({ Bucket: "acme-logs", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
  await s3.send(new PutObjectCommand({ Bucket: "acme-logs", Key: "2026/11/01", Body: "log" }));
}
