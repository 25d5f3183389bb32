import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Pool, Provider } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import { type Bench, edit, POOL, poolNamed, PROJECT, provider, PROVIDER, startGcpBench, type StatusData } from "../support/gcp-bench.ts";

const ROLE = "roles/storage.objectViewer";
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const CONDITION = "attribute.namespace == 'demo'";
const OTHER_ISSUER = "https://oidc.example.com/other";

let bench: Bench;
let restore: () => void;

beforeAll(async () => {
  bench = await startGcpBench();
  await bench.succeed(["setup", "gcp", ...bench.place, "--audience", "vault", "--attribute-condition", CONDITION]);
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

const editPool = (change: Partial<Pool>): Pool => edit(bench.state.pools, POOL, change);
const editProvider = (change: Partial<Provider>): Provider => edit(bench.state.providers, PROVIDER, change);
/** Adds another provider to the pool, as it would be after somebody made it. */
function addProvider(id: string, change: Partial<Provider>): void {
  bench.state.providers.set(`${POOL}/providers/${id}`, { ...provider(bench.state), name: `${POOL}/providers/${id}`, description: "", ...change });
}

describe("status names the drift and repairs nothing", () => {
  const status = (...more: readonly string[]): readonly string[] => ["status", "gcp", ...bench.place, "--audience", "vault", ...more];

  it("when all is well it passes", async () => {
    const { data } = await bench.succeed<StatusData>(status("--attribute-condition", CONDITION));
    expect(data.summary).toMatchObject({ warn: 0, fail: 0 });
  });

  const cases: readonly (readonly [string, () => void, string, string, RegExp])[] = [
    ["another issuer", () => editProvider({ oidc: { ...provider(bench.state).oidc, issuerUri: `${bench.scene.issuer}/` } }), "gcp-provider-issuer", "fail", /instead of/],
    ["an audience that is missing", () => editProvider({ oidc: { ...provider(bench.state).oidc, allowedAudiences: ["other"] } }), "gcp-provider-audiences", "fail", /vault/],
    ["an audience too many", () => editProvider({ oidc: { ...provider(bench.state).oidc, allowedAudiences: ["vault", "other"] } }), "gcp-provider-audiences", "warn", /other/],
    ["another subject", () => editProvider({ attributeMapping: { "google.subject": "assertion.email" } }), "gcp-provider-mapping", "fail", /google\.subject is "assertion\.email"/],
    ["an attribute that is gone", () => editProvider({ attributeMapping: { "google.subject": "assertion.sub" } }), "gcp-provider-mapping", "warn", /attribute\.namespace/],
    ["another condition", () => editProvider({ attributeCondition: "true" }), "gcp-provider-condition", "fail", /"true" instead of/],
    ["a disabled pool", () => editPool({ disabled: true }), "gcp-pool", "fail", /disabled/],
    ["a disabled provider", () => editProvider({ disabled: true }), "gcp-provider", "fail", /disabled/],
    ["a provider that is gone", () => bench.state.providers.delete(PROVIDER), "gcp-provider", "fail", /does not exist/],
    ["a pool that is shared", () => addProvider("other", { oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } }), "gcp-pool-shared", "fail", /providers\/other/],
    ["a pool of another mode", () => editPool({ mode: "TRUST_DOMAIN" }), "gcp-pool", "fail", /TRUST_DOMAIN/],
    ["a pool without our mark", () => editPool({ description: "" }), "gcp-pool", "warn", /no mark/],
    ["uploaded keys that are not the cluster's", () => editProvider({ oidc: { ...provider(bench.state).oidc, jwksJson: '{"keys":[{"kty":"RSA","kid":"old","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri","e":"AQAB"}]}' } }), "gcp-provider-keys", "fail", /./],
  ];

  it.each(cases)("%s", async (_name, change, id, level, says) => {
    change();
    const { exit, document } = await bench.run(status("--attribute-condition", CONDITION));
    const bad = (document.data as unknown as StatusData).checks.filter((check) => check.id === id && check.status === level);
    expect(bad.map(({ message }) => message).join("; "), JSON.stringify(document.data, null, 1)).toMatch(says);
    expect(bad.every(({ hint }) => hint !== "")).toBe(true);
    expect(exit).toBe(level === "fail" ? 3 : 0);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("when a warning is enough, with --strict", async () => {
    editPool({ description: "" });
    expect((await bench.fail(3, status("--strict"))).error.code).toBe("CHECKS_FAILED");
  });

  it("of a pool that was never made", async () => {
    const { data } = await bench.fail<StatusData>(3, ["status", "gcp", ...bench.issuer, "--project", PROJECT, "--pool-id", "nowhere"]);
    expect(data.checks.find(({ id }) => id === "gcp-pool")?.message).toContain(`${poolNamed("nowhere")} does not exist`);
  });
});

describe("status says what it could not read", () => {
  const check = async (args: readonly string[], id: string) => {
    const { exit, document } = await bench.run(["status", "gcp", ...bench.place, "--audience", "vault", ...args]);
    const { checks } = document.data as unknown as { readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string; readonly hint: string }[] };
    return { exit, check: checks.find((one) => one.id === id), all: checks };
  };

  it("as whom it reads, and nothing more when Google lets it read nothing", async () => {
    expect(await check([], "gcp-access")).toMatchObject({ exit: 0, check: { status: "pass", message: expect.stringMatching(/^reading as /) as string } });
    bench.scene.breakWith(({ service }) => (service === "gcp.iam" ? { kind: "status", when: "before", status: 403, headers: { "content-type": "application/json" }, body: '{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no"}}' } : null));
    const denied = await check([], "gcp-access");
    expect(denied).toMatchObject({ exit: 3, check: { status: "fail", hint: expect.stringMatching(/\S/) as string } });
    expect(denied.all.find(({ id }) => id === "issuer-reachable")?.status).toBe("pass");
  });

  it("which binding and which service account are missing", async () => {
    expect(await check(["--service-account", "demo/app", "--role", ROLE], "gcp-grant-binding")).toMatchObject({ exit: 3, check: { status: "fail", message: expect.stringContaining(`does not give ${ROLE} to demo/app`) as string, hint: expect.stringContaining("kubeassume grant gcp") as string } });
    expect(await check(["--service-account", "demo/app", "--impersonate", EMAIL], "gcp-grant-service-account")).toMatchObject({ exit: 3, check: { status: "fail", message: `${EMAIL} does not exist`, hint: expect.stringContaining("--create-service-account") as string } });
  });

  it("that a token would be refused, and that the real service refuses it", async () => {
    edit(bench.state.providers, PROVIDER, { attributeCondition: "false" });
    bench.scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: "app" });
    const { exit, check: judged, all } = await check(["--service-account", "demo/app", "--role", ROLE, "--mint", "--exchange"], "gcp-grant-token");
    expect(exit).toBe(3);
    expect(judged).toMatchObject({ status: "fail", message: expect.stringContaining("unauthorized_client") as string });
    expect(all.find(({ id }) => id === "gcp-exchange")).toMatchObject({ status: "fail", message: "demo/app is refused: unauthorized_client The given credential is rejected by the attribute condition.", hint: expect.stringContaining("kubeassume verify gcp") as string });
    expect(all.find(({ id }) => id === "gcp-propagation")?.status).toBe("skip");
  });
});
