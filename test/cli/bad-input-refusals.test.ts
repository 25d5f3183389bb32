import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AwsService, awsFault } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { startBadIssuers } from "../support/bad-issuers.ts";
import { type JsonDocument, type JsonProblem, type Scene, startScene } from "../support/scene.ts";
import type { TlsServer } from "../support/tls-server.ts";

let scene: Scene;
let bad: TlsServer;

beforeAll(async () => {
  scene = await startScene();
  bad = await startBadIssuers(scene.sandbox);
});

afterAll(async () => {
  await bad.close();
  await scene.close();
});

beforeEach(() => scene.forget());

afterEach(() => {
  scene.breakWith(null);
  scene.aws.state.denyActions.clear();
  scene.sandbox.cluster.forbid(null);
});

async function refuse(exit: number, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<JsonDocument & { readonly error: JsonProblem }> {
  const { ran, document } = await scene.runJson(args, { env });
  expect(ran.exit, ran.stderr).toBe(exit);
  if (document.error === null) throw new Error("no error");
  return { ...document, error: document.error };
}

const codesOf = ({ error }: { readonly error: JsonProblem }): readonly string[] => (error.details["problems"] as readonly JsonProblem[]).map(({ code }) => code);
const setup = (): readonly string[] => ["setup", "aws", "--issuer-url", scene.issuer];
const grant = (): readonly string[] => ["grant", "aws", "--issuer-url", scene.issuer, "--service-account", "demo/app", "--role-name", "app"];
const publish = (): readonly string[] => ["publish", "s3", "--bucket", "oidc", "--create-bucket", "--issuer-url", scene.issuer];

describe("an action that AWS denies", () => {
  const cases: readonly (readonly [string, () => readonly string[]])[] = [
    ["iam:GetOpenIDConnectProvider", setup],
    ["iam:CreateOpenIDConnectProvider", setup],
    ["iam:GetRole", grant],
    ["iam:CreateRole", grant],
    ["s3:CreateBucket", publish],
  ];

  it.each(cases)("%s is named, with the way to the least policy, and nothing is made", async (action, args) => {
    scene.aws.state.denyActions.add(action);
    const { error } = await refuse(4, args());
    expect(error.code).toBe("AWS_ACCESS_DENIED");
    expect(error.message).toContain(action);
    expect(error.hint).toContain("kubeassume permissions aws");
    const { providers, roles, buckets } = scene.aws.state;
    expect([providers.size, roles.size, buckets.size]).toEqual([0, 0, 0]);
  });
});

describe("load", () => {
  const cases: readonly (readonly [AwsService, "throttling" | "internal", () => readonly string[], string])[] = [
    ["aws.iam", "throttling", setup, "AWS_THROTTLED"],
    ["aws.sts", "throttling", grant, "AWS_THROTTLED"],
    ["aws.s3", "throttling", publish, "AWS_THROTTLED"],
    ["aws.iam", "internal", grant, "AWS_UNAVAILABLE"],
  ];

  it.each(cases)("on %s that answers %s is reported after the SDK's own attempts, without a write", async (service, kind, args, code) => {
    // An answer to HEAD has no body that could say more than its status.
    scene.breakWith(({ method }, call) => (call.service === service && method !== "HEAD" ? awsFault(service, kind) : null));
    const { error } = await refuse(4, args());
    expect(error.code, error.message).toBe(code);
    expect(error.hint).toContain("run the same command again");
    expect(scene.writes()).toEqual([]);
  });
});

describe("a permission that the cluster does not give", () => {
  it("to read its keys stops publish before the first write and is named", async () => {
    scene.sandbox.cluster.forbid((access) => "path" in access && access.path === "/openid/v1/jwks");
    const { error } = await refuse(4, publish());
    expect(error).toMatchObject({ code: "CLUSTER_FORBIDDEN", message: expect.stringContaining("/openid/v1/jwks") });
    expect(scene.writes()).toEqual([]);
  });

  it("to read service accounts stops grant before the first write and is named", async () => {
    scene.sandbox.cluster.forbid((access) => "resource" in access && access.resource.plural === "serviceaccounts");
    const { error } = await refuse(4, [...grant(), "--apply-manifests"]);
    expect(error).toMatchObject({ code: "CLUSTER_FORBIDDEN", message: expect.stringContaining("get serviceaccounts in namespace") });
    expect(scene.writes()).toEqual([]);
  });

  it("to mint a token stops verify and is named", async () => {
    scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: "app" });
    scene.sandbox.cluster.forbid((access) => "subresource" in access && access.subresource === "token");
    const { error } = await refuse(4, ["verify", "aws", "--service-account", "demo/app"]);
    expect(error).toMatchObject({ code: "CLUSTER_FORBIDDEN", message: expect.stringContaining("serviceaccounts/token") });
  });

  it("at all, since its token is nobody's, is told apart from a refusal", async () => {
    const file = await scene.file("kubeconfig-stranger", JSON.stringify(kubeconfig("nobody's")));
    const { error } = await refuse(4, [...publish(), "--kubeconfig", file]);
    expect(error.code).toBe("CLUSTER_UNAUTHORIZED");
    expect(scene.writes()).toEqual([]);
  });

  it("because its certificate is not the cluster's is told apart from being down", async () => {
    const file = await scene.file("kubeconfig-no-ca", JSON.stringify(kubeconfig("t", {})));
    const { error } = await refuse(4, [...publish(), "--kubeconfig", file], { KUBEASSUME_CA_FILE: "" });
    expect(error.code).toBe("CLUSTER_TLS");
    expect(scene.writes()).toEqual([]);
  });
});

function kubeconfig(token: string, ca: object = { "certificate-authority-data": Buffer.from(scene.sandbox.caPem).toString("base64") }): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: scene.sandbox.cluster.url, ...ca } }],
    users: [{ name: "u", user: { token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
}

describe("several problems", () => {
  afterEach(() => expect(scene.writes()).toEqual([]));

  it("of the flags come at once", async () => {
    const document = await refuse(2, ["grant", "aws", "--issuer-url", "http://oidc.example.com", "--service-account", "app", "--role-name", "a b", "--max-session-duration", "5", "--policy-arn", "p"]);
    expect(codesOf(document)).toEqual(expect.arrayContaining(["ISSUER_NOT_HTTPS", "SERVICE_ACCOUNT_INVALID", "AWS_ROLE_NAME_INVALID", "AWS_SESSION_DURATION_INVALID", "AWS_ARN_INVALID"]));
    expect(codesOf(document)).toHaveLength(5);
  });

  it("of an issuer's documents come at once", async () => {
    expect(codesOf(await refuse(2, ["setup", "aws", "--issuer-url", `${bad.url}/other-and-empty`]))).toEqual(["ISSUER_MISMATCH", "JWKS_EMPTY"]);
  });

  it("of issuer and credentials come at once", async () => {
    const document = await refuse(2, ["setup", "aws", "--issuer-url", `${bad.url}/missing`], { AWS_SHARED_CREDENTIALS_FILE: "/dev/null", AWS_CONFIG_FILE: "/dev/null" });
    expect(codesOf(document)).toEqual(["ISSUER_UNREACHABLE", "AWS_CREDENTIALS_MISSING"]);
  });

  it("of keys and store come at once", async () => {
    await scene.file("empty.json", '{"keys":[]}');
    const document = await refuse(2, ["publish", "s3", "--bucket", "oidc", "--create-bucket", "--issuer-url", scene.issuer, "--jwks-file", "empty.json"], { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1", AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1" });
    expect(codesOf(document)).toEqual(expect.arrayContaining(["JWKS_EMPTY", "AWS_UNREACHABLE"]));
  });

  it("of a config come at once, each with its line and column", async () => {
    await scene.file("several.yaml", "apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: 5\nclouds:\n  aws: { regin: eu-west-1 }\ngrants:\n  - serviceAccount: App\n    aws: {}\n");
    const document = await refuse(2, ["grant", "aws", "--config", "several.yaml"]);
    const problems = document.error.details["problems"] as readonly JsonProblem[];
    expect(problems.map(({ message }) => /several\.yaml:(\d+:\d+)/.exec(message)?.[1])).toEqual(["3:9", "5:10", "7:21"]);
    expect(problems[1]).toMatchObject({ code: "CONFIG_UNKNOWN_KEY", message: expect.stringContaining("region") });
  });
});
