import { describe, expect, test } from "vitest";
import type { AwsJudgeInput } from "../../../../../src/federation/clouds/aws/judge/facts.ts";
import { at, checkOf, expectRefusal, judge, judgeClaims, now, provider, role, roleArn, token, words } from "./scenario.ts";

describe("the request", () => {
  test.each<[string, Partial<AwsJudgeInput>, string, RegExp]>([
    ["a token of 3 characters", { token: "abc" }, "aws-request-token-length", /Value at 'webIdentityToken' .* greater than or equal to 4$/],
    ["a token of 20,001 characters", { token: token({ claims: { pad: "x".repeat(20_000) } }) }, "aws-request-token-length", /less than or equal to 20000$/],
    ["a role name instead of an ARN", { request: { roleArn: "payments-api" } }, "aws-request-role-arn", /'payments-api' at 'roleArn' .* length greater/],
    ["the ARN of a user", { request: { roleArn: "arn:aws:iam::111122223333:user/x" } }, "aws-request-role-arn", /^Request ARN is invalid$/],
    ["an ARN with a placeholder", { request: { roleArn: "arn:aws:iam::ACCOUNT_ID:role/x" } }, "aws-request-role-arn", /^Request ARN is invalid$/],
    ["no role at all", { request: {}, role: null }, "aws-request-role-arn", /'roleArn' failed/],
    ["a session name of 1 character", { request: { roleArn, roleSessionName: "a" } }, "aws-request-session-name", /Value 'a' .* greater than or equal to 2$/],
    ["a session name of 65", { request: { roleArn, roleSessionName: "a".repeat(65) } }, "aws-request-session-name", /less than or equal to 64$/],
    ["a session name with a slash", { request: { roleArn, roleSessionName: "a/b" } }, "aws-request-session-name", /pattern: \[\\w\+=,\.@-\]\*$/],
    ["899 seconds", { request: { roleArn, durationSeconds: 899 } }, "aws-request-duration", /Value '899' .* greater than or equal to 900$/],
    ["43,201 seconds", { request: { roleArn, durationSeconds: 43_201 } }, "aws-request-duration", /less than or equal to 43200$/],
    ["half a second", { request: { roleArn, durationSeconds: 900.5 } }, "aws-request-duration", /'durationSeconds'/],
  ])("is refused for %s", (_, parts, refusedBy, words) => {
    expectRefusal(judge(parts), refusedBy, "ValidationError", words);
  });

  test.each([
    { roleArn, roleSessionName: "ab" },
    { roleArn, roleSessionName: "A_z0+=,.@-".padEnd(64, "x") },
    { roleArn, durationSeconds: 900 },
    { roleArn, durationSeconds: 7200 },
  ])("%j is within its bounds", (request) => {
    expect(judge({ request }).accepted).toBe(true);
  });

  test("may ask for no more than the role allows", () => {
    const verdict = judge({ request: { roleArn, durationSeconds: 7201 } });
    expectRefusal(verdict, "aws-role-duration", "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    const { MaxSessionDuration: _, ...plain } = role;
    expect(judge({ role: plain, request: { roleArn, durationSeconds: 3600 } }).accepted).toBe(true);
    expect(judge({ role: plain, request: { roleArn, durationSeconds: 3601 } }).refusedBy).toBe("aws-role-duration");
  });
});

describe("the token's form", () => {
  test.each(["not-a-token", "a.b.c", `${token()}\n`, `"${token()}"`, token().split(".").slice(0, 2).join(".")])("refuses %.20j", (text) => {
    expectRefusal(judge({ token: text }), "aws-token-form", "InvalidIdentityToken", words.notJwt);
  });

  test("refuses critical header extensions", () => {
    const header = { alg: "RS256", kid: "rsa-1", crit: ["custom"], custom: "yes" };
    expectRefusal(judge({ token: token({ header }) }), "aws-token-critical-header", "InvalidIdentityToken", words.notJwt);
  });

  test.each(["EdDSA", "HS256", "PS256", "none", "ES256K", "rs256", undefined])("refuses the algorithm %s", (alg) => {
    const verdict = judge({ token: token({ header: { alg, kid: "rsa-1" } }) });
    expectRefusal(verdict, "aws-token-algorithm", "InvalidIdentityToken", words.generic);
    expect(checkOf(verdict, "aws-token-algorithm").message).toContain("unconfirmed");
    expect(checkOf(verdict, "aws-token-signature").status).toBe("skip");
  });

  test("refuses a token without a signature, whatever its algorithm", () => {
    const [header, payload] = token({ header: { alg: "none" } }).split(".");
    expect(judge({ token: `${header}.${payload}.` }).refusedBy).toBe("aws-token-form");
  });
});

describe("the claims", () => {
  test.each(["iss", "sub", "aud", "iat", "exp"])("need %s", (name) => {
    expectRefusal(judgeClaims({}, [name]), "aws-token-required-claims", "InvalidIdentityToken", `Missing a required claim: ${name}`);
  });

  test("may lack nbf, jti and what else Kubernetes writes", () => {
    expect(judgeClaims({}, ["nbf", "jti", "kubernetes.io"]).accepted).toBe(true);
  });

  test("name the first of several missing ones", () => {
    expect(judgeClaims({}, ["exp", "sub"]).cloudMessage).toBe("Missing a required claim: sub");
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ["a null sub", { sub: null }, "InternalFailure", "Unknown error validating third-party token"],
    ["an empty aud", { aud: [] }, "InvalidIdentityToken", "Claim is not allowed to be empty: aud"],
    ["a sub that is an object", { sub: {} }, "InvalidIdentityToken", words.generic],
    ["an iss that is a number", { iss: 1 }, "InvalidIdentityToken", words.generic],
    ["an aud of numbers", { aud: [1] }, "InvalidIdentityToken", words.generic],
    ["an azp that is a number", { azp: 1 }, "InvalidIdentityToken", words.generic],
  ])("are refused with %s", (_, changed, code, words) => {
    expectRefusal(judgeClaims(changed), "aws-token-claim-types", code, words, code === "InternalFailure" ? 500 : 400);
  });

  test("may have a number as sub, which becomes a string", () => {
    const document = { Version: "2012-10-17", Statement: { Effect: "Allow", Principal: { Federated: provider.Arn }, Action: "sts:*" } };
    const verdict = judge({ token: token({ claims: { sub: 123 } }), role: { ...role, AssumeRolePolicyDocument: document } });
    expect(verdict.session?.subject).toBe("123");
  });

  test("warn when they set tags or roles, which Kubernetes never does", () => {
    const verdict = judgeClaims({ "https://aws.amazon.com/tags": { principal_tags: { team: ["a"] } } });
    expect(checkOf(verdict, "aws-token-session-claims")).toMatchObject({ status: "warn" });
    expect(verdict.accepted).toBe(true);
  });
});

describe("the times", () => {
  test.each<[string, Record<string, unknown>]>([
    ["a fraction in iat", { iat: now - 0.5 }],
    ["a fraction in exp", { exp: now + 100.5 }],
    ["a fraction in nbf", { nbf: now - 0.5 }],
    ["a null iat", { iat: null }],
    ["text in nbf", { nbf: "invalid" }],
    ["a time as text in exp", { exp: "2026-11-23T13:00:00Z" }],
    ["a boolean exp", { exp: true }],
  ])("are refused with %s", (_, changed) => {
    expectRefusal(judgeClaims(changed), "aws-token-timestamps", "InvalidIdentityToken", "Invalid timestamp in token claims.");
  });

  test("may be text of whole seconds", () => {
    expect(judgeClaims({ iat: String(now - 1), exp: String(now + 60), nbf: String(now - 1) }).accepted).toBe(true);
  });

  test.each([
    [-299, true],
    [-300, false],
    [-301, false],
  ])("expiry %i s from now is accepted: %s", (offset, accepted) => {
    const verdict = judgeClaims({ exp: now + offset });
    expect(verdict.accepted).toBe(accepted);
    if (accepted) expect(checkOf(verdict, "aws-token-expired").status).toBe("warn");
    else expectRefusal(verdict, "aws-token-expired", "ExpiredTokenException", `Token expired: current date/time ${now - 300} must be before the expiration date/time ${now + offset}`);
  });

  test.each([
    [1, true],
    [300, true],
    [301, false],
  ])("nbf %i s from now is accepted: %s", (offset, accepted) => {
    const verdict = judgeClaims({ nbf: now + offset });
    expect(verdict.accepted).toBe(accepted);
    if (accepted) expect(checkOf(verdict, "aws-token-not-before").status).toBe("warn");
    else expectRefusal(verdict, "aws-token-not-before", "InvalidIdentityToken", `Token not yet valid: current date/time ${now + 300} must be after or equal to the not-before date/time ${now + offset}`);
  });

  test.each([
    [1, true],
    [300, true],
    [301, false],
  ])("iat %i s from now is accepted: %s", (offset, accepted) => {
    const verdict = judgeClaims({ iat: now + offset });
    expect(verdict.accepted).toBe(accepted);
    if (accepted) expect(checkOf(verdict, "aws-token-issued-at").status).toBe("warn");
    else expectRefusal(verdict, "aws-token-issued-at", "InvalidIdentityToken", `Token issued in the future: ${now + offset}`);
  });

  test("are judged at the time given, not at the machine's", () => {
    expect(judge({ at: new Date((now + 86_400) * 1000) }).refusedBy).toBe("aws-token-expired");
    expect(judge({ at: new Date(at.getTime() + 999) }).accepted).toBe(true);
  });
});
