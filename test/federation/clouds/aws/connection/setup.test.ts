import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsProvider } from "../../../../../src/federation/clouds/aws/provider.ts";
import type { Connection } from "../../../../../src/federation/clouds/cloud.ts";
import type { AwsGrantSpec } from "../../../../../src/federation/clouds/aws/input/grant-spec.ts";
import type { AwsSetupSpec } from "../../../../../src/federation/clouds/aws/input/setup-spec.ts";
import type { IssuerFacts } from "../../../../../src/federation/oidc/read-issuer.ts";
import { planResources } from "../../../../../src/federation/plan/plan-resources.ts";
import type { Plan } from "../../../../../src/federation/plan/step.ts";
import { startTestAws, type TestAws } from "../sandbox/support/start.ts";
import { worldWith } from "./world.ts";

const ISSUER = "https://oidc.example.com/prod";
const THUMBPRINT = "0123456789abcdef0123456789abcdef01234567";
const ARN = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod";

let aws: TestAws;
let connection: Connection<AwsSetupSpec, AwsGrantSpec>;

beforeEach(async () => {
  aws = await startTestAws();
  connection = await awsProvider.connect(worldWith(aws.env), { flags: {}, config: null });
});

afterEach(async () => {
  await aws.stop();
});

function privateChain(): IssuerFacts {
  const headers = { contentType: "application/json", cacheControl: "max-age=60" };
  const chain = { publiclyTrusted: false, thumbprints: [{ host: "oidc.example.com", thumbprint: THUMBPRINT, notAfter: "2030-01-01T00:00:00Z" }], warnings: [] };
  return { issuer: ISSUER, discovery: {}, jwksUri: `${ISSUER}/openid/v1/jwks`, jwks: {}, headers: { discovery: headers, jwks: headers }, chain };
}

async function plan(flags: Readonly<Record<string, string | readonly string[] | boolean>> = {}): Promise<{ readonly plan: Plan; readonly codes: readonly string[] }> {
  const spec = awsProvider.toSetupSpec({ flags: { issuerUrl: ISSUER, ...flags }, config: null });
  const caller = await connection.identify();
  const observed = await connection.observeSetup(spec, caller);
  const desired = awsProvider.desiredSetup(spec, privateChain(), caller, observed);
  const { plan: planned, refusals } = planResources(desired.resources, observed, { adopt: spec.adopt });
  return { plan: planned, codes: [...desired.problems, ...refusals].map(({ code }) => code) };
}

async function apply(flags: Readonly<Record<string, string | readonly string[] | boolean>> = {}): Promise<readonly string[]> {
  const { plan: planned, codes } = await plan(flags);
  expect(codes).toEqual([]);
  for (const step of planned.steps) if (step.action !== "none") await connection.perform(step);
  return planned.steps.map(({ action }) => action);
}

function actions(): readonly string[] {
  return aws.exchanges.map(({ request }) => new URLSearchParams(request.body.toString("utf8")).get("Action") ?? "");
}

describe("the provider of setup aws", () => {
  it("is created with one write after two reads, and found as it should be on the next run", async () => {
    expect(await apply()).toEqual(["create"]);
    expect(actions()).toEqual(["GetCallerIdentity", "GetOpenIDConnectProvider", "CreateOpenIDConnectProvider"]);
    expect(aws.state.providers.get(ARN)).toMatchObject({ clientIds: ["sts.amazonaws.com"], thumbprints: [THUMBPRINT] });
    expect(await apply()).toEqual(["none"]);
  });

  it("is repaired field by field, and foreign tags stay", async () => {
    await apply();
    const provider = aws.state.providers.get(ARN);
    if (provider === undefined) throw new Error("no provider");
    provider.clientIds = ["somebody-else"];
    provider.thumbprints = ["f".repeat(40)];
    provider.tags = [{ key: "kubeassume.dev/managed-by", value: "kubeassume" }, { key: "team", value: "payments" }];
    expect(await apply()).toEqual(["update"]);
    expect(aws.state.providers.get(ARN)).toMatchObject({ clientIds: ["sts.amazonaws.com"], thumbprints: [THUMBPRINT] });
    expect(aws.state.providers.get(ARN)?.tags).toContainEqual({ key: "team", value: "payments" });
    expect(aws.state.providers.get(ARN)?.tags).toContainEqual({ key: "kubeassume.dev/issuer", value: ISSUER });
    expect(await apply()).toEqual(["none"]);
  });

  it("is refused when somebody else made it, and taken over with --adopt", async () => {
    await apply();
    const provider = aws.state.providers.get(ARN);
    if (provider === undefined) throw new Error("no provider");
    provider.tags = [];
    expect((await plan()).codes).toEqual(["NOT_OURS"]);
    expect(await apply({ adopt: true })).toEqual(["adopt"]);
    expect(await apply()).toEqual(["none"]);
  });

  it("is not taken over when that would take an audience away that nobody named", async () => {
    await apply();
    const provider = aws.state.providers.get(ARN);
    if (provider === undefined) throw new Error("no provider");
    provider.tags = [];
    provider.clientIds.push("vault");
    expect((await plan({ adopt: true })).codes).toEqual(["AWS_ADOPTION_REMOVES_AUDIENCES"]);
    expect(await apply({ adopt: true, audience: ["sts.amazonaws.com", "vault"] })).toEqual(["adopt"]);
  });

  it("is finished when the answer to the creation was lost", async () => {
    const { plan: planned } = await plan();
    const [step] = planned.steps;
    if (step === undefined) throw new Error("no step");
    await connection.perform(step);
    // The same step again, as after a lost answer: EntityAlreadyExists, read, compared.
    const provider = aws.state.providers.get(ARN);
    if (provider === undefined) throw new Error("no provider");
    provider.thumbprints = ["f".repeat(40)];
    await connection.perform(step);
    expect(aws.state.providers.get(ARN)?.thumbprints).toEqual([THUMBPRINT]);
  });

  it("is a conflict when somebody else made it between reading and writing", async () => {
    const { plan: planned } = await plan();
    const [step] = planned.steps;
    if (step === undefined) throw new Error("no step");
    await connection.perform(step);
    const provider = aws.state.providers.get(ARN);
    if (provider === undefined) throw new Error("no provider");
    provider.tags = [];
    await expect(connection.perform(step)).rejects.toMatchObject({ code: "AWS_CONFLICT" });
  });
});
