import { beforeAll, describe, expect, it } from "vitest";
import { actionsOf, runDone, runJson } from "./support/front-door.ts";
import { describeGcloud } from "./support/gcp-gcloud.ts";
import { startGcloudScene } from "./support/gcp-gcloud-scene.ts";
import type { GcloudScene } from "./support/gcp-gcloud-scene.ts";
import { memberOf, NUMBER, PROJECT, providerOf } from "./support/gcp-project.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

type Json = Readonly<Record<string, unknown>>;

const MAPPING = {
  "google.subject": "assertion.sub",
  "attribute.namespace": "assertion['kubernetes.io']['namespace']",
  "attribute.service_account_name": "assertion['kubernetes.io']['serviceaccount']['name']",
  "attribute.cluster": "assertion.iss",
};

describeGcloud("the real gcloud, in the environment of `kubeassume sandbox gcp`", () => {
  const running = stoppedAfterAll();
  let scene: GcloudScene;

  const pools = (...args: readonly string[]): Promise<unknown> => scene.ask("iam", "workload-identity-pools", ...args, "--location=global");
  const providers = (pool: string, ...args: readonly string[]): Promise<unknown> => pools("providers", ...args, `--workload-identity-pool=${pool}`);

  beforeAll(async () => {
    scene = await running(startGcloudScene());
  });

  it("is the sandbox's operator, and knows the project", async () => {
    expect(await scene.ask("projects", "describe", PROJECT)).toMatchObject({ projectId: PROJECT, projectNumber: NUMBER });
    const { stdout } = await scene.run("auth", "print-access-token");
    expect(await scene.operator.identify(stdout.trim())).toContain("/subject/operator");
  });

  describe("after setup and grant", () => {
    beforeAll(async () => {
      await scene.setup("ours", "--pool-name", "our cluster", "--audience", "sts.example.com", "--attribute-condition", "attribute.namespace == 'payments'");
    });

    it("lists and describes the pool", async () => {
      const pool = { name: `projects/${NUMBER}/locations/global/workloadIdentityPools/ours`, displayName: "our cluster", description: expect.stringContaining("kubeassume.dev/managed-by=kubeassume"), state: "ACTIVE" };
      expect(await pools("describe", "ours")).toEqual(pool);
      expect(await pools("list")).toContainEqual(pool);
    });

    it("lists and describes the provider, with everything in it", async () => {
      const issuerUri = scene.sandbox.issuer;
      const provider = {
        name: providerOf("ours"),
        description: expect.stringContaining(`kubeassume.dev/issuer=${issuerUri}`),
        state: "ACTIVE",
        attributeMapping: MAPPING,
        attributeCondition: "attribute.namespace == 'payments'",
        oidc: { issuerUri, allowedAudiences: ["sts.example.com"] },
      };
      expect(await providers("ours", "describe", "kubernetes")).toEqual(provider);
      expect(await providers("ours", "list")).toEqual([provider]);
    });

    it("reads the granted role in the policy, beside the operator's own", async () => {
      await scene.grant("ours", "--service-account", "payments/api", "--audience", "sts.example.com", "--role", "roles/storage.objectViewer");
      const { bindings } = (await scene.ask("projects", "get-iam-policy", PROJECT)) as { bindings: readonly Json[] };
      expect(bindings).toEqual(expect.arrayContaining([{ role: "roles/storage.objectViewer", members: [memberOf("ours", "payments/api")] }, { role: "roles/owner", members: [expect.stringContaining("/subject/operator")] }]));
    });

    it("sees the pool deleted for thirty days after teardown, and active again after setup", async () => {
      await scene.setup("gone");
      const teardown = ["teardown", "gcp", "--issuer-url", scene.sandbox.issuer, "--project", PROJECT, "--keep-documents", "--yes"];
      await runDone("TeardownResult", teardown, { env: scene.sandbox.env });
      expect(await pools("list")).toEqual([]);
      const { state, expireTime } = (await pools("describe", "gone")) as { state: string; expireTime: string };
      expect({ state, days: Math.round((Date.parse(expireTime) - Date.now()) / 86_400_000) }).toEqual({ state: "DELETED", days: 30 });
      const { steps } = await scene.setup("gone");
      expect(steps.map(({ action }) => action)).toEqual(["update", "update"]);
      expect([await pools("describe", "gone"), await providers("gone", "describe", "kubernetes")]).toEqual([expect.objectContaining({ state: "ACTIVE" }), expect.objectContaining({ state: "ACTIVE" })]);
    });
  });

  describe("before setup", () => {
    const team = "assertion.sub.extract('system:serviceaccount:{team}:')";
    const setup = (): readonly string[] => ["setup", "gcp", ...scene.place("theirs")];

    beforeAll(async () => {
      await pools("create", "theirs", "--description=of the platform team");
      await providers("theirs", "create-oidc", "kubernetes", `--issuer-uri=${scene.sandbox.issuer}`, `--attribute-mapping=google.subject=assertion.sub,attribute.team=${team}`, "--description=do not touch");
    });

    it("has made a pool and a provider that setup leaves alone without --adopt", async () => {
      const before = await scene.operator.readProject();
      const { exit, document } = await runJson("SetupResult", setup(), { env: scene.sandbox.env });
      const problems = document.error?.details["problems"] as readonly { code: string }[];
      expect({ exit, codes: problems.map(({ code }) => code) }).toEqual({ exit: 2, codes: ["NOT_OURS", "NOT_OURS"] });
      expect(await scene.operator.readProject()).toEqual(before);
    });

    it("finds its own words and attributes beside ours after --adopt", async () => {
      const actions = async (): Promise<readonly string[]> => Object.values(actionsOf(await scene.setup("theirs", "--adopt")));
      expect(await actions()).toEqual(["adopt", "adopt"]);
      expect(await pools("describe", "theirs")).toMatchObject({ description: expect.stringMatching(/^of the platform team kubeassume\.dev\/managed-by=kubeassume /) });
      expect(await providers("theirs", "describe", "kubernetes")).toMatchObject({
        description: expect.stringMatching(/^do not touch kubeassume\.dev\/managed-by=kubeassume /),
        attributeMapping: { ...MAPPING, "attribute.team": team },
      });
      expect(await actions()).toEqual(["none", "none"]);
    });

    it("changes what status then names and setup repairs", async () => {
      await providers("theirs", "update-oidc", "kubernetes", "--allowed-audiences=vault", "--attribute-mapping=google.subject='x/'+assertion.sub");
      const { exit, data } = await runJson<{ checks: readonly { id: string; status: string }[] }>("StatusReport", ["status", ...setup().slice(1)], { env: scene.sandbox.env });
      const failed = data.checks.filter(({ status }) => status === "fail").map(({ id }) => id);
      expect({ exit, failed }).toEqual({ exit: 3, failed: ["gcp-provider-audiences", "gcp-provider-mapping"] });
      expect((await scene.setup("theirs")).steps.map(({ action }) => action)).toEqual(["none", "update"]);
      expect(await providers("theirs", "describe", "kubernetes")).toMatchObject({ oidc: { issuerUri: scene.sandbox.issuer }, attributeMapping: MAPPING });
    });
  });
});
