import { describe, expect, it } from "vitest";
import { codes } from "../../../src/federation/errors/codes.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { judgeIssuerFacts } from "../../../src/federation/flow/judge-issuer-facts.ts";
import type { IssuerFacts } from "../../../src/federation/oidc/read-issuer.ts";

const NOW = new Date("2026-01-31T12:00:00Z");
const ISSUER = "https://oidc.example.com/prod";
const KEY = { kty: "EC", crv: "P-256", kid: "k1", alg: "ES256", use: "sig", x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" };
const headers = { contentType: "application/json; charset=utf-8", cacheControl: "public, max-age=60" };

function facts(rest: Partial<IssuerFacts> = {}): IssuerFacts {
  const jwksUri = `${ISSUER}/openid/v1/jwks`;
  const discovery = { issuer: ISSUER, jwks_uri: jwksUri, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["ES256"] };
  return { issuer: ISSUER, discovery, jwksUri, jwks: { keys: [KEY] }, headers: { discovery: headers, jwks: headers }, chain: chainUntil("2026-12-31T00:00:00Z"), ...rest };
}

function chainUntil(notAfter: string): IssuerFacts["chain"] {
  return { publiclyTrusted: true, thumbprints: [{ host: "cdn.example.com", thumbprint: "a".repeat(40), notAfter: "2027-12-31T00:00:00Z" }, { host: "oidc.example.com", thumbprint: "b".repeat(40), notAfter }], warnings: [] };
}

function judge(value: IssuerFacts): Readonly<Record<string, string>> {
  return Object.fromEntries(judgeIssuerFacts(ISSUER, { value, failure: null, durationMs: 5 }, NOW).map((check) => [check.id, check.status]));
}
const fine = { "issuer-reachable": "pass", "issuer-documents": "pass", "issuer-headers": "pass", "issuer-certificate": "pass" };

describe("the checks of an issuer", () => {
  it("pass for an issuer that is as it should be", () => {
    expect(judge(facts())).toEqual(fine);
  });

  it("fail at the first and skip the rest when the issuer cannot be read", () => {
    const failure = new KubeassumeError(codes.ISSUER_UNREACHABLE, { message: "oidc.example.com: the connection is refused", hint: "start it" });
    const checks = judgeIssuerFacts(ISSUER, { value: null, failure, durationMs: 5 }, NOW);
    expect(checks.map((check) => check.status)).toEqual(["fail", "skip", "skip", "skip"]);
    expect(checks[0]).toMatchObject({ message: failure.message, hint: "start it", durationMs: 5 });
  });

  it("are all skipped, with the reason, when no cloud reads the issuer", () => {
    const checks = judgeIssuerFacts(ISSUER, null, NOW);
    expect(checks.map(({ id, status }) => [id, status])).toEqual(Object.keys(fine).map((id) => [id, "skip"]));
    expect(checks.map(({ message }) => message)).toEqual(checks.map(() => "no cloud reads the issuer: the keys are uploaded"));
  });

  it.each<readonly [string, Partial<IssuerFacts>]>([
    ["a discovery document of another issuer", { discovery: { issuer: `${ISSUER}/`, jwks_uri: `${ISSUER}/openid/v1/jwks` } }],
    ["an empty key set", { jwks: { keys: [] } }],
    ["a key set with a private key", { jwks: { keys: [{ ...KEY, d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" }] } }],
  ])("fail issuer-documents for %s", (_, rest) => {
    expect(judge(facts(rest))).toEqual({ ...fine, "issuer-documents": "fail" });
  });

  it.each<readonly [string, typeof headers, string]>([
    ["a web page's content type", { ...headers, contentType: "text/html" }, "warn"],
    ["no content type", { ...headers, contentType: "" }, "warn"],
    ["an hour in caches", { ...headers, cacheControl: "max-age=3600" }, "warn"],
    ["exactly five minutes in caches", { ...headers, cacheControl: "max-age=300" }, "pass"],
    ["a JWK set's own content type", { ...headers, contentType: "application/jwk-set+json" }, "pass"],
    ["no word about caches", { ...headers, cacheControl: "" }, "pass"],
  ])("judge issuer-headers for %s", (_, jwks, status) => {
    expect(judge(facts({ headers: { discovery: headers, jwks } }))).toEqual({ ...fine, "issuer-headers": status });
  });

  it.each([
    ["2026-01-31T11:59:59Z", "fail"],
    ["2026-02-01T12:00:00Z", "warn"],
    ["2026-03-02T11:59:59Z", "warn"],
    ["2026-03-02T12:00:00Z", "pass"],
  ])("judge issuer-certificate by the chain that ends first: until %s is %s", (notAfter, status) => {
    expect(judge(facts({ chain: chainUntil(notAfter) }))).toEqual({ ...fine, "issuer-certificate": status });
  });

  it("skip issuer-certificate when no cloud asked for the chain", () => {
    expect(judge(facts({ chain: null }))).toEqual({ ...fine, "issuer-certificate": "skip" });
  });
});
