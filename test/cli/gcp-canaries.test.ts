import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRIVATE_JWK, PRIVATE_PEM } from "../support/bad-issuers.ts";
import { AUDIENCE, type Bench, PROJECT, startGcpBench } from "../support/gcp-bench.ts";
import { runHere } from "../support/run-here.ts";

const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const ROLE = "roles/storage.objectViewer";

/** Secrets as they lie in the inputs, each with a text that must never be seen again. */
const CANARY = {
  accessToken: "ya29.canaryAccessToken000000000000000000000001",
  plainToken: "canaryOpaqueToken00000000000000000000000000002",
  refreshToken: "1//0canaryRefreshToken0000000000000000000003",
  clientSecret: "GOCSPX-canaryClientSecret0000004",
  subjectToken: "canarySubjectToken000000000000000000000000005",
  proxyPassword: "canaryProxyPassword6",
  urlSignature: "canaryUrlSignature000000000000000000000007",
  urlCredential: "canaryUrlCredential8",
  urlPassword: "canaryUrlPassword9",
  symmetricKey: Buffer.from("canary-symmetric-key-10").toString("base64url"),
  privateMember: String(PRIVATE_JWK.d),
  pemLine: PRIVATE_PEM.split("\n")[5] ?? "",
} as const;

const SIGNED = `https://storage.googleapis.com/oidc/prod?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=${CANARY.urlCredential}%2F20260101%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Signature=${CANARY.urlSignature}`;
const WITH_PASSWORD = `https://user:${CANARY.urlPassword}@oidc.example.com`;

let bench: Bench;
let token: string;

beforeAll(async () => {
  bench = await startGcpBench();
  const { scene } = bench;
  token = scene.sandbox.cluster.mintToken({ namespace: "demo", name: "app" }, { audiences: [AUDIENCE] });
  const { sts } = scene.gcp.urls;
  const files: Readonly<Record<string, string>> = {
    "token.jwt": token,
    "access-token": CANARY.accessToken,
    "plain-token": CANARY.plainToken,
    "subject-token": CANARY.subjectToken,
    "user.json": JSON.stringify({ type: "authorized_user", client_id: "1-a.apps.googleusercontent.com", client_secret: CANARY.clientSecret, refresh_token: CANARY.refreshToken, token_uri: `${sts}/token` }),
    "service-account.json": JSON.stringify({ type: "service_account", project_id: PROJECT, private_key_id: "k1", private_key: PRIVATE_PEM, client_email: EMAIL, client_id: "1", token_uri: `${sts}/token` }),
    "broken-service-account.json": JSON.stringify({ type: "service_account", private_key: PRIVATE_PEM.slice(0, 500), client_email: EMAIL, refresh_token: CANARY.refreshToken }),
    "unknown-kind.json": JSON.stringify({ type: CANARY.accessToken, client_secret: CANARY.clientSecret }),
    "external.json": JSON.stringify({ type: "external_account", audience: "//iam.googleapis.com/locations/global/workforcePools/sandbox/providers/operator", subject_token_type: "urn:ietf:params:oauth:token-type:id_token", token_url: `${sts}/v1/token`, credential_source: { file: join(scene.dir, "subject-token") } }),
    "executable.json": JSON.stringify({ type: "external_account", audience: "//iam.googleapis.com/x", subject_token_type: "t", token_url: `${sts}/v1/token`, credential_source: { executable: { command: `/bin/echo ${CANARY.plainToken}` } } }),
    "cut.json": `{"type": "authorized_user", "refresh_token": "${CANARY.refreshToken}", "client_secret": "${CANARY.clientSecret}`,
    "private-jwks.json": JSON.stringify({ keys: [PRIVATE_JWK] }),
    "symmetric-jwks.json": JSON.stringify({ keys: [{ kty: "oct", kid: "s", k: CANARY.symmetricKey }] }),
    "private.pem": PRIVATE_PEM,
    "broken-trust.json": `{"pool": null, "client_secret": "${CANARY.clientSecret}", `,
    "secret.yaml": `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${SIGNED}\nclientSecret: ${CANARY.clientSecret}\n`,
    "broken.yaml": `apiVersion: kubeassume.dev/v1\nissuer: "${WITH_PASSWORD}\n  token: ${CANARY.accessToken}\n: [`,
  };
  await Promise.all(Object.entries(files).map(([name, content]) => scene.file(name, content)));
});

afterAll(() => bench.scene.close());

/** Those above, and every token that anybody has handed out since the sandbox began. */
function expectNoCanary(...texts: readonly string[]): void {
  const seen = texts.join("\n");
  const handedOut = Object.fromEntries([...bench.state.tokens.keys()].map((one, index) => [`access token ${index}`, one]));
  const secrets = { ...CANARY, ...handedOut, token, signature: token.split(".")[2] ?? "", adminToken: bench.scene.sandbox.cluster.adminToken, operatorSecret: bench.state.operatorSecret };
  const found = Object.entries(secrets).filter(([, secret]) => seen.includes(secret) || seen.includes(encodeURIComponent(secret)) || seen.includes(Buffer.from(secret).toString("base64")));
  expect(found.map(([name]) => name), seen).toEqual([]);
}

type Env = Readonly<Record<string, string>>;
interface Seen {
  readonly exit: number | null;
  readonly stderr: string;
}

/** With everything that --verbose adds. A failure is on stderr in full beside the JSON, so one run shows both of its faces. */
async function runVerbose(args: readonly string[], env: Env = {}, input = ""): Promise<Seen> {
  const ran = await runHere(bench.scene, [...args, "--verbose", "--output", "json"], { env, input });
  expectNoCanary(ran.stdout, ran.stderr);
  return ran;
}

async function fail(exits: number | readonly number[], args: readonly string[], env?: Env): Promise<void> {
  const ran = await runVerbose(args, env);
  expect([exits].flat(), ran.stderr).toContain(ran.exit);
}

/** A success has a text of its own on stdout. */
async function succeed(args: readonly string[], input = ""): Promise<void> {
  const asJson = await runVerbose(args, {}, input);
  const asText = await runHere(bench.scene, [...args, "--verbose"], { input });
  expect([asJson.exit, asText.exit], asText.stderr).toEqual([0, 0]);
  expectNoCanary(asText.stdout, asText.stderr);
}

const place = (): readonly string[] => bench.place;
const publishTo = (...more: readonly string[]): readonly string[] => ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...bench.issuer, ...more];
const grantTo = (...more: readonly string[]): readonly string[] => ["grant", "gcp", ...place(), "--service-account", "demo/app", ...more];
const credential = (name: string): Env => ({ GOOGLE_APPLICATION_CREDENTIALS: join(bench.scene.dir, name) });

describe("no secret is seen", () => {
  it("when the variables that make Google's library print its requests are set", async () => {
    const env = { GOOGLE_SDK_NODE_LOGGING: "*", NODE_DEBUG: "gaxios,google-auth-library", DEBUG: "*", GAXIOS_DEBUG: "1" };
    const ran = await bench.scene.run(["setup", "gcp", ...place().slice(0, -1), "logged", "--verbose"], { env });
    expect(ran.exit, ran.stderr).toBe(0);
    expectNoCanary(ran.stdout, ran.stderr);
  });

  it("when the whole journey succeeds, in any stream, file or record", async () => {
    await succeed(publishTo());
    await succeed(["setup", "gcp", ...place(), "--boilerplate-configmap", "demo/trust"]);
    await succeed(["setup", "gcp", ...place().slice(0, -1), "private", "--keys", "upload"]);
    await succeed(grantTo("--role", ROLE, "--apply-manifests"));
    await succeed(grantTo("--impersonate", EMAIL, "--create-service-account"));
    await succeed(["status", "gcp", ...place(), "--service-account", "demo/app", "--role", ROLE, "--mint", "--exchange"]);
    await succeed(["verify", "gcp", ...place(), "--service-account", "demo/app", "--impersonate", EMAIL, "--exchange"]);
    await succeed(["verify", "gcp", ...place(), "--token-file", "-", "--exchange"], token);
    await succeed(["permissions", "gcp"]);
    await succeed(["trust-policy", "gcp", ...bench.issuer, "--project-number", bench.state.project.number, "--pool-id", "prod", "--service-account", "demo/app", "--role", ROLE]);
    const { pools, providers, serviceAccounts, policies, storage } = bench.state;
    const objects = [...storage.buckets.values()].flatMap((bucket) => [...bucket.objects.values()]).map(({ body, metadata }) => `${body.toString("utf8")} ${JSON.stringify(metadata)}`);
    expect(objects).toHaveLength(2);
    expectNoCanary(...objects, JSON.stringify([[...pools.values()], [...providers.values()], [...serviceAccounts.values()], [...policies.values()]]));
    for (const [plural, name] of [["configmaps", "trust"], ["serviceaccounts", "app"]] as const) expectNoCanary(JSON.stringify(bench.scene.sandbox.cluster.find(plural, "demo", name)));
    await succeed(["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--delete-bucket", "--yes"]);
  });

  it("and kubeassume leaves no file of its own behind", async () => {
    const written = await readdir(join(bench.scene.dir, "gcp"), { recursive: true, withFileTypes: true });
    const files = written.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all(files.filter((file) => !file.endsWith("operator-token")).map((file) => readFile(file, "utf8")));
    expectNoCanary(...texts);
  });

  it("by the process either, whose last words are its own", async () => {
    const ran = await bench.scene.run(["verify", "gcp", ...place(), "--token-file", "token.jwt", "--exchange", "--verbose"], { env: { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(bench.scene.dir, "plain-token") } });
    expect(ran.exit, ran.stderr).not.toBe(0);
    expectNoCanary(ran.stdout, ran.stderr);
  });
});

describe("no secret of the caller's credentials is seen when they do not work", () => {
  const KINDS: readonly (readonly [string, () => Env])[] = [
    ["an access token in a file", () => ({ CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(bench.scene.dir, "access-token") })],
    ["an access token of no known form", () => ({ CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(bench.scene.dir, "plain-token") })],
    ["a user's refresh token", () => credential("user.json")],
    ["a service account's private key", () => credential("service-account.json")],
    ["a private key that is cut off", () => credential("broken-service-account.json")],
    ["a kind that nobody knows", () => credential("unknown-kind.json")],
    ["an external account's subject token", () => credential("external.json")],
    ["an external account's program", () => credential("executable.json")],
    ["a file that is cut off", () => credential("cut.json")],
    ["a file that is no JSON", () => credential("private.pem")],
  ];

  it.each(KINDS)("%s", async (_name, env) => {
    await fail([2, 4], ["setup", "gcp", ...place()], env());
    await fail([2, 4], publishTo(), env());
  });

  /** An answer that repeats everything that it was asked, as proxies and debugging gateways do. */
  it.each(KINDS)("%s, and the answer repeats the request", async (_name, env) => {
    for (const [type, render] of [["application/json", (text: string) => JSON.stringify({ error: { code: 400, status: "INVALID_ARGUMENT", message: text } })], ["text/html", (text: string) => `<html>${text}</html>`]] as const) {
      bench.scene.breakWith(({ headers, body }) => ({ kind: "status", when: "before", status: 400, headers: { "content-type": type }, body: render(`${Object.values(headers).join(" ")} ${Buffer.from(body).toString("utf8")}`) }));
      await fail([2, 4], grantTo("--role", ROLE), env());
      bench.scene.breakWith(null);
    }
  });
});

describe("no secret that an answer repeats is seen", () => {
  const FORMS = [
    ["as google.rpc.Status", "application/json", (text: string) => JSON.stringify({ error: { code: 403, status: "PERMISSION_DENIED", message: text, details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "IAM_PERMISSION_DENIED", domain: "x", metadata: { permission: text } }] } })],
    ["as an error of OAuth", "application/json", (text: string) => JSON.stringify({ error: "invalid_grant", error_description: text })],
    ["as a page", "text/html", (text: string) => `<html>${text}</html>`],
  ] as const;

  it.each(FORMS)("%s", async (_name, type, render) => {
    for (const spared of ["gcp.none", "gcp.sts"]) {
      bench.scene.breakWith(({ service, headers, body }) => (service === spared || service === "cluster" ? null : { kind: "status", when: "before", status: 403, headers: { "content-type": type }, body: render(`${Object.values(headers).join(" ")} ${Buffer.from(body).toString("utf8")}`) }));
      const commands = [["setup", "gcp", ...place()], grantTo("--role", ROLE), publishTo(), ["verify", "gcp", ...place(), "--service-account", "demo/app", "--exchange"], ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--yes"]];
      const runs = await Promise.all(commands.map((args) => runVerbose(args)));
      expect(runs.filter(({ exit }) => exit !== 4 && exit !== 2).map(({ stderr }) => stderr)).toEqual([]);
      bench.scene.breakWith(null);
    }
  });

  it("to an exchange that is refused", async () => {
    bench.scene.breakWith(({ service, body }) => (service === "gcp.sts" && Buffer.from(body).toString("utf8").includes("workloadIdentityPools") ? { kind: "status", when: "before", status: 400, headers: { "content-type": "application/json" }, body: JSON.stringify({ error: "invalid_grant", error_description: Buffer.from(body).toString("utf8") }) } : null));
    await fail(3, ["verify", "gcp", ...place(), "--token-file", "token.jwt", "--exchange"]);
    bench.scene.breakWith(null);
  });
});

describe("no secret of a file, a URL or a proxy is seen", () => {
  it("of keys that must not be uploaded or published", async () => {
    for (const flags of [["--jwks-file", "private-jwks.json"], ["--jwks-file", "symmetric-jwks.json"], ["--public-key-file", "private.pem"], ["--jwks-file", "cut.json"]]) {
      await fail(2, ["setup", "gcp", ...place(), "--keys", "upload", ...flags]);
      await fail(2, publishTo(...flags));
    }
  });

  it("of a trust file, a token or a config that is refused", async () => {
    await fail(2, ["verify", "gcp", "--token-file", "token.jwt", "--trust-file", "broken-trust.json"]);
    await fail(2, ["verify", "gcp", ...place(), "--token-file", "token.jwt", "--jwks-file", "cut.json"]);
    await fail(3, ["verify", "gcp", ...place(), "--token-file", "access-token"]);
    await fail(3, ["verify", "gcp", ...place(), "--token-file", "token.jwt", "--at", "2099-01-01T00:00:00Z"]);
    await fail(2, ["setup", "gcp", "--config", "secret.yaml"]);
    await fail(2, ["setup", "gcp", "--config", "broken.yaml"]);
  });

  it.each([["a signature", SIGNED], ["a password", WITH_PASSWORD]])("of a URL that has %s", async (_name, url) => {
    const elsewhere = ["--issuer-url", url, ...place().slice(2)];
    await fail(2, ["setup", "gcp", ...elsewhere]);
    await fail(2, ["grant", "gcp", ...elsewhere, "--service-account", "demo/app", "--role", ROLE]);
    await fail(2, publishTo("--issuer-url", url));
    await fail(2, ["status", "gcp", ...elsewhere]);
    await fail(2, ["teardown", "gcp", "--issuer-url", url, "--project", PROJECT, "--yes"]);
    await fail(2, ["trust-policy", "gcp", "--issuer-url", url, "--project-number", "123456789012", "--pool-id", "prod", "--service-account", "demo/app"]);
    await fail(2, ["setup", "gcp", ...place()], { CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: url });
    await fail(2, publishTo(), { STORAGE_EMULATOR_HOST: url, CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "" });
  });

  it("of what is typed where something else belongs", async () => {
    await fail(2, ["setup", "gcp", ...place(), "--project", CANARY.accessToken]);
    await fail(2, grantTo("--impersonate", CANARY.accessToken));
    await fail(2, grantTo("--role", token));
    await fail(2, ["setup", "gcp", ...place(), "--attribute-condition", `assertion.sub == '${CANARY.accessToken}`]);
    await fail(2, publishTo("--location", CANARY.accessToken));
  });

  it("of a proxy, whatever it does", async () => {
    const proxied = { HTTPS_PROXY: `http://user:${CANARY.proxyPassword}@127.0.0.1:1`, HTTP_PROXY: `http://user:${CANARY.proxyPassword}@127.0.0.1:1`, NO_PROXY: "" };
    await Promise.all([fail(4, ["setup", "gcp", ...place()], proxied), fail(4, publishTo(), proxied)]);
  });
});
