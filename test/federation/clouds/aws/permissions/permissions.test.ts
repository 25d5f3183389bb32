import { describe, expect, it } from "vitest";
import { aws } from "../../../../../src/federation/clouds/aws/cloud.ts";
import { PERMISSIONS } from "../../../../../src/federation/clouds/aws/permissions/actions.ts";
import { permissions } from "../../../../../src/federation/clouds/aws/permissions/permissions.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";

interface Policy {
  readonly Statement: readonly { readonly Sid: string; readonly Effect: string; readonly Action: readonly string[]; readonly Resource: string | readonly string[] }[];
}

const FLAGS = { issuerUrl: "https://oidc.example.com/prod", accountId: "123456789012", bucket: "acme-oidc" };

function policyFor(command: string | undefined, flags: FlagValues = FLAGS): Policy {
  return permissions(command, { flags, config: null }) as unknown as Policy;
}

describe("permissions aws", () => {
  it("has a policy for every command that the contract names", () => {
    expect(Object.keys(PERMISSIONS).sort()).toEqual([...aws.permissionCommands].sort());
  });

  it("narrows setup to the issuer's provider", () => {
    expect(policyFor("setup").Statement.map(({ Resource }) => Resource)).toEqual(["arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod"]);
  });

  it("lets grant write under its own path alone, and to roles that are named", () => {
    const writes = (policy: Policy) => policy.Statement.filter(({ Action }) => Action.includes("iam:UpdateAssumeRolePolicy")).map(({ Resource }) => Resource);
    expect(writes(policyFor("grant"))).toEqual(["arn:aws:iam::123456789012:role/kubeassume/*"]);
    expect(writes(policyFor("grant", { ...FLAGS, roleArn: ["arn:aws:iam::123456789012:role/team/x"] }))).toEqual(["arn:aws:iam::123456789012:role/kubeassume/*", "arn:aws:iam::123456789012:role/team/x"]);
  });

  it("lets status and verify read and nothing else", () => {
    for (const command of ["status", "verify"]) {
      for (const action of policyFor(command).Statement.flatMap(({ Action }) => Action)) expect(action).toMatch(/^iam:(Get|List)/);
    }
  });

  it("is the union of all commands when none is named, each action once per resource", () => {
    const all = policyFor(undefined).Statement;
    const actions = new Set(all.flatMap(({ Action }) => Action));
    for (const command of aws.permissionCommands) for (const { Action } of policyFor(command).Statement) for (const action of Action) expect(actions).toContain(action);
    expect(new Set(all.map(({ Sid }) => Sid)).size).toBe(all.length);
    for (const { Sid, Action } of all) {
      expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
      expect(Action).toEqual([...new Set(Action)].sort());
    }
  });

  it("knows buckets, roles and issuer from the config, and the partition from its flag", () => {
    const config = { file: "kubeassume.yaml", issuer: "https://oidc.example.com/prod", publish: [{ s3: { bucket: "acme" } }], clouds: {}, grants: [{ serviceAccount: "a/b", aws: { roleArn: "arn:aws-cn:iam::123456789012:role/x" } }] };
    const policy = permissions("teardown", { flags: { partition: "aws-cn" }, config }) as unknown as Policy;
    const resources = policy.Statement.flatMap(({ Resource }) => Resource);
    expect(resources).toContain("arn:aws-cn:s3:::acme/*");
    expect(resources).toContain("arn:aws-cn:iam::123456789012:role/x");
    expect(resources).toContain("arn:aws-cn:iam::*:oidc-provider/oidc.example.com/prod");
  });

  it.each([
    ["fly", {}, "USAGE"],
    ["setup", { accountId: "1" }, "AWS_ACCOUNT_INVALID"],
    ["setup", { partition: "mars" }, "AWS_PARTITION_INVALID"],
    ["grant", { roleArn: ["x"] }, "AWS_ARN_INVALID"],
    ["setup", { issuerUrl: "http://x.example.com" }, "FLAG_INVALID"],
  ])("refuses %s with %j", (command, flags: FlagValues, code) => {
    expect(() => policyFor(command, flags)).toThrow(expect.objectContaining({ code }));
  });
});
