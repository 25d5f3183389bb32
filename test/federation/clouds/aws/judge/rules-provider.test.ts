import { describe, expect, test } from "vitest";
import { audience, checkOf, claims, expectRefusal, issuer, judge, judgeClaims, prefix, provider, role, token, words } from "./scenario.ts";

describe("the provider", () => {
  const noProvider = `No OpenIDConnect provider found in your account for ${issuer}`;

  test("must exist", () => {
    const verdict = judge({ provider: null });
    expectRefusal(verdict, "aws-token-issuer-provider", "InvalidIdentityToken", noProvider);
    expect(verdict.fix).toBe(`create it: kubeassume setup aws --issuer-url ${issuer}`);
  });

  test.each([
    ["a trailing slash", `${prefix}/`, "a trailing slash makes it another provider"],
    ["another path", "oidc.example.com/test", 'first difference at character 26: "p" instead of "t"'],
    ["another case", "oidc.example.com/Prod", 'first difference at character 26: "p" instead of "P"'],
    ["another host", "oidc.example.org/prod", "first difference"],
  ])("must have the token's issuer: refuses %s", (_, url, reason) => {
    const verdict = judge({ provider: { Url: url, ClientIDList: [audience] } });
    expectRefusal(verdict, "aws-token-issuer-provider", "InvalidIdentityToken", noProvider);
    expect(checkOf(verdict, "aws-token-issuer-provider").message).toContain(reason);
  });

  test("may be written with https:// by hand", () => {
    expect(judge({ provider: { ...provider, Url: issuer } }).accepted).toBe(true);
  });

  test("must be in the account and partition of the role", () => {
    for (const arn of [`arn:aws:iam::444455556666:oidc-provider/${prefix}`, `arn:aws-cn:iam::111122223333:oidc-provider/${prefix}`]) {
      const verdict = judge({ provider: { ...provider, Arn: arn } });
      expectRefusal(verdict, "aws-token-issuer-provider", "InvalidIdentityToken", noProvider);
      expect(checkOf(verdict, "aws-token-issuer-provider").message).toMatch(/and the role in 111122223333 \(aws\)/);
    }
  });

  test("is refused when its Arn is of another URL", () => {
    const verdict = judge({ provider: { ...provider, Arn: "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/other" } });
    expect(verdict.refusedBy).toBe("aws-token-issuer-provider");
  });

  test("is never named in a command by text that a shell or a terminal would read more into", () => {
    for (const iss of ["https://h.example/$(id)", "https://h.example/\u001b[31m", "https://h.example/a b"]) {
      const verdict = judgeClaims({ iss });
      expect(verdict.fix).toBe("create it: kubeassume setup aws --issuer-url ISSUER");
      expect(verdict.cloudMessage).not.toContain("\u001b");
    }
    expect(judgeClaims({ aud: ["a;b"] }).fix).toContain("--audience AUDIENCE,");
  });

  test("never takes an issuer without https://", () => {
    expect(judgeClaims({ iss: prefix }).refusedBy).toBe("aws-token-issuer-provider");
  });
});

describe("the audience", () => {
  test("must be registered, and says both ways to mend it", () => {
    const verdict = judgeClaims({ aud: ["vault"] });
    expectRefusal(verdict, "aws-token-audience", "InvalidIdentityToken", "Incorrect token audience");
    expect(verdict.fix).toBe("add it with kubeassume setup aws --audience vault, or mint the token with --audience sts.amazonaws.com");
  });

  test("may be a string", () => {
    expect(judgeClaims({ aud: audience }).accepted).toBe(true);
  });

  test("is compared exactly", () => {
    expect(judgeClaims({ aud: ["STS.amazonaws.com"] }).refusedBy).toBe("aws-token-audience");
  });

  test("is refused when the provider lists none", () => {
    expect(judge({ provider: { Url: prefix } }).refusedBy).toBe("aws-token-audience");
  });

  test.each([[[audience, "other"]], [["other", audience]], [[audience, audience]]])("may not be several: %j", (aud) => {
    const several = "Token audience contains more than one audience while authorized party is not present";
    expectRefusal(judgeClaims({ aud }), "aws-token-single-audience", "InvalidIdentityToken", several);
  });

  test("is azp when there is one, for the provider and for the trust policy", () => {
    for (const aud of ["other", ["other", "third"]]) {
      const verdict = judgeClaims({ aud, azp: audience });
      expect(verdict.session?.audience).toBe(audience);
    }
  });

  test.each(["other", ""])("is refused in AWS's general words for the azp %j", (azp) => {
    expectRefusal(judgeClaims({ azp }), "aws-token-audience", "InvalidIdentityToken", words.generic);
  });

  test("is refused in AWS's general words when it is empty", () => {
    expectRefusal(judgeClaims({ aud: "" }), "aws-token-audience", "InvalidIdentityToken", words.generic);
  });

  test("is the last of duplicate members", () => {
    const payload = `${JSON.stringify(claims).slice(0, -1)},"aud":"other"}`;
    expect(judge({ token: token({ payload }) }).refusedBy).toBe("aws-token-audience");
  });
});

describe("the role", () => {
  test("must exist", () => {
    expectRefusal(judge({ role: null }), "aws-request-role", "AccessDenied", words.denied, 403);
  });

  test("must be the one that is asked for", () => {
    const other = "arn:aws:iam::111122223333:role/other";
    expectRefusal(judge({ request: { roleArn: other } }), "aws-request-role", "AccessDenied", words.denied, 403);
  });

  test("may be of any partition, together with its provider", () => {
    const arn = `arn:aws-cn:iam::111122223333:oidc-provider/${prefix}`;
    const document = { Version: "2012-10-17", Statement: { Effect: "Allow", Principal: { Federated: arn }, Action: "sts:AssumeRoleWithWebIdentity" } };
    const cn = { Arn: "arn:aws-cn:iam::111122223333:role/x", AssumeRolePolicyDocument: document };
    const verdict = judge({ provider: { ...provider, Arn: arn }, role: cn, request: {} });
    expect(verdict.session).toMatchObject({ provider: arn, principal: "arn:aws-cn:sts::111122223333:assumed-role/x/kubeassume" });
  });

  test("is refused with a malformed trust policy, by place and in AWS's words.denied", () => {
    const verdict = judge({ role: { ...role, AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow" }] } } });
    expectRefusal(verdict, "aws-trust-policy-form", "MalformedPolicyDocument", "Missing required field Principal");
    expect(checkOf(verdict, "aws-trust-policy-form").message).toContain("Statement[0].Principal");
    expect(checkOf(verdict, "aws-trust-policy").status).toBe("skip");
  });
});
