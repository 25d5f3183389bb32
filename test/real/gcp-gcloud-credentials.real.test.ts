import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./support/command.ts";
import type { CommandResult } from "./support/command.ts";
import { runDone } from "./support/front-door.ts";
import { describeGcloud } from "./support/gcp-gcloud.ts";
import { startGcloudScene } from "./support/gcp-gcloud-scene.ts";
import type { GcloudScene } from "./support/gcp-gcloud-scene.ts";
import { startGoogleHosts } from "./support/gcp-hosts.ts";
import type { GoogleHosts } from "./support/gcp-hosts.ts";
import { memberOf, NUMBER, PROJECT, providerOf, toSandboxCluster } from "./support/gcp-project.ts";
import { configMapFileOf, IMPERSONATION_DENIED, placeWorkload } from "./support/gcp-workload.ts";
import type { GrantData } from "./support/gcp-workload.ts";
import type { KubeClient } from "./support/kube-client.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const EMAIL = `payments@${PROJECT}.iam.gserviceaccount.com`;

describeGcloud("the credential files of kubeassume and the real gcloud", () => {
  const running = stoppedAfterAll();
  let scene: GcloudScene;

  beforeAll(async () => {
    scene = await running(startGcloudScene());
  });

  describe("created by both", () => {
    const theirs = async (...flags: readonly string[]): Promise<string> => {
      const file = join(scene.sandbox.directory, "created.json");
      const { code, stderr } = await scene.run("iam", "workload-identity-pools", "create-cred-config", providerOf("prod"), ...flags, `--output-file=${file}`);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return readFile(file, "utf8");
    };
    /** The file, and gcloud's flag for the place of the token in it. */
    const ours = async (...flags: readonly string[]): Promise<readonly [file: string, flag: string]> => {
      const args = ["trust-policy", "gcp", "--issuer-url", scene.sandbox.issuer, "--project-number", NUMBER, "--pool-id", "prod", "--service-account", "payments/api", ...flags];
      const { manifests } = await runDone<Pick<GrantData, "manifests">>("TrustPolicy", args);
      const file = configMapFileOf(manifests);
      const { credential_source: source } = JSON.parse(file) as { credential_source: { file: string } };
      return [file, `--credential-source-file=${source.file}`];
    };

    it.each([
      ["for direct access", [], []],
      ["for direct access with a role", ["--role", "roles/viewer"], []],
      ["for impersonation", ["--impersonate", EMAIL], [`--service-account=${EMAIL}`]],
      ["for another universe", ["--universe-domain", "example.goog"], ["--universe-domain=example.goog"]],
    ])("are the same %s, byte for byte", async (_, flags, gcloudFlags) => {
      const [file, flag] = await ours(...flags);
      expect(file).toBe(await theirs(flag, ...gcloudFlags));
    });

    it("are the same but for the lifetime, when gcloud is asked for one", async () => {
      const [file, flag] = await ours("--impersonate", EMAIL);
      const withLifetime = { ...JSON.parse(file), service_account_impersonation: { token_lifetime_seconds: 600 } };
      expect(await theirs(flag, `--service-account=${EMAIL}`, "--service-account-token-lifetime-seconds=600")).toBe(JSON.stringify(withLifetime, null, 2));
    });
  });

  describe("given to `gcloud auth print-access-token`", () => {
    let google: GoogleHosts;
    let cluster: KubeClient;
    let audience: string;
    let direct: GrantData;
    let impersonated: GrantData;
    let pods = 0;

    const mint = async (account: string, given = audience): Promise<string> => {
      const [namespace = "", serviceAccount = ""] = account.split("/");
      await cluster.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
      await cluster.createServiceAccount(serviceAccount, namespace);
      return cluster.mintToken({ namespace, serviceAccount, audiences: [given] });
    };
    /** With the environment of the pod and nothing else: neither the operator's file nor an address of a stand-in. */
    const become = async (grant: GrantData, token: string, changes = {}): Promise<CommandResult> => {
      // A home of its own each time, because gcloud keeps access tokens there.
      const home = join(scene.sandbox.directory, `pod-${++pods}`);
      const pod = await placeWorkload(home, grant, google, changes);
      await pod.putToken(token);
      return runCommand("gcloud", ["auth", "print-access-token"], { env: { PATH: process.env["PATH"] ?? "", HOME: home, ...google.env, ...pod.env }, inherits: false });
    };
    const expectToken = async ({ code, stdout, stderr }: CommandResult, principal: string): Promise<void> => {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(await scene.operator.identify(stdout.trim())).toBe(principal);
    };
    const expectRefusal = ({ code, stdout, stderr }: CommandResult, words: RegExp): void => {
      expect({ refused: code !== 0, stdout, stderr }).toEqual({ refused: true, stdout: "", stderr: expect.stringMatching(words) });
    };

    beforeAll(async () => {
      google = await running(startGoogleHosts(scene.sandbox));
      cluster = await toSandboxCluster(scene.sandbox.env);
      ({ audiences: [audience] } = await scene.setup("prod", "--attribute-condition", "attribute.namespace != 'guests'"));
      direct = await scene.grant("prod", "--service-account", "payments/api", "--role", "roles/storage.objectViewer");
      impersonated = await scene.grant("prod", "--service-account", "payments/api", "--impersonate", EMAIL, "--create-service-account");
    });

    it("give a token of the service account's own subject", async () => {
      await expectToken(await become(direct, await mint("payments/api")), memberOf("prod", "payments/api"));
    });

    it("give a token of the service account that is impersonated", async () => {
      await expectToken(await become(impersonated, await mint("payments/api")), EMAIL);
    });

    it("give one of the lifetime that the file asks for", async () => {
      const answer = await become(impersonated, await mint("payments/api"), { service_account_impersonation: { token_lifetime_seconds: 600 } });
      await expectToken(answer, EMAIL);
      const seconds = (await scene.operator.expiryOf(answer.stdout.trim())) - Date.now() / 1000;
      expect(Math.ceil(seconds / 600)).toBe(1);
    });

    it("are refused in Google's words with a token for another audience", async () => {
      expectRefusal(await become(direct, await mint("payments/api", "vault")), /invalid_grant: The audience in ID Token \[vault\] does not match the expected audience\./);
    });

    it("are refused in Google's words with a token that the condition keeps out", async () => {
      expectRefusal(await become(direct, await mint("guests/api")), /unauthorized_client: The given credential is rejected by the attribute condition\./);
    });

    it("are refused the impersonation with a token of another account", async () => {
      expectRefusal(await become(impersonated, await mint("payments/other")), IMPERSONATION_DENIED);
    });

    it("are refused when they name a provider that is not there", async () => {
      expectRefusal(await become(direct, await mint("payments/api"), { audience: `//iam.googleapis.com/${providerOf("nowhere")}` }), /invalid_target: .*because the pool or provider is disabled or deleted or because it doesn/);
    });

    it("send nothing to anybody but Google", () => {
      expect([...google.strangers]).toEqual([]);
    });
  });
});
