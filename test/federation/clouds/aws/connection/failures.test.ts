import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codesOf } from "./codes-of.ts";
import { awsProvider } from "../../../../../src/federation/clouds/aws/provider.ts";
import { toAwsError } from "../../../../../src/federation/clouds/aws/connection/errors.ts";
import type { Http } from "../../../../../src/federation/http/http.ts";
import { HttpFailure, type HttpFailureReason } from "../../../../../src/federation/http/http.ts";
import type { KubeassumeError } from "../../../../../src/federation/errors/error.ts";
import { startTestAws, type TestAws } from "../sandbox/support/start.ts";
import { worldWith } from "./world.ts";

const ISSUER = "https://oidc.example.com/prod";
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "canary-secret", AWS_SESSION_TOKEN: "canary-session" };

let aws: TestAws;
let folder: string;

beforeAll(async () => {
  aws = await startTestAws({ denyActions: ["iam:GetOpenIDConnectProvider"] });
  folder = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
});

afterAll(async () => {
  await aws.stop();
  await rm(folder, { recursive: true });
});

function without(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(aws.env).filter(([name]) => !names.includes(name)));
}

async function connectWith(env: Readonly<Record<string, string | undefined>>, http?: Http) {
  const world = worldWith(env);
  return awsProvider.connect({ ...world, http: http ?? world.http }, { flags: {}, config: null });
}

async function failureOf(work: Promise<unknown>): Promise<KubeassumeError> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error as KubeassumeError,
  );
}

describe("credentials and region", () => {
  it("are missing: said with the code, and no instance metadata is asked where that is switched off", async () => {
    const env = { ...without("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"), AWS_CONFIG_FILE: join(folder, "none") };
    const failure = await failureOf((await connectWith(env)).identify());
    expect(failure).toMatchObject({ code: "AWS_CREDENTIALS_MISSING", exit: 2 });
  });

  it("are taken from the environment that was handed in, keys before files", async () => {
    const { accessKeyId, secretAccessKey } = aws.credentials;
    const env = { ...without("AWS_SHARED_CREDENTIALS_FILE"), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SHARED_CREDENTIALS_FILE: join(folder, "none") };
    await expect((await connectWith(env)).identify()).resolves.toMatchObject({ account: "123456789012" });
  });

  it("are refused: no word of the request comes along", async () => {
    const failure = await failureOf((await connectWith({ ...aws.env, ...KEYS })).identify());
    expect(failure.code).toBe("AWS_CREDENTIALS_INVALID");
    expect(JSON.stringify(failure.toProblem())).not.toMatch(/canary/);
  });

  it("lack a region that is one", async () => {
    expect((await failureOf(connectWith({ ...aws.env, AWS_REGION: "localhost:1/" }))).code).toBe("AWS_REGION_INVALID");
  });

  it("take the region from the flag first, then from the config, then from the environment", async () => {
    const connect = (region: string | undefined, ofConfig: string) => {
      const config = { file: "kubeassume.yaml", publish: [], clouds: { aws: { region: ofConfig } }, grants: [] };
      return awsProvider.connect(worldWith({ ...aws.env, AWS_REGION: "nowhere" }), { flags: { region }, config });
    };
    await expect((await connect("us-east-1", "nowhere")).identify()).resolves.toMatchObject({ account: "123456789012" });
    await expect((await connect(undefined, "us-east-1")).identify()).resolves.toMatchObject({ account: "123456789012" });
  });
});

describe("a refused or failed call", () => {
  it("names the denied action and the resource", async () => {
    const connection = await connectWith(aws.env);
    const caller = await connection.identify();
    const failure = await failureOf(connection.observeSetup(awsProvider.toSetupSpec({ flags: { issuerUrl: ISSUER }, config: null }), caller));
    expect(failure).toMatchObject({ code: "AWS_ACCESS_DENIED", exit: 4, details: { action: "iam:GetOpenIDConnectProvider", resource: "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod" } });
    expect(failure.message).toContain("iam:GetOpenIDConnectProvider");
  });

  it.each<readonly [HttpFailureReason, number]>([
    ["reset", 3],
    ["dns", 3],
    ["truncated", 3],
    ["timeout", 1],
    ["tls", 1],
    ["too-large", 1],
  ])("without an answer (%s) is AWS_UNREACHABLE after %i attempts", async (reason, attempts) => {
    let sent = 0;
    const connection = await connectWith(aws.env, async () => {
      sent += 1;
      throw new HttpFailure(reason, "ECODE", `sts: ${reason}`, undefined);
    });
    const failure = await failureOf(connection.identify());
    expect([failure.code, failure.exit, failure.details["reason"], sent]).toEqual(["AWS_UNREACHABLE", 4, reason, attempts]);
  });

  it("with an answer that is not AWS's is no success", async () => {
    const connection = await connectWith(aws.env, async () => ({ status: 200, headers: { "content-type": "text/html" }, body: "<html><body>login</body></html>" }));
    expect(codesOf(await failureOf(connection.identify()))).toMatch(/^AWS_(REFUSED|UNREACHABLE)$/);
  });

  it.each([
    ["ExpiredToken", 403, "AWS_CREDENTIALS_EXPIRED", 4],
    ["SignatureDoesNotMatch", 403, "AWS_CREDENTIALS_INVALID", 4],
    ["Throttling", 400, "AWS_THROTTLED", 4],
    ["AccessDenied", 403, "AWS_ACCESS_DENIED", 4],
    ["LimitExceeded", 409, "AWS_LIMIT_EXCEEDED", 4],
    ["MalformedPolicyDocument", 400, "AWS_MALFORMED_POLICY", 4],
    ["ConcurrentModification", 409, "AWS_CONFLICT", 4],
    ["NoSuchEntity", 404, "AWS_NOT_FOUND", 4],
    ["OpenIdIdpCommunicationError", 400, "AWS_ISSUER_NOT_READ", 4],
    ["ServiceFailure", 500, "AWS_UNAVAILABLE", 4],
    ["SomethingNew", 503, "AWS_UNAVAILABLE", 4],
    ["SomethingNew", 418, "AWS_REFUSED", 4],
  ])("with %s and status %i is %s", (name, status, code, exit) => {
    const error = Object.assign(new Error("words of AWS"), { name: `${name}Exception`, $metadata: { httpStatusCode: status, requestId: "r-1" } });
    const failure = toAwsError(error, { action: "iam:Do", resource: "arn" });
    expect(failure).toMatchObject({ code, exit, details: { awsCode: name, requestId: "r-1" } });
  });

  it("keeps what is no failure of a call as it is: a defect", () => {
    const defect = new TypeError("x is not a function");
    expect(toAwsError(defect, { action: "iam:Do", resource: "arn" })).toBe(defect);
  });

  it("never repeats AWS's words about a signature: they hold the signed request", () => {
    const error = Object.assign(new Error("The Canonical String should have been x-amz-security-token:canary"), { name: "SignatureDoesNotMatch", $metadata: { httpStatusCode: 403 } });
    expect(JSON.stringify((toAwsError(error, { action: "sts:Do", resource: "arn" }) as KubeassumeError).toProblem())).not.toContain("canary");
  });
});

describe("the exchange", () => {
  it("answers with AWS's own code and words when the token is refused, and needs no credentials", async () => {
    const env = { ...without("AWS_SHARED_CREDENTIALS_FILE"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "none") };
    const connection = await connectWith(env);
    const input = { flags: { roleArn: "arn:aws:iam::123456789012:role/x" }, config: null };
    const answer = await connection.exchange("not-a-token", input);
    expect(answer).toMatchObject({ accepted: false, code: "InvalidIdentityToken", principal: null });
    expect(answer.cloudMessage).not.toContain("not-a-token");
  });

  it("fails, rather than answers, when STS is not there", async () => {
    const connection = await connectWith(aws.env, async () => {
      throw new HttpFailure("timeout", "", "sts: no answer", undefined);
    });
    const input = { flags: { roleArn: "arn:aws:iam::123456789012:role/x" }, config: null };
    expect((await failureOf(connection.exchange("a.b.c", input))).code).toBe("AWS_UNREACHABLE");
  });
});
