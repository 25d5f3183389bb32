import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GoogleAuth } from "google-auth-library";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gcpStandIns } from "../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import { startSandbox } from "../../../../../src/federation/sandbox/start-sandbox.ts";
import { startTestGcp } from "./support/start.ts";
import type { TestGcp } from "./support/start.ts";
import { bind, MEMBER, PROVIDER, startIssuer, trust } from "./support/workload.ts";
import type { TestIssuer } from "./support/workload.ts";

let gcp: TestGcp;
beforeAll(async () => {
  gcp = await startTestGcp();
});
afterAll(() => gcp.stop());

describe("the environment", () => {
  it("holds no secret, and neither does the credential file", async () => {
    const texts = [...Object.values(gcp.env), await readFile(gcp.credentialFile, "utf8")];
    for (const text of texts) {
      expect(text).not.toContain(gcp.state.operatorSecret);
      for (const token of gcp.state.tokens.keys()) expect(text).not.toContain(token);
    }
  });

  it("names files of the sandbox's own folder, readable by their owner only", async () => {
    const folder = join(gcp.dir, "gcp");
    expect(gcp.env["CLOUDSDK_CONFIG"]).toBe(join(folder, "gcloud"));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = (await readdir(folder)).filter((name) => name !== "gcloud");
    expect(files.toSorted()).toEqual(["operator-token", "operator.json"]);
    for (const name of files) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  });

  it("names every endpoint in gcloud's form, with a slash at the end", () => {
    const endpoints = Object.entries(gcp.env).filter(([name]) => name.startsWith("CLOUDSDK_API_ENDPOINT_OVERRIDES_"));
    expect(endpoints.map(([name]) => name.slice("CLOUDSDK_API_ENDPOINT_OVERRIDES_".length)).toSorted()).toEqual(["CLOUDRESOURCEMANAGER", "IAM", "IAMCREDENTIALS", "STORAGE", "STS"]);
    for (const [name, url] of endpoints) expect(url, name).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/(?:storage\/v1\/)?$/);
  });

  it("takes away what would win over it, and nothing that it sets", () => {
    const names = gcp.unset ?? [];
    expect(names).toContain("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
    expect(names.filter((name) => Object.hasOwn(gcp.env, name))).toEqual([]);
  });
});

describe("Google's own library for Node", () => {
  const authFor = (keyFilename: string): GoogleAuth => new GoogleAuth({ keyFilename, scopes: "https://www.googleapis.com/auth/cloud-platform" });

  it("is the operator with the sandbox's file", async () => {
    const client = await authFor(gcp.credentialFile).getClient();
    const url = `${gcp.urls.cloudresourcemanager}/v3/projects/kubeassume-sandbox`;
    expect((await client.request({ url })).data).toMatchObject({ projectId: "kubeassume-sandbox" });
  });

  describe("with a workload's own credential file", () => {
    const email = "demo-app@kubeassume-sandbox.iam.gserviceaccount.com";
    const write = async (name: string, token: string, more: object): Promise<string> => {
      const [source, file] = [join(gcp.dir, `${name}-token`), join(gcp.dir, `${name}.json`)];
      const account = { type: "external_account", audience: `//iam.googleapis.com/${PROVIDER}`, subject_token_type: "urn:ietf:params:oauth:token-type:jwt", token_url: `${gcp.urls.sts}/v1/token`, credential_source: { file: source } };
      await writeFile(source, token);
      await writeFile(file, JSON.stringify({ ...account, ...more }));
      return file;
    };
    const introspect = async (file: string): Promise<unknown> => {
      const token = await authFor(file).getAccessToken();
      return (await gcp.post("/v1/introspect", { token: token ?? "" })).json["username"];
    };
    const impersonation = { service_account_impersonation_url: "" };
    let issuer: TestIssuer;

    beforeAll(async () => {
      issuer = await startIssuer(gcp);
      await trust(gcp, issuer);
      await gcp.call("iam", "POST", "/v1/projects/kubeassume-sandbox/serviceAccounts", { accountId: "demo-app" });
      impersonation.service_account_impersonation_url = `${gcp.urls.iamcredentials}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
    });

    it("is the workload", async () => {
      expect(await introspect(await write("direct", issuer.mint(new Date()), {}))).toBe(MEMBER);
    });

    it("is a service account where its policy lets the workload, and refused where it does not", async () => {
      const file = await write("impersonating", issuer.mint(new Date()), impersonation);
      await expect(introspect(file)).rejects.toThrow(/getAccessToken/);
      await bind(gcp, "roles/iam.workloadIdentityUser", email);
      expect(await introspect(file)).toBe(email);
    });

    it("is refused with a token for another audience", async () => {
      const file = await write("wrong", issuer.mint(new Date(), { aud: ["vault"] }), {});
      await expect(introspect(file)).rejects.toThrow(/audience in ID Token/);
    });
  });
});

describe("the sandbox", () => {
  it("has an issuer whose documents the store publishes", async () => {
    const sandbox = await startSandbox({ clouds: { gcp: gcpStandIns }, dir: join(gcp.dir, "sandbox"), now: () => new Date() });
    expect(sandbox.env).toMatchObject({ GOOGLE_CLOUD_PROJECT: "kubeassume-sandbox", CLOUDSDK_CORE_PROJECT: "kubeassume-sandbox" });
    expect(sandbox.unset).toContain("CLOUDSDK_AUTH_ACCESS_TOKEN");
    await sandbox.close();
  });
});
