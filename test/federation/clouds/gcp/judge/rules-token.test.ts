import { describe, expect, test } from "vitest";
import type { GcpJudgeInput } from "../../../../../src/federation/clouds/gcp/judge/judge.ts";
import { audience, checkOf, ec384, expectRefusal, issuer, judge, judgeClaims, judgeProvider, now, pool, poolName, provider, providerName, staleWords, token, words } from "./scenario.ts";

describe("the target of the exchange", () => {
  test.each<[string, Partial<GcpJudgeInput>, string]>([
    ["a pool that does not exist", { pool: null }, "gcp-pool"],
    ["a deleted pool", { pool: { ...pool, state: "DELETED" } }, "gcp-pool"],
    ["a disabled pool", { pool: { ...pool, disabled: true } }, "gcp-pool"],
    ["a provider that does not exist", { provider: null }, "gcp-provider"],
    ["a deleted provider", { provider: { ...provider, state: "DELETED" } }, "gcp-provider"],
    ["a disabled provider", { provider: { ...provider, disabled: true } }, "gcp-provider"],
    ["a provider of another pool", { pool: { ...pool, name: `${poolName}-2` } }, "gcp-provider"],
  ])("refuses %s in the same words", (_, parts, refusedBy) => {
    expectRefusal(judge(parts), refusedBy, "invalid_target", words.target);
  });

  test("says how to undelete", () => {
    expect(judge({ pool: { ...pool, state: "DELETED" } }).fix).toContain("undelete");
  });

  test.each([["the project's ID", providerName.replace("123456789012", "acme-prod")], ["a pool's name", poolName], ["a bare id", "kubernetes"]])("refuses %s as the provider's name", (_, name) => {
    const verdict = judgeProvider({ name });
    expectRefusal(verdict, "gcp-provider-name", "invalid_request", /^Invalid value for "audience"\. This value should be the full resource name/);
  });

  test("refuses a provider of another kind than OIDC", () => {
    const { oidc: _, ...aws } = provider;
    expectRefusal(judge({ provider: aws }), "gcp-provider", "invalid_request", /^Invalid value/);
  });

  test("takes records without a state, and warns of a state that it does not know", () => {
    expect(judge({ pool: { name: poolName } }).accepted).toBe(true);
    for (const [parts, id] of [[{ pool: { ...pool, state: "STATE_UNSPECIFIED" } }, "gcp-pool"], [{ provider: { ...provider, state: "X" } }, "gcp-provider"]] as const) {
      const verdict = judge(parts);
      expect(verdict.accepted).toBe(true);
      expect(checkOf(verdict, id)).toMatchObject({ status: "warn", message: expect.stringContaining("(unconfirmed)") });
    }
  });
});

describe("the token's form", () => {
  test.each(["not-a-token", "a.b.c", `${token()}\n`, `"${token()}"`, token().split(".").slice(0, 2).join(".")])("refuses %.20j", (text) => {
    expectRefusal(judge({ token: text }), "gcp-token-form", "invalid_grant", "Unable to parse the ID Token.");
  });

  test.each(["RS384", "RS512", "ES384", "PS256", "EdDSA", "HS256", "none", "rs256", undefined])("refuses the algorithm %s", (alg) => {
    const verdict = judge({ token: token({ header: { alg, kid: "rsa-1" } }) });
    expectRefusal(verdict, "gcp-token-algorithm", "invalid_grant", words.signature);
    expect(checkOf(verdict, "gcp-token-algorithm").message).toContain("unconfirmed");
    expect(checkOf(verdict, "gcp-token-signature").status).toBe("skip");
  });

  test("refuses a token that is truly signed with ES384", () => {
    expect(judge({ token: token({ key: ec384 }), jwks: { keys: [ec384.jwk] } }).refusedBy).toBe("gcp-token-algorithm");
  });

  test.each([{ alg: "RS256" }, { alg: "RS256", kid: "" }, { alg: "RS256", kid: 1 }])("refuses the header %j, which names no key", (header) => {
    expectRefusal(judge({ token: token({ header }) }), "gcp-token-key-id", "invalid_grant", words.issuer);
  });
});

describe("the claims", () => {
  test.each([
    ["iss", "invalid_grant", `The issuer in ID Token null does not match the expected one in config: ${issuer}.`],
    ["aud", "invalid_grant", "The audience in ID Token [] does not match the expected audience."],
    ["iat", "invalid_grant", staleWords("null")],
    ["exp", "invalid_grant", staleWords(now - 60)],
    ["sub", "unauthorized_client", words.noSubject],
  ])("need %s, and Google reports what it compares then", (name, code, message) => {
    expectRefusal(judgeClaims({}, [name]), "gcp-token-required-claims", code, message);
  });

  test("without sub are rejected by a condition that asks for it first", () => {
    const parts = { provider: { ...provider, attributeCondition: "assertion.sub.startsWith('system:')" } };
    expectRefusal(judgeClaims({}, ["sub"], parts), "gcp-token-required-claims", "unauthorized_client", words.condition);
  });

  test.each<[string, unknown, string]>([
    ["iss", 7, "invalid_grant"],
    ["sub", ["x"], "unauthorized_client"],
    ["sub", null, "unauthorized_client"],
    ["aud", { a: 1 }, "invalid_grant"],
    ["aud", [1], "invalid_grant"],
    ["iat", "1795435140", "invalid_grant"],
    ["exp", null, "invalid_grant"],
  ])("refuse %s as %j", (name, value, code) => {
    const verdict = judgeClaims({ [name]: value });
    expectRefusal(verdict, "gcp-token-claim-types", code, /./);
    expect(checkOf(verdict, "gcp-token-claim-types").message).toContain("unconfirmed");
  });
});

describe("the issuer", () => {
  test.each([`${issuer}/`, issuer.toUpperCase(), "https://oidc.example.com", "http://oidc.example.com/prod"])("must be the provider's byte for byte, not %s", (iss) => {
    const verdict = judgeClaims({ iss });
    expectRefusal(verdict, "gcp-token-issuer", "invalid_grant", `The issuer in ID Token ${iss} does not match the expected one in config: ${issuer}.`);
  });

  test("is told from one with a slash", () => {
    expect(checkOf(judgeClaims({ iss: `${issuer}/` }), "gcp-token-issuer").message).toContain("a trailing slash makes it another issuer");
  });

  test("within Google's words cannot break a line", () => {
    expect(judgeClaims({ iss: "https://x\n\u001b[31m" }).cloudMessage).not.toMatch(/\p{Cc}/u);
  });
});

describe("the audience", () => {
  const wrong = (list: string): string => `The audience in ID Token [${list}] does not match the expected audience.`;

  test("is the provider's own name with or without https: when none is allowed by name", () => {
    for (const aud of [audience, [audience], `//iam.googleapis.com/${providerName}`]) expect(judgeClaims({ aud }).accepted).toBe(true);
    for (const aud of [providerName, `http://iam.googleapis.com/${providerName}`, `${audience}/`, audience.toUpperCase()]) {
      expectRefusal(judgeClaims({ aud }), "gcp-token-audience", "invalid_grant", wrong(aud));
    }
  });

  test("is one of the allowed when there are any, and then no longer the provider's name", () => {
    const oidc = { allowedAudiences: ["sts.example", "other"] };
    expect(judgeProvider({}, oidc, { token: token({ claims: { aud: ["other"] } }) }).session?.audience).toBe("other");
    expectRefusal(judgeProvider({}, oidc), "gcp-token-audience", "invalid_grant", wrong(audience));
    expect(judgeProvider({}, { allowedAudiences: [] }).accepted).toBe(true);
  });

  test("that names the project by its ID is explained", () => {
    const aud = audience.replace("123456789012", "acme-prod");
    const verdict = judgeClaims({ aud });
    expect(checkOf(verdict, "gcp-token-audience").message).toContain("names the project by its ID where the number belongs");
    expect(verdict.fix).toBe(`mint the token with --audience ${audience}`);
  });

  test("may be one of several, which is unconfirmed", () => {
    const verdict = judgeClaims({ aud: ["https://kubernetes.default.svc", audience] });
    expect(verdict.accepted).toBe(true);
    expect(verdict.session?.audience).toBe(audience);
    expect(checkOf(verdict, "gcp-token-audience")).toMatchObject({ status: "warn", message: expect.stringContaining("(unconfirmed)") });
    expectRefusal(judgeClaims({ aud: ["a", "b"] }), "gcp-token-audience", "invalid_grant", wrong("a, b"));
    expectRefusal(judgeClaims({ aud: [] }), "gcp-token-audience", "invalid_grant", wrong(""));
  });
});

describe("the times", () => {
  test.each([
    ["expired", { exp: now - 60 }, "gcp-token-expired", now - 60],
    ["expired long ago", { iat: now - 8000, exp: now - 4000 }, "gcp-token-expired", now - 8000],
    ["issued in the future", { iat: now + 61 }, "gcp-token-issued-at", now + 61],
    ["issued more than a day ago", { iat: now - 86_401, exp: now + 60 }, "gcp-token-age", now - 86_401],
    ["valid for 48 hours", { iat: now - 60, exp: now - 60 + 172_800 }, "gcp-token-lifetime", now - 60],
  ])("refuse a token %s as stale", (_, changed, refusedBy, issuedAt) => {
    expectRefusal(judgeClaims(changed), refusedBy, "invalid_grant", staleWords(issuedAt));
  });

  test.each([
    ["expired a minute ago at most", { exp: now - 59 }, "gcp-token-expired"],
    ["expiring now", { exp: now }, "gcp-token-expired"],
    ["issued a minute ahead at most", { iat: now + 60 }, "gcp-token-issued-at"],
    ["valid for more than a day", { exp: now - 60 + 86_401 }, "gcp-token-lifetime"],
    ["valid for almost two", { exp: now - 60 + 172_799 }, "gcp-token-lifetime"],
  ])("warn of a token %s", (_, changed, id) => {
    const verdict = judgeClaims(changed);
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, id).status).toBe("warn");
  });

  test("let a token of exactly a day pass, and call the documented limits unconfirmed", () => {
    const verdict = judgeClaims({ iat: now - 86_400 + 60, exp: now + 60 });
    expect(checkOf(verdict, "gcp-token-lifetime").status).toBe("pass");
    expect(checkOf(judgeClaims({ exp: now + 90_000 }), "gcp-token-lifetime").message).toContain("(unconfirmed)");
  });
});
