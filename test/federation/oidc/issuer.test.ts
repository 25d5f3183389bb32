import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkIssuerUrl, discoveryUrl, jwksUrl } from "../../../src/federation/oidc/issuer.ts";

const codesOf = (text: string): string[] => checkIssuerUrl(text).problems.map((problem) => problem.code);

describe("checkIssuerUrl", () => {
  test.each(["https://oidc.example.com", "https://oidc.example.com/prod", "https://oidc.example.com/Prod/a-b_c~d", "https://xn--bcher-kva.example/x"])(
    "accepts %s without a word",
    (issuer) => {
      expect(checkIssuerUrl(issuer)).toEqual({ problems: [], warnings: [] });
    },
  );

  test.each([
    ["http://oidc.example.com", "ISSUER_NOT_HTTPS"],
    ["ftp://oidc.example.com", "ISSUER_NOT_HTTPS"],
    ["https://user:pw@oidc.example.com", "ISSUER_HAS_CREDENTIALS"],
    ["https://oidc.example.com?x=1", "ISSUER_HAS_QUERY"],
    ["https://oidc.example.com/a?", "ISSUER_HAS_QUERY"],
    ["https://oidc.example.com/a#", "ISSUER_HAS_FRAGMENT"],
    ["https://oidc.example.com/", "ISSUER_TRAILING_SLASH"],
    ["https://oidc.example.com/prod/", "ISSUER_TRAILING_SLASH"],
    ["https://OIDC.example.com", "ISSUER_UPPER_CASE"],
    ["HTTPS://oidc.example.com", "ISSUER_UPPER_CASE"],
    ["https://oidc.example.com:443", "ISSUER_DEFAULT_PORT"],
    ["https://oidc.example.com:443/prod", "ISSUER_DEFAULT_PORT"],
    ["https://oidc.example.com:", "ISSUER_DEFAULT_PORT"],
    [`https://oidc.example.com/${"a".repeat(240)}`, "ISSUER_TOO_LONG"],
    ["oidc.example.com", "ISSUER_NOT_A_URL"],
    ["", "ISSUER_NOT_A_URL"],
    ["https://", "ISSUER_NOT_A_URL"],
    ["https:/oidc.example.com", "ISSUER_NOT_A_URL"],
    ["https://oidc.example.com/a b", "ISSUER_NOT_A_URL"],
    [" https://oidc.example.com", "ISSUER_NOT_A_URL"],
    ["https://oidc.example.com\n", "ISSUER_NOT_A_URL"],
    ["https://bücher.example", "ISSUER_NOT_A_URL"],
    ["https://oidc.example.com/../x", "ISSUER_NOT_A_URL"],
    ["https://oidc.example.com/a\\b", "ISSUER_NOT_A_URL"],
    ["https://oidc.example.com:08443", "ISSUER_NOT_A_URL"],
    ["https://oidc.example.com:99999", "ISSUER_NOT_A_URL"],
  ])("refuses %j with %s alone", (issuer, code) => {
    expect(codesOf(issuer)).toEqual([code]);
  });

  test("accepts exactly 255 characters and refuses 256", () => {
    const base = "https://oidc.example.com/";
    expect(codesOf(base + "a".repeat(255 - base.length))).toEqual([]);
    expect(codesOf(base + "a".repeat(256 - base.length))).toEqual(["ISSUER_TOO_LONG"]);
  });

  test("reports all problems at once", () => {
    expect(codesOf("http://u:p@OIDC.example.com:443/x/?q#f").sort()).toEqual([
      "ISSUER_DEFAULT_PORT",
      "ISSUER_HAS_CREDENTIALS",
      "ISSUER_HAS_FRAGMENT",
      "ISSUER_HAS_QUERY",
      "ISSUER_NOT_HTTPS",
      "ISSUER_TRAILING_SLASH",
      "ISSUER_UPPER_CASE",
    ]);
  });

  test("warns about another port and says that AWS's behaviour is unconfirmed", () => {
    const verdict = checkIssuerUrl("https://oidc.example.com:8443/prod");
    expect(verdict.problems).toEqual([]);
    expect(verdict.warnings).toMatchObject([{ code: "ISSUER_PORT", details: { port: 8443 } }]);
    expect(verdict.warnings[0]?.message).toContain("unconfirmed");
  });

  test("never shows credentials or query values", () => {
    const { problems } = checkIssuerUrl("https://user:hunter2@oidc.example.com/x?X-Amz-Signature=deadbeef");
    expect(problems.length).toBe(2);
    expect(JSON.stringify(problems.map((problem) => problem.toProblem()))).not.toMatch(/hunter2|deadbeef/);
  });

  test("never throws, and what it accepts is what a URL parser would write", () => {
    const texts = fc.oneof(fc.string(), fc.webUrl(), fc.string().map((tail) => `https://h.example/${tail}`), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(texts, (text) => {
        const { problems } = checkIssuerUrl(text);
        if (problems.length > 0) return;
        const href = new URL(text).href;
        expect(href === text || href === `${text}/`).toBe(true);
      }),
    );
  });
});

test("the documents lie under the issuer", () => {
  expect(discoveryUrl("https://h.example/prod")).toBe("https://h.example/prod/.well-known/openid-configuration");
  expect(jwksUrl("https://h.example/prod")).toBe("https://h.example/prod/openid/v1/jwks");
});
