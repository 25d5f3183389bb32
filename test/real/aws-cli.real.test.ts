import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { awsStandIns } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { startSandbox } from "../../src/federation/sandbox/start-sandbox.ts";
import { kubeassume } from "../support/kubeassume.ts";
import { awsCli } from "./support/aws-cli.ts";
import { cannotRun } from "./support/cache.ts";
import { runCommand } from "./support/command.ts";
import type { CommandResult } from "./support/command.ts";
import { runDone } from "./support/front-door.ts";
import { call } from "./support/http.ts";
import { startSandboxCommand } from "./support/sandbox.ts";
import type { SandboxCommand } from "./support/sandbox.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { makeTemporaryFolder } from "./support/temporary.ts";

const AUDIENCE = "sts.amazonaws.com";
const ROLE = "payments-api";
type Env = Readonly<Record<string, string>>;

describe.skipIf(await cannotRun("awscli"))("the real aws CLI", () => {
  let command: string;
  beforeAll(async () => {
    command = (await awsCli()).command;
  });

  it("starts and is the pinned one", async () => {
    const requirements = await readFile(new URL("awscli/requirements.txt", import.meta.url), "utf8");
    const pinned = /^awscli==(.+)$/m.exec(requirements)?.[1];
    const result = await runCommand(command, ["--version"]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(`aws-cli/${pinned} `) });
  });

  it("is itself what `kubeassume sandbox -- COMMAND` runs, with its output and its exit code", async () => {
    const identity = await kubeassume(["sandbox", "aws", "--", command, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]);
    expect({ exit: identity.exit, stdout: identity.stdout }).toEqual({ exit: 0, stdout: "arn:aws:iam::123456789012:user/sandbox\n" });
    const missing = await kubeassume(["sandbox", "aws", "--", command, "iam", "get-role", "--role-name", "none"]);
    expect({ refused: missing.exit !== 0, stdout: missing.stdout, stderr: missing.stderr }).toEqual({ refused: true, stdout: "", stderr: expect.stringContaining("(NoSuchEntity)") });
  });

  describe("in the sandbox that `kubeassume sandbox` describes, after publish, setup and grant", () => {
    const running = stoppedAfterAll();
    let sandbox: SandboxCommand;
    let roleArn: string;
    let provider: string;

    const aws = async (...args: readonly string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await sandbox.run(command, args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    };
    const exchange = (token: string) => sandbox.run(command, ["sts", "assume-role-with-web-identity", "--role-arn", roleArn, "--role-session-name", "cli", "--web-identity-token", token]);

    beforeAll(async () => {
      sandbox = await running(startSandboxCommand());
      ({ roleArn, provider } = await grantRole(sandbox.env, sandbox.issuer));
    });

    it("reads the provider", async () => {
      expect(await aws("iam", "get-open-id-connect-provider", "--open-id-connect-provider-arn", provider)).toMatchObject({
        Url: sandbox.issuer.slice("https://".length),
        ClientIDList: [AUDIENCE],
        ThumbprintList: [expect.stringMatching(/^[0-9a-f]{40}$/)],
        Tags: expect.arrayContaining([{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }]),
      });
    });

    it("reads the role, its trust policy decoded", async () => {
      expect(await aws("iam", "get-role", "--role-name", ROLE)).toMatchObject({
        Role: { Arn: roleArn, Path: "/kubeassume/", AssumeRolePolicyDocument: { Statement: [{ Principal: { Federated: provider }, Action: "sts:AssumeRoleWithWebIdentity" }] } },
      });
      const attached = await aws("iam", "list-attached-role-policies", "--role-name", ROLE);
      expect(attached).toEqual({ AttachedPolicies: [{ PolicyName: "AmazonS3ReadOnlyAccess", PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }] });
    });

    it("reads the bucket's policy", async () => {
      const { Policy } = (await aws("s3api", "get-bucket-policy", "--bucket", "oidc")) as { Policy: string };
      expect(JSON.parse(Policy)).toMatchObject({ Statement: [{ Principal: "*", Action: "s3:GetObject", Resource: ["arn:aws:s3:::oidc/.well-known/openid-configuration", "arn:aws:s3:::oidc/openid/v1/jwks"] }] });
    });

    it("exchanges a token of the service account for a session of the role", async () => {
      const { code, stdout, stderr } = await exchange(await mintToken(sandbox.env, "api", AUDIENCE));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({
        SubjectFromWebIdentityToken: "system:serviceaccount:payments:api",
        Audience: AUDIENCE,
        Provider: provider,
        AssumedRoleUser: { Arn: `arn:aws:sts::${accountOf(roleArn)}:assumed-role/${ROLE}/cli` },
        Credentials: { AccessKeyId: expect.stringMatching(/^ASIA/), SessionToken: expect.any(String) },
      });
    });

    it.each([
      ["InvalidIdentityToken", "another audience", "api", "vault"],
      ["AccessDenied", "another service account", "other", AUDIENCE],
    ])("is refused with %s for %s", async (code, _, account, audience) => {
      expectRefusal(await exchange(await mintToken(sandbox.env, account, audience)), code);
    });

    it("is refused with InvalidIdentityToken for what is no token", async () => {
      expectRefusal(await exchange("not a token at all"), "InvalidIdentityToken");
    });

    it("becomes the role by AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, as a pod's SDK does", async () => {
      const file = join(sandbox.directory, "token");
      await writeFile(file, await mintToken(sandbox.env, "api", AUDIENCE));
      const env = { AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_SESSION_NAME: "pod" };
      const { code, stdout, stderr } = await sandbox.run(command, ["sts", "get-caller-identity"], env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ Arn: `arn:aws:sts::${accountOf(roleArn)}:assumed-role/${ROLE}/pod` });
    });

    it("is the operator without them, and finds nothing any more after teardown", async () => {
      expect(await aws("sts", "get-caller-identity")).toMatchObject({ Arn: `arn:aws:iam::${accountOf(roleArn)}:user/sandbox` });
      await runDone("TeardownResult", ["teardown", "aws", "--issuer-url", sandbox.issuer, "--delete-bucket", "--yes"], { env: sandbox.env });
      expect(await aws("iam", "list-open-id-connect-providers")).toEqual({ OpenIDConnectProviderList: [] });
      expectRefusal(await sandbox.run(command, ["iam", "get-role", "--role-name", ROLE]), "NoSuchEntity");
      expectRefusal(await sandbox.run(command, ["s3api", "get-bucket-policy", "--bucket", "oidc"]), "NoSuchBucket");
    });
  });

  /** Only a sandbox in the test's own process has a clock that can be moved: Kubernetes gives no token for less than ten minutes. */
  describe("in a sandbox where time has passed", () => {
    it("is refused with ExpiredTokenException for an expired token", async () => {
      const folder = await makeTemporaryFolder("sandbox");
      let late = 0;
      const sandbox = await startSandbox({ clouds: { aws: awsStandIns }, dir: folder.directory, now: () => new Date(Date.now() + late) });
      try {
        const { roleArn } = await grantRole(sandbox.env, sandbox.issuerUrl);
        const token = await mintToken(sandbox.env, "api", AUDIENCE);
        late = 3_600_000;
        const args = ["sts", "assume-role-with-web-identity", "--role-arn", roleArn, "--role-session-name", "cli", "--web-identity-token", token];
        const env = { PATH: process.env["PATH"] ?? "", HOME: folder.directory, ...sandbox.env };
        expectRefusal(await runCommand(command, args, { env, inherits: false }), "ExpiredTokenException");
      } finally {
        await sandbox.close();
        await folder.remove();
      }
    });
  });
});

/** kubeassume's own way from nothing to a role for payments/api. */
async function grantRole(env: Env, issuer: string): Promise<{ readonly roleArn: string; readonly provider: string }> {
  await runDone("PublishResult", ["publish", "s3", "--bucket", "oidc", "--create-bucket", "--issuer-url", issuer], { env });
  const { provider } = await runDone<{ provider: string }>("SetupResult", ["setup", "aws", "--issuer-url", issuer], { env });
  const args = ["grant", "aws", "--issuer-url", issuer, "--service-account", "payments/api", "--role-name", ROLE];
  const policy = ["--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"];
  const { principal } = await runDone<{ principal: string }>("GrantResult", [...args, ...policy], { env });
  return { roleArn: principal, provider };
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** What `kubectl create token` sends, with the sandbox's kubeconfig. */
async function mintToken(env: Env, account: string, audience: string): Promise<string> {
  const { clusters, users } = parse(await readFile(env["KUBECONFIG"] ?? "", "utf8")) as Kubeconfig;
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  const options = { caPem: Buffer.from(ca, "base64").toString(), headers: { authorization: `Bearer ${users[0].user.token}` }, method: "POST" };
  const path = `${server}/api/v1/namespaces/payments`;
  await call(`${server}/api/v1/namespaces`, { ...options, json: { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } } });
  await call(`${path}/serviceaccounts`, { ...options, json: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account } } });
  const json = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [audience], expirationSeconds: 600 } };
  const answer = await call(`${path}/serviceaccounts/${account}/token`, { ...options, json });
  expect(answer.status).toBe(201);
  return answer.json<{ status: { token: string } }>().status.token;
}

function expectRefusal({ code, stdout, stderr }: CommandResult, expected: string): void {
  expect({ refused: code !== 0, stdout, stderr }).toEqual({ refused: true, stdout: "", stderr: expect.stringContaining(`(${expected})`) });
}

function accountOf(arn: string): string {
  return arn.split(":")[4] ?? "";
}
