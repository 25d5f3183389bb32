import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { desiredSetup } from "../../src/federation/clouds/gcp/desired/setup.ts";
import { toSetupSpec } from "../../src/federation/clouds/gcp/input/setup-spec.ts";
import { enablePool, enableProvider } from "../../src/federation/clouds/gcp/desired/setup-problems.ts";
import { trustPolicy } from "../../src/federation/clouds/gcp/texts/trust-policy.ts";
import type { TrustTexts } from "../../src/federation/clouds/cloud.ts";
import { runCommand } from "./support/command.ts";
import { describeGcloud } from "./support/gcp-gcloud.ts";
import { makeTemporaryFolder, type TemporaryFolder } from "./support/temporary.ts";

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const EMAIL = "payments@acme-prod.iam.gserviceaccount.com";
/** Whatever a shell or gcloud could read more into: quotes, commas, brackets. */
const FLAGS = {
  issuerUrl: "https://oidc.example.com/prod",
  projectNumber: "123456789012",
  project: "acme-prod",
  poolId: "prod",
  poolName: "Prod's pool",
  subjectPrefix: "prod:",
  attributeCondition: "assertion.sub.startsWith('system:') && assertion.sub != \"x,y\"",
  audience: ["a,b", "$HOME"],
  keys: "upload",
  serviceAccount: ["payments/api"],
};

describeGcloud("the commands that trust-policy gcp prints, run by a shell with the real gcloud", () => {
  const sent: Sent[] = [];
  let server: Server;
  let folder: TemporaryFolder;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    folder = await makeTemporaryFolder("gcloud-commands");
    server = createServer((request, response) => {
      void record(request).then(() => response.setHeader("content-type", "application/json").end(JSON.stringify(answerTo(request.url ?? ""))));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await writeFile(join(folder.directory, "token"), "opaque");
    await writeFile(join(folder.directory, "jwks.json"), '{"keys":[]}');
    env = {
      PATH: process.env["PATH"] ?? "",
      HOME: folder.directory,
      CLOUDSDK_CONFIG: folder.directory,
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(folder.directory, "token"),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: base,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: base,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${base}storage/v1/`,
    };
  });
  afterAll(async () => {
    server.close();
    await folder.remove();
  });

  async function record(request: IncomingMessage): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    sent.push({ method: request.method ?? "", path: (request.url ?? "").split("?")[0] ?? "", body: text === "" ? {} : (JSON.parse(text) as Sent["body"]) });
  }

  /** Runs one printed line as a person would, and gives what it asked of Google. */
  async function paste(command: string | undefined): Promise<readonly Sent[]> {
    sent.length = 0;
    const { code, stderr } = await runCommand("bash", ["-c", `cd "$HOME" && ${command}`], { env, inherits: false });
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    return [...sent];
  }

  const texts = (flags: object): TrustTexts => trustPolicy({ flags: { ...FLAGS, ...flags }, config: null });
  const members = [`principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/prod/subject/prod:system:serviceaccount:payments:api`];
  const written = (calls: readonly Sent[]) => calls.at(-1)?.body;

  it("make the pool and the provider that setup makes", async () => {
    const { commands, trustPolicy: records } = texts({});
    const { pool, provider } = records as unknown as Record<"pool" | "provider", Record<string, unknown>>;
    const { name: _, state: _state, ...poolBody } = pool;
    expect(await paste(commands[0])).toMatchObject([{ method: "POST", path: "/v1/projects/acme-prod/locations/global/workloadIdentityPools", body: poolBody }]);
    const { name: _name, state, ...providerBody } = provider;
    expect(state).toBe("ACTIVE");
    const [created] = await paste(commands[1]);
    expect(created?.body).toMatchObject(providerBody);
    const spec = toSetupSpec({ flags: FLAGS, config: null });
    const facts = { issuer: spec.issuer, discovery: null, jwksUri: null, jwks: { keys: [] }, headers: { discovery: { contentType: "", cacheControl: "" }, jwks: { contentType: "", cacheControl: "" } }, chain: null };
    const [, wanted] = desiredSetup(spec, facts, { name: "me", account: "123456789012" }, []).resources;
    expect(created?.body).toMatchObject({
      attributeMapping: wanted?.fields["attributeMapping"],
      attributeCondition: wanted?.fields["attributeCondition"],
      description: wanted?.fields["description"],
      oidc: { issuerUri: wanted?.fields["issuerUri"], allowedAudiences: wanted?.fields["allowedAudiences"] },
    });
  });

  it("bind the role on the project, on a bucket, and on a service account that is made first", async () => {
    const binding = (role: string) => ({ bindings: [{ role, members }] });
    expect(written(await paste(texts({ role: ["roles/viewer"] }).commands[2]))).toMatchObject({ policy: binding("roles/viewer") });
    expect(written(await paste(texts({ role: ["roles/storage.objectViewer"], on: "bucket:acme-x" }).commands[2]))).toMatchObject(binding("roles/storage.objectViewer"));
    const { commands } = texts({ impersonate: EMAIL, createServiceAccount: true });
    expect(await paste(commands[2])).toMatchObject([{ path: "/v1/projects/acme-prod/serviceAccounts", body: { accountId: "payments" } }]);
    expect(written(await paste(commands[3]))).toMatchObject({ policy: binding("roles/iam.workloadIdentityUser") });
  });

  it("of the hints enable pool and provider again", async () => {
    const pool = "projects/123456789012/locations/global/workloadIdentityPools/prod";
    expect(await paste(enablePool(pool))).toMatchObject([{ method: "PATCH", path: `/v1/${pool}`, body: { disabled: false } }]);
    expect(await paste(enableProvider(`${pool}/providers/kubernetes`))).toMatchObject([{ method: "PATCH", path: `/v1/${pool}/providers/kubernetes`, body: { disabled: false } }]);
  });
});

/** Enough of Google for gcloud to go on; what counts is what it sends. */
function answerTo(url: string): object {
  if (/IamPolicy|\/iam\b/.test(url)) return { etag: "BwU=", version: 1, bindings: [] };
  if (url.includes("workloadIdentityPools")) return { name: "projects/1/locations/global/workloadIdentityPools/prod/operations/1", done: true, response: { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPool", name: "prod" } };
  return {};
}
