import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OidcProvider, Role } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { expectEnvelope } from "../support/output-schema.ts";
import { type JsonDocument, type JsonStep, type Scene, startScene } from "../support/scene.ts";

const POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const OTHER_POLICY = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess";
const BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess";
const INLINE = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] };
const OTHERS = { Sid: "Others", Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };

let scene: Scene;
let setup: readonly string[];
let grant: readonly string[];

beforeAll(async () => {
  scene = await startScene();
  const file = await scene.file("policy.json", JSON.stringify(INLINE));
  setup = ["setup", "aws", "--issuer-url", scene.issuer];
  grant = ["grant", "aws", "--issuer-url", scene.issuer, "--service-account", "demo/app", "--role-name", "demo-app", "--policy-arn", POLICY, "--policy-file", file, "--permissions-boundary", BOUNDARY, "--max-session-duration", "7200"];
  await succeed(setup);
  await succeed(grant);
});

afterAll(() => scene.close());

beforeEach(() => scene.forget());

async function succeed(args: readonly string[]): Promise<JsonDocument> {
  const { ran, document } = await scene.runJson(args);
  expect(ran.exit, ran.stderr).toBe(0);
  expectEnvelope(args[0] === "setup" ? "SetupResult" : "GrantResult", document);
  return document;
}

function only<T>(values: Map<string, T>): T {
  const [value] = values.values();
  if (value === undefined) throw new Error("there is none");
  return value;
}

const provider = (): OidcProvider => only(scene.aws.state.providers);
const role = (): Role => only(scene.aws.state.roles);
const changed = ({ data }: JsonDocument): readonly JsonStep[] => (data?.steps ?? []).filter(({ action }) => action !== "none");

const ISSUER_TAG = "kubeassume.dev/issuer";

describe("drift", () => {
  it("of the provider is named field by field and repaired, and foreign tags stay", async () => {
    const { clientIds, thumbprints } = provider();
    Object.assign(provider(), { clientIds: ["somebody-else"], thumbprints: ["f".repeat(40)] });
    provider().tags = [...provider().tags.filter(({ key }) => key !== ISSUER_TAG), { key: "team", value: "payments" }];
    const steps = changed(await succeed(setup));
    expect(steps.map((step) => [step.action, step.reason])).toEqual([["update", "differs in audiences, thumbprints, tags"]]);
    expect(provider()).toMatchObject({ clientIds, thumbprints });
    expect(provider().tags.map(({ key }) => key).sort()).toEqual([ISSUER_TAG, "kubeassume.dev/managed-by", "team"]);
    expect(scene.writes().map((write) => write.split(" ")[1])).toEqual(["AddClientIDToOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint", "TagOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"]);
  });

  it("of the role is named field by field and repaired, and what is somebody else's stays", async () => {
    const trust = JSON.parse(role().assumeRolePolicyDocument) as { readonly Statement: readonly object[] };
    const opened = trust.Statement.map((statement) => ({ ...statement, Condition: {} }));
    Object.assign(role(), { description: "improved by a person", maxSessionDuration: 3600, permissionsBoundary: undefined });
    role().assumeRolePolicyDocument = JSON.stringify({ ...trust, Statement: [OTHERS, ...opened] });
    role().tags = [...role().tags.filter(({ key }) => key !== ISSUER_TAG), { key: "team", value: "payments" }];
    role().attachedPolicies.delete(POLICY);
    role().attachedPolicies.add(OTHER_POLICY);
    role().inlinePolicies.set("kubeassume", JSON.stringify({ Version: "2012-10-17", Statement: [] }));
    role().inlinePolicies.set("theirs", "{}");
    const steps = changed(await succeed(grant));
    expect(steps.map((step) => [step.action, step.reason])).toEqual([
      ["update", "differs in trustPolicy, tags, maxSessionDuration, permissionsBoundary"],
      ["create", "does not exist"],
      ["update", "differs in policyDocument"],
    ]);
    expect(role()).toMatchObject({ description: "improved by a person", maxSessionDuration: 7200, permissionsBoundary: BOUNDARY });
    expect(JSON.parse(role().assumeRolePolicyDocument)).toMatchObject({ Statement: [OTHERS, ...trust.Statement] });
    expect(role().tags.map(({ key }) => key).sort()).toEqual([ISSUER_TAG, "kubeassume.dev/managed-by", "team"]);
    expect([...role().attachedPolicies].sort()).toEqual([OTHER_POLICY, POLICY].sort());
    expect(role().inlinePolicies.get("theirs")).toBe("{}");
    expect(JSON.parse(role().inlinePolicies.get("kubeassume") ?? "")).toEqual(INLINE);
    scene.forget();
    expect(changed(await succeed(grant))).toEqual([]);
    expect(scene.writes()).toEqual([]);
  });

  it("that takes a service account's access away is a warning", async () => {
    await succeed([...grant, "--service-account", "demo/second"]);
    const document = await succeed(grant);
    expect(document.warnings.map(({ code, message }) => [code, message.includes("system:serviceaccount:demo:second")])).toEqual([["AWS_ACCESS_REMOVED", true]]);
  });
});

describe("status names the drift and fails", () => {
  const status = (): readonly string[] => ["status", "aws", "--issuer-url", scene.issuer, "--service-account", "demo/app", "--role-name", "demo-app"];

  it("of the provider and of the role by check and field, and repairs nothing", async () => {
    provider().thumbprints = ["f".repeat(40)];
    provider().clientIds.push("vault");
    role().assumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [OTHERS] });
    const { ran, document } = await scene.runJson(status());
    expect(ran.exit).toBe(3);
    const { data, error } = expectEnvelope<{ readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string; readonly hint: string }[] }>("StatusReport", document);
    const bad = data.checks.filter((check) => check.status === "fail" || (check.status === "warn" && check.id !== "aws-propagation"));
    expect(bad.map((check) => [check.id, check.status])).toEqual([
      ["aws-oidc-provider-audiences", "warn"],
      ["aws-oidc-provider-thumbprint", "fail"],
      ["aws-grant-drift", "fail"],
      ["aws-grant-trust", "fail"],
    ]);
    expect(bad.find(({ id }) => id === "aws-grant-drift")?.message).toContain("trustPolicy");
    expect(bad.every((check) => check.hint !== "")).toBe(true);
    expect(error?.code).toBe("CHECKS_FAILED");
    expect(scene.writes()).toEqual([]);
    await succeed(setup);
    await succeed(grant);
  });

  it("when a warning is enough, with --strict", async () => {
    provider().clientIds.push("vault");
    const [lenient, { ran, document }] = await Promise.all([scene.run(status()), scene.runJson([...status(), "--strict"])]);
    expect(lenient.exit, lenient.stdout).toBe(0);
    expect([ran.exit, document.error?.code]).toEqual([3, "CHECKS_FAILED"]);
    await succeed(setup);
  });
});

describe("what carries no mark", () => {
  it("is refused, both with the way to take it over, and nothing is written", async () => {
    provider().tags = [{ key: "team", value: "payments" }];
    role().tags = [{ key: "team", value: "payments" }];
    scene.forget();
    for (const [args, target] of [[setup, provider().arn], [grant, role().arn]] as const) {
      const { ran, document } = await scene.runJson(args);
      expect([ran.exit, document.error?.code]).toEqual([2, "NOT_OURS"]);
      expect(document.error?.message).toContain(target);
      expect(document.error?.hint).toContain("--adopt");
    }
    expect(scene.writes()).toEqual([]);
  });

  it("is taken over with --adopt, keeps foreign tags, and is ours from then on", async () => {
    for (const args of [setup, grant]) {
      const [step] = changed(await succeed([...args, "--adopt"]));
      expect(step?.action).toBe("adopt");
      expect(changed(await succeed(args))).toEqual([]);
    }
    expect(provider().tags).toContainEqual({ key: "team", value: "payments" });
    expect(role().tags).toContainEqual({ key: "team", value: "payments" });
  });

  it("does not lose an audience by being taken over", async () => {
    provider().tags = [];
    provider().clientIds = ["sts.amazonaws.com", "vault"];
    const { ran, document } = await scene.runJson([...setup, "--adopt"]);
    expect([ran.exit, document.error?.code]).toEqual([2, "AWS_ADOPTION_REMOVES_AUDIENCES"]);
    expect(document.error?.message).toContain("vault");
    expect(scene.writes()).toEqual([]);
    await succeed([...setup, "--adopt", "--audience", "sts.amazonaws.com", "--audience", "vault"]);
  });

  it("is a role of another team, which gets our statement with --role-arn and nothing else", async () => {
    const foreign: Role = { ...role(), name: "theirs", path: "/team/", arn: "arn:aws:iam::123456789012:role/team/theirs", tags: [], attachedPolicies: new Set(), inlinePolicies: new Map(), assumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [OTHERS] }) };
    scene.aws.state.roles.set("theirs", foreign);
    const args = ["grant", "aws", "--issuer-url", scene.issuer, "--service-account", "demo/app", "--role-arn", foreign.arn];
    const [step] = changed(await succeed(args));
    expect(step).toMatchObject({ action: "update", target: foreign.arn, reason: "differs in trustPolicy" });
    expect(scene.writes()).toEqual(["aws.iam UpdateAssumeRolePolicy"]);
    expect(JSON.parse(foreign.assumeRolePolicyDocument)).toMatchObject({ Statement: [OTHERS, { Action: "sts:AssumeRoleWithWebIdentity" }] });
    expect(foreign.tags).toEqual([]);
    expect(changed(await succeed(args))).toEqual([]);
  });
});
