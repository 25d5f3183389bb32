import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { marksOf } from "../../src/federation/clouds/aws/marks.ts";
import { awsProvider } from "../../src/federation/clouds/aws/provider.ts";
import type { Role } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { runHere } from "../support/run-here.ts";
import { type JsonDocument, type Scene, startScene } from "../support/scene.ts";

/**
 * Long enough that requests which are sent together overlap on a busy machine too. Nothing is timed: what counts is
 * which request waited for which.
 */
const LATENCY_MS = 80;
const POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const ACCOUNT = { name: "arn:aws:iam::123456789012:user/sandbox", account: "123456789012" };

/**
 * What each command may cost at most; more is a regression. Where many requests are sent together, one is allowed more
 * than is needed: on a busy machine the last of them may start when the first is answered.
 */
const MOST: Readonly<Record<string, number>> = {
  // Identity; records; the role; its policy.
  "grant, new": 4,
  "grant, unchanged": 3,
  // Identity; bucket and documents; the bucket; keys; discovery; the policy, read again before it is written; the read-back.
  "publish, new": 9,
  "publish, unchanged": 4,
  status: 3,
  // Four to find everything; then the role, the provider, the documents, the policy and the bucket follow each other.
  teardown: 15,
};

let scene: Scene;

afterEach(() => scene.close());

async function succeed(args: readonly string[]): Promise<JsonDocument> {
  scene.forget();
  const { ran, document } = await scene.runJson(args);
  expect(ran.exit, ran.stderr.slice(-2000)).toBe(0);
  return document;
}

async function trips(args: readonly string[]): Promise<number> {
  scene.forget();
  const { exit, stderr } = await runHere(scene, args);
  expect(exit, stderr.slice(-2000)).toBe(0);
  return scene.roundTrips();
}

describe("the longest chain of requests that wait for each other", () => {
  beforeEach(async () => {
    scene = await startScene({ latencyMs: LATENCY_MS });
  });

  it("is what the commands promise, when everything is new, when nothing changes, and on the way back", { retry: 2 }, async () => {
    const issuer = ["--issuer-url", scene.issuer];
    const setup = ["setup", "aws", ...issuer];
    const grant = ["grant", "aws", ...issuer, "--service-account", "demo/app", "--role-name", "app", "--policy-arn", POLICY];
    const publish = ["publish", "s3", "--bucket", "oidc", "--create-bucket", ...issuer];
    const status = ["status", "aws", ...issuer, "--service-account", "demo/app", "--role-name", "app", "--mint"];
    scene.sandbox.cluster.addServiceAccount({ namespace: "demo", name: "app" });
    const counted: Record<string, number> = {};
    const count = async (name: string, args: readonly string[]): Promise<void> => {
      counted[name] = await trips(args);
    };
    await count("setup, new", setup);
    await count("setup, unchanged", setup);
    await count("grant, new", grant);
    await count("grant, unchanged", grant);
    await count("publish, new", publish);
    await count("publish, unchanged", publish);
    await count("status", status);
    await count("teardown", ["teardown", "aws", ...issuer, "--delete-bucket", "--yes"]);
    expect(counted).toMatchObject({ "setup, new": 3, "setup, unchanged": 2 });
    const over = Object.entries(MOST).filter(([name, most]) => (counted[name] ?? Number.POSITIVE_INFINITY) > most);
    expect(over, JSON.stringify(counted)).toEqual([]);
  });
});

describe("5,000 grants of which one changed", () => {
  beforeEach(async () => {
    scene = await startScene();
  });

  it("cost at most 20 reads and one write", async () => {
    const grants = Array.from({ length: 5000 }, (_, index) => ({ serviceAccount: `team-${index % 50}/app-${index}`, aws: { roleName: `app-${index}`, policyArns: [POLICY] } }));
    const config = { apiVersion: "kubeassume.dev/v1", kind: "Federation", issuer: scene.issuer, clouds: { aws: { region: "eu-west-1" } }, grants };
    // JSON is YAML.
    const file = await scene.file("many.yaml", JSON.stringify(config));
    const specs = awsProvider.toGrantSpecs({ flags: {}, config: { ...config, file, publish: [] } });
    for (const { id, kind, target, fields } of awsProvider.desiredGrants(specs, ACCOUNT, []).resources) {
      if (kind === "aws.role") scene.aws.state.roles.set(id.slice("aws.role/".length), toRole(target, fields["trustPolicy"]));
    }
    const changed = scene.aws.state.roles.get("app-2500");
    if (changed === undefined) throw new Error("no role");
    changed.assumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    const document = await succeed(["grant", "aws", "--config", file]);
    expect(document.data?.steps?.filter(({ action }) => action !== "none").map(({ id }) => id)).toEqual(["aws.role/app-2500"]);
    expect(scene.writes()).toEqual(["aws.iam UpdateAssumeRolePolicy"]);
    const reads = scene.calls().length - 1;
    expect(reads).toBeLessThanOrEqual(20);
  });
});

function toRole(arn: string, trustPolicy: unknown): Role {
  return {
    name: arn.split("/").at(-1) ?? "",
    path: "/kubeassume/",
    roleId: `AROA${"X".repeat(17)}`,
    arn,
    createDate: new Date(0),
    assumeRolePolicyDocument: JSON.stringify(trustPolicy),
    description: undefined,
    maxSessionDuration: 3600,
    permissionsBoundary: undefined,
    tags: marksOf(scene.issuer).map(({ Key, Value }) => ({ key: Key, value: Value })),
    attachedPolicies: new Set([POLICY]),
    inlinePolicies: new Map(),
    lastUsed: undefined,
  };
}
