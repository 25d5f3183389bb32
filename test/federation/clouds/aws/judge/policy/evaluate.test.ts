import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { audience, checkOf, issuer, judgeClaims, judgePolicy, policy, prefix, provider, providerArn, role, roleArn, statement, subject, token } from "../scenario.ts";
import { statementId } from "../../../../../../src/federation/clouds/aws/trust/statement.ts";

const words = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
const allow = (members: object = {}): object => ({ Effect: "Allow", Principal: { Federated: providerArn }, Action: "sts:AssumeRoleWithWebIdentity", ...members });
const deny = (members: object = {}): object => allow({ Effect: "Deny", ...members });
const accepts = (...statements: object[]): boolean => judgePolicy({ Version: "2012-10-17", Statement: statements }).accepted;
const when = (operator: string, key: string, value: unknown): object => allow({ Condition: { [operator]: { [key]: value } } });

describe("principals", () => {
  test.each<[unknown, boolean]>([
    [{ Federated: providerArn }, true],
    [{ Federated: ["cognito-identity.amazonaws.com", providerArn] }, true],
    [{ Federated: `${providerArn}/` }, false],
    [{ Federated: providerArn.toUpperCase().replace("ARN:AWS:IAM", "arn:aws:iam").replace("OIDC-PROVIDER", "oidc-provider") }, false],
    [{ Federated: providerArn.replace("111122223333", "444455556666") }, false],
    [{ AWS: "*" }, false],
    [{ AWS: providerArn }, false],
    [{ AWS: "arn:aws:iam::111122223333:root" }, false],
    [{ Service: "ec2.amazonaws.com" }, false],
    [{ AWS: "*", Federated: providerArn }, true],
    ["*", true],
    [{ Federated: "*" }, true],
  ])("%j speaks about the provider's tokens: %s", (principal, accepted) => {
    expect(accepts(allow({ Principal: principal }))).toBe(accepted);
  });

  test("NotPrincipal speaks about everybody else", () => {
    const notPrincipal = (named: unknown): object => allow({ Effect: "Deny", Principal: undefined, NotPrincipal: named });
    expect(accepts(allow(), notPrincipal({ Federated: providerArn }))).toBe(true);
    expect(accepts(allow(), notPrincipal({ AWS: "arn:aws:iam::111122223333:root" }))).toBe(false);
  });

  test("a Deny for everyone reaches web identities too, which is marked as unconfirmed", () => {
    const verdict = judgePolicy({ Version: "2012-10-17", Statement: [allow(), deny({ Principal: { AWS: "*" } })] });
    expect(verdict.accepted).toBe(false);
    expect(checkOf(verdict, "aws-trust-policy").message).toMatch(/statement 2 denies it; .*unconfirmed/);
  });
});

describe("actions", () => {
  test.each<[object, boolean]>([
    [{ Action: "sts:AssumeRoleWithWebIdentity" }, true],
    [{ Action: "STS:assumerolewithwebidentity" }, true],
    [{ Action: ["sts:TagSession", "sts:AssumeRoleWithWebIdentity"] }, true],
    [{ Action: "sts:AssumeRole*" }, true],
    [{ Action: "sts:*" }, true],
    [{ Action: "*" }, true],
    [{ Action: "sts:AssumeRole" }, false],
    [{ Action: "sts:AssumeRoleWithSAML" }, false],
    [{ Action: undefined, NotAction: "sts:AssumeRole" }, true],
    [{ Action: undefined, NotAction: "sts:AssumeRoleWith*" }, false],
  ])("%j covers AssumeRoleWithWebIdentity: %s", (action, accepted) => {
    expect(accepts(allow(action))).toBe(accepted);
  });
});

describe("decisions", () => {
  test("one statement that applies is enough", () => {
    expect(accepts(when("StringEquals", `${prefix}:sub`, "other"), allow())).toBe(true);
  });

  test("nothing that applies is a refusal", () => {
    const verdict = judgePolicy({ Version: "2012-10-17", Statement: deny({ Condition: { StringEquals: { [`${prefix}:sub`]: "other" } } }) });
    expect(verdict).toMatchObject({ accepted: false, code: "AccessDenied", cloudMessage: words, httpStatus: 403, refusedBy: "aws-trust-policy" });
    expect(checkOf(verdict, "aws-trust-policy").message).toBe("the trust policy has no statement that allows anything");
  });

  test("an explicit Deny wins, wherever it stands and whatever is allowed", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(allow(), when("Null", "aws:PrincipalArn", "true")), { maxLength: 4 }), fc.nat(4), (allows, index) => {
        expect(accepts(...allows.slice(0, index), deny(), ...allows.slice(index))).toBe(false);
      }),
    );
  });

  test("a Deny whose condition is not met does nothing", () => {
    expect(accepts(allow(), deny({ Condition: { StringEquals: { [`${prefix}:sub`]: "other" } } }))).toBe(true);
  });

  test("all conditions of a statement must hold", () => {
    const both = (sub: string, aud: string): object => allow({ Condition: { StringEquals: { [`${prefix}:sub`]: sub }, StringLike: { [`${prefix}:aud`]: aud } } });
    expect(accepts(both(subject, "sts.*"))).toBe(true);
    expect(accepts(both(subject, "other.*"))).toBe(false);
    expect(accepts(both("other", "sts.*"))).toBe(false);
  });
});

describe("condition keys", () => {
  test.each<[string, string, unknown]>([
    ["StringEquals", `${prefix}:sub`, subject],
    ["StringEquals", `${prefix.toUpperCase()}:SUB`, subject],
    ["StringLike", `${prefix}:sub`, "system:serviceaccount:payments:*"],
    ["StringEquals", `${prefix}:aud`, audience],
    ["StringEquals", "sts:RoleSessionName", "session"],
    ["StringEquals", "STS:rolesessionname", "session"],
    ["Bool", "sts:RoleAuthorizedByIdp", "false"],
    ["StringEquals", "aws:FederatedProvider", providerArn],
    ["StringEquals", "aws:PrincipalType", "User"],
    ["StringEquals", "aws:PrincipalAccount", "111122223333"],
    ["StringEquals", "aws:userid", providerArn],
    ["Null", "aws:PrincipalArn", "true"],
    ["Null", "aws:RequestTag/team", "true"],
    ["Null", "aws:TagKeys", "true"],
    ["Bool", "aws:SecureTransport", "true"],
    ["DateLessThan", "aws:CurrentTime", "2026-11-24T00:00:00Z"],
    ["DateGreaterThan", "aws:CurrentTime", "2026-11-23T11:59:59Z"],
    ["NumericEquals", "aws:EpochTime", "1795435200"],
    ["Null", "kubernetes.io:namespace", "true"],
  ])("%s %s %j holds", (operator, key, value) => {
    expect(accepts(when(operator, key, value))).toBe(true);
  });

  test.each<[string, string, unknown]>([
    ["StringEquals", `${issuer}:sub`, subject],
    ["StringEquals", `${prefix}:subject`, subject],
    ["StringEquals", `${prefix}:kubernetes.io/namespace`, "payments"],
    ["StringEquals", `${prefix}:amr`, "mfa"],
    ["StringEquals", `${prefix}:sub`, "system:serviceaccount:payments:API"],
    ["StringEquals", "aws:PrincipalType", "AssumedRole"],
    ["StringLike", "aws:PrincipalArn", "*"],
    ["IpAddress", "aws:SourceIp", "0.0.0.0/0"],
    ["StringEquals", "aws:RequestTag/team", "a"],
  ])("%s %s %j does not hold", (operator, key, value) => {
    expect(accepts(when(operator, key, value))).toBe(false);
  });

  test("aws:SourceIp exists when the request says where it comes from", () => {
    const document = { Version: "2012-10-17", Statement: when("IpAddress", "aws:SourceIp", "203.0.113.0/24") };
    expect(judgePolicy(document, { request: { roleArn, sourceIp: "203.0.113.9" } }).accepted).toBe(true);
    expect(judgePolicy(document, { request: { roleArn, sourceIp: "198.51.100.9" } }).accepted).toBe(false);
    expect(checkOf(judgePolicy(document), "aws-trust-policy").message).toContain("no such key that this judge knows of");
  });

  test("amr has several values", () => {
    const document = { Version: "2012-10-17", Statement: when("ForAnyValue:StringEquals", `${prefix}:amr`, "mfa") };
    const parts = { token: token({ claims: { amr: ["pwd", "mfa"] } }) };
    expect(judgePolicy(document, parts).accepted).toBe(true);
    expect(judgePolicy(document).accepted).toBe(false);
  });

  test("aud is azp, and oaud what aud was", () => {
    const parts = { token: token({ claims: { aud: ["a", "b"], azp: audience } }) };
    const aud = { Version: "2012-10-17", Statement: when("StringEquals", `${prefix}:aud`, audience) };
    const oaud = { Version: "2012-10-17", Statement: when("ForAllValues:StringEquals", `${prefix}:oaud`, ["a", "b"]) };
    expect(judgePolicy(aud, parts).accepted).toBe(true);
    expect(judgePolicy(oaud, parts).accepted).toBe(true);
    expect(checkOf(judgePolicy(oaud, parts), "aws-trust-policy").message).toContain("unconfirmed");
  });
});

describe("words", () => {
  test("name the statement, the condition, what it wants and what it got, and the command that grants", () => {
    const verdict = judgeClaims({ sub: "system:serviceaccount:payments:worker" });
    const check = checkOf(verdict, "aws-trust-policy");
    expect(check.message).toBe(
      `statement 1 does not apply: StringEquals ${prefix}:sub wants "${subject}", got "system:serviceaccount:payments:worker", first difference at character 32: "w" instead of "a"`,
    );
    expect(verdict.fix).toBe(`grant it: kubeassume grant aws --issuer-url ${issuer} --service-account payments/worker --role-arn ${roleArn}`);
  });

  test("name whom our own statement lets in already, so that the command takes nobody's access away", () => {
    const subs = ["system:serviceaccount:payments:api", "system:serviceaccount:payments:batch"];
    const statement = { ...when("StringEquals", `${prefix}:sub`, subs), Sid: statementId(issuer) };
    const verdict = judgePolicy({ Version: "2012-10-17", Statement: statement }, { token: token({ claims: { sub: "system:serviceaccount:payments:worker" } }) });
    expect(verdict.fix).toContain(" --service-account payments/api --service-account payments/batch --service-account payments/worker --role-arn ");
  });

  test("show every value of a list, up to five", () => {
    const subs = Array.from({ length: 7 }, (_, index) => `s${index}`);
    const verdict = judgePolicy({ Version: "2012-10-17", Statement: { ...when("StringEquals", `${prefix}:sub`, subs), Sid: "Apps" } });
    expect(checkOf(verdict, "aws-trust-policy").message).toContain('statement 1 (Apps) does not apply: StringEquals');
    expect(checkOf(verdict, "aws-trust-policy").message).toContain('one of ["s0", "s1", "s2", "s3", "s4" and 2 more]');
  });

  test("pick the statement that comes nearest", () => {
    const far = allow({ Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: "sts:AssumeRole" });
    const near = when("StringEquals", `${prefix}:aud`, "vault");
    const check = checkOf(judgePolicy({ Version: "2012-10-17", Statement: [far, near] }), "aws-trust-policy");
    expect(check.message).toContain("statement 2 does not apply");
    expect(check.message).toContain("the nearest of 2 statements that allow");
    expect(check.hint).toContain("mint the token for the audience that the policy wants");
  });

  test("mark where a provider's ARN differs", () => {
    const other = providerArn.replace("prod", "test");
    const check = checkOf(judgePolicy({ Version: "2012-10-17", Statement: allow({ Principal: { Federated: other } }) }), "aws-trust-policy");
    expect(check.message).toMatch(/Principal is Federated .* instead of Federated .*, first difference at character 58/);
    expect(check.hint).toContain("no statement trusts this provider");
  });

  test("say how condition keys begin when they begin otherwise", () => {
    const check = checkOf(judgePolicy({ Version: "2012-10-17", Statement: when("StringEquals", `${issuer}:sub`, subject) }), "aws-trust-policy");
    expect(check.hint).toBe(`condition keys begin with the issuer without https://: ${prefix}:sub and ${prefix}:aud`);
  });

  test("mark an acceptance that hangs on something unconfirmed", () => {
    const check = checkOf(judgePolicy({ Version: "2012-10-17", Statement: when("StringEquals", "aws:FederatedProvider", providerArn) }), "aws-trust-policy");
    expect(check).toMatchObject({ status: "pass" });
    expect(check.message).toContain("unconfirmed");
  });
});

test("the policy of the scenario is itself accepted, and bound to both sub and aud", () => {
  expect(judgePolicy(policy).accepted).toBe(true);
  expect(Object.keys(statement.Condition.StringEquals)).toHaveLength(2);
  expect([provider.Url, role.Arn]).toEqual([prefix, roleArn]);
});
