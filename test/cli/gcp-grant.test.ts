import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ServiceAccount } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import { newBucket } from "../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { runHere } from "../support/run-here.ts";
import { type Bench, changed, edit, found, memberOf, membersOf, policyOf, POOL, PROJECT, PROVIDER, type Sent, setPolicy, startGcpBench, type Steps } from "../support/gcp-bench.ts";

const VIEWER = "roles/storage.objectViewer";
const USER = "roles/iam.workloadIdentityUser";
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const KEY = `projects/${PROJECT}`;

let bench: Bench;
let restore: () => void;
let grant: (account: string, ...more: readonly string[]) => readonly string[];

beforeAll(async () => {
  bench = await startGcpBench();
  await bench.succeed(["setup", "gcp", ...bench.place]);
  bench.state.storage.buckets.set("data", newBucket({ name: "data", project: PROJECT, projectNumber: bench.state.project.number, at: new Date(0), uniform: true }));
  grant = (account, ...more) => ["grant", "gcp", ...bench.place, "--service-account", account, ...more];
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

function addAccount(email: string, change: Partial<ServiceAccount> = {}): void {
  bench.state.serviceAccounts.set(email, { email, uniqueId: "1".repeat(21), displayName: "theirs", description: "", disabled: false, since: new Date(0), ...change });
}

const isSet = ({ path }: Sent): boolean => path.endsWith(":setIamPolicy");
const sets = (): readonly Sent[] => bench.sent().filter(isSet);

/** Everything that somebody else wrote into a policy. */
const FOREIGN = {
  version: 3,
  bindings: [
    { role: VIEWER, members: ["user:eve@example.com"], condition: { title: "until 2030", description: "a word", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" } },
    { role: VIEWER, members: ["group:team@example.com", "user:bob@example.com"] },
    { role: "roles/owner", members: ["user:root@example.com"] },
    { role: "roles/viewer", members: [`principalSet://iam.googleapis.com/${POOL}/attribute.namespace/demo`, "deleted:serviceAccount:old@x.iam.gserviceaccount.com?uid=123"] },
  ],
  auditConfigs: [{ service: "allServices", auditLogConfigs: [{ logType: "DATA_READ", exemptedMembers: ["user:eve@example.com"] }] }],
};

describe("a policy that others wrote to", () => {
  it("of the project keeps every byte of theirs: conditions, members, audit settings, order", async () => {
    const before = setPolicy(bench.state, FOREIGN);
    await bench.succeed(grant("demo/app", "--role", VIEWER));
    const after = policyOf(bench.state);
    const added = before.bindings.map((binding) => (binding.role === VIEWER && binding.condition === undefined ? { ...binding, members: [...binding.members, memberOf("demo/app")] } : binding));
    expect(JSON.stringify(after.bindings)).toBe(JSON.stringify(added));
    expect(JSON.stringify(after.auditConfigs)).toBe(JSON.stringify(before.auditConfigs));
    expect(after.version).toBe(3);
    const [sent] = sets();
    expect(sets()).toHaveLength(1);
    expect(sent?.body["policy"]).toMatchObject({ etag: before.etag, version: 3, auditConfigs: before.auditConfigs });
  });

  it("gets a binding of its own where the role has only one with a condition", async () => {
    const [conditional] = FOREIGN.bindings;
    if (conditional === undefined) throw new Error("there is none");
    setPolicy(bench.state, { version: 3, bindings: [conditional] });
    await bench.succeed(grant("demo/app", "--role", VIEWER));
    expect(policyOf(bench.state).bindings).toEqual([conditional, { role: VIEWER, members: [memberOf("demo/app")] }]);
  });

  it("and has our member under a condition only: that is no grant", async () => {
    setPolicy(bench.state, { version: 3, bindings: [{ role: VIEWER, members: [memberOf("demo/app")], condition: { title: "never", expression: "false" } }] });
    expect(changed(await bench.succeed(grant("demo/app", "--role", VIEWER)))).toHaveLength(1);
    expect(membersOf(policyOf(bench.state), VIEWER)).toEqual([memberOf("demo/app")]);
  });

  it("of a bucket, and of a service account, too", async () => {
    const bucket = found(bench.state.storage.buckets, "data");
    const condition = { title: "t", expression: "resource.name.startsWith('projects/_/buckets/data/objects/a')" };
    bucket.policy = { version: 3, bindings: [...bucket.policy.bindings, { role: VIEWER, members: ["user:eve@example.com"], condition }] };
    const before = JSON.stringify(bucket.policy.bindings);
    addAccount(EMAIL);
    const account = setPolicy(bench.state, { version: 3, bindings: [{ role: USER, members: ["user:eve@example.com"], condition: { title: "t", expression: "true" } }] }, `serviceAccounts/${EMAIL}`);
    await bench.succeed(grant("demo/app", "--role", VIEWER, "--on", "bucket:data"));
    await bench.succeed(grant("demo/batch", "--impersonate", EMAIL));
    expect(JSON.stringify(bucket.policy.bindings.slice(0, -1))).toBe(before);
    expect(bucket.policy.bindings.at(-1)).toEqual({ role: VIEWER, members: [memberOf("demo/app")] });
    expect(policyOf(bench.state, `serviceAccounts/${EMAIL}`).bindings).toEqual([...account.bindings, { role: USER, members: [memberOf("demo/batch")] }]);
    expect(policyOf(bench.state)).toEqual(policyOf(bench.state, KEY));
  });

  it("is asked for with version 3", async () => {
    const asked: string[] = [];
    bench.scene.breakWith(({ method, url, body }) => {
      if (/getIamPolicy|\/iam(\?|$)/.test(url) && method !== "PUT") asked.push(`${method} ${new URL(url).search} ${Buffer.from(body).toString("utf8")}`);
      return null;
    });
    addAccount(EMAIL);
    await bench.succeed(grant("demo/app", "--role", VIEWER));
    await bench.succeed(grant("demo/reader", "--role", VIEWER, "--on", "bucket:data"));
    await bench.succeed(grant("demo/batch", "--impersonate", EMAIL));
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.filter((one) => !/requestedPolicyVersion(=|":\s*)3/i.test(one))).toEqual([]);
  });
});

describe("a race for a policy", () => {
  it("that is lost once is read again, and nothing of the winner's is lost", async () => {
    bench.state.policyRaces.add(KEY);
    await bench.succeed(grant("demo/app", "--role", VIEWER));
    expect(sets()).toHaveLength(2);
    expect(new Set(sets().map(({ body }) => (body["policy"] as { readonly etag: string }).etag)).size, "each with the etag it read").toBe(2);
    expect(membersOf(policyOf(bench.state), VIEWER)).toEqual([memberOf("demo/app")]);
    expect(membersOf(policyOf(bench.state), "roles/owner")).toHaveLength(1);
  });

  it("in which both want the same has no loser", async () => {
    const both = await Promise.all(["demo/one", "demo/two", "demo/three", "demo/four"].map((account) => bench.run(grant(account, "--role", VIEWER))));
    expect(both.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    expect([...membersOf(policyOf(bench.state), VIEWER)].sort()).toEqual(["demo/four", "demo/one", "demo/three", "demo/two"].map((account) => memberOf(account)).sort());
  });
});

describe("many grants", () => {
  it("are one read and one write of each policy", async () => {
    const grants = Array.from({ length: 200 }, (_, index) => ({ serviceAccount: `team-${index % 20}/app-${index}`, gcp: index % 2 === 0 ? { roles: [VIEWER, "roles/logging.logWriter"] } : { roles: [VIEWER], on: "bucket:data" } }));
    const config = { apiVersion: "kubeassume.dev/v1", kind: "Federation", issuer: bench.scene.issuer, clouds: { gcp: { project: PROJECT, poolId: "prod" } }, grants };
    const file = await bench.scene.file("many.yaml", JSON.stringify(config));
    const { data } = await bench.succeed(["grant", "gcp", "--config", file]);
    expect(data.steps.map(({ id }) => id).sort()).toEqual(["gcp.policy/buckets/data", `gcp.policy/${KEY}`]);
    expect(bench.sent().map(({ method, path }) => `${method} ${path}`).sort()).toEqual([`POST /v3/${KEY}:setIamPolicy`, "PUT /storage/v1/b/data/iam"]);
    expect([membersOf(policyOf(bench.state), VIEWER).length, membersOf(policyOf(bench.state), "roles/logging.logWriter").length]).toEqual([100, 100]);
    bench.forget();
    expect(changed(await bench.succeed(["grant", "gcp", "--config", file]))).toEqual([]);
    expect(bench.scene.calls().filter(({ action }) => /getIamPolicy|\/iam/.test(action))).toHaveLength(2);
  });

  it("beyond what one policy takes are refused, with the number", async () => {
    setPolicy(bench.state, { version: 1, bindings: [{ role: VIEWER, members: Array.from({ length: 1500 }, (_, index) => `user:u${index}@example.com`) }] });
    const { error } = await bench.fail(2, grant("demo/app", "--role", VIEWER));
    expect(error).toMatchObject({ code: "GCP_POLICY_TOO_LARGE", message: expect.stringContaining("1501 principals") as string, hint: expect.stringContaining("principalSet://") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("of an account that has it already still work in a policy that is full", async () => {
    setPolicy(bench.state, { version: 1, bindings: [{ role: VIEWER, members: [memberOf("demo/app"), ...Array.from({ length: 1499 }, (_, index) => `user:u${index}@example.com`)] }] });
    expect(changed(await bench.succeed(grant("demo/app", "--role", VIEWER)))).toEqual([]);
  });
});

describe("a Google service account", () => {
  it("that exists is used as it is: neither marked nor renamed", async () => {
    addAccount(EMAIL, { description: "the platform team's" });
    const { data } = await bench.succeed(grant("demo/app", "--impersonate", EMAIL, "--create-service-account"));
    expect(changed({ data }).map(({ id }) => id)).toEqual([`gcp.policy/serviceAccounts/${EMAIL}`]);
    expect(found(bench.state.serviceAccounts, EMAIL)).toMatchObject({ displayName: "theirs", description: "the platform team's" });
  });

  it("that is made carries our mark, and its policy comes after it", async () => {
    await bench.succeed(grant("demo/app", "--impersonate", EMAIL, "--create-service-account"));
    expect(bench.sent().map(({ method, path }) => `${method} ${path}`.replace(/projects\/[^/]+/, "projects/P"))).toEqual(["POST /v1/projects/P/serviceAccounts", `POST /v1/projects/P/serviceAccounts/${EMAIL}:setIamPolicy`]);
    expect(found(bench.state.serviceAccounts, EMAIL)).toMatchObject({ displayName: "demo-app (kubeassume)", description: `kubeassume.dev/managed-by=kubeassume kubeassume.dev/issuer=${bench.scene.issuer}` });
  });

  it("that does not exist is not made in passing", async () => {
    const { error } = await bench.fail(2, grant("demo/app", "--impersonate", EMAIL));
    expect(error).toMatchObject({ code: "GCP_SERVICE_ACCOUNT_MISSING", message: expect.stringContaining(EMAIL) as string, hint: expect.stringContaining("--create-service-account") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("that is disabled is refused: nobody enables it in passing", async () => {
    addAccount(EMAIL, { disabled: true });
    const { error } = await bench.fail(4, grant("demo/app", "--impersonate", EMAIL));
    expect(error).toMatchObject({ code: "GCP_SERVICE_ACCOUNT_DISABLED", hint: expect.stringContaining(`gcloud iam service-accounts enable ${EMAIL}`) as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("serves several accounts of the cluster with one binding and one write", async () => {
    const args = [...grant("demo/one", "--impersonate", EMAIL, "--create-service-account"), "--service-account", "demo/two"];
    const { data } = await bench.succeed<Steps & { readonly principal: string; readonly serviceAccounts: readonly string[] }>(args);
    expect(data).toMatchObject({ principal: `serviceAccount:${EMAIL}`, serviceAccounts: ["demo/one", "demo/two"] });
    expect(sets()).toHaveLength(1);
    expect(policyOf(bench.state, `serviceAccounts/${EMAIL}`).bindings).toEqual([{ role: USER, members: [memberOf("demo/one"), memberOf("demo/two")] }]);
    expect(changed(await bench.succeed(args))).toEqual([]);
  });
});

describe("what stands on the provider is looked at first", () => {
  const warned = async (): Promise<readonly string[]> => (await bench.succeed(grant("demo/app", "--role", VIEWER))).warnings.map(({ code }) => code);

  it("a pool that does not exist yet is a warning, or Google's own refusal", async () => {
    edit(bench.state.providers, PROVIDER, { state: "DELETED", expireTime: new Date(Date.now() + 86_400_000) });
    expect(await warned()).toEqual(["GCP_PROVIDER_MISSING"]);
  });

  it("a disabled provider is a warning", async () => {
    edit(bench.state.providers, PROVIDER, { disabled: true });
    expect(await warned()).toEqual(["GCP_PROVIDER_OFF"]);
  });

  it("an audience that it does not take is a warning", async () => {
    const { warnings } = await bench.succeed(grant("demo/app", "--role", VIEWER, "--audience", "vault"));
    expect(warnings.map(({ code, message }) => [code, message.includes("vault")])).toEqual([["GCP_AUDIENCE_NOT_REGISTERED", true]]);
  });

  it("another subject than the grant names is refused: the binding would match nobody", async () => {
    edit(bench.state.providers, PROVIDER, { attributeMapping: { "google.subject": "'prod:' + assertion.sub" } });
    const { error } = await bench.fail(2, grant("demo/app", "--role", VIEWER));
    expect(error).toMatchObject({ code: "GCP_SUBJECT_DIFFERS", hint: expect.stringContaining("--subject-prefix prod:") as string });
    expect(bench.scene.writes()).toEqual([]);
    await bench.succeed(grant("demo/app", "--role", VIEWER, "--subject-prefix", "prod:"));
    expect(membersOf(policyOf(bench.state), VIEWER)).toEqual([memberOf("demo/app", { prefix: "prod:" })]);
  });
});

describe("the printed texts", () => {
  it("are manifests on stdout and everything else on stderr", async () => {
    const { exit, stdout, stderr } = await runHere(bench.scene, grant("demo/app", "--role", VIEWER));
    expect(exit, stderr).toBe(0);
    const kinds = stdout.split("---\n").map((document) => /^kind: (\w+)$/m.exec(document)?.[1]);
    expect(kinds.slice(0, 2)).toEqual(["ServiceAccount", "ConfigMap"]);
    expect(stdout).toContain("federation.json");
    expect(stderr).toMatch(/plan: 1 to update[\s\S]*next: kubeassume verify gcp /);
    const quiet = await runHere(bench.scene, [...grant("demo/app", "--role", VIEWER), "--quiet"]);
    expect([quiet.exit, quiet.stdout, quiet.stderr]).toEqual([0, stdout, ""]);
  });

  it("name the credential file's whole way: volume, variable and ConfigMap agree", async () => {
    const { data } = await bench.succeed<{ readonly env: Readonly<Record<string, string>>; readonly manifests: readonly { readonly yaml: string }[]; readonly credentialConfig: { readonly credential_source: { readonly file: string } } }>(grant("demo/app", "--role", VIEWER));
    const yaml = data.manifests.map((manifest) => manifest.yaml).join("\n");
    const { GOOGLE_APPLICATION_CREDENTIALS: file = "" } = data.env;
    expect(yaml).toContain(`mountPath: ${file.slice(0, file.lastIndexOf("/"))}`);
    expect(yaml).toContain(`${file.slice(file.lastIndexOf("/") + 1)}: |`);
    const token = data.credentialConfig.credential_source.file;
    expect(yaml).toContain(`mountPath: ${token.slice(0, token.lastIndexOf("/"))}`);
  });

  it("are the same that trust-policy prints offline, and hold no secret", async () => {
    const given = await bench.succeed<Readonly<Record<string, unknown>>>([...grant("demo/app", "--impersonate", EMAIL, "--create-service-account"), "--dry-run"]);
    expect(given.data).toBeDefined();
    const { data: granted } = await bench.succeed<Readonly<Record<string, unknown>>>(grant("demo/app", "--impersonate", EMAIL, "--create-service-account"));
    bench.forget();
    const { data: offline } = await bench.succeed<Readonly<Record<string, unknown>>>(["trust-policy", "gcp", ...bench.issuer, "--project-number", bench.state.project.number, "--project", PROJECT, "--pool-id", "prod", "--service-account", "demo/app", "--impersonate", EMAIL, "--create-service-account"], { env: { KUBECONFIG: "", GOOGLE_APPLICATION_CREDENTIALS: "/nowhere", CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: "" } });
    expect(bench.scene.calls()).toEqual([]);
    for (const member of ["env", "manifests"]) expect(offline[member], member).toEqual(granted[member]);
    expect(JSON.stringify(granted)).not.toMatch(/ya29\.|private_key|refresh_token/);
  });
});
