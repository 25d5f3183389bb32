import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { toGrantSpecs } from "../../../../../src/federation/clouds/aws/input/grant-spec.ts";
import { parsePolicyDocument } from "../../../../../src/federation/clouds/aws/judge/policy/document.ts";
import { describeGrant } from "../../../../../src/federation/clouds/aws/texts/describe.ts";
import { trustPolicy } from "../../../../../src/federation/clouds/aws/texts/trust-policy.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { KubeassumeError } from "../../../../../src/federation/errors/error.ts";

const FLAGS = { issuerUrl: "https://oidc.example.com/prod", accountId: "123456789012", serviceAccount: ["payments/api"], roleName: "payments" };
const ROLE = "arn:aws:iam::123456789012:role/kubeassume/payments";

function texts(flags: FlagValues = {}) {
  return trustPolicy({ flags: { ...FLAGS, ...flags }, config: null });
}

function problemsOf(flags: FlagValues): readonly string[] {
  try {
    texts(flags);
    return [];
  } catch (error) {
    const { code, details } = error as KubeassumeError;
    return (details["problems"] as readonly { readonly code: string }[] | undefined)?.map((problem) => problem.code) ?? [code];
  }
}

describe("trust-policy aws", () => {
  it("prints a policy that IAM takes, with both conditions", () => {
    const { trustPolicy: document, warnings } = texts();
    expect(warnings).toEqual([]);
    expect(parsePolicyDocument(document).statements).toHaveLength(1);
    expect(document).toMatchObject({
      Statement: [{ Condition: { StringEquals: { "oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:payments:api" } } }],
    });
  });

  it("prints a ServiceAccount that a webhook understands, and a pod for where there is none", () => {
    const { manifests, env, serviceAccountAnnotations } = texts({ region: "eu-west-1" });
    expect(manifests.map(({ applicable }) => applicable)).toEqual([true, false, false]);
    const [account, webhookPod, pod] = manifests.map(({ yaml }) => parse(yaml) as { readonly metadata: object; readonly spec: Record<string, unknown> });
    const annotations = { "eks.amazonaws.com/role-arn": ROLE, "eks.amazonaws.com/audience": "sts.amazonaws.com" };
    expect(account?.metadata).toEqual({ name: "api", namespace: "payments", annotations });
    expect(serviceAccountAnnotations).toEqual(annotations);
    expect(webhookPod?.spec).toMatchObject({ serviceAccountName: "api" });
    expect(webhookPod?.spec["volumes"]).toBeUndefined();
    expect(pod?.spec).toMatchObject({ volumes: [{ projected: { sources: [{ serviceAccountToken: { audience: "sts.amazonaws.com", path: "token" } }] } }] });
    expect(env).toEqual({ AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token", AWS_REGION: "eu-west-1" });
  });

  it("takes partition and audience of China from the region or the flag", () => {
    for (const flags of [{ region: "cn-north-1" }, { partition: "aws-cn" }]) {
      expect(JSON.stringify(texts(flags).trustPolicy)).toMatch(/"arn:aws-cn:iam::123456789012:oidc-provider\/oidc.example.com\/prod".*"sts.amazonaws.com.cn"/);
    }
    expect(texts({ partition: "aws-us-gov" }).warnings.map(({ code }) => code)).toEqual(["AWS_GOVCLOUD_AUDIENCE"]);
  });

  it("lists several accounts and audiences in one statement, and writes one manifest for each account", () => {
    const { trustPolicy: document, manifests } = texts({ serviceAccount: ["b/y", "a/x", "b/y"], audience: ["two", "one"] });
    expect(document).toMatchObject({ Statement: [{ Condition: { StringEquals: { "oidc.example.com/prod:aud": ["one", "two"], "oidc.example.com/prod:sub": ["system:serviceaccount:a:x", "system:serviceaccount:b:y"] } } }] });
    expect(manifests.filter(({ applicable }) => applicable)).toHaveLength(2);
  });

  it("writes patterns only when allowed, with a warning, and never for aud", () => {
    const { trustPolicy: document, warnings, manifests } = texts({ serviceAccount: ["payments/*"], allowPattern: true });
    expect(document).toMatchObject({ Statement: [{ Condition: { StringEquals: { "oidc.example.com/prod:aud": "sts.amazonaws.com" }, StringLike: { "oidc.example.com/prod:sub": "system:serviceaccount:payments:*" } } }] });
    expect(warnings.map(({ code }) => code)).toEqual(["AWS_PATTERN_USED"]);
    expect(manifests).toEqual([]);
  });

  it.each([
    [{ serviceAccount: ["payments/*"] }, ["AWS_PATTERN_REFUSED"]],
    [{ serviceAccount: ["*/api"], allowPattern: true }, ["AWS_PATTERN_REFUSED"]],
    [{ serviceAccount: ["*"], allowPattern: true }, ["AWS_PATTERN_REFUSED"]],
    [{ serviceAccount: ["*/*"], allowPattern: true }, ["AWS_PATTERN_REFUSED"]],
    [{ serviceAccount: ["?*/api"], allowPattern: true }, ["AWS_PATTERN_REFUSED"]],
    [{ serviceAccount: ["Payments/*"], allowPattern: true }, ["SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: [] }, ["FLAG_MISSING"]],
    [{ accountId: undefined }, ["FLAG_MISSING"]],
    [{ accountId: "12345" }, ["AWS_ACCOUNT_INVALID"]],
    [{ partition: "mars" }, ["AWS_PARTITION_INVALID"]],
    [{ partition: "aws", region: "cn-north-1" }, ["AWS_PARTITION_MISMATCH"]],
    [{ roleName: "a b" }, ["AWS_ROLE_NAME_INVALID"]],
    [{ issuerUrl: "https://x.example.com?a=b", accountId: "1", serviceAccount: ["x"] }, ["ISSUER_HAS_QUERY", "AWS_ACCOUNT_INVALID", "SERVICE_ACCOUNT_INVALID"]],
  ])("refuses %j", (flags, codes) => {
    expect(problemsOf(flags)).toEqual(codes);
  });

  it("names the quota when the policy outgrows it", () => {
    const accounts = (count: number) => ({ serviceAccount: Array.from({ length: count }, (_, index) => `team-${index}/service-account-${index}`) });
    expect(texts(accounts(20)).warnings).toEqual([]);
    expect(texts(accounts(50)).warnings.map(({ code, details }) => [code, details["quota"]])).toEqual([["AWS_TRUST_POLICY_OVER_DEFAULT", "Role trust policy length"]]);
    expect(problemsOf(accounts(200))).toEqual(["AWS_TRUST_POLICY_TOO_LARGE"]);
  });
});

describe("the texts of a grant", () => {
  it("name the role by its own path and quote what a shell would not take", () => {
    const flags = { issuerUrl: FLAGS.issuerUrl, serviceAccount: ["payments/api"], roleArn: "arn:aws:iam::123456789012:role/team/x", audience: ["it's"] };
    const [spec] = toGrantSpecs({ flags, config: null });
    if (spec === undefined) throw new Error("no spec");
    const { principal, nextSteps } = describeGrant(spec, { name: "arn:aws:iam::123456789012:user/me", account: "123456789012" });
    expect(principal).toBe("arn:aws:iam::123456789012:role/team/x");
    expect(nextSteps).toEqual([`kubeassume verify aws --issuer-url https://oidc.example.com/prod --audience 'it'\\''s' --service-account payments/api --role-arn ${principal}`]);
  });
});
