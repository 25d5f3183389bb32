import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsProvider } from "../../../../../src/federation/clouds/aws/provider.ts";
import { statementId } from "../../../../../src/federation/clouds/aws/trust/statement.ts";
import { parseTagText } from "../../../../../src/federation/clouds/aws/marks.ts";
import { defaultRoleName } from "../../../../../src/federation/clouds/aws/input/role-name.ts";
import type { AwsGrantSpec } from "../../../../../src/federation/clouds/aws/input/grant-spec.ts";
import type { AwsSetupSpec } from "../../../../../src/federation/clouds/aws/input/setup-spec.ts";
import type { Role } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import type { CloudInput, Connection, MarkedResource } from "../../../../../src/federation/clouds/cloud.ts";
import { planResources } from "../../../../../src/federation/plan/plan-resources.ts";
import type { Step } from "../../../../../src/federation/plan/step.ts";
import { startTestAws, type TestAws } from "../sandbox/support/start.ts";
import { worldWith } from "./world.ts";

const ISSUER = "https://oidc.example.com/prod";
const READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const OTHERS = { Sid: "Others", Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };

let aws: TestAws;
let connection: Connection<AwsSetupSpec, AwsGrantSpec>;

beforeEach(async () => {
  aws = await startTestAws();
  connection = await awsProvider.connect(worldWith(aws.env), { flags: {}, config: null });
});

afterEach(async () => {
  await aws.stop();
});

function input(flags: CloudInput["flags"]): CloudInput {
  return { flags: { issuerUrl: ISSUER, serviceAccount: ["payments/api"], ...flags }, config: null };
}

async function plan(flags: CloudInput["flags"] = {}) {
  const specs = awsProvider.toGrantSpecs(input(flags));
  const caller = await connection.identify();
  const observed = await connection.observeGrants(specs, caller);
  const desired = awsProvider.desiredGrants(specs, caller, observed);
  const planned = planResources(desired.resources, observed, { adopt: flags["adopt"] === true });
  return { steps: planned.plan.steps, codes: [...desired.problems, ...planned.refusals].map(({ code }) => code), warnings: desired.warnings.map(({ code }) => code), refusals: planned.refusals };
}

async function apply(flags: CloudInput["flags"] = {}): Promise<readonly string[]> {
  const { steps, codes } = await plan(flags);
  expect(codes).toEqual([]);
  for (const step of steps) if (step.action !== "none") await connection.perform(step);
  return steps.map(({ action }) => action);
}

function roleNamed(name: string): Role {
  const role = aws.state.roles.get(name.toLowerCase());
  if (role === undefined) throw new Error(`no role ${name}`);
  return role;
}

async function createForeignRole(name: string, path = "/"): Promise<string> {
  const { CreateRoleCommand } = await import("@aws-sdk/client-iam");
  await aws.iam.send(new CreateRoleCommand({ RoleName: name, Path: path, AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [OTHERS] }) }));
  return roleNamed(name).arn;
}

function trustOf(name: string): { readonly Statement: readonly { readonly Sid?: string }[] } {
  return JSON.parse(roleNamed(name).assumeRolePolicyDocument) as { readonly Statement: readonly { readonly Sid?: string }[] };
}

function actions(): readonly string[] {
  return aws.exchanges.map(({ request }) => new URLSearchParams(request.body.toString("utf8")).get("Action") ?? "");
}

describe("the role of grant aws", () => {
  it("is created with its policies under the path of kubeassume, and left alone on the next run", async () => {
    const flags = { policyArn: [READ_ONLY], policyFileText: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}', maxSessionDuration: "7200" };
    expect(await apply(flags)).toEqual(["create", "create", "create"]);
    const role = roleNamed(defaultRoleName(ISSUER, { namespace: "payments", name: "api" }));
    expect(role).toMatchObject({ path: "/kubeassume/", maxSessionDuration: 7200 });
    expect([...role.attachedPolicies]).toEqual([READ_ONLY]);
    expect([...role.inlinePolicies.keys()]).toEqual(["kubeassume"]);
    expect(await apply(flags)).toEqual(["none", "none", "none"]);
  });

  it("is repaired field by field, and what others attached stays", async () => {
    const flags = { roleName: "payments", policyArn: [READ_ONLY], maxSessionDuration: "7200", permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess" };
    await apply(flags);
    const role = roleNamed("payments");
    Object.assign(role, { maxSessionDuration: 3600, permissionsBoundary: undefined, assumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [OTHERS] }) });
    role.tags = role.tags.filter(({ key }) => key === "kubeassume.dev/managed-by");
    role.attachedPolicies.delete(READ_ONLY);
    role.attachedPolicies.add("arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess");
    expect(await apply(flags)).toEqual(["update", "create"]);
    expect(role).toMatchObject({ maxSessionDuration: 7200, permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess" });
    expect(role.attachedPolicies.size).toBe(2);
    expect(trustOf("payments").Statement.map(({ Sid }) => Sid)).toEqual(["Others", statementId(ISSUER)]);
    expect(await apply(flags)).toEqual(["none", "none"]);
  });

  it("is refused when it carries no mark, and taken over with --adopt when its path allows it", async () => {
    await createForeignRole("payments", "/kubeassume/");
    expect((await plan({ roleName: "payments" })).codes).toEqual(["NOT_OURS"]);
    expect(await apply({ roleName: "payments", adopt: true })).toEqual(["adopt"]);
    expect(trustOf("payments").Statement[0]).toEqual(OTHERS);
    expect(await apply({ roleName: "payments" })).toEqual(["none"]);
  });

  it("cannot be taken over under another path or from another cluster: --role-arn is the way", async () => {
    const arn = await createForeignRole("payments");
    const { refusals } = await plan({ roleName: "payments", adopt: true });
    expect(refusals.map(({ code, hint }) => [code, hint.includes(`--role-arn ${arn}`)])).toEqual([["NOT_OURS", true]]);
    await apply({ roleName: "shared" });
    const other = await plan({ roleName: "shared", adopt: true, issuerUrl: "https://oidc.example.com/test" });
    expect(other.refusals.map(({ code, hint }) => [code, hint.includes(ISSUER)])).toEqual([["NOT_OURS", true]]);
  });

  it("is a conflict when somebody else makes it between reading and writing", async () => {
    const { steps } = await plan({ roleName: "payments" });
    await createForeignRole("payments");
    await expect(connection.perform(steps[0] as Step)).rejects.toMatchObject({ code: "AWS_CONFLICT" });
  });

  it("is finished when the answer to the creation was lost", async () => {
    const { steps } = await plan({ roleName: "payments", maxSessionDuration: "7200" });
    await connection.perform(steps[0] as Step);
    Object.assign(roleNamed("payments"), { maxSessionDuration: 3600 });
    await connection.perform(steps[0] as Step);
    expect(roleNamed("payments").maxSessionDuration).toBe(7200);
  });

  it("warns when service accounts lose the role, and of a missing provider", async () => {
    await apply({ roleName: "payments", serviceAccount: ["payments/api", "payments/worker"] });
    const { warnings, steps } = await plan({ roleName: "payments" });
    expect(warnings).toEqual(["AWS_PROVIDER_MISSING", "AWS_ACCESS_REMOVED"]);
    expect(steps.map(({ action }) => action)).toEqual(["update"]);
  });
});

describe("a role that exists", () => {
  it("gets our statement and nothing else, and loses it again at teardown", async () => {
    const arn = await createForeignRole("existing", "/team/");
    const before = roleNamed("existing").assumeRolePolicyDocument;
    expect(await apply({ roleArn: arn })).toEqual(["update"]);
    expect(trustOf("existing").Statement.map(({ Sid }) => Sid)).toEqual(["Others", statementId(ISSUER)]);
    expect(roleNamed("existing").tags).toEqual([]);
    expect(await apply({ roleArn: arn })).toEqual(["none"]);
    const [marked] = await connection.findMarked(ISSUER, await connection.identify());
    expect(marked).toMatchObject({ kind: "aws.role-trust", target: arn });
    await remove(marked as MarkedResource);
    expect(roleNamed("existing").assumeRolePolicyDocument).toBe(before);
    expect(await connection.findMarked(ISSUER, await connection.identify())).toEqual([]);
  });

  it("is not written when its trust policy has changed since it was read", async () => {
    const arn = await createForeignRole("existing");
    const { steps } = await plan({ roleArn: arn });
    roleNamed("existing").assumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...OTHERS, Sid: "Newer" }] });
    await expect(connection.perform(steps[0] as Step)).rejects.toMatchObject({ code: "AWS_CONFLICT" });
    expect(trustOf("existing").Statement.map(({ Sid }) => Sid)).toEqual(["Newer"]);
  });

  it("has to exist, in this account, under the path that was given", async () => {
    await createForeignRole("existing", "/team/");
    expect((await plan({ roleArn: "arn:aws:iam::123456789012:role/existing" })).codes).toEqual(["AWS_ROLE_MISSING"]);
    expect((await plan({ roleArn: "arn:aws:iam::123456789012:role/nobody" })).codes).toEqual(["AWS_ROLE_MISSING"]);
    expect((await plan({ roleArn: "arn:aws:iam::999999999999:role/team/existing" })).codes).toEqual(["AWS_ACCOUNT_MISMATCH"]);
    expect((await plan({ roleArn: "arn:aws-cn:iam::123456789012:role/team/existing" })).codes).toEqual(["AWS_ACCOUNT_MISMATCH"]);
  });
});

describe("teardown", () => {
  it("finds what was made by its marks alone and removes it with everything attached", async () => {
    await apply({ roleName: "payments", policyArn: [READ_ONLY], policyFileText: '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}' });
    await apply({ roleName: "other-cluster", issuerUrl: "https://oidc.example.com/test" });
    const marked = await connection.findMarked(ISSUER, await connection.identify());
    expect(marked.map(({ target, role }) => [target, role])).toEqual([["arn:aws:iam::123456789012:role/kubeassume/payments", "grant"]]);
    for (const resource of marked) await remove(resource);
    expect([...aws.state.roles.keys()]).toEqual(["other-cluster"]);
    // A second time, as after a lost answer.
    for (const resource of marked) await remove(resource);
  });

  it("keeps a role of ours that others use too, without our statement", async () => {
    await apply({ roleName: "payments" });
    const role = roleNamed("payments");
    role.assumeRolePolicyDocument = JSON.stringify({ ...trustOf("payments"), Statement: [...trustOf("payments").Statement, OTHERS] });
    const marked = await connection.findMarked(ISSUER, await connection.identify());
    expect(marked.map(({ kind, keep }) => [kind, keep !== undefined])).toEqual([["aws.role-trust", false], ["aws.role", true]]);
    await remove(marked[0] as MarkedResource);
    expect(trustOf("payments").Statement).toEqual([OTHERS]);
  });

  it("does not delete what lost its mark in between", async () => {
    await apply({ roleName: "payments" });
    const [marked] = await connection.findMarked(ISSUER, await connection.identify());
    roleNamed("payments").tags = [];
    await expect(remove(marked as MarkedResource)).rejects.toMatchObject({ code: "AWS_CONFLICT" });
    expect(aws.state.roles.size).toBe(1);
  });
});

describe("the records for verify", () => {
  it("are AWS's own, of the role of the service account; null for what does not exist under that very ARN", async () => {
    const caller = await connection.identify();
    expect(await connection.readTrust(input({}), ISSUER, caller)).toEqual({ provider: null, role: null });
    await apply();
    const { role } = await connection.readTrust(input({}), ISSUER, caller);
    expect(role).toMatchObject({ Arn: expect.stringContaining(":role/kubeassume/payments.api-"), MaxSessionDuration: 3600, AssumeRolePolicyDocument: { Version: "2012-10-17" } });
    await createForeignRole("elsewhere", "/team/");
    const byArn = (roleArn: string) => connection.readTrust({ flags: { roleArn }, config: null }, ISSUER, caller);
    expect((await byArn("arn:aws:iam::123456789012:role/elsewhere"))["role"]).toBeNull();
    expect((await byArn("arn:aws:iam::123456789012:role/team/elsewhere"))["role"]).not.toBeNull();
    await expect(byArn("arn:aws:iam::999999999999:role/elsewhere")).rejects.toMatchObject({ code: "AWS_ACCOUNT_MISMATCH" });
    await expect(connection.readTrust({ flags: {}, config: null }, ISSUER, caller)).rejects.toMatchObject({ code: "FLAG_MISSING" });
  });
});

describe("many grants", () => {
  it("cost pages, not a call each: 1,200 with one changed", async () => {
    const grants = Array.from({ length: 1200 }, (_, index) => ({ serviceAccount: `team-${index}/api`, aws: { roleName: `role-${index}`, maxSessionDuration: 7200 } }));
    const config = { file: "kubeassume.yaml", issuer: ISSUER, publish: [], clouds: {}, grants };
    const specs = awsProvider.toGrantSpecs({ flags: {}, config });
    const caller = await connection.identify();
    aws.state.quotas.rolesPerAccount = 5000;
    const first = awsProvider.desiredGrants(specs, caller, []);
    for (const resource of first.resources) {
      const fields = resource.fields as { readonly tags: readonly string[]; readonly trustPolicy: unknown };
      const role: Role = {
        name: resource.id.slice("aws.role/".length),
        path: "/kubeassume/",
        roleId: `AROA${"X".repeat(17)}`,
        arn: resource.target,
        createDate: new Date(),
        assumeRolePolicyDocument: JSON.stringify(fields.trustPolicy),
        description: undefined,
        maxSessionDuration: 7200,
        permissionsBoundary: undefined,
        tags: fields.tags.map(parseTagText).map(({ Key, Value }) => ({ key: Key, value: Value })),
        attachedPolicies: new Set(),
        inlinePolicies: new Map(),
        lastUsed: undefined,
      };
      aws.state.roles.set(role.name, role);
    }
    roleNamed("role-700").maxSessionDuration = 3600;
    const observed = await connection.observeGrants(specs, caller);
    const { resources } = awsProvider.desiredGrants(specs, caller, observed);
    const { plan: planned } = planResources(resources, observed, { adopt: false });
    expect(planned.steps.filter(({ action }) => action !== "none").map(({ id, reason }) => [id, reason])).toEqual([["aws.role/role-700", "differs in maxSessionDuration"]]);
    expect(actions().filter((action) => action !== "GetCallerIdentity")).toHaveLength(2 + 2 + 1);
  });
});

async function remove({ id, kind, target, fields, needs, remains }: MarkedResource): Promise<void> {
  const step = { id, kind, cloud: "aws", target, before: fields, needs, reason: "", ...(remains === undefined ? { action: "delete" as const, after: null } : { action: "update" as const, after: remains }) };
  await connection.perform(step);
}
