import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AUDIENCE, memberOf, membersOf, policyOf, pool, POOL, PROJECT, provider, PROVIDER, type StatusData, type Steps } from "../support/gcp-bench.ts";
import { expectEnvelope, type OutputEnvelope } from "../support/output-schema.ts";
import { runHere } from "../support/run-here.ts";
import { type Scene, startScene } from "../support/scene.ts";

const VIEWER = "roles/storage.objectViewer";
const USER = "roles/iam.workloadIdentityUser";
const EMAIL = `demo-batch@${PROJECT}.iam.gserviceaccount.com`;

interface Granted extends Steps {
  readonly principal: string;
  readonly credentialConfig: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly manifests: readonly { readonly title: string; readonly yaml: string }[];
  readonly nextSteps: readonly string[];
}

interface Verdict {
  readonly accepted: boolean;
  readonly session: { readonly subject: string; readonly audience: string; readonly provider: string; readonly principal: string } | null;
  readonly exchange: { readonly accepted: boolean; readonly code: string | null; readonly principal: string | null } | null;
}

const actionsOf = (...documents: readonly { readonly data: Steps }[]): readonly string[] => [...new Set(documents.flatMap(({ data }) => data.steps.map(({ action }) => action)))];

let scene: Scene;
let issuer: readonly string[];
let place: readonly string[];

beforeAll(async () => {
  scene = await startScene({ clouds: ["gcp"] });
  issuer = ["--issuer-url", scene.issuer];
  place = [...issuer, "--project", PROJECT, "--pool-id", "prod"];
});

afterAll(() => scene.close());

/** The same without a process of its own: what was shown once needs no second start. */
async function repeat<D = Steps>(kind: string, args: readonly string[]): Promise<OutputEnvelope<D>> {
  const { exit, stdout, stderr } = await runHere(scene, [...args, "--output", "json"]);
  expect(exit, stderr).toBe(0);
  return expectEnvelope<D>(kind, stdout);
}

async function succeed<D = Steps>(kind: string, args: readonly string[]): Promise<OutputEnvelope<D>> {
  const { ran, document } = await scene.runJson(args);
  expect(ran.exit, ran.stderr).toBe(0);
  expect(ran.stderr, "no warning of Node or of a library").not.toMatch(/\(node:\d+\)/);
  return expectEnvelope<D>(kind, document);
}

/** Each test stands on those before it, as the commands do on each other. */
describe("the journey with flags", () => {
  const publish = ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT];
  const setup = ["setup", "gcp", "--pool-name", "Production", "--attribute-condition", "attribute.namespace == 'demo'"];
  const direct = ["grant", "gcp", "--service-account", "demo/app", "--role", VIEWER];
  const impersonated = ["grant", "gcp", "--service-account", "demo/batch", "--impersonate", EMAIL, "--create-service-account", "--apply-manifests"];

  it("publishes the cluster's keys, the keys before the document that names them, and reads them back through the issuer", async () => {
    const { data } = await succeed<Steps & { readonly keys: readonly { readonly status: string }[]; readonly jwksUrl: string }>("PublishResult", [...publish, ...issuer]);
    expect(data.keys.map(({ status }) => status)).toEqual(["added"]);
    expect(data.jwksUrl).toBe(`${scene.issuer}/openid/v1/jwks`);
    const bucket = scene.gcp.state.storage.buckets.get("oidc");
    expect([...(bucket?.objects.keys() ?? [])]).toEqual(["openid/v1/jwks", ".well-known/openid-configuration"]);
    expect(bucket).toMatchObject({ uniform: true, publicAccessPrevention: "inherited", labels: { "kubeassume-managed-by": "kubeassume" } });
    expect([...(bucket?.objects.values() ?? [])].map(({ cacheControl, contentType }) => [cacheControl, contentType])).toEqual([["public, max-age=60", "application/json"], ["public, max-age=60", "application/json"]]);
    expect(bucket?.policy.bindings.filter(({ members }) => members.includes("allUsers")).map(({ role }) => role), "get, and not list").toEqual(["roles/storage.legacyObjectReader"]);
    expect(scene.calls()).toContainEqual(expect.objectContaining({ service: "issuer", action: "GET /oidc/openid/v1/jwks" }));
  });

  it("sets up pool and provider, marked, with the mapping for Kubernetes, and says what is next", async () => {
    const { data, warnings } = await succeed<Steps & { readonly provider: string; readonly audiences: readonly string[]; readonly thumbprint: null; readonly nextSteps: readonly string[] }>("SetupResult", [...setup, ...place]);
    expect(data).toMatchObject({ cloud: "gcp", issuer: scene.issuer, provider: PROVIDER, audiences: [AUDIENCE], thumbprint: null });
    expect(pool(scene.gcp.state)).toMatchObject({ displayName: "Production", state: "ACTIVE", disabled: false, description: `kubeassume.dev/managed-by=kubeassume kubeassume.dev/issuer=${scene.issuer}` });
    expect(provider(scene.gcp.state)).toMatchObject({
      description: `kubeassume.dev/managed-by=kubeassume kubeassume.dev/issuer=${scene.issuer}`,
      attributeMapping: { "google.subject": "assertion.sub", "attribute.namespace": "assertion['kubernetes.io']['namespace']", "attribute.service_account_name": "assertion['kubernetes.io']['serviceaccount']['name']", "attribute.cluster": "assertion.iss" },
      attributeCondition: "attribute.namespace == 'demo'",
      oidc: { issuerUri: scene.issuer, allowedAudiences: [], jwksJson: "" },
    });
    expect(data.nextSteps[0]).toContain(`kubeassume grant gcp --issuer-url ${scene.issuer} --project ${PROJECT} --pool-id prod`);
    expect(warnings.map(({ code }) => code)).toEqual([]);
  });

  it("gives a service account of the cluster a role on the project, and prints what its pods need", async () => {
    const { data } = await succeed<Granted>("GrantResult", [...direct, ...place]);
    expect(data.principal).toBe(memberOf("demo/app"));
    expect(membersOf(policyOf(scene.gcp.state), VIEWER)).toEqual([memberOf("demo/app")]);
    expect(data.credentialConfig).toMatchObject({ type: "external_account", audience: `//iam.googleapis.com/${PROVIDER}`, token_url: "https://sts.googleapis.com/v1/token" });
    expect(data.credentialConfig).not.toHaveProperty("service_account_impersonation_url");
    expect(data.manifests.map(({ title }) => title).join()).toMatch(/ServiceAccount.*ConfigMap.*pod/s);
    expect(data.manifests.map(({ yaml }) => yaml).join("\n")).toContain(`audience: ${AUDIENCE}`);
    expect(data.nextSteps[0]).toContain("kubeassume verify gcp");
  });

  it("makes a Google service account that another one may become, and annotates it in the cluster", async () => {
    const { data } = await succeed<Granted>("GrantResult", [...impersonated, ...place]);
    expect(data.principal).toBe(`serviceAccount:${EMAIL}`);
    expect(data.steps.map(({ id, action }) => [id, action])).toEqual([[`gcp.service-account/${EMAIL}`, "create"], [`gcp.policy/serviceAccounts/${EMAIL}`, "create"], ["cluster.service-account/demo/batch", "create"]]);
    expect(scene.gcp.state.serviceAccounts.get(EMAIL)?.description).toContain(`kubeassume.dev/issuer=${scene.issuer}`);
    expect(policyOf(scene.gcp.state, `serviceAccounts/${EMAIL}`).bindings).toEqual([{ role: USER, members: [memberOf("demo/batch")] }]);
    expect(data.credentialConfig["service_account_impersonation_url"]).toBe(`https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`);
    expect(scene.sandbox.cluster.find("serviceaccounts", "demo", "batch")?.metadata["annotations"]).toMatchObject({ "cloud.google.com/workload-identity-provider": PROVIDER, "cloud.google.com/service-account-email": EMAIL, "cloud.google.com/audience": AUDIENCE });
  });

  it("verifies a minted token of either, and Google agrees", async () => {
    scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: "app" });
    scene.forget();
    const [app, batch] = await Promise.all([
      succeed<Verdict>("VerifyReport", ["verify", "gcp", ...place, "--service-account", "demo/app", "--role", VIEWER, "--exchange"]),
      succeed<Verdict>("VerifyReport", ["verify", "gcp", ...place, "--service-account", "demo/batch", "--impersonate", EMAIL, "--exchange"]),
    ]);
    expect(app.data).toMatchObject({ accepted: true, session: { subject: "system:serviceaccount:demo:app", audience: AUDIENCE, provider: PROVIDER }, exchange: { accepted: true, code: null } });
    expect(app.data.session?.principal).toBe(memberOf("demo/app"));
    expect(batch.data).toMatchObject({ accepted: true, exchange: { accepted: true, code: null, principal: expect.stringContaining(EMAIL) as string } });
    expect([...app.warnings, ...batch.warnings]).toEqual([]);
    expect(scene.calls().filter(({ action }) => action === "POST /v1/token").length).toBeGreaterThan(2);
    expect(scene.calls().filter(({ action }) => action.endsWith(":generateAccessToken"))).toHaveLength(1);
    expect(scene.writes()).toEqual([]);
  });

  it("passes every check of status, with a minted token, and writes nothing for it", async () => {
    scene.forget();
    const { data } = await succeed<StatusData>("StatusReport", ["status", "gcp", ...place, "--service-account", "demo/app", "--role", VIEWER, "--mint", "--exchange"]);
    expect(data.checks.filter(({ status }) => status === "fail" || status === "warn")).toEqual([]);
    expect(data.checks.filter(({ status }) => status === "skip").map(({ id }) => id)).toEqual(["gcp-propagation"]);
    expect(data.checks.map(({ id }) => id)).toEqual(expect.arrayContaining(["gcp-access", "gcp-pool", "gcp-pool-shared", "gcp-provider", "gcp-provider-issuer", "gcp-provider-keys", "gcp-provider-audiences", "gcp-provider-mapping", "gcp-provider-condition", "gcp-grant-binding", "gcp-grant-token", "gcp-exchange"]));
    expect(scene.writes()).toEqual([]);
  });

  it("changes nothing and sends no write when all of it runs again", async () => {
    scene.forget();
    const again = await Promise.all([
      repeat("PublishResult", [...publish, ...issuer]),
      repeat("SetupResult", [...setup, ...place]),
      repeat("GrantResult", [...direct, ...place]),
      repeat("GrantResult", [...impersonated, ...place]),
    ]);
    expect(actionsOf(...again)).toEqual(["none"]);
    expect(scene.writes()).toEqual([]);
  });

  it("removes all of it by the marks alone: bindings, then the trust, then documents and bucket; and says what stays for 30 days", async () => {
    scene.forget();
    const { data } = await succeed<Steps & { readonly leftBehind: readonly string[] }>("TeardownResult", ["teardown", "gcp", ...issuer, "--project", PROJECT, "--delete-bucket", "--yes"]);
    expect(data.leftBehind).toEqual([]);
    expect(data.steps.every(({ status }) => status === "done")).toBe(true);
    expect(data.steps.find(({ id }) => id === "gcp.pool" || id.startsWith("gcp.pool/"))?.reason).toContain("30 days");
    expect([pool(scene.gcp.state).state, scene.gcp.state.serviceAccounts.size, scene.gcp.state.storage.buckets.size]).toEqual(["DELETED", 0, 0]);
    expect(JSON.stringify(policyOf(scene.gcp.state))).not.toContain("workloadIdentityPools");
    const order = scene.writes().map((write) => write.replace(/projects\/[^/:]+/, "projects/P"));
    const at = (pattern: RegExp): number => order.findIndex((write) => pattern.test(write));
    expect(at(/projects\/P:setIamPolicy/)).toBeGreaterThan(-1);
    expect(at(/projects\/P:setIamPolicy/)).toBeLessThan(at(new RegExp(`DELETE .*workloadIdentityPools/prod`)));
    expect(at(/DELETE .*workloadIdentityPools\/prod/)).toBeLessThan(at(/DELETE \/storage\/v1\/b\/oidc\/o\//));
    expect(order.at(-1)).toBe("gcp.storage DELETE /storage/v1/b/oidc");
  });

  it("finds nothing to remove the second time", async () => {
    scene.forget();
    const { data } = await repeat("TeardownResult", ["teardown", "gcp", ...issuer, "--project", PROJECT, "--delete-bucket", "--yes"]);
    expect(data.steps).toEqual([]);
    expect(scene.writes()).toEqual([]);
  });

  it("comes back from the soft delete, and works again", async () => {
    const { data } = await repeat("SetupResult", [...setup, ...place]);
    expect(data.steps.map(({ id, action }) => [id, action])).toEqual([["gcp.pool", "update"], ["gcp.provider", "update"]]);
    expect([pool(scene.gcp.state).state, provider(scene.gcp.state).state]).toEqual(["ACTIVE", "ACTIVE"]);
    expect(POOL).toBe(pool(scene.gcp.state).name);
  });
});
