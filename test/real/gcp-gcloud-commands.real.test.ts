import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { runDone } from "./support/front-door.ts";
import { describeGcloud } from "./support/gcp-gcloud.ts";
import { startGcloudScene } from "./support/gcp-gcloud-scene.ts";
import type { GcloudScene } from "./support/gcp-gcloud-scene.ts";
import { NUMBER, PROJECT, toSandboxCluster } from "./support/gcp-project.ts";
import type { GcpOperator } from "./support/gcp-project.ts";
import { credentialFileOf } from "./support/gcp-workload.ts";
import type { Answer } from "./support/http.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

type Json = Readonly<Record<string, unknown>>;

const NEW = `payments@${PROJECT}.iam.gserviceaccount.com`;
const LEGACY = `legacy@${PROJECT}.iam.gserviceaccount.com`;
/** The flags of setup that grant has as well. */
const SHARED = ["--audience", "--subject-prefix", "--provider-id"];
const CASES: readonly (readonly [name: string, trust: readonly string[], access: readonly string[]])[] = [
  [
    "for roles in the project",
    ["--audience", "sts.example.com", "--audience", "https://example.com/a,b", "--pool-name", "it's ours", "--attribute-condition", "attribute.namespace == 'payments' && google.subject != \"\""],
    ["--role", "roles/storage.objectViewer", "--role", "roles/pubsub.viewer"],
  ],
  ["for a bucket, with uploaded keys", ["--keys", "upload"], ["--role", "roles/storage.objectViewer", "--on", "bucket:acme-invoices"]],
  ["for a service account that is to be made, with a prefix of subjects", ["--subject-prefix", "prod:", "--provider-id", "cluster-1"], ["--impersonate", NEW, "--create-service-account"]],
  ["for a service account that is there", [], ["--impersonate", LEGACY]],
];

describeGcloud("the gcloud commands that `trust-policy gcp` prints make the same as setup and grant", () => {
  const running = stoppedAfterAll();
  const places = CASES.map((_, index) => ["--pool-id", `prod-${index}`]);
  /** One project is filled by kubeassume and one by its printed commands. */
  let ours: GcloudScene;
  let theirs: GcloudScene;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([running(startGcloudScene()), running(startGcloudScene())]);
    await Promise.all([ours, theirs].map(({ operator }) => fillProject(operator)));
    const keys = await (await toSandboxCluster(ours.sandbox.env)).request("GET", "/openid/v1/jwks");
    await writeFile(join(theirs.sandbox.directory, "jwks.json"), keys.text);
  });

  it.each(CASES.map((one, index) => [...one, index] as const))("%s", async (_, trust, access, index) => {
    const place = ["--issuer-url", ours.sandbox.issuer, "--project", PROJECT, ...(places[index] ?? [])];
    const shared = trust.flatMap((word, at) => (SHARED.includes(word) ? trust.slice(at, at + 2) : []));
    const accounts = ["--service-account", "payments/api", "--service-account", "payments/worker"];
    await runDone("SetupResult", ["setup", "gcp", ...place, ...trust], { env: ours.sandbox.env });
    const made = await runDone<Parameters<typeof credentialFileOf>[0]>("GrantResult", ["grant", "gcp", ...place, ...shared, ...accounts, ...access], { env: ours.sandbox.env });

    const { commands } = await runDone<{ commands: readonly string[] }>("TrustPolicy", ["trust-policy", "gcp", ...place, "--project-number", NUMBER, ...trust, ...accounts, ...access]);
    for (const command of commands) {
      const { code, stderr } = await theirs.sandbox.run("sh", ["-c", command]);
      expect({ command, code, stderr: code === 0 ? "" : stderr }).toEqual({ command, code: 0, stderr: "" });
    }

    expect(await theirs.operator.readProject()).toEqual(await ours.operator.readProject());
    expect(await readFile(join(theirs.sandbox.directory, "federation.json"), "utf8")).toBe(credentialFileOf(made));
  });
});

/** Every policy has a condition of somebody else's: then gcloud wants to know which one a new binding has. */
async function fillProject({ request, makeBucket }: GcpOperator): Promise<void> {
  const condition = { title: "until", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" };
  const add = async (role: string, read: () => Promise<Answer>, write: (policy: Json) => Promise<Answer>): Promise<void> => {
    const policy = (await read()).json<{ bindings?: readonly unknown[] }>();
    await write({ ...policy, version: 3, bindings: [...(policy.bindings ?? []), { role, members: ["user:jo@example.com"], condition }] });
  };
  const project = (verb: string, json: Json): Promise<Answer> => request("cloudresourcemanager", "POST", `/v3/projects/${PROJECT}:${verb}`, { json });
  await add("roles/storage.objectViewer", () => project("getIamPolicy", {}), (policy) => project("setIamPolicy", { policy }));
  await request("iam", "POST", `/v1/projects/${PROJECT}/serviceAccounts`, { json: { accountId: "legacy" } });
  const account = (verb: string, json?: Json): Promise<Answer> => request("iam", "POST", `/v1/projects/-/serviceAccounts/${LEGACY}:${verb}`, { json });
  await add("roles/iam.workloadIdentityUser", () => account("getIamPolicy"), (policy) => account("setIamPolicy", { policy }));
  await makeBucket("acme-invoices", {});
  const bucket = "/storage/v1/b/acme-invoices/iam";
  await add("roles/storage.objectViewer", () => request("storage", "GET", bucket), (json) => request("storage", "PUT", bucket, { json }));
}
