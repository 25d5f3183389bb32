import { describe, expect, test } from "vitest";
import { certificateOf, ecKey, rsaKey } from "../../../oidc/keys.ts";
import { checkOf, claims, discovery, ec256, ec384, expectRefusal, issuer, judge, judgeProvider, otherRsa, rsa, token, uploaded, words } from "./scenario.ts";

describe("the issuer's documents", () => {
  test("must be reachable when the provider has no keys", () => {
    const verdict = judge({ issuerFailure: { message: "oidc.example.com cannot be resolved" } });
    expectRefusal(verdict, "gcp-issuer-reachable", "invalid_grant", words.issuer);
    expect(checkOf(verdict, "gcp-issuer-reachable").message).toBe("oidc.example.com cannot be resolved");
    expect(verdict.fix).toContain("--keys upload");
    expectRefusal(judge({ discovery: null }), "gcp-issuer-reachable", "invalid_grant", words.issuer);
    expectRefusal(judge({ jwks: undefined }), "gcp-issuer-reachable", "invalid_grant", words.issuer);
  });

  test("name the provider's issuer", () => {
    const verdict = judge({ discovery: { ...discovery, issuer: `${issuer}/` } });
    expectRefusal(verdict, "gcp-discovery", "invalid_grant", /issuer. claim in OIDC discovery document does not match/);
    expect(checkOf(verdict, "gcp-discovery").message).toContain('first difference at character 30: "/" instead of the end');
  });

  test.each<[string, unknown]>([
    ["a list", []],
    ["text", "x"],
    ["no issuer", { ...discovery, issuer: undefined }],
    ["no jwks_uri", { ...discovery, jwks_uri: undefined }],
    ["a jwks_uri over http", { ...discovery, jwks_uri: "http://oidc.example.com/jwks" }],
  ])("are refused with %s", (_, document) => {
    expectRefusal(judge({ discovery: document }), "gcp-discovery", "invalid_grant", words.issuer);
  });

  test("may lack what only the specification demands, with a warning", () => {
    for (const document of [{ issuer, jwks_uri: discovery.jwks_uri }, { ...discovery, id_token_signing_alg_values_supported: ["ES256"] }]) {
      const verdict = judge({ discovery: document });
      expect(verdict.accepted).toBe(true);
      expect(checkOf(verdict, "gcp-discovery")).toMatchObject({ status: "warn", message: expect.stringContaining("(unconfirmed)") });
    }
  });
});

describe("the key set", () => {
  test.each<[string, unknown]>([["an empty set", { keys: [] }], ["a list", []], ["text", "keys"], ["no keys member", {}]])("is refused as %s", (_, jwks) => {
    expectRefusal(judge({ jwks }), "gcp-keys", "invalid_grant", words.issuer);
  });

  test("must have the token's kid", () => {
    const verdict = judge({ jwks: { keys: [{ ...rsa.jwk, kid: "rotated" }] } });
    expectRefusal(verdict, "gcp-key-found", "invalid_grant", words.issuer);
    expect(checkOf(verdict, "gcp-key-found").message).toBe('the token\'s kid is "rsa-1" and the key set has "rotated"');
  });

  test("is warned of when it holds a private or symmetric key", () => {
    for (const extra of [otherRsa.privateKey.export({ format: "jwk" }), { kty: "oct", k: "AAAA" }]) {
      const verdict = judge({ jwks: { keys: [rsa.jwk, extra] } });
      expect(verdict.accepted).toBe(true);
      expect(checkOf(verdict, "gcp-keys-public").status).toBe("warn");
    }
  });

  test("needs a key of the token's kind", () => {
    for (const jwk of [ec256.jwk, ec384.jwk, ecKey("x", "secp256k1").jwk]) {
      expectRefusal(judge({ jwks: { keys: [{ ...jwk, kid: "rsa-1" }] } }), "gcp-key-usable", "invalid_grant", words.issuer);
    }
    expectRefusal(judge({ jwks: { keys: [{ ...rsa.jwk, n: "!" }] } }), "gcp-key-usable", "invalid_grant", words.issuer);
  });

  test.each([{ use: "enc" }, { alg: "RS512" }])("warns of a key with %j", (members) => {
    const verdict = judge({ jwks: { keys: [{ ...rsa.jwk, ...members }] } });
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "gcp-key-usable")).toMatchObject({ status: "warn", message: expect.stringContaining("(unconfirmed)") });
  });

  test("may hold keys without use and alg", () => {
    expect(checkOf(judge({ jwks: { keys: [{ ...rsa.jwk, use: undefined, alg: undefined }] } }), "gcp-key-usable").status).toBe("pass");
  });
});

describe("uploaded keys", () => {
  const x5c = [certificateOf(rsa).replace(/-----[^-]+-----|\n/g, "")];

  test("count instead of the issuer's", () => {
    expect(judgeProvider({}, uploaded(rsa.jwk), { jwks: { keys: [otherRsa.jwk] } }).accepted).toBe(true);
    const verdict = judgeProvider({}, uploaded(otherRsa.jwk));
    expectRefusal(verdict, "gcp-key-found", "invalid_grant", words.issuer);
    expect(verdict.fix).toContain("--keys upload");
    expect(checkOf(verdict, "gcp-discovery").status).toBe("skip");
    expect(checkOf(verdict, "gcp-issuer-reachable").status).toBe("pass");
  });

  test("as the empty text are none", () => {
    expect(judgeProvider({}, { jwksJson: "" }).accepted).toBe(true);
    expect(judgeProvider({}, { jwksJson: "" }, { jwks: null }).refusedBy).toBe("gcp-issuer-reachable");
  });

  test("may be several, RSA and EC", () => {
    expect(judgeProvider({}, uploaded(otherRsa.jwk, ec256.jwk, rsa.jwk)).accepted).toBe(true);
  });

  test.each<[string, string, string]>([
    ["text that is no JSON", "{", "not a key set"],
    ["no keys", '{"keys":[]}', "has no key"],
    ["a certificate", JSON.stringify({ keys: [{ ...rsa.jwk, x5c }] }), "Input JWK is not in a valid json format"],
    ["key_ops", JSON.stringify({ keys: [{ ...rsa.jwk, key_ops: ["verify"] }] }), '"key_ops"'],
    ["a private member", JSON.stringify({ keys: [{ ...rsa.jwk, d: "x" }] }), '"d"'],
    ["a key on P-384 beside a good one", JSON.stringify({ keys: [rsa.jwk, ec384.jwk] }), "Only RSA, EC key types are supported."],
    ["a key of another kind", JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", x: "AA", kid: "k" }] }), "neither RSA nor EC"],
    ["a key that cannot be read", JSON.stringify({ keys: [{ ...rsa.jwk, n: "" }] }), "corrupted key material"],
    ["a key without kid", JSON.stringify({ keys: [{ ...rsa.jwk, kid: undefined }] }), "has no kid"],
  ])("with %s are refused with the error about the issuer", (_, jwksJson, why) => {
    const verdict = judgeProvider({}, { jwksJson });
    expectRefusal(verdict, "gcp-keys-uploaded", "invalid_grant", words.issuer);
    expect(checkOf(verdict, "gcp-keys-uploaded").message).toContain(why);
  });
});

describe("the signature", () => {
  test("must be by the key that the token names", () => {
    expectRefusal(judge({ token: token({ key: rsaKey("rsa-1") }) }), "gcp-token-signature", "invalid_grant", words.signature);
    expectRefusal(judgeProvider({}, uploaded(rsa.jwk), { token: token({ key: rsaKey("rsa-1") }) }), "gcp-token-signature", "invalid_grant", words.signature);
  });

  test("covers the claims", () => {
    const [header, , signature] = token().split(".");
    const changed = Buffer.from(JSON.stringify({ ...claims, admin: true })).toString("base64url");
    expect(judge({ token: `${header}.${changed}.${signature}` }).refusedBy).toBe("gcp-token-signature");
  });

  test("of ECDSA in DER form is refused", () => {
    const [header, payload] = token({ key: ec256 }).split(".");
    const der = Buffer.from("3006020101020101", "hex").toString("base64url");
    expect(judge({ token: `${header}.${payload}.${der}` }).refusedBy).toBe("gcp-token-signature");
  });
});
