import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gcpFault } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import { newBucket } from "../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { type Bench, codesOf, edit, found, PROJECT, PROVIDER, startGcpBench } from "../support/gcp-bench.ts";
import type { OutputProblem } from "../support/output-schema.ts";

const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const ROLE = "roles/storage.objectViewer";

let bench: Bench;
let restore: () => void;

beforeAll(async () => {
  bench = await startGcpBench();
  await bench.succeed(["setup", "gcp", ...bench.place]);
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

describe("what Google knows and the caller does not", () => {
  const ours = (...args: readonly string[]): readonly string[] => [...bench.place, ...args];
  const grantHere = (...args: readonly string[]): readonly string[] => ["grant", "gcp", ...ours("--service-account", "demo/app", ...args)];

  it("a role that does not exist is named, and nothing is bound", async () => {
    const { error } = await bench.fail(2, grantHere("--role", "roles/storage.objectWiever"));
    expect(error).toMatchObject({ code: "GCP_ROLE_MISSING", message: expect.stringContaining("roles/storage.objectWiever") as string, hint: expect.stringContaining("list-grantable-roles") as string });
    expect(JSON.stringify(bench.state.policies.get(`projects/${PROJECT}`))).not.toContain("objectWiever");
  });

  it("a bucket that does not exist", async () => {
    const { error } = await bench.fail(2, grantHere("--role", ROLE, "--on", "bucket:nowhere"));
    expect(error).toMatchObject({ code: "GCP_BUCKET_MISSING", message: expect.stringContaining("nowhere") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("an attribute condition that rejects every service account of the config", async () => {
    const file = await bench.scene.file("rejects.yaml", `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${bench.scene.issuer}\nclouds:\n  gcp: { project: ${PROJECT}, poolId: prod }\ngrants:\n  - serviceAccount: demo/app\n    gcp: { roles: [${ROLE}] }\n  - serviceAccount: other/app\n    gcp: { roles: [${ROLE}] }\n`);
    const set = (condition: string): readonly string[] => ["setup", "gcp", "--config", file, "--attribute-condition", condition];
    const { error } = await bench.fail(2, set("attribute.namespace == 'nowhere'"));
    expect(error).toMatchObject({ code: "GCP_CONDITION_REJECTS_GRANTS", message: expect.stringMatching(/rejects demo\/app.*other\/app/) as string, hint: expect.stringContaining("--attribute-condition") as string });
    expect(bench.scene.writes()).toEqual([]);
    const some = await bench.succeed([...set("attribute.namespace == 'demo'"), "--dry-run"]);
    expect(some.warnings.map(({ code, message }) => [code, message.includes("other/app"), message.includes("demo/app")])).toEqual([["GCP_CONDITION_REJECTS_SOME", true, false]]);
    const unclear = await bench.succeed([...set("assertion['kubernetes.io']['pod']['name'].startsWith('api-')"), "--dry-run"]);
    expect(unclear.warnings.map(({ code }) => code)).toEqual(["GCP_CONDITION_UNJUDGED"]);
  });

  const APIS: readonly (readonly [string, () => readonly string[]])[] = [
    ["iam.googleapis.com", () => ["setup", "gcp", ...ours()]],
    ["cloudresourcemanager.googleapis.com", () => grantHere("--role", ROLE)],
    ["storage.googleapis.com", () => ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...bench.issuer]],
  ];

  it.each(APIS)("an API that is not enabled: %s is named with the command that enables it", async (api, args) => {
    bench.state.disabledApis.add(api);
    const document = await bench.fail(4, args());
    const [problem = document.error] = (document.error.details["problems"] as readonly OutputProblem[] | undefined) ?? [];
    expect(problem).toMatchObject({ code: "GCP_API_DISABLED", message: expect.stringContaining(api) as string, hint: expect.stringContaining(`gcloud services enable ${api} --project`) as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("an API that is not enabled stops --exchange, and is no verdict about the token", async () => {
    bench.state.disabledApis.add("iamcredentials.googleapis.com");
    bench.state.serviceAccounts.set(EMAIL, { email: EMAIL, uniqueId: "1".repeat(21), displayName: "", description: "", disabled: false, since: new Date(0) });
    await bench.succeed(grantHere("--impersonate", EMAIL));
    const { error } = await bench.fail(4, ["verify", "gcp", ...ours("--service-account", "demo/default", "--impersonate", EMAIL, "--exchange")]);
    expect(error).toMatchObject({ code: "GCP_API_DISABLED", message: expect.stringContaining("iamcredentials.googleapis.com") as string });
  });

  const DENIALS: readonly (readonly [string, () => readonly string[]])[] = [
    ["iam.workloadIdentityPools.get", () => ["setup", "gcp", ...ours()]],
    ["iam.workloadIdentityPools.create", () => ["setup", "gcp", ...ours("--pool-id", "second")]],
    ["iam.workloadIdentityPoolProviders.update", () => ["setup", "gcp", ...ours("--audience", "vault")]],
    ["resourcemanager.projects.setIamPolicy", () => grantHere("--role", ROLE)],
    ["iam.serviceAccounts.create", () => grantHere("--impersonate", EMAIL, "--create-service-account")],
    ["storage.buckets.create", () => ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, ...bench.issuer]],
  ];

  it.each(DENIALS)("a permission that the caller has not: %s is named, with the way to the least role", async (permission, args) => {
    bench.state.denyPermissions.add(permission);
    const { exit, document } = await bench.run(args());
    expect([4, 5], document.error?.message).toContain(exit);
    const text = JSON.stringify(document);
    expect(text).toContain("GCP_ACCESS_DENIED");
    expect(text).toContain(permission);
    expect(text).toContain("kubeassume permissions gcp");
  });

  it.each([["gcp.iam", "throttling", "GCP_THROTTLED"], ["gcp.iam", "unavailable", "GCP_UNAVAILABLE"], ["gcp.cloudresourcemanager", "internal", "GCP_UNAVAILABLE"]] as const)("load: %s that answers %s is reported after a few attempts, without a write", async (service, kind, code) => {
    let asked = 0;
    bench.scene.breakWith((request) => (request.service === service ? ((asked += 1), { ...gcpFault(service, kind), headers: { "content-type": "application/json", "retry-after": "60" } }) : null));
    const document = await bench.fail(4, ["setup", "gcp", ...ours()]);
    expect(new Set(codesOf(document))).toEqual(new Set([code]));
    expect(document.error.hint).toMatch(/again/);
    expect(asked).toBeGreaterThan(0);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("a bucket of another project is not written to", async () => {
    bench.state.storage.buckets.set("taken", newBucket({ name: "taken", project: "other", projectNumber: "999999999999", at: new Date(0) }));
    const { error } = await bench.fail(4, ["publish", "gcs", "--bucket", "taken", "--create-bucket", "--project", PROJECT, ...bench.issuer]);
    expect(error).toMatchObject({ code: "GCS_BUCKET_FOREIGN", message: expect.stringContaining("taken") as string });
    expect(found(bench.state.storage.buckets, "taken").objects.size).toBe(0);
  });

  it("a key set that Google would refuse is not uploaded", async () => {
    const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey.export({ format: "jwk" });
    const file = await bench.scene.file("p521.json", JSON.stringify({ keys: [{ ...p521, kid: "p521", use: "sig" }] }));
    const { error } = await bench.fail(2, ["setup", "gcp", ...ours("--keys", "upload", "--jwks-file", file)]);
    expect(error).toMatchObject({ code: "GCP_NO_USABLE_KEY", message: expect.stringContaining("p521") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("a provider that was changed to another issuer's form is not granted for in silence", async () => {
    edit(bench.state.providers, PROVIDER, { attributeMapping: { "google.subject": "assertion.email" } });
    expect((await bench.fail(2, grantHere("--role", ROLE))).error.code).toBe("GCP_SUBJECT_DIFFERS");
  });
});
