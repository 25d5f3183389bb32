import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toGrantSpecs } from "../../../../../src/federation/clouds/aws/input/grant-spec.ts";
import { defaultRoleName } from "../../../../../src/federation/clouds/aws/input/role-name.ts";
import { toSetupSpec } from "../../../../../src/federation/clouds/aws/input/setup-spec.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { LoadedConfig } from "../../../../../src/federation/config/loaded-config.ts";
import type { KubeassumeError } from "../../../../../src/federation/errors/error.ts";

const ISSUER = "https://oidc.example.com/prod";

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    const { code, details } = error as KubeassumeError;
    const problems = details["problems"] as readonly { readonly code: string }[] | undefined;
    return problems?.map((problem) => problem.code) ?? [code];
  }
}

function setup(flags: FlagValues, config: LoadedConfig | null = null) {
  return toSetupSpec({ flags: { issuerUrl: ISSUER, ...flags }, config });
}

function grants(flags: FlagValues, config: LoadedConfig | null = null) {
  return toGrantSpecs({ flags: { issuerUrl: ISSUER, ...flags }, config });
}

function configWith(config: Partial<LoadedConfig>): LoadedConfig {
  return { file: "kubeassume.yaml", publish: [], clouds: {}, grants: [], ...config };
}

describe("the spec of setup aws", () => {
  it("takes the config's values and lets flags win", () => {
    const config = configWith({ issuer: "https://config.example.com", clouds: { aws: { region: "eu-west-1", audiences: ["from-config"] } } });
    expect(toSetupSpec({ flags: {}, config })).toMatchObject({ issuer: "https://config.example.com", region: "eu-west-1", audiences: ["from-config"], audiencesGiven: true });
    expect(setup({ region: "us-east-1", audience: ["from-flag"] }, config)).toMatchObject({ issuer: ISSUER, region: "us-east-1", audiences: ["from-flag"] });
  });

  it.each([
    [{}, ["sts.amazonaws.com"]],
    [{ region: "cn-north-1" }, ["sts.amazonaws.com.cn"]],
    [{ region: "us-gov-west-1" }, ["sts.amazonaws.com"]],
  ])("has the audience by convention for %j", (flags, audiences) => {
    expect(setup(flags)).toMatchObject({ audiences, audiencesGiven: false });
  });

  it.each([
    ["auto", "auto"],
    ["none", "none"],
    ["AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01", { sha1: "abcdef0123456789abcdef0123456789abcdef01" }],
  ])("reads thumbprint %s", (thumbprint, expected) => {
    expect(setup({ thumbprint }).thumbprint).toEqual(expected);
  });

  it.each([
    [{ issuerUrl: undefined }, ["FLAG_MISSING"]],
    [{ issuerUrl: "http://oidc.example.com/" }, ["ISSUER_NOT_HTTPS", "ISSUER_TRAILING_SLASH"]],
    [{ audience: ["a b"] }, ["AWS_AUDIENCE_INVALID"]],
    [{ audience: [""] }, ["AWS_AUDIENCE_INVALID"]],
    [{ thumbprint: "abc" }, ["AWS_THUMBPRINT_INVALID"]],
    [{ thumbprint: "g".repeat(40) }, ["AWS_THUMBPRINT_INVALID"]],
    [{ region: "evil.example.com/" }, ["AWS_REGION_INVALID"]],
    [{ issuerUrl: "https://a.example.com/", thumbprint: "x", audience: [" "], region: "x" }, ["ISSUER_TRAILING_SLASH", "AWS_AUDIENCE_INVALID", "AWS_REGION_INVALID", "AWS_THUMBPRINT_INVALID"]],
  ])("refuses %j, all problems at once", (flags, codes) => {
    expect(problemsOf(() => setup(flags))).toEqual(codes);
  });

  it("takes exactly 100 audiences of 255 characters, and no more of either", () => {
    const audience = Array.from({ length: 100 }, (_, index) => String(index).padStart(255, "a"));
    expect(setup({ audience }).audiences).toHaveLength(100);
    expect(problemsOf(() => setup({ audience: [...audience, "one-more"] }))).toEqual(["AWS_TOO_MANY_AUDIENCES"]);
    expect(problemsOf(() => setup({ audience: ["a".repeat(256)] }))).toEqual(["AWS_AUDIENCE_INVALID"]);
  });
});

describe("the specs of grant aws", () => {
  it.each([
    [{}, ["FLAG_MISSING"]],
    [{ serviceAccount: ["api"] }, ["SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: ["payments/*"] }, ["SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: ["a/b"], roleName: "a b" }, ["AWS_ROLE_NAME_INVALID"]],
    [{ serviceAccount: ["a/b"], roleName: "x".repeat(65) }, ["AWS_ROLE_NAME_INVALID"]],
    [{ serviceAccount: ["a/b"], roleArn: "arn:aws:sts::123456789012:assumed-role/x/y" }, ["AWS_ARN_INVALID"]],
    [{ serviceAccount: ["a/b"], roleArn: "arn:aws:iam::123456789012:role/x", roleName: "x" }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: ["a/b"], roleArn: "arn:aws:iam::123456789012:role/x", policyArn: ["arn:aws:iam::aws:policy/X"], maxSessionDuration: "7200" }, ["FLAGS_CONFLICT"]],
    [{ serviceAccount: ["a/b"], policyArn: ["AmazonS3ReadOnlyAccess"] }, ["AWS_ARN_INVALID"]],
    [{ serviceAccount: ["a/b"], permissionsBoundary: "arn:aws:iam::1:policy/X" }, ["AWS_ARN_INVALID"]],
    [{ serviceAccount: ["a/b"], maxSessionDuration: "3599" }, ["AWS_SESSION_DURATION_INVALID"]],
    [{ serviceAccount: ["a/b"], maxSessionDuration: "43201" }, ["AWS_SESSION_DURATION_INVALID"]],
    [{ serviceAccount: ["a/b"], maxSessionDuration: "1h" }, ["AWS_SESSION_DURATION_INVALID"]],
    [{ serviceAccount: ["a/b"], policyFileText: "<html>" }, ["AWS_POLICY_INVALID"]],
    [{ serviceAccount: ["a/b"], policyFileText: "{}" }, ["AWS_POLICY_INVALID"]],
    [{ serviceAccount: ["a/b"], policyFileText: '{"Statement":[{"Effect":"allow","Action":"*","Resource":"*","Principal":"*"}]}' }, ["AWS_POLICY_INVALID", "AWS_POLICY_INVALID"]],
  ])("refuse %j", (flags: FlagValues, codes) => {
    expect(problemsOf(() => grants(flags))).toEqual(codes);
  });

  it("refuse a policy file larger than all inline policies of a role may be together", () => {
    const policyFileText = `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"${"x".repeat(10_240)}"}]}`;
    expect(problemsOf(() => grants({ serviceAccount: ["a/b"], policyFileText }))).toEqual(["AWS_POLICY_INVALID"]);
  });

  it("merge the config's grants of one role into one with all its service accounts", () => {
    const config = configWith({ grants: [{ serviceAccount: "a/x", aws: { roleName: "Shared" } }, { serviceAccount: "b/y", aws: { roleName: "Shared" } }, { serviceAccount: "c/z", gcp: {} }] });
    expect(grants({}, config).map(({ serviceAccounts }) => serviceAccounts)).toEqual([[{ namespace: "a", name: "x" }, { namespace: "b", name: "y" }]]);
  });

  it("refuse two grants of one role that disagree, whatever the case of its name", () => {
    const config = configWith({ grants: [{ serviceAccount: "a/x", aws: { roleName: "shared", maxSessionDuration: 3600 } }, { serviceAccount: "b/y", aws: { roleName: "Shared", maxSessionDuration: 7200 } }] });
    expect(problemsOf(() => grants({}, config))).toEqual(["AWS_GRANTS_CONFLICT"]);
  });

  it("take a named account's members from the config, with the role's other accounts, and let flags win", () => {
    const config = configWith({ grants: [{ serviceAccount: "a/x", aws: { roleName: "shared", maxSessionDuration: 3600 } }, { serviceAccount: "b/y", aws: { roleName: "shared", maxSessionDuration: 3600 } }] });
    expect(grants({ serviceAccount: ["a/x"], maxSessionDuration: "7200" }, config)).toMatchObject([
      { role: { kind: "own", name: "shared" }, maxSessionDuration: 7200, serviceAccounts: [{ namespace: "a", name: "x" }, { namespace: "b", name: "y" }] },
    ]);
    expect(grants({ serviceAccount: ["a/x"], roleName: "alone" }, config)).toMatchObject([{ role: { name: "alone" }, serviceAccounts: [{ namespace: "a", name: "x" }] }]);
  });

  it("keep the path of a role that exists", () => {
    expect(grants({ serviceAccount: ["a/b"], roleArn: "arn:aws-cn:iam::123456789012:role/team/sub/x" })).toMatchObject([
      { role: { kind: "existing", arn: { partition: "aws-cn", account: "123456789012", path: "/team/sub/", name: "x" } } },
    ]);
  });
});

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const account = fc.record({ namespace: label, name: fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".").slice(0, 253).replace(/[.-]+$/, "")) });

describe("the default role name", () => {
  it("is always one that IAM takes", () => {
    fc.assert(fc.property(account, (one) => /^[\w+=,.@-]{1,64}$/.test(defaultRoleName(ISSUER, one))));
  });

  it("differs for different accounts and clusters, however long their names are", () => {
    const unlike = fc.tuple(account, account).filter(([left, right]) => left.namespace !== right.namespace || left.name !== right.name);
    fc.assert(fc.property(unlike, ([left, right]) => defaultRoleName(ISSUER, left) !== defaultRoleName(ISSUER, right)));
    const long = "n".repeat(63);
    const names = [ISSUER, "https://oidc.example.com/test"].flatMap((issuer) => ["a", "b"].map((end) => defaultRoleName(issuer, { namespace: long, name: long + end })));
    expect(new Set(names).size).toBe(4);
    expect(names.every((name) => name.length === 64)).toBe(true);
  });

  it("tells a-b/c from a/b-c, and stays the same forever", () => {
    expect(defaultRoleName(ISSUER, { namespace: "a-b", name: "c" })).not.toBe(defaultRoleName(ISSUER, { namespace: "a", name: "b-c" }));
    expect(defaultRoleName(ISSUER, { namespace: "payments", name: "api" })).toBe("payments.api-2ed2a25ce54b");
  });
});
