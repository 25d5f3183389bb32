import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bench, changed, edit, memberOf, membersOf, policyOf, pool, PROJECT, provider, startGcpBench, type StatusData, type Steps } from "../support/gcp-bench.ts";
import { newBucket } from "../../src/federation/clouds/gcp/sandbox/storage/state.ts";

const EMAIL = `worker@${PROJECT}.iam.gserviceaccount.com`;
const VIEWER = "roles/storage.objectViewer";

let bench: Bench;

beforeAll(async () => {
  bench = await startGcpBench();
  const { scene, state } = bench;
  state.storage.buckets.set("data", newBucket({ name: "data", project: PROJECT, projectNumber: state.project.number, at: new Date(0), uniform: true }));
  await scene.file("kubeassume.yaml", `apiVersion: kubeassume.dev/v1
kind: Federation
issuer: ${scene.issuer}
publish:
  - gcs: { bucket: oidc, project: ${PROJECT} }
clouds:
  gcp: { project: ${PROJECT}, poolId: prod, poolName: Production, audiences: [vault, "${scene.issuer}"], subjectPrefix: "prod:", attributeCondition: "attribute.namespace == 'demo'" }
grants:
  - serviceAccount: demo/api
    gcp: { roles: [${VIEWER}, roles/logging.logWriter] }
  - serviceAccount: demo/reader
    gcp: { roles: [${VIEWER}], on: bucket:data }
  - serviceAccount: demo/worker
    gcp: { impersonate: ${EMAIL}, createServiceAccount: true }
`);
});

afterAll(() => bench.scene.close());

const prefixed = (account: string): string => memberOf(account, { prefix: "prod:" });

/** Each test stands on those before it. */
describe("the journey with kubeassume.yaml", () => {
  it("brings about the trust and all grants without a flag", async () => {
    await bench.succeed(["publish", "gcs", "--create-bucket"]);
    await bench.succeed(["setup", "gcp"]);
    const { data } = await bench.succeed<Steps & { readonly grants: readonly { readonly principal: string; readonly serviceAccounts: readonly string[] }[] }>(["grant", "gcp"]);
    expect(data.grants.map(({ principal }) => principal)).toEqual([prefixed("demo/api"), prefixed("demo/reader"), `serviceAccount:${EMAIL}`]);
    expect(pool(bench.state).displayName).toBe("Production");
    expect(provider(bench.state)).toMatchObject({ attributeMapping: { "google.subject": "'prod:' + assertion.sub" }, oidc: { allowedAudiences: ["vault", bench.scene.issuer] } });
    const project = policyOf(bench.state);
    expect([membersOf(project, VIEWER), membersOf(project, "roles/logging.logWriter")]).toEqual([[prefixed("demo/api")], [prefixed("demo/api")]]);
    expect(bench.state.storage.buckets.get("data")?.policy.bindings).toContainEqual({ role: VIEWER, members: [prefixed("demo/reader")] });
    expect(policyOf(bench.state, `serviceAccounts/${EMAIL}`).bindings).toEqual([{ role: "roles/iam.workloadIdentityUser", members: [prefixed("demo/worker")] }]);
  });

  it("changes nothing the second time", async () => {
    bench.forget();
    const again = [await bench.succeed(["publish", "gcs"]), await bench.succeed(["setup", "gcp"]), await bench.succeed(["grant", "gcp"])];
    expect(again.flatMap(changed)).toEqual([]);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("checks all grants, and exchanges a token of each", async () => {
    for (const name of ["api", "reader", "worker"]) bench.scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name });
    const { data } = await bench.succeed<StatusData>(["status", "--exchange"]);
    expect(data.checks.filter(({ status }) => status === "fail" || status === "warn")).toEqual([]);
    const passed = (id: string): number => data.checks.filter((check) => check.id === id && check.status === "pass").length;
    expect([passed("gcp-grant-binding"), passed("gcp-grant-token"), passed("gcp-grant-service-account"), passed("gcp-exchange")]).toEqual([3, 3, 1, 3]);
  });

  it("asks for as much at a time as there is, without a word of Node about it", async () => {
    const grants = Array.from({ length: 15 }, (_, index) => ({ serviceAccount: `demo/app-${index}`, gcp: { roles: [VIEWER] } }));
    for (let index = 0; index < 15; index += 1) bench.scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: `app-${index}` });
    const file = await bench.scene.file("many.yaml", JSON.stringify({ apiVersion: "kubeassume.dev/v1", kind: "Federation", issuer: bench.scene.issuer, clouds: { gcp: { project: PROJECT, poolId: "prod", subjectPrefix: "prod:" } }, grants }));
    const { stdout, stderr } = await bench.scene.run(["status", "--config", file, "--mint", "--verbose"]);
    expect(stdout, stderr).toContain("gcp-grant-token");
    expect(stderr).not.toMatch(/\(node:\d+\)/);
  });

  it("verifies by the grant of the config, whom it impersonates included", async () => {
    const { data } = await bench.succeed<{ readonly accepted: boolean; readonly session: { readonly principal: string } }>(["verify", "gcp", "--service-account", "demo/worker"]);
    expect(data).toMatchObject({ accepted: true, session: { principal: expect.stringContaining(EMAIL) as string } });
  });

  it("repairs one of the grants alone when one is named", async () => {
    edit(bench.state.policies, `serviceAccounts/${EMAIL}`, { versions: [] });
    const { data } = await bench.succeed(["grant", "gcp", "--service-account", "demo/worker"]);
    expect(changed({ data }).map(({ id }) => id)).toEqual([`gcp.policy/serviceAccounts/${EMAIL}`]);
  });

  it("removes the grants and nothing else with --grants-only, then the trust, then the documents", async () => {
    const grants = await bench.succeed(["teardown", "--grants-only", "--yes"]);
    expect(grants.data.steps.map(({ id }) => id).filter((id) => !/policy|service-account/.test(id))).toEqual([]);
    expect([pool(bench.state).state, bench.state.serviceAccounts.size]).toEqual(["ACTIVE", 0]);
    await bench.succeed(["teardown", "--keep-documents", "--yes"]);
    expect([pool(bench.state).state, bench.state.storage.buckets.get("oidc")?.objects.size]).toEqual(["DELETED", 2]);
    await bench.succeed(["teardown", "--yes"]);
    expect(bench.state.storage.buckets.get("oidc")?.objects.size).toBe(0);
    await bench.succeed(["teardown", "--delete-bucket", "--yes"]);
    expect([...bench.state.storage.buckets.keys()]).toEqual(["data"]);
  });
});
