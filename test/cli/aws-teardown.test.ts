import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AwsState, Bucket, Role } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { expectEnvelope } from "../support/output-schema.ts";
import { type JsonStep, type Scene, startScene } from "../support/scene.ts";

const POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const OTHERS = { Sid: "Others", Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
const PROVIDER = (scene: Scene): string => `arn:aws:iam::123456789012:oidc-provider/${scene.issuer.slice("https://".length)}`;

interface Removed {
  readonly steps: readonly JsonStep[];
  readonly leftBehind: readonly string[];
}

let scene: Scene;
let issuer: readonly string[];

let restore: () => void;

/** Everything is there: bucket with both documents, provider, a role of ours, our statement in a foreign role. */
beforeAll(async () => {
  scene = await startScene();
  issuer = ["--issuer-url", scene.issuer];
  scene.aws.state.roles.set("theirs", foreignRole("theirs"));
  await Promise.all([
    succeed(["publish", "s3", "--bucket", "oidc", "--create-bucket", ...issuer]),
    succeed(["grant", "aws", ...issuer, "--service-account", "demo/app", "--role-name", "demo-app", "--policy-arn", POLICY]),
    succeed(["grant", "aws", ...issuer, "--service-account", "demo/app", "--role-arn", foreignRole("theirs").arn]),
  ]);
  await succeed(["setup", "aws", ...issuer]);
  restore = snapshot(scene.aws.state);
});

afterAll(() => scene.close());

beforeEach(() => {
  scene.breakWith(null);
  restore();
  scene.forget();
});

/** What there is now, to be put back as often as a test needs it. */
function snapshot({ providers, roles, buckets }: AwsState): () => void {
  const copyRole = (role: Role): Role => ({ ...role, attachedPolicies: new Set(role.attachedPolicies), inlinePolicies: new Map(role.inlinePolicies) });
  const copyBucket = (bucket: Bucket): Bucket => ({ ...bucket, objects: new Map(bucket.objects) });
  const kept = { providers: copy(providers, (provider) => ({ ...provider })), roles: copy(roles, copyRole), buckets: copy(buckets, copyBucket) };
  return () => {
    refill(providers, copy(kept.providers, (provider) => ({ ...provider })));
    refill(roles, copy(kept.roles, copyRole));
    refill(buckets, copy(kept.buckets, copyBucket));
  };
}

function copy<T>(map: ReadonlyMap<string, T>, one: (value: T) => T): Map<string, T> {
  return new Map([...map].map(([key, value]) => [key, one(value)]));
}

function refill<T>(map: Map<string, T>, from: ReadonlyMap<string, T>): void {
  map.clear();
  for (const [key, value] of from) map.set(key, value);
}

function foreignRole(name: string): Role {
  const trust = JSON.stringify({ Version: "2012-10-17", Statement: [OTHERS] });
  return { name, path: "/team/", roleId: `AROA${"X".repeat(17)}`, arn: `arn:aws:iam::123456789012:role/team/${name}`, createDate: new Date(0), assumeRolePolicyDocument: trust, description: undefined, maxSessionDuration: 3600, permissionsBoundary: undefined, tags: [], attachedPolicies: new Set(), inlinePolicies: new Map(), lastUsed: undefined };
}

async function succeed(args: readonly string[]): Promise<void> {
  const ran = await scene.run(args);
  expect(ran.exit, ran.stderr).toBe(0);
}

async function teardown(...args: readonly string[]) {
  const { ran, document } = await scene.runJson(["teardown", "aws", ...issuer, "--yes", ...args]);
  return { exit: ran.exit, ...expectEnvelope<Removed>("TeardownResult", document) };
}

describe("teardown", () => {
  it("takes back our statement from a role of somebody else and leaves the rest of it", async () => {
    const { exit, data } = await teardown("--delete-bucket");
    expect(exit).toBe(0);
    expect(data.steps.find(({ target }) => target.endsWith("role/team/theirs"))?.action).toBe("update");
    expect([...scene.aws.state.roles.values()]).toEqual([foreignRole("theirs")]);
  });

  it("leaves other issuers, unmarked providers and other objects alone, and says what stays of what was asked for", async () => {
    const { providers, roles, buckets } = scene.aws.state;
    const ours = providers.get(PROVIDER(scene));
    if (ours === undefined) throw new Error("no provider");
    ours.tags = [];
    const role = roles.get("demo-app");
    if (role === undefined) throw new Error("no role");
    roles.set("other-issuer", { ...role, name: "other-issuer", arn: `${role.arn}-2`, assumeRolePolicyDocument: JSON.stringify({ Statement: [OTHERS] }), tags: [{ key: "kubeassume.dev/managed-by", value: "kubeassume" }, { key: "kubeassume.dev/issuer", value: "https://oidc.example.com/other" }] });
    const documents = buckets.get("oidc")?.objects;
    const [document] = documents?.values() ?? [];
    if (document === undefined) throw new Error("no document");
    documents?.set("theirs.txt", { ...document, key: "theirs.txt", headers: {} });
    const { exit, data, error } = await teardown("--delete-bucket");
    expect([exit, error?.code]).toEqual([5, "LEFT_BEHIND"]);
    expect(data.leftBehind).toEqual([expect.stringMatching(/^s3:\/\/oidc stays: .*theirs\.txt/)]);
    expect([...providers.keys()]).toEqual([PROVIDER(scene)]);
    expect([...roles.keys()].sort()).toEqual(["other-issuer", "theirs"]);
    expect([...(documents?.keys() ?? [])]).toEqual(["theirs.txt"]);
  });

  it("keeps a role of ours that somebody else uses too, lists it, and ends with 5", async () => {
    const role = scene.aws.state.roles.get("demo-app");
    if (role === undefined) throw new Error("no role");
    const trust = JSON.parse(role.assumeRolePolicyDocument) as { readonly Statement: readonly object[] };
    role.assumeRolePolicyDocument = JSON.stringify({ ...trust, Statement: [...trust.Statement, OTHERS] });
    const { exit, data, error } = await teardown("--grants-only");
    expect([exit, error?.code], error?.message).toEqual([5, "LEFT_BEHIND"]);
    expect(data.leftBehind.join()).toContain(role.arn);
    expect(JSON.parse(role.assumeRolePolicyDocument)).toMatchObject({ Statement: [OTHERS] });
  });

  it("that is cut short in the middle reports what is done, failed and untouched, and is finished by the next run", async () => {
    scene.breakWith((_request, { action }) => (action === "DeleteOpenIDConnectProvider" ? { kind: "reset", when: "before" } : null));
    const { exit, data, error } = await teardown("--delete-bucket");
    expect([exit, error?.code]).toEqual([5, "PARTLY_APPLIED"]);
    expect(Object.fromEntries(data.steps.map(({ id, status }) => [id, status]))).toMatchObject({ "aws.role/demo-app": "done", "aws.provider": "failed", "s3.bucket/oidc": "skipped" });
    expect(data.leftBehind).toEqual(expect.arrayContaining([PROVIDER(scene), "s3://oidc"]));
    expect(error?.details["resume"]).toContain("kubeassume teardown aws");
    // While the provider trusts the issuer, nobody else may get its bucket.
    expect(scene.aws.state.buckets.get("oidc")?.objects.size).toBe(2);
    scene.breakWith(null);
    expect((await teardown("--delete-bucket")).exit).toBe(0);
    const { providers, roles, buckets } = scene.aws.state;
    expect([providers.size, [...roles.keys()], buckets.size]).toEqual([0, ["theirs"], 0]);
  });

  it("whose last answer is lost has nothing left to do the next time", async () => {
    scene.breakWith((request) => (request.method === "DELETE" && new URL(request.url).pathname.replace(/\/$/, "") === "/oidc" && !request.url.includes("policy") ? { kind: "reset", when: "after" } : null));
    await teardown("--delete-bucket");
    scene.breakWith(null);
    const { exit, data } = await teardown("--delete-bucket");
    expect([exit, data.steps]).toEqual([0, []]);
  });

  it("needs --yes without a terminal, and writes nothing without it", async () => {
    const { ran, document } = await scene.runJson(["teardown", "aws", ...issuer]);
    expect([ran.exit, document.error?.code]).toEqual([6, "DECLINED"]);
    expect(scene.writes()).toEqual([]);
  });
});
