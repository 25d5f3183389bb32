import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newBucket } from "../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import type { Fault } from "../../src/federation/sandbox/traffic.ts";
import { type Bench, found, memberOf, POOL, PROJECT, provider, PROVIDER, startGcpBench, type Steps } from "../support/gcp-bench.ts";

const ROLE = "roles/storage.objectViewer";
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const DOCUMENT = ".well-known/openid-configuration";

let bench: Bench;
let restore: () => void;

beforeAll(async () => {
  bench = await startGcpBench();
  await bench.succeed(publish("--create-bucket"));
  await bench.succeed(setup());
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

const setup = (...more: readonly string[]): readonly string[] => ["setup", "gcp", ...bench.place, ...more];
const grant = (...more: readonly string[]): readonly string[] => ["grant", "gcp", ...bench.place, "--service-account", "demo/app", ...more];
const publish = (...more: readonly string[]): readonly string[] => ["publish", "gcs", "--bucket", "oidc", "--project", PROJECT, ...bench.issuer, ...more];
const teardown = (...more: readonly string[]): readonly string[] => ["teardown", "gcp", ...bench.issuer, "--project", PROJECT, "--yes", ...more];

const bucket = (name = "oidc") => found(bench.state.storage.buckets, name);
const answering = (status: number, body: unknown): Fault => ({ kind: "status", when: "before", status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const refusing = (code: number, status: string, message: string, details: readonly object[] = []): Fault => answering(code, { error: { code, status, message, details } });
const info = (reason: string): object => ({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com", metadata: { service: "iam.googleapis.com", consumer: "projects/1" } });

describe("what is odd about a bucket stops nothing and is said, or is refused before the first write", () => {
  const warned = async (args: readonly string[]): Promise<readonly (readonly [string, boolean])[]> => (await bench.succeed(args)).warnings.filter(({ code }) => code.startsWith("GCS_")).map(({ code, message }) => [code, message.includes("oidc")]);

  it("another location than the bucket's", async () => {
    const { error } = await bench.fail(2, publish("--location", "europe-west1"));
    expect(error).toMatchObject({ code: "GCS_BUCKET_LOCATION", message: "bucket oidc is in US, not in EUROPE-WEST1" });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("something of somebody else that everybody could then read", async () => {
    const [document] = bucket().objects.values();
    if (document === undefined) throw new Error("no document");
    bench.state.storage.buckets.set("mixed", newBucket({ name: "mixed", project: PROJECT, projectNumber: bench.state.project.number, at: new Date(0), uniform: true }));
    bucket("mixed").objects.set("payroll.csv", { ...document, name: "payroll.csv", metadata: {} });
    const { error } = await bench.fail(2, publish("--bucket", "mixed"));
    expect(error).toMatchObject({ code: "GCS_WOULD_BECOME_PUBLIC", message: expect.stringContaining("payroll.csv") as string, hint: expect.stringContaining("bucket of its own") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("everybody who can list it", async () => {
    bucket().policy = { ...bucket().policy, bindings: [...bucket().policy.bindings, { role: ROLE, members: ["allUsers"] }] };
    expect(await warned(publish())).toEqual([["GCS_BUCKET_LISTABLE", true]]);
  });

  it("access control lists", async () => {
    Object.assign(bucket(), { uniform: false, labels: {} });
    expect(await warned(publish())).toEqual([["GCS_ACLS_USED", true]]);
    expect(bucket().uniform).toBe(true);
  });

  it("a store that does not know policies", async () => {
    bench.scene.breakWith(({ service, url }) => (service === "gcp.storage" && new URL(url).pathname.endsWith("/iam") ? answering(404, {}) : null));
    expect(await warned(publish())).toEqual([["GCS_SETTING_UNSUPPORTED", true]]);
  });

  it("an organization that forbids readers: a 412 that is no race", async () => {
    bench.state.storage.publicAccessPrevented = true;
    bucket().policy = { version: 1, bindings: [] };
    const { exit, document } = await bench.run(publish());
    expect([4, 5]).toContain(exit);
    expect(JSON.stringify(document)).toContain("GCS_PUBLIC_ACCESS_PREVENTED");
    expect(JSON.stringify(document)).toContain("storage.publicAccessPrevention");
    expect(bench.sent().filter(({ path }) => path.endsWith("/iam"))).toHaveLength(1);
  });

  it("what a teardown must leave", async () => {
    const [document] = bucket().objects.values();
    if (document === undefined) throw new Error("no document");
    bucket().objects.set("theirs.txt", { ...document, name: "theirs.txt", metadata: {} });
    expect((await bench.fail(5, teardown("--delete-bucket"))).warnings.map(({ code }) => code)).toEqual(["GCS_BUCKET_NOT_EMPTY"]);
    restore();
    bucket().objects.set(DOCUMENT, { ...found(bucket().objects, DOCUMENT), metadata: {} });
    const { warnings } = await bench.fail(5, teardown());
    expect(warnings.map(({ code, message }) => [code, message.includes(DOCUMENT)])).toEqual([["GCS_NOT_OURS", true]]);
    expect(bucket().objects.has(DOCUMENT)).toBe(true);
  });
});

describe("what Google answers has a code of its own, by its status and reason and never by its words", () => {
  const CASES: readonly (readonly [string, Fault, string, RegExp])[] = [
    ["a quota project that cannot be used", refusing(403, "PERMISSION_DENIED", "x", [info("USER_PROJECT_DENIED")]), "GCP_QUOTA_PROJECT_INVALID", /set-quota-project/],
    ["a quota that is used up", refusing(429, "RESOURCE_EXHAUSTED", "x", [info("RESOURCE_QUOTA_EXCEEDED")]), "GCP_LIMIT_EXCEEDED", /quota/],
    ["an organization policy", refusing(400, "FAILED_PRECONDITION", "x", [{ "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations: [{ type: "constraints/iam.workloadIdentityPoolProviders", subject: "orgpolicy:projects/1" }] }]), "GCP_ORG_POLICY", /have constraints\/iam\.workloadIdentityPoolProviders allow it/],
    ["something without a code here", refusing(400, "FAILED_PRECONDITION", "a reason of its own"), "GCP_REFUSED", /Google's words/],
    ["an expired token", refusing(401, "UNAUTHENTICATED", "x", [info("ACCESS_TOKEN_EXPIRED")]), "GCP_CREDENTIALS_EXPIRED", /gcloud auth/],
    ["an answer that is none", { kind: "status", when: "before", status: 200, headers: { "content-type": "text/html" }, body: "<html>sign in</html>" }, "GCP_UNREACHABLE", /HTTPS_PROXY/],
    ["an operation that fails", answering(200, { name: "projects/1/locations/global/workloadIdentityPools/second/operations/x", done: true, error: { code: 9, message: "Google's own reason" } }), "GCP_OPERATION_FAILED", /Google's words/],
  ];

  it.each(CASES)("%s", async (_name, fault, code, hint) => {
    bench.scene.breakWith(({ service, method }) => (service === "gcp.iam" && method === "POST" ? fault : null));
    const { error } = await bench.fail(4, setup("--pool-id", "second"));
    expect(error.code, error.message).toBe(code);
    expect(error.hint).toMatch(hint);
  });

  it("an operation that takes its time is waited for, and what Google does not know yet is a disagreement, with a word about it", async () => {
    const slow = await startGcpBench({ operationMs: 50, propagationMs: 600_000 });
    try {
      const { stderr } = await slow.run(["setup", "gcp", ...slow.place]);
      expect([...slow.state.pools.keys(), ...slow.state.providers.keys()], stderr).toEqual([POOL, PROVIDER]);
      expect(slow.scene.calls().filter(({ action }) => action.includes("/operations/"))).toHaveLength(2);
      expect(stderr).toMatch(/Google takes about 2 minutes/);
      const token = slow.scene.sandbox.cluster.mintToken({ namespace: "demo", name: "app" }, { audiences: [`https://iam.googleapis.com/${PROVIDER}`] });
      slow.state.policies.set(`projects/${PROJECT}`, { versions: [{ policy: { version: 1, etag: "AA==", bindings: [{ role: ROLE, members: [memberOf("demo/app")] }] }, at: new Date(0) }] });
      const { data, warnings } = await slow.fail<{ readonly accepted: boolean; readonly exchange: { readonly code: string } }>(3, ["verify", "gcp", ...slow.place, "--token-file", "-", "--exchange"], { input: token });
      expect([data.accepted, data.exchange.code, warnings.map(({ code }) => code)]).toEqual([true, "invalid_target", ["VERDICTS_DIFFER"]]);
    } finally {
      await slow.scene.close();
    }
  });

  it("what went away between reading and writing", async () => {
    bench.state.serviceAccounts.set(EMAIL, { email: EMAIL, uniqueId: "1".repeat(21), displayName: "", description: "", disabled: false, since: new Date(0) });
    let reads = 0;
    bench.scene.breakWith(({ url }) => (url.includes(":getIamPolicy") && (reads += 1) === 2 ? refusing(404, "NOT_FOUND", "x") : null));
    const { error } = await bench.fail(4, grant("--impersonate", EMAIL));
    expect(error).toMatchObject({ code: "GCP_NOT_FOUND", message: expect.stringContaining(EMAIL) as string });
  });

  it("a service account of another project, which is fine and must be remembered", async () => {
    const other = "demo-app@other-project.iam.gserviceaccount.com";
    bench.scene.breakWith(({ url }) => {
      if (!url.includes(`/projects/other-project/serviceAccounts/${other}`)) return null;
      return answering(200, url.includes(":getIamPolicy") ? { etag: "AA==" } : { email: other });
    });
    const { warnings } = await bench.succeed([...grant("--impersonate", other), "--dry-run"]);
    expect(warnings.map(({ code, hint }) => [code, hint.includes("teardown gcp --project other-project")])).toEqual([["GCP_SERVICE_ACCOUNT_ELSEWHERE", true]]);
  });

  it("a discovery document without an algorithm of Google's", async () => {
    bench.scene.breakWith(({ service, url }) => (service === "issuer" && url.endsWith(DOCUMENT) ? answering(200, { issuer: bench.scene.issuer, jwks_uri: `${bench.scene.issuer}/openid/v1/jwks`, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["EdDSA"] }) : null));
    const { warnings } = await bench.succeed(setup());
    expect(warnings.map(({ code, message }) => [code, message.includes("EdDSA")])).toEqual([["GCP_ALGORITHMS_UNSUPPORTED", true]]);
  });
});

describe("a policy that somebody else changes each time", () => {
  it("ends as a conflict after a bounded number of tries, of the project as of a bucket", async () => {
    const tries = { project: 0, bucket: 0 };
    bucket().policy = { version: 1, bindings: [] };
    bench.scene.breakWith(({ method, url }) => {
      if (method === "PUT" && new URL(url).pathname.endsWith("/oidc/iam")) {
        tries.bucket += 1;
        bucket().metageneration += 1;
      }
      if (!url.endsWith(`projects/${PROJECT}:setIamPolicy`)) return null;
      tries.project += 1;
      return refusing(409, "ABORTED", "There were concurrent policy changes.");
    });
    const [granted, published] = await Promise.all([bench.fail<Steps>(4, grant("--role", ROLE)), bench.run(publish())]);
    expect(granted.error.code).toBe("GCP_CONFLICT");
    expect(granted.data.steps.map(({ status }) => status)).toEqual(["failed"]);
    expect([4, 5]).toContain(published.exit);
    expect(published.stdout).toContain("GCS_POLICY_CONFLICT");
    for (const count of Object.values(tries)) expect([count > 2, count < 20]).toEqual([true, true]);
  });
});

describe("records of verify that only files can hold", () => {
  const jwks = () => ({ keys: bench.scene.sandbox.cluster.keys.jwks as readonly object[] });
  const trust = () => ({ pool: { name: POOL, state: "ACTIVE" } as object, provider: { name: PROVIDER, state: "ACTIVE", attributeMapping: provider(bench.state).attributeMapping, oidc: { issuerUri: bench.scene.issuer } }, projectPolicy: { version: 1, etag: "AA==", bindings: [{ role: ROLE, members: [memberOf("demo/app")] }] } as object });
  type Trust = ReturnType<typeof trust>;

  const CASES: readonly (readonly [string, string, (given: { trust: Trust; jwks: unknown }) => { trust?: Partial<Trust>; jwks?: unknown }])[] = [
    ["the project's ID where its number belongs", "gcp-provider-name", (given) => ({ trust: { provider: { ...given.trust.provider, name: PROVIDER.replace(/\d+/, PROJECT) } } })],
    ["a key set without keys", "gcp-keys", () => ({ jwks: {} })],
    ["a key of another curve under the token's kid", "gcp-key-usable", () => ({ jwks: { keys: [{ kty: "EC", crv: "P-384", kid: bench.scene.sandbox.cluster.keys.signingKid, x: "AA", y: "AA" }] } })],
    ["an attribute that is no text", "gcp-attributes", (given) => ({ trust: { provider: { ...given.trust.provider, attributeMapping: { "google.subject": "assertion.sub", "attribute.audiences": "assertion.aud" } } } })],
    ["a policy that IAM would not take", "gcp-policy-form", () => ({ trust: { projectPolicy: { bindings: [{ role: ROLE, members: "everybody" }] } } })],
  ];

  it.each(CASES)("%s", async (_name, id, change) => {
    const token = bench.scene.sandbox.cluster.mintToken({ namespace: "demo", name: "app" }, { audiences: [`https://iam.googleapis.com/${PROVIDER}`] });
    const given = { trust: trust(), jwks: jwks() };
    const changed = change(given);
    const files = [
      "--trust-file", await bench.scene.file("trust.json", JSON.stringify({ ...given.trust, ...changed.trust })),
      "--jwks-file", await bench.scene.file("jwks.json", JSON.stringify(changed.jwks ?? given.jwks)),
    ];
    const { data } = await bench.fail<{ readonly checks: readonly { readonly id: string; readonly status: string; readonly hint: string }[] }>(3, ["verify", "gcp", "--token-file", "-", ...files], { input: token });
    const [ruling] = data.checks.filter(({ status }) => status === "fail");
    expect([ruling?.id, ruling?.hint !== ""]).toEqual([id, true]);
    expect(bench.scene.calls()).toEqual([]);
  });

  it("and without a change they are accepted", async () => {
    const token = bench.scene.sandbox.cluster.mintToken({ namespace: "demo", name: "app" }, { audiences: [`https://iam.googleapis.com/${PROVIDER}`] });
    const files = ["--trust-file", await bench.scene.file("trust.json", JSON.stringify(trust())), "--jwks-file", await bench.scene.file("jwks.json", JSON.stringify(jwks()))];
    await bench.succeed(["verify", "gcp", "--token-file", "-", ...files], { input: token });
  });
});
