import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRest, type Rest, restIfExists, restPages, type RestRequest, restUnlessExists } from "../../../../../src/federation/clouds/gcp/connection/rest.ts";
import { HttpFailure, type HttpFailureReason } from "../../../../../src/federation/http/http.ts";
import { errorInfo, failureOf, refusal, type Said, type ScriptedGoogle, startScriptedGoogle, worldWith } from "./scripted-google.ts";

const POOL = "projects/acme-prod/locations/global/workloadIdentityPools/prod";
const GET: RestRequest = { service: "iam", method: "GET", path: `v1/${POOL}`, action: "iam.workloadIdentityPools.get", resource: POOL };
const CREATE: RestRequest = { ...GET, method: "POST", path: "v1/projects/acme-prod/locations/global/workloadIdentityPools", query: { workloadIdentityPoolId: "prod" }, body: {} };

let google: ScriptedGoogle;
let folder: string;
let env: Record<string, string>;
let rest: Rest;

beforeAll(async () => {
  google = await startScriptedGoogle();
  folder = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "canary-token\n");
  env = { ...google.env, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: tokenFile };
});

afterAll(async () => {
  await google.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  google.forget();
  rest = await createRest(worldWith(env));
});

afterEach(() => {
  expect(google.problems).toEqual([]);
});

/** The answers one after the other, the last one for ever. */
function sequence(...said: readonly [Said, ...Said[]]): void {
  let next = 0;
  google.answer(() => said[Math.min(next++, said.length - 1)] ?? said[0]);
}

describe("a call", () => {
  it("goes with the bearer token to the endpoint that the environment names", async () => {
    google.answer(() => ({ json: { name: POOL, state: "ACTIVE" } }));
    await expect(rest(GET)).resolves.toMatchObject({ status: 200, json: { state: "ACTIVE" } });
    expect(google.lines()).toEqual([`GET /v1/${POOL}`]);
    expect(google.arrived[0]?.headers).toMatchObject({ authorization: "Bearer canary-token" });
  });

  it("goes without credentials where none are needed", async () => {
    google.answer(() => ({ json: {} }));
    const anonymous = await createRest(worldWith(google.env));
    await anonymous({ ...GET, authenticated: false });
    expect(google.arrived[0]?.headers.authorization).toBeUndefined();
  });

  it("reads lists to their last page, and no page twice", async () => {
    const list: RestRequest = { ...GET, path: CREATE.path, query: { pageSize: 1 } };
    sequence({ json: { workloadIdentityPools: [{ name: "a" }], nextPageToken: "2" } }, { json: { workloadIdentityPools: [{ name: "b" }] } });
    await expect(restPages(rest, list, "workloadIdentityPools")).resolves.toEqual([{ name: "a" }, { name: "b" }]);
    google.answer(() => ({ json: { nextPageToken: "same" } }));
    await expect(restPages(rest, list, "workloadIdentityPools")).resolves.toEqual([]);
  });

  it("takes a missing thing and one that exists already for an answer where that is asked for", async () => {
    google.answer(({ method }) => (method === "GET" ? refusal(404, "NOT_FOUND") : refusal(409, "ALREADY_EXISTS")));
    await expect(restIfExists(rest, GET)).resolves.toBeNull();
    await expect(restUnlessExists(rest, CREATE)).resolves.toBeNull();
    expect((await failureOf(restUnlessExists(rest, GET))).code).toBe("GCP_NOT_FOUND");
  });
});

describe("endpoints", () => {
  it("are Google's in the universe of the environment, or where gcloud's variables say, with or without a slash", async () => {
    const plain = await createRest(worldWith({}));
    expect(plain.endpointOf("storage")).toBe("https://storage.googleapis.com/");
    const universe = await createRest(worldWith({ GOOGLE_CLOUD_UNIVERSE_DOMAIN: "apis-example.goog", CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "https://iam.example/base" }));
    expect([universe.endpointOf("sts"), universe.endpointOf("iam")]).toEqual(["https://sts.apis-example.goog/", "https://iam.example/base/"]);
  });

  it("of storage have no version, whichever variable they come from", async () => {
    const at = async (vars: Readonly<Record<string, string>>) => (await createRest(worldWith(vars))).endpointOf("storage");
    await expect(at({ CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "https://s.example/storage/v1/" })).resolves.toBe("https://s.example/");
    await expect(at({ CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "https://s.example/storage/v1" })).resolves.toBe("https://s.example/");
    await expect(at({ STORAGE_EMULATOR_HOST: "localhost:4443" })).resolves.toBe("http://localhost:4443/");
    await expect(at({ STORAGE_EMULATOR_HOST: "https://localhost:4443" })).resolves.toBe("https://localhost:4443/");
  });

  it("of an emulator need no credentials", async () => {
    google.answer(() => ({ json: { items: [] } }));
    const emulated = await createRest(worldWith({ NO_GCE_CHECK: "1", STORAGE_EMULATOR_HOST: `${google.url}/storage` }));
    await emulated({ service: "storage", method: "GET", path: "storage/v1/b", query: { project: "acme-prod" }, action: "storage.buckets.list", resource: "acme-prod" });
    expect(google.arrived[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", "file:///etc/passwd"],
    ["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", "https://user:canary@iam.example/"],
    ["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", "https://iam.example/?x=1"],
    ["GOOGLE_CLOUD_UNIVERSE_DOMAIN", "evil.example/"],
  ])("are refused when %s is %s", async (name, value) => {
    const failure = await failureOf(createRest(worldWith({ ...env, CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "", [name]: value })).then((one) => one(GET)));
    expect(failure).toMatchObject({ code: "FLAG_INVALID", exit: 2 });
    expect(JSON.stringify(failure.toProblem())).not.toContain("canary");
  });
});

describe("an error answer", () => {
  it.each<readonly [string, Said, string, Readonly<Record<string, unknown>>]>([
    ["a disabled API", refusal(403, "PERMISSION_DENIED", "off", [errorInfo("SERVICE_DISABLED", { service: "iam.googleapis.com", consumer: "projects/123456789012" })]), "GCP_API_DISABLED", { api: "iam.googleapis.com", project: "123456789012" }],
    ["a missing permission", refusal(403, "PERMISSION_DENIED", "no", [errorInfo("IAM_PERMISSION_DENIED", { permission: "iam.workloadIdentityPools.get" })]), "GCP_ACCESS_DENIED", { permission: "iam.workloadIdentityPools.get" }],
    ["a denial without a reason", refusal(403, "PERMISSION_DENIED"), "GCP_ACCESS_DENIED", { googleStatus: "PERMISSION_DENIED", status: 403 }],
    ["an expired token", refusal(401, "UNAUTHENTICATED", "x", [errorInfo("ACCESS_TOKEN_EXPIRED")]), "GCP_CREDENTIALS_EXPIRED", {}],
    ["a token that is none", refusal(401, "UNAUTHENTICATED"), "GCP_CREDENTIALS_INVALID", {}],
    ["a quota project that cannot be used", refusal(403, "PERMISSION_DENIED", "x", [errorInfo("USER_PROJECT_DENIED")]), "GCP_QUOTA_PROJECT_INVALID", {}],
    ["a quota that is used up", refusal(400, "RESOURCE_EXHAUSTED", "x", [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ subject: "pools" }] }]), "GCP_LIMIT_EXCEEDED", {}],
    ["a lost race", refusal(409, "ABORTED"), "GCP_CONFLICT", {}],
    ["an organization policy", refusal(400, "FAILED_PRECONDITION", "x", [{ "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations: [{ type: "constraints/iam.workloadIdentityPoolProviders", subject: "projects/1" }] }]), "GCP_ORG_POLICY", { constraint: "constraints/iam.workloadIdentityPoolProviders" }],
    ["a precondition without a constraint", refusal(400, "FAILED_PRECONDITION"), "GCP_REFUSED", {}],
    ["a bad argument", refusal(400, "INVALID_ARGUMENT"), "GCP_REFUSED", {}],
    ["a missing thing", refusal(404, "NOT_FOUND"), "GCP_NOT_FOUND", {}],
    ["storage's older form", { status: 412, json: { error: { code: 412, message: "x", errors: [{ domain: "global", reason: "conditionNotMet", message: "x" }] } } }, "GCP_CONFLICT", { googleStatus: "conditionNotMet" }],
    ["a page of a proxy", { status: 403, text: "<html>canary</html>" }, "GCP_ACCESS_DENIED", { googleStatus: "" }],
  ])("with %s has its code", async (_what, said, code, details) => {
    google.answer(() => said);
    expect(await failureOf(rest(GET))).toMatchObject({ code, exit: 4, details: { ...details, action: GET.action, resource: GET.resource } });
    expect(google.arrived).toHaveLength(1);
  });

  it("names the API that is off and the command that enables it", async () => {
    google.answer(() => refusal(403, "PERMISSION_DENIED", "off", [errorInfo("SERVICE_DISABLED", { service: "iam.googleapis.com", consumer: "projects/123456789012" })]));
    const failure = await failureOf(rest(GET));
    expect(failure.message).toContain("iam.googleapis.com");
    expect(failure.hint).toContain("gcloud services enable iam.googleapis.com --project 123456789012");
  });

  it("never repeats the token, even where the answer repeats the request", async () => {
    google.answer(({ headers }) => refusal(400, "INVALID_ARGUMENT", `you sent ${headers.authorization}`));
    const failure = await failureOf(rest(GET));
    expect(failure.message).toContain("you sent [removed]");
    expect(JSON.stringify(failure.toProblem())).not.toContain("canary");
  });

  it("never repeats what the request calls secret, nor its body", async () => {
    google.answer(({ text }) => refusal(400, "INVALID_ARGUMENT", text));
    const failure = await failureOf(rest({ ...CREATE, body: { description: "canary/secret" }, secrets: ["canary/secret"] }));
    expect(JSON.stringify(failure.toProblem())).not.toContain("canary");
  });

  it("that is no error but no JSON either is GCP_UNREACHABLE", async () => {
    for (const text of ["<html>login</html>", '"text"', '{"name": "cut']) {
      google.answer(() => ({ text }));
      expect((await failureOf(rest(GET))).code).toBe("GCP_UNREACHABLE");
    }
  });
});

describe("repeating", () => {
  it("answers of 429, 500, 502, 503 and 504 are asked for again, up to three times", async () => {
    const statuses = [429, 500, 502, 503, 504];
    google.answer(({ path }) => refusal(Number(path.slice(-3)), ""));
    const failures = await Promise.all(statuses.map((status) => failureOf(rest({ ...GET, path: `v1/${POOL}-${status}` }))));
    expect(failures.map(({ code }) => code)).toEqual(["GCP_THROTTLED", ...Array<string>(4).fill("GCP_UNAVAILABLE")]);
    expect(statuses.map((status) => google.lines().filter((line) => line.endsWith(`${status}`)).length)).toEqual([3, 3, 3, 3, 3]);
  });

  it("ends with the first good answer", async () => {
    sequence(refusal(503, "UNAVAILABLE"), { json: { name: POOL } });
    await expect(rest(GET)).resolves.toMatchObject({ status: 200 });
    expect(google.arrived).toHaveLength(2);
  });

  it("a connection that is cut is opened again", async () => {
    sequence({ cut: true }, { json: { name: POOL } });
    await expect(rest(GET)).resolves.toMatchObject({ status: 200 });
  });

  it("what may not be sent twice is sent once, unless Google says that it did nothing", async () => {
    google.answer(() => refusal(503, "UNAVAILABLE"));
    await failureOf(rest(CREATE));
    expect(google.arrived).toHaveLength(1);
    google.forget();
    sequence(refusal(429, "RESOURCE_EXHAUSTED"), { json: { name: "operations/1" } });
    await rest(CREATE);
    expect(google.arrived).toHaveLength(2);
  });

  it("does not wait when Retry-After asks for more patience than a command has", async () => {
    sequence({ ...refusal(503, "UNAVAILABLE"), headers: { "retry-after": "15" } }, { json: {} });
    const patient = await createRest(worldWith(env, { timeoutMs: 60_000 }));
    expect((await failureOf(patient(GET))).code).toBe("GCP_UNAVAILABLE");
    expect(google.arrived).toHaveLength(1);
  });

  it.each<readonly [HttpFailureReason, number]>([
    ["reset", 3],
    ["timeout", 1],
    ["tls", 1],
    ["too-large", 1],
  ])("no answer (%s) is GCP_UNREACHABLE after %i attempts", async (reason, attempts) => {
    let sent = 0;
    const http = async () => {
      sent += 1;
      throw new HttpFailure(reason, "ECODE", `iam: ${reason}`, undefined);
    };
    const failure = await failureOf((await createRest(worldWith(env, { http })))(GET));
    expect([failure.code, failure.exit, failure.details["reason"], sent]).toEqual(["GCP_UNREACHABLE", 4, reason, attempts]);
  });

  it("ends at once when interrupted", async () => {
    const stop = new AbortController();
    google.answer(() => {
      stop.abort();
      return { ...refusal(503, "UNAVAILABLE"), headers: { "retry-after": "9" } };
    });
    const failure = await failureOf((await createRest(worldWith(env, { signal: stop.signal })))(GET));
    expect(failure.code).toBe("GCP_UNREACHABLE");
    expect(google.arrived).toHaveLength(1);
  });
});
