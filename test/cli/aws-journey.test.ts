import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectEnvelope, type OutputEnvelope } from "../support/output-schema.ts";
import { type JsonStep, type Scene, startScene } from "../support/scene.ts";

const POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess";
const ROLE = "arn:aws:iam::123456789012:role/kubeassume/demo-app";
const INLINE = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] };

interface Steps {
  readonly steps: readonly JsonStep[];
}

const actionsOf = (document: { readonly data: Steps }): readonly string[] => document.data.steps.map(({ action }) => action);
const allAre = (document: { readonly data: Steps }, action: string): boolean => document.data.steps.length > 0 && document.data.steps.every((step) => step.action === action);

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

async function succeed<D = Steps>(kind: string, args: readonly string[]): Promise<OutputEnvelope<D>> {
  const { ran, document } = await scene.runJson(args);
  expect(ran.exit, ran.stderr).toBe(0);
  expect(ran.stderr, "no warning of Node or of an SDK").not.toMatch(/\(node:\d+\)/);
  return expectEnvelope<D>(kind, document);
}

/** Each test stands on those before it, as the commands do on each other. */
describe("the journey with flags", () => {
  const publish = ["publish", "s3", "--bucket", "oidc", "--create-bucket"];
  const grant = ["grant", "aws", "--service-account", "demo/app", "--service-account", "demo/batch", "--role-name", "demo-app", "--policy-arn", POLICY, "--permissions-boundary", BOUNDARY, "--max-session-duration", "7200", "--apply-manifests"];
  const setup = ["setup", "aws", "--audience", "sts.amazonaws.com", "--audience", "vault", "--boilerplate-configmap", "demo/aws-trust"];
  const issuer = (): readonly string[] => ["--issuer-url", scene.issuer];

  it("publishes the cluster's keys and reads them back through the issuer", async () => {
    const { data } = await succeed<Steps & { readonly keys: readonly { readonly status: string }[]; readonly jwksUrl: string }>("PublishResult", [...publish, ...issuer()]);
    expect(data.keys.map(({ status }) => status)).toEqual(["added"]);
    expect(data.jwksUrl).toBe(`${scene.issuer}/openid/v1/jwks`);
    const bucket = scene.aws.state.buckets.get("oidc");
    expect([...(bucket?.objects.keys() ?? [])].sort()).toEqual([".well-known/openid-configuration", "openid/v1/jwks"]);
    expect(bucket?.publicAccessBlock).toMatchObject({ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false });
    expect(scene.calls()).toContainEqual(expect.objectContaining({ service: "issuer", action: "GET /oidc/openid/v1/jwks" }));
  });

  it("writes the keys before the discovery document that names them", () => {
    const writes = scene.writes().filter((write) => /openid/.test(write));
    expect(writes).toEqual(["aws.s3 PUT /oidc/openid/v1/jwks", "aws.s3 PUT /oidc/.well-known/openid-configuration"]);
  });

  it("sets up the trust with every audience and the private chain's thumbprint, and keeps the boilerplate in the cluster", async () => {
    const { data, warnings } = await succeed<Steps & { readonly provider: string; readonly thumbprint: string; readonly nextSteps: readonly string[] }>("SetupResult", [...setup, ...issuer()]);
    const provider = scene.aws.state.providers.get(data.provider);
    expect(provider).toMatchObject({ clientIds: ["sts.amazonaws.com", "vault"], thumbprints: [data.thumbprint] });
    expect(provider?.tags).toEqual(expect.arrayContaining([{ key: "kubeassume.dev/managed-by", value: "kubeassume" }, { key: "kubeassume.dev/issuer", value: scene.issuer }]));
    expect(data.nextSteps[0]).toContain("kubeassume grant aws");
    expect(warnings.map(({ code }) => code)).toEqual(["ISSUER_PORT"]);
    expect(scene.sandbox.cluster.find("configmaps", "demo", "aws-trust")?.["data"]).toMatchObject({ provider: data.provider });
  });

  it("grants a role to two service accounts and applies both to the cluster", async () => {
    const file = await scene.file("policy.json", JSON.stringify(INLINE));
    const document = await succeed<Steps & { readonly principal: string; readonly trustPolicy: { readonly Statement: readonly unknown[] } }>("GrantResult", [...grant, "--policy-file", file, ...issuer()]);
    expect(document.data.principal).toBe(ROLE);
    expect(allAre(document, "create")).toBe(true);
    const role = scene.aws.state.roles.get("demo-app");
    expect(role).toMatchObject({ path: "/kubeassume/", maxSessionDuration: 7200, permissionsBoundary: BOUNDARY });
    expect([...(role?.attachedPolicies ?? [])]).toEqual([POLICY]);
    expect(JSON.parse(role?.inlinePolicies.get("kubeassume") ?? "")).toEqual(INLINE);
    const host = scene.issuer.slice("https://".length);
    expect(JSON.parse(role?.assumeRolePolicyDocument ?? "")).toMatchObject({
      Statement: [{ Condition: { StringEquals: { [`${host}:aud`]: "sts.amazonaws.com", [`${host}:sub`]: ["system:serviceaccount:demo:app", "system:serviceaccount:demo:batch"] } } }],
    });
    for (const name of ["app", "batch"]) {
      expect(scene.sandbox.cluster.find("serviceaccounts", "demo", name)?.metadata["annotations"]).toMatchObject({ "eks.amazonaws.com/role-arn": ROLE });
    }
  });

  it("changes nothing and sends no write when all of it runs again", async () => {
    scene.forget();
    const again = [
      await succeed("PublishResult", [...publish, ...issuer()]),
      await succeed("SetupResult", [...setup, ...issuer()]),
      await succeed("GrantResult", [...grant, "--policy-file", `${scene.dir}/policy.json`, ...issuer()]),
    ];
    expect(again.flatMap(actionsOf).filter((action) => action !== "none")).toEqual([]);
    expect(again.every((document) => allAre(document, "none"))).toBe(true);
    expect(scene.writes()).toEqual([]);
  });

  it("passes every check of status, with minted tokens, and writes nothing for it", async () => {
    scene.forget();
    const { data } = await succeed<{ readonly checks: readonly { readonly id: string; readonly status: string }[]; readonly summary: Record<string, number> }>("StatusReport", ["status", "aws", ...issuer(), "--service-account", "demo/app", "--service-account", "demo/batch", "--role-name", "demo-app", "--mint"]);
    expect(data.checks.filter(({ status }) => status === "fail")).toEqual([]);
    expect(data.checks.filter(({ id, status }) => id === "aws-grant-trust" && status === "pass")).toHaveLength(2);
    expect(data.summary["skip"]).toBe(0);
    expect(scene.writes()).toEqual([]);
  });

  it("removes all of it by the marks alone, the provider after the role and before the documents", async () => {
    scene.forget();
    const document = await succeed<Steps & { readonly leftBehind: readonly string[] }>("TeardownResult", ["teardown", "aws", ...issuer(), "--delete-bucket", "--yes"]);
    expect(document.data.leftBehind).toEqual([]);
    expect(allAre(document, "delete")).toBe(true);
    expect([scene.aws.state.roles.size, scene.aws.state.providers.size, scene.aws.state.buckets.size]).toEqual([0, 0, 0]);
    const order = scene.writes().filter((write) => /DeleteRole$|DeleteOpenIDConnectProvider|DELETE \/oidc/.test(write));
    expect(order.slice(0, 2)).toEqual(["aws.iam DeleteRole", "aws.iam DeleteOpenIDConnectProvider"]);
    expect(order.at(-1)).toMatch(/^aws\.s3 DELETE \/oidc\/?$/);
  });

  it("finds nothing to remove the second time", async () => {
    scene.forget();
    const document = await succeed("TeardownResult", ["teardown", "aws", ...issuer(), "--delete-bucket", "--yes"]);
    expect(document.data.steps).toEqual([]);
    expect(scene.writes()).toEqual([]);
  });
});

describe("the journey with kubeassume.yaml", () => {
  beforeAll(async () => {
    await scene.file("boundary-policy.json", JSON.stringify(INLINE));
    const config = `apiVersion: kubeassume.dev/v1
kind: Federation
issuer: ${scene.issuer}
publish:
  - s3: { bucket: oidc, region: eu-west-1 }
clouds:
  aws: { region: eu-west-1, audiences: [sts.amazonaws.com] }
grants:
  - serviceAccount: demo/api
    aws: { roleName: demo-api, policyArns: ["${POLICY}"] }
  - serviceAccount: demo/worker
    aws: { roleName: demo-worker, policyFile: boundary-policy.json }
`;
    await scene.file("kubeassume.yaml", config);
  });

  it("brings about both grants without a flag", async () => {
    await succeed("PublishResult", ["publish", "s3", "--create-bucket"]);
    await succeed("SetupResult", ["setup", "aws"]);
    const { data } = await succeed<Steps & { readonly grants: readonly { readonly principal: string }[] }>("GrantResult", ["grant", "aws"]);
    expect(data.grants.map(({ principal }) => principal.split("/").at(-1))).toEqual(["demo-api", "demo-worker"]);
    expect([...scene.aws.state.roles.keys()].sort()).toEqual(["demo-api", "demo-worker"]);
  });

  it("changes nothing the second time, from another folder too", async () => {
    scene.forget();
    const config = ["--config", `${scene.dir}/kubeassume.yaml`];
    const again = [await succeed("PublishResult", ["publish", "s3"]), await succeed("SetupResult", ["setup", "aws"]), await succeed("GrantResult", ["grant", "aws"])];
    const { ran, document } = await scene.runJson(["grant", "aws", ...config], { cwd: "/" });
    expect(ran.exit).toBe(0);
    again.push(expectEnvelope<Steps>("GrantResult", document));
    expect(again.every((one) => allAre(one, "none"))).toBe(true);
    expect(scene.writes()).toEqual([]);
  });

  it("checks both grants", async () => {
    const { data } = await succeed<{ readonly checks: readonly { readonly id: string; readonly status: string }[] }>("StatusReport", ["status"]);
    expect(data.checks.filter(({ id }) => id === "aws-grant-trust").map(({ status }) => status)).toEqual(["pass", "pass"]);
  });

  it("removes both grants and nothing else with --grants-only", async () => {
    const { data } = await succeed("TeardownResult", ["teardown", "--grants-only", "--yes"]);
    expect(data.steps.map(({ id }) => id).sort()).toEqual(["aws.role/demo-api", "aws.role/demo-worker"]);
    expect(scene.aws.state.providers.size).toBe(1);
  });

  it("removes the trust and keeps the documents with --keep-documents", async () => {
    const { data } = await succeed("TeardownResult", ["teardown", "--keep-documents", "--yes"]);
    expect(data.steps.map(({ id }) => id)).toEqual(["aws.provider"]);
    expect(scene.aws.state.buckets.get("oidc")?.objects.size).toBe(2);
  });

  it("keeps the emptied bucket unless --delete-bucket asks for it", async () => {
    await succeed("TeardownResult", ["teardown", "--yes"]);
    expect(scene.aws.state.buckets.get("oidc")?.objects.size).toBe(0);
    await succeed("TeardownResult", ["teardown", "--delete-bucket", "--yes"]);
    expect(scene.aws.state.buckets.size).toBe(0);
  });
});
