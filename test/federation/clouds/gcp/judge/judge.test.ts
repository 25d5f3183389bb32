import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeChecks } from "../../../../../src/federation/clouds/gcp/judge/checks.ts";
import type { GcpJudgeInput } from "../../../../../src/federation/clouds/gcp/judge/judge.ts";
import { audience, checkOf, claims, ec256, email, impersonation, input, issuer, judge, judgeClaims, judgeProvider, mapping, member, now, otherRsa, pool, projectPolicy, provider, providerName, rsa, subject, token, uploaded } from "./scenario.ts";

describe("an accepted token", () => {
  test("yields the federated session that STS would hand out", () => {
    expect(judge()).toMatchObject({
      accepted: true,
      code: null,
      cloudMessage: null,
      httpStatus: 200,
      refusedBy: null,
      fix: null,
      session: { subject, audience, provider: providerName, principal: member, durationSeconds: 3540 },
    });
  });

  test("yields the service account's session when one is impersonated, for an hour", () => {
    expect(judge(impersonation).session).toEqual({ subject, audience, provider: providerName, principal: email, durationSeconds: 3600 });
  });

  test("has a federated session of at most an hour, and none that outlives the token", () => {
    expect(judge({ token: token({ claims: { exp: now + 30 } }) }).session?.durationSeconds).toBe(30);
    expect(judge({ token: token({ claims: { exp: now + 80_000 } }) }).session?.durationSeconds).toBe(3600);
    expect(judge({ ...impersonation, token: token({ claims: { exp: now + 30 } }) }).session?.durationSeconds).toBe(3600);
  });

  test("has every check answered once, in the documented order, none warned of", () => {
    const { checks } = judge();
    expect(checks.map((check) => check.id)).toEqual(Object.keys(judgeChecks));
    const skipped = checks.filter((check) => check.status !== "pass").map(({ id, status }) => [id, status]);
    expect(skipped).toEqual([["gcp-keys-uploaded", "skip"], ["gcp-impersonation", "skip"]]);
    expect(checks.every((check) => check.cloud === "gcp" && check.hint === "" && check.durationMs === 0)).toBe(true);
  });

  test("shows the claims", () => {
    expect(judge().claims).toEqual(claims);
  });

  test("may be judged without a discovery document when the keys are given, and without any policy", () => {
    const verdict = judge({ discovery: undefined, projectPolicy: undefined });
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "gcp-discovery").status).toBe("skip");
    expect(checkOf(verdict, "gcp-direct-access").status).toBe("skip");
  });

  test("needs nothing of the issuer when its keys are uploaded, whatever the issuer serves", () => {
    const wrong = { discovery: { issuer: "https://other.example" }, jwks: { keys: [otherRsa.jwk] }, issuerFailure: { message: "no route" } };
    expect(judgeProvider({}, uploaded(rsa.jwk), wrong).accepted).toBe(true);
    expect(judgeProvider({}, uploaded(rsa.jwk), { discovery: undefined, jwks: undefined }).accepted).toBe(true);
  });

  test.each([rsa, ec256])("may be signed by an RSA or a P-256 key", (key) => {
    expect(judge({ token: token({ key }) }).accepted).toBe(true);
    expect(judgeProvider({}, uploaded(key.jwk), { token: token({ key }) }).accepted).toBe(true);
  });
});

describe("every verdict", () => {
  test("keeps the signature to itself", () => {
    const signatureOf = (text: string): string => text.split(".")[2] ?? "";
    for (const text of [token(), token({ claims: { aud: "other" } }), token({ key: otherRsa }), `${token()}x`, token({ claims: { exp: 1 } })]) {
      const verdict = judge({ token: text });
      expect(JSON.stringify(verdict)).not.toContain(signatureOf(text).slice(0, 24));
      expect(JSON.stringify(verdict)).not.toContain(text.slice(0, 40));
    }
  });

  test("gives each failed check a hint, and the refusing one's as the fix", () => {
    const verdict = judge({ token: token({ claims: { aud: "other", exp: 5, iat: 1 } }), pool: null });
    const failed = verdict.checks.filter((check) => check.status === "fail");
    expect(failed.length).toBeGreaterThan(2);
    expect(failed.every((check) => check.hint !== "")).toBe(true);
    expect(verdict.refusedBy).toBe(failed[0]?.id);
    expect(verdict.fix).toBe(failed[0]?.hint);
  });

  test("answers later rules too after the first refusal", () => {
    const verdict = judge({ token: token({ claims: { aud: "other" } }), projectPolicy: { bindings: [] } });
    expect(verdict.refusedBy).toBe("gcp-token-audience");
    expect(checkOf(verdict, "gcp-token-signature").status).toBe("pass");
    expect(checkOf(verdict, "gcp-direct-access").status).toBe("fail");
  });
});

describe("a token that is accepted is refused after any one change", () => {
  const changes: readonly [string, () => ReturnType<typeof judge>][] = [
    ["the pool deleted", () => judge({ pool: { ...pool, state: "DELETED" } })],
    ["the pool disabled", () => judge({ pool: { ...pool, disabled: true } })],
    ["the provider deleted", () => judgeProvider({ state: "DELETED" })],
    ["the provider disabled", () => judgeProvider({ disabled: true })],
    ["another pool", () => judge({ pool: { ...pool, name: `${pool.name}2` } })],
    ["another issuer at the provider", () => judgeProvider({}, { issuerUri: `${issuer}/` })],
    ["another audience at the provider", () => judgeProvider({}, { allowedAudiences: ["other"] })],
    ["other keys uploaded", () => judgeProvider({}, uploaded(otherRsa.jwk))],
    ["other keys published", () => judge({ jwks: { keys: [otherRsa.jwk] } })],
    ["no keys", () => judge({ jwks: null })],
    ["another issuer in the document", () => judge({ discovery: { issuer: `${issuer}/`, jwks_uri: issuer } })],
    ["a false condition", () => judgeProvider({ attributeCondition: "assertion.sub != assertion.sub" })],
    ["another subject mapped", () => judgeProvider({ attributeMapping: { ...mapping, "google.subject": "'other:' + assertion.sub" } })],
    ["no member", () => judge({ projectPolicy: { bindings: [] } })],
    ["an hour and a minute later", () => judge({ at: new Date((now + 3600) * 1000) })],
    ["two hours earlier", () => judge({ at: new Date((now - 7200) * 1000) })],
    ["another role demanded", () => judge({ roles: ["roles/storage.admin"] })],
    ["a service account that lets nobody in", () => judge({ ...impersonation, serviceAccountPolicy: {} })],
    ["a service account that does not exist", () => judge({ ...impersonation, serviceAccountPolicy: null })],
  ];
  test.each(changes)("%s", (_, change) => {
    expect(judge().accepted).toBe(true);
    expect(change()).toMatchObject({ accepted: false, session: null });
  });

  test("any bit of its signature flipped", () => {
    for (const key of [rsa, ec256]) {
      const text = token({ key });
      const start = text.lastIndexOf(".") + 1;
      const signature = Buffer.from(text.slice(start), "base64url");
      fc.assert(
        fc.property(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), (index, mask) => {
          const flipped = Buffer.from(signature);
          flipped[index] = (flipped[index] ?? 0) ^ mask;
          expect(judge({ token: text.slice(0, start) + flipped.toString("base64url") }).refusedBy).toBe("gcp-token-signature");
        }),
        { numRuns: 25 },
      );
    }
  });

  test("any character replaced", () => {
    const text = token();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(..."ABab01-_."), (index, character) => {
        fc.pre(text[index] !== character);
        expect(judge({ token: text.slice(0, index) + character + text.slice(index + 1) }).accepted).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("any claim removed that Google needs", () => {
    for (const name of ["iss", "sub", "aud", "iat", "exp"]) expect(judgeClaims({}, [name]).accepted).toBe(false);
    expect(judgeClaims({}, ["nbf", "jti"]).accepted).toBe(true);
  });
});

describe("for arbitrary input", () => {
  test("does not mind the order of the claims", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(claims), { minLength: Object.keys(claims).length }), (entries) => {
        expect(judge({ token: token({ payload: JSON.stringify(Object.fromEntries(entries)) }) }).accepted).toBe(true);
      }),
      { numRuns: 10 },
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
    const name = fc.constantFrom("iss", "sub", "aud", "iat", "exp", "nbf", "kubernetes.io", "__proto__", "constructor");
    const value = fc.oneof(fc.constantFrom<unknown>(issuer, subject, audience, now, String(now + 60), null, Number.POSITIVE_INFINITY), fc.jsonValue());
    const header = fc.dictionary(fc.constantFrom("alg", "kid", "crit", "typ"), fc.oneof(fc.constantFrom("RS256", "ES256", "none", "HS256", "rsa-1"), fc.jsonValue()));
    fc.assert(
      fc.property(header, fc.dictionary(name, value), (headerValue, payload) => {
        const text = [headerValue, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
        expect(judge({ token: `${text}.AAAA` }).accepted).toBe(false);
      }),
    );
  });

  test("never throws on truly signed claims of any kind", () => {
    const name = fc.constantFrom("iss", "sub", "aud", "iat", "exp", "kubernetes.io");
    const value = fc.oneof(fc.constantFrom<unknown>(issuer, audience, now, now + 60, null), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(name, value, { minKeys: 1 }), (changed) => {
        expect(judgeClaims(changed).checks).toHaveLength(Object.keys(judgeChecks).length);
      }),
      { numRuns: 60 },
    );
  });

  test("never throws on documents, records and policies, and accepts none that is arbitrary", () => {
    const text = token();
    const key = fc.dictionary(fc.constantFrom("kty", "n", "e", "crv", "x", "y", "kid", "use"), fc.oneof(fc.constantFrom("RSA", "EC", "P-256", "AQAB", "rsa-1"), fc.jsonValue()));
    const binding = fc.dictionary(fc.constantFrom("role", "members", "condition"), fc.oneof(fc.constantFrom<unknown>("roles/iam.workloadIdentityUser", [], ["allAuthenticatedUsers"]), fc.jsonValue()));
    const policy = fc.oneof(fc.jsonValue(), fc.record({ version: fc.constantFrom<unknown>(0, 1, 3, "3"), bindings: fc.array(binding) }));
    const refused = (parts: Partial<GcpJudgeInput>): void => expect(judge({ token: text, ...parts }).accepted).toBe(false);
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ keys: fc.array(key) })), fc.jsonValue(), policy, (jwks, document, trust) => {
        refused({ jwks });
        refused({ discovery: document });
        refused({ provider: { ...provider, oidc: { issuerUri: issuer, jwksJson: JSON.stringify(jwks) } } });
        refused({ ...impersonation, projectPolicy: undefined, serviceAccountPolicy: trust });
        if (trust !== null) refused({ projectPolicy: trust });
      }),
      { numRuns: 60 },
    );
  });

  test("never throws on mappings and conditions, and a token gets in by none that is arbitrary text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), fc.string({ maxLength: 20 }), (expression, condition, key) => {
        expect(judgeProvider({ attributeMapping: { ...mapping, [key]: expression } }).checks.length).toBeGreaterThan(20);
        fc.pre(condition !== "" && condition.trim() !== "true");
        expect(judgeProvider({ attributeCondition: condition }).refusedBy).toBe("gcp-attribute-condition");
      }),
      { numRuns: 60 },
    );
  });
});

test("the scenario's claims are accepted unchanged, and its input has a policy", () => {
  expect(judgeClaims({}).accepted).toBe(true);
  expect(input().projectPolicy).toBe(projectPolicy);
});
