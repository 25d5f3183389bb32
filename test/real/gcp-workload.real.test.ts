import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import { signedByStranger, unsigned, withClaims } from "./support/forgeries.ts";
import { runDone } from "./support/front-door.ts";
import { startGoogleHosts } from "./support/gcp-hosts.ts";
import type { GoogleHosts } from "./support/gcp-hosts.ts";
import { memberOf, PROJECT, providerOf, toGcpOperator } from "./support/gcp-project.ts";
import { IMPERSONATION_DENIED, placeWorkload } from "./support/gcp-workload.ts";
import type { GrantData, Library, Told } from "./support/gcp-workload.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startSandboxCommand } from "./support/sandbox.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const EMAIL = `payments@${PROJECT}.iam.gserviceaccount.com`;
const OBJECT = "https://storage.googleapis.com/storage/v1/b/acme-invoices/o/2026%2F11.txt?alt=media";
const PAYROLL = "https://storage.googleapis.com/storage/v1/b/acme-payroll/o/2026%2F11.txt?alt=media";
const KINDS = { ServiceAccount: "serviceaccounts", ConfigMap: "configmaps", Pod: "pods" } as const;
const OWN_SUBJECT = memberOf("prod", "default/api");

/**
 * Google's own libraries with the file and the environment that `grant` printed, tokens of a real API server, and the
 * sandbox behind Google's host names: the library alone decides what it sends where.
 */
describe.skipIf(await cannotRun("etcd", "kube-apiserver", "google-auth"))("a pod of a real cluster, with Google's own library", () => {
  const running = stoppedAfterAll();
  let cluster: KubeApiserver;
  let google: GoogleHosts;
  let folder: string;
  let audience: string;
  let direct: GrantData;
  let impersonated: GrantData;

  const mint = (serviceAccount = "api", audiences: readonly string[] = [audience]): Promise<string> => cluster.admin.mintToken({ serviceAccount, audiences });
  const read = async (library: Library, grant: GrantData, token: string, url: string, changes = {}): Promise<Told> => {
    const pod = await placeWorkload(join(folder, library), grant, google, changes);
    await pod.putToken(token);
    return pod.read(library, url);
  };

  beforeAll(async () => {
    const sandbox = await running(startSandboxCommand("gcp"));
    google = await running(startGoogleHosts(sandbox));
    folder = join(sandbox.directory, "pods");
    const etcd = await running(startEtcd());
    cluster = await running(startKubeApiserver({ etcd, issuers: [sandbox.issuer] }));
    await Promise.all(["api", "other"].map((name) => cluster.admin.createServiceAccount(name)));

    const env = { ...sandbox.env, KUBECONFIG: cluster.kubeconfigFile };
    const issuer = ["--issuer-url", sandbox.issuer, "--project", PROJECT];
    const pool = [...issuer, "--pool-id", "prod"];
    await runDone("PublishResult", ["publish", "gcs", "--bucket", "oidc", "--create-bucket", ...issuer], { env });
    ({ audiences: [audience] } = await runDone<{ audiences: readonly [string] }>("SetupResult", ["setup", "gcp", ...pool], { env }));
    const operator = await toGcpOperator(sandbox.env);
    await operator.makeBucket("acme-invoices", { "2026/11.txt": "eleven" });
    const grant = (...access: readonly string[]): Promise<GrantData> => runDone("GrantResult", ["grant", "gcp", ...pool, "--service-account", "default/api", ...access], { env });
    impersonated = await grant("--impersonate", EMAIL, "--create-service-account");
    await operator.makeBucket("acme-payroll", { "2026/11.txt": "salaries" }, [`serviceAccount:${EMAIL}`]);
    direct = await grant("--role", "roles/storage.objectViewer", "--on", "bucket:acme-invoices");
  });

  it("comes from manifests that the API server takes as they are printed", async () => {
    for (const { yaml } of [...direct.manifests, ...impersonated.manifests]) {
      const object = parse(yaml) as { kind: keyof typeof KINDS; metadata: { name: string } };
      const { status, text } = await cluster.admin.request("POST", `/api/v1/namespaces/default/${KINDS[object.kind]}?dryRun=All&fieldValidation=Strict`, object);
      // The service account is there already.
      expect({ kind: object.kind, status, text }).toMatchObject({ status: object.kind === "ServiceAccount" ? 409 : 201 });
    }
  });

  describe.each(["Node", "Python"] as const)("for %s", (library) => {
    it("reads what is granted to its own subject, and nothing else", async () => {
      expect(await read(library, direct, await mint(), OBJECT)).toEqual({ status: 200, body: "eleven" });
      expect(await read(library, direct, await mint(), PAYROLL)).toEqual({ status: 403, body: expect.stringContaining(`${OWN_SUBJECT} does not have storage.objects.get access`) });
    });

    it("reads what the service account may that it becomes, and nothing else", async () => {
      expect(await read(library, impersonated, await mint(), PAYROLL)).toEqual({ status: 200, body: "salaries" });
      expect(await read(library, impersonated, await mint(), OBJECT)).toEqual({ status: 403, body: expect.stringContaining(`${EMAIL} does not have storage.objects.get access`) });
    });

    it("is refused the exchange for a token of another audience", async () => {
      const told = await read(library, direct, await mint("api", ["vault"]), OBJECT);
      expect(told).toEqual({ error: expect.stringMatching(/invalid_grant.*audience/) });
    });

    it("is refused what is granted to another service account", async () => {
      const token = await mint("other");
      expect(await read(library, direct, token, OBJECT)).toEqual({ status: 403, body: expect.stringContaining(`${memberOf("prod", "default/other")} does not have storage.objects.get access`) });
      expect(await read(library, impersonated, token, PAYROLL)).toEqual({ error: expect.stringMatching(IMPERSONATION_DENIED) });
    });

    it.each([
      ["signed by a stranger under the published key's id", signedByStranger, "Unable to verify the ID Token signature."],
      ["with another subject under the old signature", (token: string) => withClaims(token, { sub: "system:serviceaccount:default:admin" }), "Unable to verify the ID Token signature."],
      ["without a signature", unsigned, "Unable to parse the ID Token."],
    ])("is refused the exchange for a token %s", async (_, forge, words) => {
      expect(await read(library, direct, forge(await mint()), OBJECT)).toEqual({ error: expect.stringContaining(words) });
    });

    it("is refused the exchange when the file names another provider", async () => {
      const changes = { audience: `//iam.googleapis.com/${providerOf("prod", "elsewhere")}` };
      expect(await read(library, direct, await mint(), OBJECT, changes)).toEqual({ error: expect.stringContaining("invalid_target") });
    });
  });

  it("asked nobody but Google all the while", () => {
    expect([...google.strangers]).toEqual([]);
  });
});
