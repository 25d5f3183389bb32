import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectEnvelope } from "../support/output-schema.ts";
import { type JsonStep, type Scene, startScene } from "../support/scene.ts";

const POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

let scene: Scene;
let issuer: readonly string[];
let commands: Readonly<Record<string, readonly string[]>>;

beforeAll(async () => {
  scene = await startScene();
  issuer = ["--issuer-url", scene.issuer];
  commands = {
    publish: ["publish", "s3", "--bucket", "oidc", "--create-bucket", ...issuer],
    setup: ["setup", "aws", "--boilerplate-configmap", "demo/aws-trust", ...issuer],
    grant: ["grant", "aws", "--service-account", "demo/app", "--role-name", "app", "--policy-arn", POLICY, "--apply-manifests", ...issuer],
    teardown: ["teardown", "aws", "--delete-bucket", ...issuer],
  };
});

afterAll(() => scene.close());

beforeEach(() => scene.forget());

async function plan(args: readonly string[]): Promise<readonly JsonStep[]> {
  const { ran, document } = await scene.runJson([...args, "--dry-run"]);
  expect(ran.exit, ran.stderr).toBe(0);
  const { data } = expectEnvelope<{ readonly steps: readonly JsonStep[] }>("Plan", document);
  expect(data.steps.every(({ status }) => status === "planned")).toBe(true);
  return data.steps;
}

const actionsOf = (steps: readonly JsonStep[]): readonly string[] => [...new Set(steps.map(({ action }) => action))];

describe("--dry-run sends no write", () => {
  it.each(["publish", "setup", "grant"])("of %s when everything is new", async (name) => {
    expect(actionsOf(await plan(commands[name] ?? []))).toEqual(["create"]);
    expect(scene.writes()).toEqual([]);
  });

  it("of publish dir, not even to the disk", async () => {
    const path = join(scene.dir, "www");
    expect(actionsOf(await plan(["publish", "dir", "--path", path, ...issuer]))).toEqual(["create"]);
    await expect(readdir(path)).rejects.toMatchObject({ code: "ENOENT" });
    expect(scene.writes()).toEqual([]);
  });

  it("when everything has drifted or is somebody else's, and shows what would be done", async () => {
    for (const name of ["publish", "setup", "grant"]) expect((await scene.run(commands[name] ?? [])).exit).toBe(0);
    const { providers, roles, buckets } = scene.aws.state;
    for (const provider of providers.values()) Object.assign(provider, { tags: [], thumbprints: [] });
    for (const role of roles.values()) Object.assign(role, { maxSessionDuration: 43_200, assumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}' });
    for (const bucket of buckets.values()) Object.assign(bucket, { ownership: "ObjectWriter" });
    scene.forget();
    const [published, setUp, granted] = await Promise.all([plan(commands["publish"] ?? []), plan([...(commands["setup"] ?? []), "--adopt"]), plan(commands["grant"] ?? [])]);
    expect(published.filter(({ action }) => action !== "none").map(({ id }) => id)).toEqual(["s3.ownership/oidc"]);
    expect(setUp.map(({ action }) => action)).toEqual(["adopt", "none"]);
    expect(granted.find(({ id }) => id === "aws.role/app")).toMatchObject({ action: "update" });
    expect(scene.writes()).toEqual([]);
  });

  it("of teardown, which then needs no --yes", async () => {
    for (const provider of scene.aws.state.providers.values()) provider.tags = [{ key: "kubeassume.dev/managed-by", value: "kubeassume" }, { key: "kubeassume.dev/issuer", value: scene.issuer }];
    expect(actionsOf(await plan(commands["teardown"] ?? []))).toEqual(["delete"]);
    expect(scene.writes()).toEqual([]);
  });

  it("as text, with the plan for people on stderr and nothing on stdout", async () => {
    const ran = await scene.run([...(commands["teardown"] ?? []), "--dry-run"]);
    expect([ran.exit, ran.stdout]).toEqual([0, ""]);
    expect(ran.stderr).toMatch(/delete .*role\/kubeassume\/app/);
    expect(scene.writes()).toEqual([]);
  });

  it.each([["status", "aws"], ["verify", "aws"], ["thumbprint", "https://127.0.0.1:1"], ["trust-policy", "aws"], ["permissions", "aws"]])("of %s %s is refused instead of ignored", async (...args) => {
    const { ran, document } = await scene.runJson([...args, "--dry-run"]);
    expect([ran.exit, document.error?.code]).toEqual([2, "USAGE"]);
  });
});
