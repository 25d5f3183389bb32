import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRIVATE_JWK, PRIVATE_PEM } from "../support/bad-issuers.ts";
import type { Ran } from "../support/kubeassume.ts";
import { type Scene, startScene } from "../support/scene.ts";

const ROLE = "arn:aws:iam::123456789012:role/kubeassume/app";

/** Secrets as they lie in the inputs, each with a text that must never be seen again. */
const CANARY = {
  accessKey: "AKIACANARY2345678901",
  secretKey: "canarySecretKey0000000000000000000000001",
  sessionToken: "canarySessionToken000000000000000000000002",
  proxyPassword: "canaryProxyPassword3",
  kubeToken: "canaryKubeToken00000000000004",
  kubePassword: "canaryKubePassword5",
  urlSignature: "canaryUrlSignature000000000000000000000006",
  urlCredential: "canaryUrlCredential7",
  urlPassword: "canaryUrlPassword8",
  symmetricKey: Buffer.from("canary-symmetric-key-9").toString("base64url"),
  privateMember: String(PRIVATE_JWK.d),
  pemLine: PRIVATE_PEM.split("\n")[5] ?? "",
  pluginArgument: "canaryPluginArgument10",
  echo: "canaryEcho000000000000000000000000000011",
} as const;

const PRESIGNED = `https://bucket.s3.eu-west-1.amazonaws.com/prod?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${CANARY.urlCredential}%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=${CANARY.urlSignature}`;
const WITH_PASSWORD = `https://user:${CANARY.urlPassword}@oidc.example.com`;
const KEYS = { AWS_ACCESS_KEY_ID: CANARY.accessKey, AWS_SECRET_ACCESS_KEY: CANARY.secretKey, AWS_SESSION_TOKEN: CANARY.sessionToken };

let scene: Scene;
let token: string;
let signature: string;

beforeAll(async () => {
  scene = await startScene();
  const principal = { arn: "arn:aws:iam::123456789012:user/canary", userId: "AIDACANARY", account: "123456789012", roleName: null, sessionPolicies: [] };
  scene.aws.state.credentials.set(CANARY.accessKey, { accessKeyId: CANARY.accessKey, secretAccessKey: CANARY.secretKey, sessionToken: CANARY.sessionToken, expires: null, principal });
  token = scene.sandbox.cluster.mintToken({ namespace: "demo", name: "app" }, { audiences: ["sts.amazonaws.com"] });
  signature = token.split(".")[2] ?? "";
  const kubeconfig = (user: object) => JSON.stringify({ apiVersion: "v1", kind: "Config", clusters: [{ name: "c", cluster: { server: scene.sandbox.cluster.url, "certificate-authority-data": Buffer.from(scene.sandbox.caPem).toString("base64") } }], users: [{ name: "u", user }], contexts: [{ name: "x", context: { cluster: "c", user: "u" } }], "current-context": "x" });
  const files: Readonly<Record<string, string>> = {
    "token.jwt": token,
    "private-jwks.json": JSON.stringify({ keys: [PRIVATE_JWK] }),
    "symmetric-jwks.json": JSON.stringify({ keys: [{ kty: "oct", kid: "s", k: CANARY.symmetricKey }] }),
    "private.pem": PRIVATE_PEM,
    "broken-secret.json": `{"aws_secret_access_key": "${CANARY.secretKey}", `,
    "policy.json": JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "s3:*", Principal: "*", Resource: "*" }], password: CANARY.urlPassword }),
    "secret.yaml": `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${PRESIGNED}\nclientSecret: ${CANARY.urlPassword}\n`,
    "broken.yaml": `apiVersion: kubeassume.dev/v1\nissuer: "${WITH_PASSWORD}\n  token: ${CANARY.kubeToken}\n: [`,
    "kube-token": kubeconfig({ token: CANARY.kubeToken }),
    "kube-password": kubeconfig({ username: "admin", password: CANARY.kubePassword }),
    "kube-key": kubeconfig({ "client-certificate-data": Buffer.from("no certificate").toString("base64"), "client-key-data": Buffer.from(PRIVATE_PEM).toString("base64") }),
    "kube-plugin": kubeconfig({ exec: { apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", args: ["-c", `echo ${CANARY.kubeToken}; echo ${CANARY.kubeToken} >&2; exit 1`, CANARY.pluginArgument], env: [{ name: "SECRET", value: CANARY.pluginArgument }], interactiveMode: "Never" } }),
    "kube-malformed": `apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: { token: ${CANARY.kubeToken}`,
  };
  await Promise.all(Object.entries(files).map(([name, content]) => scene.file(name, content)));
});

afterAll(() => scene.close());

function expectNoCanary(...texts: readonly string[]): void {
  const seen = texts.join("\n");
  const secrets = { ...CANARY, token, signature, adminToken: scene.sandbox.cluster.adminToken, operatorKey: scene.aws.credentials.secretAccessKey };
  const found = Object.entries(secrets).filter(([, secret]) => seen.includes(secret) || seen.includes(encodeURIComponent(secret)) || seen.includes(Buffer.from(secret).toString("base64")));
  expect(found.map(([name]) => name), seen).toEqual([]);
}

type Env = Readonly<Record<string, string>>;

/** With everything that --verbose adds. A failure is on stderr in full beside the JSON, so one run shows both of its faces. */
async function runVerbose(args: readonly string[], env: Env = {}, input = ""): Promise<Ran> {
  const ran = await scene.run([...args, "--verbose", "--output", "json"], { env, input });
  expectNoCanary(ran.stdout, ran.stderr);
  return ran;
}

async function fail(exit: number, args: readonly string[], env?: Env): Promise<void> {
  const ran = await runVerbose(args, env);
  expect(ran.exit, ran.stderr).toBe(exit);
}

/** A success has a text of its own on stdout. */
async function succeed(args: readonly string[], env: Env, input = ""): Promise<void> {
  const [asJson, asText] = await Promise.all([runVerbose(args, env, input), scene.run([...args, "--verbose"], { env, input })]);
  expect([asJson.exit, asText.exit], asText.stderr).toEqual([0, 0]);
  expectNoCanary(asText.stdout, asText.stderr);
}

const issuer = (): readonly string[] => ["--issuer-url", scene.issuer];
const grantFlags = ["--service-account", "demo/app", "--role-name", "app"];
const publishTo = (...more: readonly string[]): readonly string[] => ["publish", "s3", "--bucket", "oidc", "--create-bucket", ...issuer(), ...more];

describe("no secret of the environment is seen", () => {
  it("when the whole journey succeeds, in any stream or file", async () => {
    await succeed(publishTo(), KEYS);
    await succeed(["publish", "dir", "--path", join(scene.dir, "www"), ...issuer()], KEYS);
    await succeed(["setup", "aws", ...issuer(), "--boilerplate-configmap", "demo/trust"], KEYS);
    await succeed(["grant", "aws", ...issuer(), ...grantFlags, "--apply-manifests"], KEYS);
    await succeed(["status", "aws", ...issuer(), ...grantFlags, "--mint", "--exchange"], KEYS);
    await succeed(["verify", "aws", "--service-account", "demo/app", "--role-arn", ROLE, "--exchange"], KEYS);
    await succeed(["verify", "aws", "--token-file", "-", "--role-arn", ROLE], KEYS, token);
    await succeed(["thumbprint", scene.issuer], KEYS);
    await succeed(["permissions", "aws"], KEYS);
    await succeed(["trust-policy", "aws", ...issuer(), "--account-id", "123456789012", "--service-account", "demo/app"], KEYS);
    const written = await readdir(join(scene.dir, "www"), { recursive: true, withFileTypes: true });
    const texts = await Promise.all(written.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), "utf8")));
    expect(texts).toHaveLength(2);
    expectNoCanary(...texts);
    expectNoCanary(JSON.stringify(scene.sandbox.cluster.find("configmaps", "demo", "trust")), JSON.stringify([...scene.aws.state.roles.values()]));
    await succeed(["teardown", "aws", ...issuer(), "--delete-bucket", "--yes"], KEYS);
  }, 60_000);

  it("when the keys are wrong, expired or denied", async () => {
    await fail(4, ["setup", "aws", ...issuer()], { ...KEYS, AWS_SECRET_ACCESS_KEY: `${CANARY.secretKey}x` });
    await fail(4, ["setup", "aws", ...issuer()], { ...KEYS, AWS_SESSION_TOKEN: `${CANARY.sessionToken}x` });
    scene.aws.state.denyActions.add("iam:GetRole");
    await fail(4, ["grant", "aws", ...issuer(), ...grantFlags], KEYS);
    scene.aws.state.denyActions.clear();
  });

  it("of a proxy's password, whatever the proxy does", async () => {
    const proxied = { ...KEYS, HTTPS_PROXY: `http://user:${CANARY.proxyPassword}@127.0.0.1:1`, HTTP_PROXY: `http://user:${CANARY.proxyPassword}@127.0.0.1:1`, NO_PROXY: "" };
    await fail(4, ["setup", "aws", ...issuer()], proxied);
    await fail(4, ["thumbprint", scene.issuer], proxied);
    await fail(4, publishTo(), proxied);
  });
});

describe("no secret that an answer repeats is seen", () => {
  const bodies = [
    ["XML", "text/xml", (headers: string) => `<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>${headers} ${CANARY.sessionToken}</Message></Error></ErrorResponse>`],
    ["another code", "text/xml", (headers: string) => `<ErrorResponse><Error><Type>Sender</Type><Code>Weird</Code><Message>Authorization: ${headers}</Message></Error></ErrorResponse>`],
    ["a page", "text/html", (headers: string) => `<html>${headers} ${CANARY.sessionToken}</html>`],
  ] as const;

  it.each(bodies)("as %s", async (_name, type, body) => {
    scene.breakWith((request) => ({ kind: "status", when: "before", status: 400, headers: { "content-type": type }, body: body(Object.values(request.headers).join(" ")) }));
    const commands = [["setup", "aws", ...issuer()], ["grant", "aws", ...issuer(), ...grantFlags, "--apply-manifests"], publishTo(), ["verify", "aws", "--service-account", "demo/app", "--role-arn", ROLE], ["teardown", "aws", ...issuer(), "--yes"]];
    const runs = await Promise.all(commands.map((args) => runVerbose(args, KEYS)));
    scene.breakWith(null);
    expect(runs.filter(({ exit }) => exit !== 4 && exit !== 2).map(({ stderr }) => stderr)).toEqual([]);
  });
});

describe("no secret of a file is seen", () => {
  it("of keys that must not be published", async () => {
    await fail(2, publishTo("--jwks-file", "private-jwks.json"));
    await fail(2, publishTo("--jwks-file", "symmetric-jwks.json"));
    await fail(2, publishTo("--public-key-file", "private.pem"));
    await fail(2, publishTo("--jwks-file", "broken-secret.json"));
  });

  it("of a kubeconfig whose credentials do not work", async () => {
    for (const [file, exit] of [["kube-token", 4], ["kube-plugin", 4], ["kube-malformed", 2]] as const) await fail(exit, publishTo("--kubeconfig", file));
    for (const file of ["kube-password", "kube-key"]) {
      const { exit, stderr } = await runVerbose(publishTo("--kubeconfig", file));
      expect([2, 4], stderr).toContain(exit);
    }
  });

  it("of a policy, a trust file, a token or a config that is refused", async () => {
    await fail(2, ["grant", "aws", ...issuer(), ...grantFlags, "--policy-file", "policy.json"]);
    await fail(2, ["verify", "aws", "--token-file", "token.jwt", "--trust-file", "broken-secret.json"]);
    await fail(2, ["verify", "aws", "--token-file", "token.jwt", "--jwks-file", "broken-secret.json", "--role-arn", ROLE]);
    await fail(3, ["verify", "aws", "--token-file", "broken-secret.json", "--role-arn", ROLE]);
    await fail(3, ["verify", "aws", "--token-file", "token.jwt", "--role-arn", `${ROLE}-missing`]);
    await fail(2, ["setup", "aws", "--config", "secret.yaml"]);
    await fail(2, ["setup", "aws", "--config", "broken.yaml"]);
  });
});

describe("no secret of a URL is seen", () => {
  it.each([["a signature", PRESIGNED], ["a password", WITH_PASSWORD]])("that has %s", async (_name, url) => {
    await fail(2, ["setup", "aws", "--issuer-url", url]);
    await fail(2, ["grant", "aws", "--issuer-url", url, ...grantFlags]);
    await fail(2, publishTo("--issuer-url", url));
    await fail(2, ["status", "aws", "--issuer-url", url]);
    await fail(2, ["teardown", "aws", "--issuer-url", url, "--yes"]);
    await fail(2, ["trust-policy", "aws", "--issuer-url", url, "--account-id", "123456789012", "--service-account", "demo/app"]);
    expect([2, 4]).toContain((await runVerbose(["thumbprint", url])).exit);
  });

  it("that is typed where something else belongs", async () => {
    await fail(2, ["setup", "aws", ...issuer(), "--region", PRESIGNED]);
    await fail(2, ["grant", "aws", ...issuer(), "--service-account", PRESIGNED]);
    await fail(2, ["setup", PRESIGNED]);
    await fail(2, ["explain", token]);
  });

  it("to which an issuer redirects", async () => {
    scene.breakWith(({ service }) => (service === "issuer" ? { kind: "status", when: "before", status: 302, headers: { location: PRESIGNED }, body: "" } : null));
    await fail(2, ["setup", "aws", ...issuer()]);
    scene.breakWith(null);
  });
});
