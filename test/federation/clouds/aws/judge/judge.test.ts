import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeChecks } from "../../../../../src/federation/clouds/aws/judge/checks.ts";
import { judgeAws } from "../../../../../src/federation/clouds/aws/judge/judge.ts";
import { KubeassumeError } from "../../../../../src/federation/errors/error.ts";
import { audience, checkOf, claims, ec256, ec384, ec521, input, issuer, judge, judgeClaims, now, otherRsa, policy, provider, providerArn, role, roleArn, rsa, subject, token } from "./scenario.ts";

describe("an accepted token", () => {
  test("yields the session that STS would hand out", () => {
    expect(judge()).toMatchObject({
      accepted: true,
      code: null,
      cloudMessage: null,
      httpStatus: 200,
      refusedBy: null,
      fix: null,
      session: {
        subject,
        audience,
        provider: providerArn,
        principal: "arn:aws:sts::111122223333:assumed-role/payments-api/session",
        durationSeconds: 3600,
      },
    });
  });

  test("has every check answered once, in the documented order, all passed", () => {
    const { checks } = judge();
    expect(checks.map((check) => check.id)).toEqual(Object.keys(judgeChecks));
    expect(checks.filter((check) => check.status !== "pass")).toEqual([]);
    expect(checks.every((check) => check.cloud === "aws" && check.hint === "" && check.durationMs === 0)).toBe(true);
  });

  test("shows the claims", () => {
    expect(judge().claims).toEqual(claims);
  });

  test("may be judged without a discovery document when the keys are given", () => {
    const verdict = judge({ discovery: undefined });
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "aws-discovery").status).toBe("skip");
  });

  test("uses the role record's ARN and the defaults of STS when the request names nothing", () => {
    const { session } = judge({ request: {} });
    expect(session).toMatchObject({ principal: "arn:aws:sts::111122223333:assumed-role/payments-api/kubeassume", durationSeconds: 3600 });
  });

  test("computes the provider's ARN when the record has none", () => {
    const { Arn: _, ...withoutArn } = provider;
    expect(judge({ provider: withoutArn }).session?.provider).toBe(providerArn);
  });

  test.each([
    ["RS256", rsa],
    ["RS384", rsa],
    ["RS512", rsa],
    ["ES256", ec256],
    ["ES384", ec384],
    ["ES512", ec521],
  ])("may be signed with %s, whatever alg the key names", (algorithm, key) => {
    expect(judge({ token: token({ key, algorithm }) }).accepted).toBe(true);
  });

  test("outlives its own exp: the session is not cut to it", () => {
    const verdict = judge({ token: token({ claims: { exp: now + 60 } }), request: { roleArn, durationSeconds: 7200 } });
    expect(verdict.session?.durationSeconds).toBe(7200);
  });

  test("may have a trust policy as JSON text or as the URL-encoded text that IAM returns", () => {
    const text = JSON.stringify(policy, null, 2);
    for (const document of [text, encodeURIComponent(text)]) {
      expect(judge({ role: { ...role, AssumeRolePolicyDocument: document } }).accepted).toBe(true);
    }
  });
});

describe("every verdict", () => {
  test("keeps the signature to itself", () => {
    const signatureOf = (text: string): string => text.split(".")[2] ?? "";
    const tokens = [token(), token({ claims: { aud: "other" } }), token({ key: otherRsa }), `${token()}x`, token({ claims: { exp: 1 } }), token().replaceAll("=", "")];
    for (const text of tokens) {
      const verdict = judge({ token: text });
      expect(JSON.stringify(verdict)).not.toContain(signatureOf(text).slice(0, 24));
      expect(JSON.stringify(verdict)).not.toContain(text.slice(0, 40));
    }
  });

  test("gives each failed check a hint, and the refusing one's as the fix", () => {
    const verdict = judge({ token: token({ claims: { aud: "other", exp: 5 } }), provider: null });
    const failed = verdict.checks.filter((check) => check.status === "fail");
    expect(failed.length).toBeGreaterThan(1);
    expect(failed.every((check) => check.hint !== "")).toBe(true);
    expect(verdict.refusedBy).toBe(failed[0]?.id);
    expect(verdict.fix).toBe(failed[0]?.hint);
  });

  test("answers later rules too after the first refusal", () => {
    const verdict = judge({ token: token({ claims: { aud: "other" } }) });
    expect(verdict.refusedBy).toBe("aws-token-audience");
    expect(checkOf(verdict, "aws-token-signature").status).toBe("pass");
    expect(checkOf(verdict, "aws-trust-policy").status).toBe("fail");
  });
});

describe("for arbitrary input", () => {
  test("refuses an accepted token with any bit of its signature flipped", () => {
    for (const key of [rsa, ec256]) {
      const text = token({ key });
      const at = text.lastIndexOf(".") + 1;
      const signature = Buffer.from(text.slice(at), "base64url");
      fc.assert(
        fc.property(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), (index, mask) => {
          const flipped = Buffer.from(signature);
          flipped[index] = (flipped[index] ?? 0) ^ mask;
          const verdict = judge({ token: text.slice(0, at) + flipped.toString("base64url") });
          expect(verdict.refusedBy).toBe("aws-token-signature");
        }),
        { numRuns: 40 },
      );
    }
  });

  test("refuses an accepted token with any character replaced", () => {
    const text = token();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(..."ABab01-_."), (index, character) => {
        fc.pre(text[index] !== character);
        expect(judge({ token: text.slice(0, index) + character + text.slice(index + 1) }).accepted).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test("does not mind the order of the claims", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(claims), { minLength: Object.keys(claims).length }), (entries) => {
        const verdict = judge({ token: token({ payload: JSON.stringify(Object.fromEntries(entries)) }) });
        expect(verdict.accepted).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("never throws on tokens", () => {
    const part = fc.oneof(fc.string(), fc.json().map((text) => Buffer.from(text).toString("base64url")));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(part, { maxLength: 4 }).map((parts) => parts.join("."))), (text) => {
        expect(judge({ token: text }).accepted).toBe(false);
      }),
    );
  });

  test("never throws on claims and headers, and accepts no token without a signature by its key", () => {
    const name = fc.constantFrom("iss", "sub", "aud", "azp", "iat", "exp", "nbf", "amr", "__proto__", "https://aws.amazon.com/tags");
    const value = fc.oneof(fc.constantFrom<unknown>(issuer, subject, audience, now, String(now + 60), null), fc.jsonValue());
    const header = fc.dictionary(fc.constantFrom("alg", "kid", "crit", "typ"), fc.oneof(fc.constantFrom("RS256", "ES256", "none", "HS256", "rsa-1"), fc.jsonValue()));
    fc.assert(
      fc.property(header, fc.dictionary(name, value), (headerValue, payload) => {
        const text = [headerValue, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
        expect(judge({ token: `${text}.AAAA` }).accepted).toBe(false);
      }),
    );
  });

  test("never throws on documents and records, and accepts none that is arbitrary", () => {
    const text = token();
    const member = fc.constantFrom("kty", "n", "e", "crv", "x", "y", "kid", "use", "x5c", "key_ops");
    const key = fc.dictionary(member, fc.oneof(fc.constantFrom("RSA", "EC", "P-256", "AQAB", "rsa-1"), fc.jsonValue()));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ keys: fc.array(key) })), fc.jsonValue(), fc.jsonValue(), (jwks, document, trust) => {
        expect(judge({ token: text, jwks }).accepted).toBe(false);
        expect(judge({ token: text, discovery: document }).accepted).toBe(false);
        expect(judge({ token: text, role: { ...role, AssumeRolePolicyDocument: trust } }).accepted).toBe(false);
      }),
    );
  });

  test("never throws on requests", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.double(), (role, roleSessionName, durationSeconds) => {
        const verdict = judgeAws(input({ request: { roleArn: role, roleSessionName, durationSeconds } }));
        expect(verdict.accepted).toBe(false);
        expect(verdict).not.toBeInstanceOf(KubeassumeError);
      }),
    );
  });
});

test("judgeClaims of the scenario is itself accepted unchanged", () => {
  expect(judgeClaims({}).accepted).toBe(true);
});
