import * as iam from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itConforms, refusalOf, startTestAws } from "./support/start.ts";
import type { TestAws } from "./support/start.ts";

const PROVIDER = "arn:aws:iam::123456789012:oidc-provider/issuer.example.com";
const TRUST = trustPolicy(["system:serviceaccount:a:b"]);
const READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

let aws: TestAws;
let count = 0;

function trustPolicy(subjects: readonly string[]): string {
  const condition = { StringEquals: { "issuer.example.com:sub": subjects, "issuer.example.com:aud": "sts.amazonaws.com" } };
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Federated: PROVIDER }, Action: "sts:AssumeRoleWithWebIdentity", Condition: condition }] });
}

beforeAll(async () => {
  aws = await startTestAws();
});

afterAll(() => aws.stop());

async function createNew(input: Partial<iam.CreateRoleCommandInput> = {}): Promise<string> {
  count += 1;
  const RoleName = input.RoleName ?? `role-${count}`;
  await aws.iam.send(new iam.CreateRoleCommand({ AssumeRolePolicyDocument: TRUST, ...input, RoleName }));
  return RoleName;
}

async function read(RoleName: string): Promise<iam.Role | undefined> {
  return (await aws.iam.send(new iam.GetRoleCommand({ RoleName }))).Role;
}

describe("a role", () => {
  // Recorded: CreateRole answers neither description nor duration; GetRole has everything; ListRoles neither tags nor boundary.
  it("is answered with the members that AWS answers", async () => {
    const input = { RoleName: "shape", Path: "/kubeassume/", Description: "for tests", PermissionsBoundary: READ_ONLY, Tags: [{ Key: "team", Value: "x" }] };
    const { Role: created } = await aws.iam.send(new iam.CreateRoleCommand({ ...input, AssumeRolePolicyDocument: TRUST }));
    expect(Object.keys(created ?? {}).toSorted()).toEqual(["Arn", "AssumeRolePolicyDocument", "CreateDate", "Path", "PermissionsBoundary", "RoleId", "RoleName", "Tags"]);
    expect(await read("shape")).toMatchObject({ Arn: "arn:aws:iam::123456789012:role/kubeassume/shape", Description: "for tests", MaxSessionDuration: 3600, RoleLastUsed: {} });
    const { Roles } = await aws.iam.send(new iam.ListRolesCommand({ PathPrefix: "/kubeassume/" }));
    expect(Roles).toHaveLength(1);
    expect(Object.keys(Roles?.[0] ?? {}).toSorted()).toEqual(["Arn", "AssumeRolePolicyDocument", "CreateDate", "Description", "MaxSessionDuration", "Path", "RoleId", "RoleName"]);
  });

  it("has a unique id in AWS's form", async () => {
    expect((await read(await createNew()))?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
  });

  it("gives its trust policy back URL-encoded and otherwise as it came", async () => {
    const document = `{"Version":"2012-10-17",\n "Statement":[{"Sid":"A","Effect":"Deny","Principal":"*","Action":"sts:*"}]}`;
    const role = await read(await createNew({ AssumeRolePolicyDocument: document }));
    expect(role?.AssumeRolePolicyDocument).toMatch(/^%7B%22Version%22%3A/);
    expect(role?.AssumeRolePolicyDocument).not.toMatch(/[\s*!'()"]/);
    expect(decodeURIComponent(role?.AssumeRolePolicyDocument ?? "")).toBe(document);
  });

  it("exists once, whatever the case of its name", async () => {
    const name = await createNew({ RoleName: "CaseRole" });
    expect(await refusalOf(createNew({ RoleName: name.toLowerCase() }))).toEqual({ code: "EntityAlreadyExists", status: 409, message: "Role with name caserole already exists." });
    expect((await read("CASEROLE"))?.RoleName).toBe("CaseRole");
  });

  it("that is not there is not found", async () => {
    expect(await refusalOf(read("absent"))).toEqual({ code: "NoSuchEntity", status: 404, message: "The role with name absent cannot be found." });
  });

  it.each([
    ["a name of 65 characters", { RoleName: "x".repeat(65) }, "1 validation error detected: Value 'xxxxx"],
    ["a name with a slash", { RoleName: "a/b" }, "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"],
    ["a path without its last slash", { Path: "/kubeassume" }, "The specified value for path is invalid."],
    ["a description that is not Latin-1", { Description: "あ" }, "Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*"],
    ["a description of 1,001 characters", { Description: "x".repeat(1001) }, "Member must have length less than or equal to 1000"],
    ["a session of 59 minutes", { MaxSessionDuration: 3599 }, "Value '3599' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"],
    ["a session of more than 12 hours", { MaxSessionDuration: 43_201 }, "Member must have value less than or equal to 43200"],
  ])("is refused for %s", async (_name, input, message) => {
    const refusal = await refusalOf(createNew(input));
    expect(refusal).toMatchObject({ code: "ValidationError", status: 400 });
    expect(refusal.message).toContain(message);
  });

  it("names every wrong parameter at once", async () => {
    const refusal = await refusalOf(createNew({ MaxSessionDuration: 1, Description: "x".repeat(1001) }));
    expect(refusal.message).toMatch(/^2 validation errors detected: /);
  });

  it("is updated where something is given, and stays elsewhere", async () => {
    const name = await createNew({ Description: "before", MaxSessionDuration: 7200 });
    await aws.iam.send(new iam.UpdateRoleCommand({ RoleName: name, Description: "after" }));
    expect(await read(name)).toMatchObject({ Description: "after", MaxSessionDuration: 7200 });
  });

  it("tells tag keys apart without regard to case", async () => {
    const name = await createNew({ Tags: [{ Key: "Team", Value: "1" }] });
    await aws.iam.send(new iam.TagRoleCommand({ RoleName: name, Tags: [{ Key: "team", Value: "2" }, { Key: "b", Value: "" }] }));
    expect((await aws.iam.send(new iam.ListRoleTagsCommand({ RoleName: name }))).Tags).toEqual([{ Key: "b", Value: "" }, { Key: "team", Value: "2" }]);
    await aws.iam.send(new iam.UntagRoleCommand({ RoleName: name, TagKeys: ["TEAM"] }));
    expect((await read(name))?.Tags).toEqual([{ Key: "b", Value: "" }]);
    const twice = new iam.TagRoleCommand({ RoleName: name, Tags: [{ Key: "c", Value: "" }, { Key: "C", Value: "" }] });
    expect((await refusalOf(aws.iam.send(twice))).code).toBe("InvalidInput");
  });

  it("cannot be made beyond the account's quota", async () => {
    const limit = aws.state.quotas.rolesPerAccount;
    aws.state.quotas.rolesPerAccount = aws.state.roles.size;
    const refusal = await refusalOf(createNew());
    aws.state.quotas.rolesPerAccount = limit;
    expect(refusal).toMatchObject({ code: "LimitExceeded", status: 409 });
  });
});

describe("a trust policy", () => {
  const statement = { Effect: "Allow", Principal: { Federated: PROVIDER }, Action: "sts:AssumeRoleWithWebIdentity" };

  it.each([
    ["no JSON", "nonsense", "This policy contains invalid Json"],
    ["a resource", JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Resource: "*" }] }), "Has prohibited field Resource"],
    ["no principal", JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Principal: undefined }] }), "Missing required field Principal"],
    ["an unknown operator", JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Condition: { StringSame: { "a:b": "c" } } }] }), "Invalid Condition type : StringSame"],
  ])("with %s is refused at creation and at update", async (_name, document, message) => {
    const name = await createNew();
    const update = new iam.UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: document });
    for (const call of [() => createNew({ AssumeRolePolicyDocument: document }), () => aws.iam.send(update)]) {
      expect(await refusalOf(call())).toEqual({ code: "MalformedPolicyDocument", status: 400, message });
    }
    expect(decodeURIComponent((await read(name))?.AssumeRolePolicyDocument ?? "")).toBe(TRUST);
  });

  it("may have 2,048 characters, white space not counted", async () => {
    const subjects = (length: number): string[] => {
      const spare = length - trustPolicy([""]).length;
      return ["x".repeat(spare)];
    };
    const exact = trustPolicy(subjects(2048));
    const name = await createNew({ AssumeRolePolicyDocument: exact.replaceAll(",", ",\n      ") });
    const update = new iam.UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: trustPolicy(subjects(2049)) });
    expect(await refusalOf(aws.iam.send(update))).toEqual({ code: "LimitExceeded", status: 409, message: "Cannot exceed quota for ACLSizePerRole: 2048" });
  });
});

describe("policies of a role", () => {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] });

  it("keep it from being deleted until they are gone", async () => {
    const RoleName = await createNew();
    const remove = (): Promise<unknown> => aws.iam.send(new iam.DeleteRoleCommand({ RoleName }));
    await aws.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
    await aws.iam.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: "inline", PolicyDocument: document }));
    expect(await refusalOf(remove())).toEqual({ code: "DeleteConflict", status: 409, message: "Cannot delete entity, must detach all policies first." });
    await aws.iam.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
    expect((await refusalOf(remove())).message).toBe("Cannot delete entity, must delete policies first.");
    await aws.iam.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName: "inline" }));
    await remove();
    expect((await refusalOf(read(RoleName))).code).toBe("NoSuchEntity");
  });

  it("are listed and read back", async () => {
    const RoleName = await createNew();
    for (const PolicyName of ["b", "a"]) await aws.iam.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: document }));
    await aws.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
    expect((await aws.iam.send(new iam.ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual(["a", "b"]);
    expect((await aws.iam.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies).toEqual([{ PolicyName: "AmazonS3ReadOnlyAccess", PolicyArn: READ_ONLY }]);
    const inline = await aws.iam.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName: "a" }));
    expect(decodeURIComponent(inline.PolicyDocument ?? "")).toBe(document);
  });

  it("are not found when they do not exist", async () => {
    const RoleName = await createNew();
    const PolicyArn = "arn:aws:iam::aws:policy/NoSuchPolicy";
    const refusals = await Promise.all([
      refusalOf(aws.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn }))),
      refusalOf(aws.iam.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }))),
      refusalOf(aws.iam.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName: "x" }))),
      refusalOf(aws.iam.send(new iam.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: PolicyArn }))),
      refusalOf(aws.iam.send(new iam.GetPolicyCommand({ PolicyArn }))),
    ]);
    expect(refusals.map(({ code, status }) => `${status} ${code}`)).toEqual(Array(5).fill("404 NoSuchEntity"));
    expect(refusals[0]?.message).toBe(`Policy ${PolicyArn} does not exist or is not attachable.`);
  });

  it("of AWS's own can be read", async () => {
    const { Policy } = await aws.iam.send(new iam.GetPolicyCommand({ PolicyArn: READ_ONLY }));
    expect(Policy).toMatchObject({ PolicyName: "AmazonS3ReadOnlyAccess", Path: "/", IsAttachable: true });
  });

  it.each([
    ["no JSON", "x", "Syntax errors in policy."],
    ["a principal", document.replace('"Action"', '"Principal":"*","Action"'), "Policy document should not specify a principal."],
    ["no resource", document.replace(',"Resource":"*"', ""), "Policy statement must contain resources."],
  ])("are refused inline with %s", async (_name, text, message) => {
    const put = new iam.PutRolePolicyCommand({ RoleName: await createNew(), PolicyName: "x", PolicyDocument: text });
    expect(await refusalOf(aws.iam.send(put))).toEqual({ code: "MalformedPolicyDocument", status: 400, message });
  });

  it("are ten at most, attached", async () => {
    const RoleName = await createNew();
    const names = Array.from({ length: 11 }, (_, index) => `arn:aws:iam::123456789012:policy/own-${index}`);
    for (const arn of names) aws.state.policies.set(arn, document);
    for (const PolicyArn of names.slice(0, 10)) await aws.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn }));
    const last = new iam.AttachRolePolicyCommand({ RoleName, PolicyArn: names[10] });
    expect(await refusalOf(aws.iam.send(last))).toEqual({ code: "LimitExceeded", status: 409, message: "Cannot exceed quota for PoliciesPerRole: 10" });
  });

  it("have a boundary that can be set and removed", async () => {
    const RoleName = await createNew();
    await aws.iam.send(new iam.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: READ_ONLY }));
    expect((await read(RoleName))?.PermissionsBoundary).toEqual({ PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: READ_ONLY });
    await aws.iam.send(new iam.DeleteRolePermissionsBoundaryCommand({ RoleName }));
    expect((await read(RoleName))?.PermissionsBoundary).toBeUndefined();
  });
});

describe("pages", () => {
  it("lead through every role once, also when one is deleted on the way", async () => {
    const names: string[] = [];
    for (let index = 0; index < 7; index += 1) names.push(await createNew({ Path: "/paged/" }));
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page: iam.ListRolesCommandOutput = await aws.iam.send(new iam.ListRolesCommand({ PathPrefix: "/paged/", MaxItems: 2, Marker }));
      seen.push(...(page.Roles ?? []).map(({ RoleName }) => RoleName ?? ""));
      if (Marker === undefined) await aws.iam.send(new iam.DeleteRoleCommand({ RoleName: seen[0] }));
      Marker = page.IsTruncated === true ? page.Marker : undefined;
    } while (Marker !== undefined);
    expect(seen).toEqual(names.toSorted());
  });

  it("of the whole account hold roles with everything about them", async () => {
    const RoleName = await createNew({ Path: "/details/", Tags: [{ Key: "a", Value: "b" }], PermissionsBoundary: READ_ONLY });
    await aws.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
    const pages: iam.RoleDetail[] = [];
    for await (const page of iam.paginateGetAccountAuthorizationDetails({ client: aws.iam, pageSize: 5 }, { Filter: ["Role"] })) pages.push(...(page.RoleDetailList ?? []));
    expect(pages).toHaveLength(aws.state.roles.size);
    expect(pages.find((role) => role.RoleName === RoleName)).toMatchObject({
      Path: "/details/",
      AttachedManagedPolicies: [{ PolicyArn: READ_ONLY }],
      PermissionsBoundary: { PermissionsBoundaryArn: READ_ONLY },
      Tags: [{ Key: "a", Value: "b" }],
    });
  });

  it("refuse a marker that is not theirs", async () => {
    expect((await refusalOf(aws.iam.send(new iam.ListRolesCommand({ Marker: "elsewhere" })))).code).toBe("ValidationError");
  });
});

itConforms(() => aws);
