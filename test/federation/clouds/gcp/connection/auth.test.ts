import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { loadCredentials } from "../../../../../src/federation/clouds/gcp/connection/credentials.ts";
import { failureOf, refusal, type Said, type ScriptedGoogle, startScriptedGoogle, worldWith } from "./scripted-google.ts";

const ASKED = { action: "iam.workloadIdentityPools.get", resource: "the pool" };
const AUDIENCE = "//iam.googleapis.com/locations/global/workforcePools/sandbox/providers/operator";
const EMAIL = "ops@acme-prod.iam.gserviceaccount.com";

let google: ScriptedGoogle;
let folder: string;

beforeAll(async () => {
  google = await startScriptedGoogle();
  folder = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
  await writeFile(join(folder, "subject"), "canary-subject");
  await writeFile(join(folder, "stray"), "stray-token");
  // What the process itself says must never matter: a sandbox would meet the operator's real credentials.
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", await file("stray.json", { type: "authorized_user", client_id: "stray", client_secret: "stray", refresh_token: "stray" }));
  vi.stubEnv("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", join(folder, "stray"));
  vi.stubEnv("GOOGLE_CLOUD_QUOTA_PROJECT", "stray-project");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIASTRAY");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "stray-secret");
  vi.stubEnv("AWS_REGION", "stray-1");
  vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:1");
  vi.stubEnv("HTTP_PROXY", "http://127.0.0.1:1");
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await google.stop();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  google.forget();
});

afterEach(() => {
  expect(JSON.stringify(google.arrived)).not.toMatch(/stray/i);
});

async function file(name: string, json: object | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof json === "string" ? json : JSON.stringify(json));
  return path;
}

async function credentialsOf(json: object | string, env: Readonly<Record<string, string>> = {}) {
  const path = await file("credentials.json", json);
  return loadCredentials(worldWith({ NO_GCE_CHECK: "1", GOOGLE_APPLICATION_CREDENTIALS: path, ...env }));
}

const user = () => ({ type: "authorized_user", client_id: "id", client_secret: "canary-secret", refresh_token: "canary-refresh", token_uri: `${google.url}/oauth/token`, quota_project_id: "acme-quota" });
const external = () => ({ type: "external_account", audience: AUDIENCE, subject_token_type: "urn:ietf:params:oauth:token-type:jwt", token_url: `${google.url}/token/v1/token`, credential_source: { file: join(folder, "subject") } });
const token = (value: string, more: object = {}): Said => ({ json: { access_token: value, expires_in: 3600, token_type: "Bearer", ...more } });

describe("credentials", () => {
  it("are missing: said at once, with what to do, and nothing of the process's own is used", async () => {
    const credentials = await loadCredentials(worldWith({ NO_GCE_CHECK: "1", HOME: folder }));
    const failure = await failureOf(credentials.headers(ASKED));
    expect(failure).toMatchObject({ code: "GCP_CREDENTIALS_MISSING", exit: 2 });
    expect(failure.hint).toContain("gcloud auth application-default login");
    expect(credentials.isNamed).toBe(false);
  });

  it("are looked for in Google's order", async () => {
    const [wanted, later] = [await file("wanted", "first-token"), await file("later.json", user())];
    const gcloud = join(folder, "gcloud");
    await mkdir(gcloud, { recursive: true });
    await writeFile(join(gcloud, "application_default_credentials.json"), JSON.stringify(user()));
    google.answer(() => token("user-token"));
    const authorization = async (env: Readonly<Record<string, string>>) => (await (await loadCredentials(worldWith({ NO_GCE_CHECK: "1", ...env }))).headers(ASKED))["authorization"];
    await expect(authorization({ CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: wanted, GOOGLE_APPLICATION_CREDENTIALS: later })).resolves.toBe("Bearer first-token");
    await expect(authorization({ CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: later })).resolves.toBe("Bearer user-token");
    await expect(authorization({ CLOUDSDK_CONFIG: gcloud, HOME: "/nowhere" })).resolves.toBe("Bearer user-token");
    await mkdir(join(folder, ".config"), { recursive: true });
    await expect(authorization({ HOME: folder, CLOUDSDK_CONFIG: "" }).catch((error: unknown) => (error as { code: string }).code)).resolves.toBe("GCP_CREDENTIALS_MISSING");
  });

  it("that are named and cannot be used are no reason to look further", async () => {
    for (const path of [join(folder, "none.json"), await file("no-json", "PEM"), await file("list.json", "[]")]) {
      const credentials = await loadCredentials(worldWith({ NO_GCE_CHECK: "1", GOOGLE_APPLICATION_CREDENTIALS: path, HOME: folder }));
      const failure = await failureOf(credentials.headers(ASKED));
      expect(failure).toMatchObject({ code: "GCP_CREDENTIALS_INVALID" });
      expect(failure.message).toContain("GOOGLE_APPLICATION_CREDENTIALS");
    }
  });

  it.each([
    [{ type: "gdch_service_account" }, "gdch_service_account"],
    [{ type: "authorized_user" }, "incomplete"],
    [{ type: "external_account", audience: AUDIENCE, credential_source: { executable: { command: "true" } } }, "executable"],
    [{ type: "external_account", audience: AUDIENCE, credential_source: { certificate: {} } }, "certificate"],
    [{ type: "external_account", audience: AUDIENCE }, "credential_source"],
    [{ type: "impersonated_service_account", service_account_impersonation_url: "https://x/y" }, "source_credentials"],
    [{}, "null"],
  ])("of %j are refused with words", async (json, words) => {
    const failure = await failureOf((await credentialsOf(json)).headers(ASKED));
    expect(failure.code).toBe("GCP_CREDENTIALS_INVALID");
    expect(failure.message).toContain(words);
  });

  it("never let a token file write headers", async () => {
    const path = await file("bad-token", "token\r\nx-evil: 1");
    const credentials = await loadCredentials(worldWith({ CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: path }));
    expect((await failureOf(credentials.headers(ASKED))).code).toBe("GCP_CREDENTIALS_INVALID");
  });
});

describe("a user's credentials", () => {
  it("give a token, the quota project, and the e-mail that Google's answer has", async () => {
    const idToken = `x.${Buffer.from(JSON.stringify({ email: "ann@example.com" })).toString("base64url")}.y`;
    google.answer(() => token("user-token", { id_token: idToken }));
    const credentials = await credentialsOf(user());
    await expect(credentials.headers(ASKED)).resolves.toEqual({ authorization: "Bearer user-token", "x-goog-user-project": "acme-quota" });
    await expect(credentials.name()).resolves.toBe("ann@example.com");
    expect(new URLSearchParams(google.arrived[0]?.text).get("refresh_token")).toBe("canary-refresh");
  });

  it("are asked for once, however many calls wait, and kept", async () => {
    google.answer(() => token("user-token"));
    const credentials = await credentialsOf(user());
    await Promise.all(Array.from({ length: 8 }, () => credentials.headers(ASKED)));
    await credentials.headers(ASKED);
    expect(google.arrived).toHaveLength(1);
  });

  it("are counted for the project that the environment names before any other", async () => {
    google.answer(() => token("user-token"));
    const credentials = await credentialsOf(user(), { GOOGLE_CLOUD_QUOTA_PROJECT: "acme-other" });
    await expect(credentials.headers(ASKED)).resolves.toMatchObject({ "x-goog-user-project": "acme-other" });
  });

  it.each([
    ["invalid_grant", 400, "GCP_CREDENTIALS_EXPIRED"],
    ["invalid_client", 401, "GCP_CREDENTIALS_INVALID"],
  ])("that are refused with %s are %s %s, without a word of the request", async (error, status, code) => {
    google.answer(({ text }) => ({ status, json: { error, error_description: `revoked ${text} canary-refresh` } }));
    const failure = await failureOf((await credentialsOf(user())).headers(ASKED));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain("revoked");
    expect(JSON.stringify(failure.toProblem())).not.toContain("canary");
  });

  it("are asked for again when the token endpoint fails, and then said to be unreachable", async () => {
    google.answer(() => ({ status: 503 }));
    expect((await failureOf((await credentialsOf(user())).headers(ASKED))).code).toBe("GCP_UNAVAILABLE");
    expect(google.arrived).toHaveLength(3);
  });

  it("are asked for again after a failure", async () => {
    google.answer(() => ({ status: 400, json: { error: "invalid_grant" } }));
    const credentials = await credentialsOf(user());
    await failureOf(credentials.headers(ASKED));
    google.answer(() => token("later-token"));
    await expect(credentials.headers(ASKED)).resolves.toMatchObject({ authorization: "Bearer later-token" });
  });
});

describe("an external account", () => {
  it("exchanges the token of its file at its token endpoint, through kubeassume's own HTTP", async () => {
    google.answer(() => token("federated", { issued_token_type: "urn:ietf:params:oauth:token-type:access_token" }));
    const credentials = await credentialsOf(external());
    await expect(credentials.headers(ASKED)).resolves.toEqual({ authorization: "Bearer federated" });
    const sent = new URLSearchParams(google.arrived[0]?.text);
    expect([google.lines()[0], sent.get("audience"), sent.get("subject_token")]).toEqual(["POST /v1/token", AUDIENCE, "canary-subject"]);
    await expect(credentials.name()).resolves.toContain(AUDIENCE);
  });

  it("takes the token of its URL", async () => {
    google.answer(({ path }) => (path === "/subject" ? { json: { id_token: "from-url" } } : token("federated")));
    const source = { url: `${google.url}/issuer/subject`, headers: { "x-a": "b" }, format: { type: "json", subject_token_field_name: "id_token" } };
    await (await credentialsOf({ ...external(), credential_source: source })).headers(ASKED);
    expect(google.arrived[0]?.headers["x-a"]).toBe("b");
    expect(new URLSearchParams(google.arrived[1]?.text).get("subject_token")).toBe("from-url");
  });

  it("becomes the service account that it impersonates", async () => {
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    google.answer(({ service }) => (service === "iamcredentials" ? { json: { accessToken: "impersonated", expireTime } } : token("federated")));
    const url = `${google.url}/iamcredentials/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`;
    const credentials = await credentialsOf({ ...external(), service_account_impersonation_url: url });
    await expect(credentials.headers(ASKED)).resolves.toEqual({ authorization: "Bearer impersonated" });
    await expect(credentials.name()).resolves.toBe(EMAIL);
    expect(google.problems).toEqual([]);
  });

  it("of AWS signs with the keys of the environment that was handed in", async () => {
    google.answer(() => token("federated"));
    const source = { environment_id: "aws1", regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15" };
    const env = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "canary", AWS_REGION: "eu-west-1" };
    await (await credentialsOf({ ...external(), subject_token_type: "urn:ietf:params:aws:token-type:aws4_request", credential_source: source }, env)).headers(ASKED);
    const subject = decodeURIComponent(new URLSearchParams(google.arrived[0]?.text).get("subject_token") ?? "");
    expect(subject).toContain("https://sts.eu-west-1.amazonaws.com");
    expect(subject).toContain("AKIAEXAMPLE/");
  });

  it("of AWS asks the instance where the environment says nothing", async () => {
    const keys = { AccessKeyId: "AKIAINSTANCE", SecretAccessKey: "canary", Token: "session" };
    google.answer(({ path, method }) => (method === "PUT" ? { text: "imds" } : path === "/region" ? { text: "us-east-1b" } : path === "/role" ? { text: "node" } : path === "/role/node" ? { json: keys } : token("federated")));
    const at = `${google.url}/imds`;
    const source = { environment_id: "aws1", region_url: `${at}/region`, url: `${at}/role`, imdsv2_session_token_url: `${at}/session`, regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15" };
    await (await credentialsOf({ ...external(), credential_source: source })).headers(ASKED);
    const subject = decodeURIComponent(new URLSearchParams(google.arrived.at(-1)?.text).get("subject_token") ?? "");
    expect(subject).toContain("AKIAINSTANCE/");
    expect(subject).toContain("sts.us-east-1.amazonaws.com");
    expect(google.arrived.filter(({ method }) => method === "GET").every(({ headers }) => headers["x-aws-ec2-metadata-token"] === "imds")).toBe(true);
  });

  it("whose token is refused says so in Google's words, without the token", async () => {
    google.answer(({ text }) => ({ status: 400, json: { error: "invalid_target", error_description: `no such pool ${text}` } }));
    const failure = await failureOf((await credentialsOf(external())).headers(ASKED));
    expect(failure.code).toBe("GCP_CREDENTIALS_INVALID");
    expect(failure.message).toContain("invalid_target: no such pool");
    expect(JSON.stringify(failure.toProblem())).not.toContain("canary");
  });

  it("whose file is missing says so", async () => {
    const failure = await failureOf((await credentialsOf({ ...external(), credential_source: { file: join(folder, "absent") } })).headers(ASKED));
    expect(failure.code).toBe("GCP_CREDENTIALS_INVALID");
    expect(failure.message).toContain("ENOENT");
  });

  it("of a workforce user is refreshed at its token endpoint", async () => {
    google.answer(() => token("workforce"));
    const json = { type: "external_account_authorized_user", audience: AUDIENCE, client_id: "id", client_secret: "canary", refresh_token: "canary-refresh", token_url: `${google.url}/token/v1/oauthtoken` };
    await expect((await credentialsOf(json)).headers(ASKED)).resolves.toEqual({ authorization: "Bearer workforce" });
  });
});

describe("a service account", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding: { type: "pkcs8", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } });

  it("signs its own token and asks nobody", async () => {
    const credentials = await credentialsOf({ type: "service_account", client_email: EMAIL, private_key: privateKey, private_key_id: "1" });
    const { authorization = "" } = await credentials.headers(ASKED);
    const claims: unknown = JSON.parse(Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString("utf8"));
    expect(claims).toMatchObject({ iss: EMAIL, sub: EMAIL, scope: "https://www.googleapis.com/auth/cloud-platform" });
    await expect(credentials.name()).resolves.toBe(EMAIL);
    expect([google.arrived.length, credentials.universe]).toEqual([0, null]);
  });

  it("says to which universe it belongs", async () => {
    const credentials = await credentialsOf({ type: "service_account", client_email: EMAIL, private_key: privateKey, private_key_id: "1", universe_domain: "apis-example.goog" });
    await expect(credentials.headers(ASKED)).resolves.toHaveProperty("authorization");
    expect(credentials.universe).toBe("apis-example.goog");
  });

  it("whose key is none is refused, without the key", async () => {
    const failure = await failureOf((await credentialsOf({ type: "service_account", client_email: EMAIL, private_key: "canary", private_key_id: "1" })).headers(ASKED));
    expect(failure.code).toBe("GCP_CREDENTIALS_INVALID");
    expect(JSON.stringify(failure.toProblem())).not.toContain("canary");
  });

  it("that another account impersonates gives its token at the URL of the file", async () => {
    const accessToken = { json: { accessToken: "impersonated", expireTime: new Date(Date.now() + 3_600_000).toISOString() } };
    const url = `${google.url}/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`;
    const credentials = await credentialsOf({ type: "impersonated_service_account", service_account_impersonation_url: url, source_credentials: user() });
    // The library keeps only the URL's origin, so that is where the test's server has to listen.
    google.answer(({ method, headers }) => (headers.authorization === "Bearer user-token" ? accessToken : method === "POST" ? token("user-token") : refusal(404, "NOT_FOUND")));
    await expect(credentials.headers(ASKED)).resolves.toMatchObject({ authorization: "Bearer impersonated" });
    await expect(credentials.name()).resolves.toBe(EMAIL);
  });
});

describe("the metadata server", () => {
  const on = (more: Readonly<Record<string, string>> = {}) => worldWith({ GCE_METADATA_HOST: new URL(google.url).host, ...more });

  it("gives the token and the name of the instance's service account, once", async () => {
    google.answer(() => token("instance"));
    const credentials = await loadCredentials(on());
    await expect(Promise.all(Array.from({ length: 8 }, () => credentials.headers(ASKED)))).resolves.toContainEqual({ authorization: "Bearer instance" });
    await credentials.headers(ASKED);
    expect(google.arrived.map(({ headers }) => headers["metadata-flavor"])).toEqual(["Google"]);
    google.answer(() => ({ text: `${EMAIL}\n` }));
    await expect(credentials.name()).resolves.toBe(EMAIL);
  });

  it.each([{ NO_GCE_CHECK: "true" }, { METADATA_SERVER_DETECTION: "none" }])("is left alone with %j", async (env) => {
    const failure = await failureOf((await loadCredentials(on(env))).headers(ASKED));
    expect([failure.code, google.arrived.length]).toEqual(["GCP_CREDENTIALS_MISSING", 0]);
  });

  it("that is somebody else's, or not there, means that there are no credentials", async () => {
    for (const http of [async () => ({ status: 200, headers: {}, body: "ami-id" }), async () => ({ status: 404, headers: { "metadata-flavor": "Amazon" }, body: "" })]) {
      const credentials = await loadCredentials(worldWith({}, { http }));
      expect((await failureOf(credentials.headers(ASKED))).code).toBe("GCP_CREDENTIALS_MISSING");
    }
  });

  it("without a service account is an error of Google's, not missing credentials", async () => {
    google.answer(() => ({ status: 404, text: "<html>" }));
    expect((await failureOf((await loadCredentials(on())).headers(ASKED))).code).toBe("GCP_NOT_FOUND");
  });
});
