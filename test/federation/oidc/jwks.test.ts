import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { algorithmOf, keyObjectOf, parseJwks } from "../../../src/federation/oidc/jwks.ts";
import type { PublicJwk } from "../../../src/federation/oidc/jwks.ts";
import { toPublishedJwk, toPublishedKeySet } from "../../../src/federation/oidc/publish.ts";
import { codeOf, refusalOf } from "./expect-code.ts";
import { ecKey, rsaKey } from "./keys.ts";

const rsa = rsaKey("rsa-1");
const other = rsaKey("rsa-2");
const ec = ecKey("ec-1");
const ed25519 = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });

describe("parseJwks", () => {
  test("keeps every public member as it came, EC coordinates included", () => {
    const keys = [{ ...rsa.jwk, x5t: "abc", custom: [1] }, ec.jwk];
    expect(parseJwks(JSON.stringify({ keys })).keys).toEqual(keys);
    expect(parseJwks({ keys }).keys).toEqual(keys);
  });

  test("keeps public keys that some party may not know", () => {
    expect(parseJwks({ keys: [ed25519, { kty: "AKP", pub: "AA" }] }).keys).toHaveLength(2);
  });

  test.each([
    ["an empty set", { keys: [] }, "JWKS_EMPTY"],
    ["no keys member", {}, "JWKS_MALFORMED"],
    ["keys that are no array", { keys: {} }, "JWKS_MALFORMED"],
    ["a key that is no object", { keys: [1] }, "JWKS_MALFORMED"],
    ["an array", [], "JWKS_MALFORMED"],
    ["null", null, "JWKS_MALFORMED"],
    ["a key without kty", { keys: [{ kid: "x" }] }, "JWKS_MALFORMED"],
    ["a kid that is a number", { keys: [{ ...rsa.jwk, kid: 1 }] }, "JWKS_MALFORMED"],
    ["an RSA key without n", { keys: [{ kty: "RSA", e: "AQAB" }] }, "JWKS_MALFORMED"],
    ["an RSA key with padding", { keys: [{ ...rsa.jwk, n: `${rsa.jwk.n}==` }] }, "JWKS_MALFORMED"],
    ["an EC point off its curve", { keys: [{ ...ec.jwk, y: ec.jwk.x }] }, "JWKS_MALFORMED"],
    ["an EC key without coordinates", { keys: [{ kty: "EC", crv: "P-256" }] }, "JWKS_MALFORMED"],
    ["a symmetric key", { keys: [rsa.jwk, { kty: "oct", k: "AAAA" }] }, "JWKS_SYMMETRIC_KEY"],
    ["a private RSA key", { keys: [rsa.privateKey.export({ format: "jwk" })] }, "JWKS_PRIVATE_KEY"],
    ["a private EC key", { keys: [ec.privateKey.export({ format: "jwk" })] }, "JWKS_PRIVATE_KEY"],
    ["a private key in a set that is malformed too", { keys: [{ kty: "RSA" }, { kty: "RSA", d: "" }] }, "JWKS_PRIVATE_KEY"],
  ])("refuses %s", (_, value, code) => {
    expect(codeOf(() => parseJwks(value))).toBe(code);
    expect(codeOf(() => parseJwks(JSON.stringify(value)))).toBe(code);
  });

  test.each(["d", "p", "q", "dp", "dq", "qi", "k", "oth"])("refuses a key with the private member %s", (name) => {
    expect(codeOf(() => parseJwks({ keys: [{ ...rsa.jwk, [name]: null }] }))).toBe("JWKS_PRIVATE_KEY");
  });

  test.each(["", "<html>", "{", "-----BEGIN PUBLIC KEY-----"])("refuses text that is no JSON: %j", (text) => {
    expect(codeOf(() => parseJwks(text))).toBe("JWKS_MALFORMED");
  });

  test("refuses a set beyond its bounds", () => {
    expect(codeOf(() => parseJwks(JSON.stringify({ keys: [rsa.jwk] }), { maxBytes: 100 }))).toBe("JWKS_TOO_LARGE");
    expect(codeOf(() => parseJwks({ keys: [rsa.jwk, ec.jwk] }, { maxKeys: 1 }))).toBe("JWKS_TOO_LARGE");
  });

  test("never shows private material", () => {
    const secret = rsa.privateKey.export({ format: "jwk" });
    const shown = JSON.stringify(refusalOf(() => parseJwks({ keys: [secret] })).toProblem());
    for (const name of ["d", "p", "q", "dp", "dq", "qi"] as const) expect(shown).not.toContain(String(secret[name]).slice(0, 20));
  });

  test("throws nothing but its own errors on arbitrary values", () => {
    const member = fc.constantFrom("kty", "n", "e", "crv", "x", "y", "kid", "alg", "use", "__proto__");
    const key = fc.dictionary(member, fc.oneof(fc.constantFrom("RSA", "EC", "P-256", "AQAB", "oct"), fc.jsonValue()));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ keys: fc.array(key) }), fc.string()), (value) => {
        try {
          expect(parseJwks(value).keys.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(KubeassumeError);
        }
      }),
    );
  });
});

describe("algorithmOf", () => {
  test.each<[PublicJwk, string | null]>([
    [{ kty: "RSA" }, "RS256"],
    [{ kty: "RSA", alg: "RS512" }, "RS512"],
    [{ kty: "RSA", alg: "PS256" }, null],
    [{ kty: "EC", crv: "P-256" }, "ES256"],
    [{ kty: "EC", crv: "P-384" }, "ES384"],
    [{ kty: "EC", crv: "P-521" }, "ES512"],
    [{ kty: "EC", crv: "P-256", alg: "ES384" }, null],
    [{ kty: "EC", crv: "secp256k1" }, null],
    [{ kty: "EC", crv: "constructor" }, null],
    [{ kty: "OKP", crv: "Ed25519" }, null],
  ])("%j signs with %s", (jwk, algorithm) => {
    expect(algorithmOf(jwk)).toBe(algorithm);
  });

  test("unusable curves have no key object", () => {
    expect(keyObjectOf(ecKey("k", "secp256k1").jwk)).toBeNull();
    expect(keyObjectOf(ec.jwk)?.asymmetricKeyType).toBe("ec");
  });
});

describe("toPublishedJwk", () => {
  test("keeps the members that every party takes, in a fixed order, and no other", () => {
    const { n, e } = rsa.jwk;
    const published = toPublishedJwk({ key_ops: ["verify"], x5c: ["AA"], x5t: "t", ...rsa.jwk });
    expect(JSON.stringify(published)).toBe(JSON.stringify({ kty: "RSA", use: "sig", alg: "RS256", kid: "rsa-1", n, e }));
    const { crv, x, y } = ec.jwk;
    expect(JSON.stringify(toPublishedJwk(ec.jwk))).toBe(JSON.stringify({ kty: "EC", use: "sig", alg: "ES256", kid: "ec-1", crv, x, y }));
  });

  test("invents neither use nor alg", () => {
    const { kty, kid, n, e } = rsa.jwk;
    expect(Object.keys(toPublishedJwk({ kty, kid: String(kid), n: String(n), e: String(e) }))).toEqual(["kty", "kid", "n", "e"]);
  });

  test.each<[string, PublicJwk, string]>([
    ["an Ed25519 key", ed25519 as PublicJwk, "JWKS_KEY_UNUSABLE"],
    ["a key on another curve", ecKey("k", "secp256k1").jwk, "JWKS_KEY_UNUSABLE"],
    ["an encryption key", { ...rsa.jwk, use: "enc" }, "JWKS_KEY_UNUSABLE"],
    ["a PS256 key", { ...rsa.jwk, alg: "PS256" }, "JWKS_KEY_UNUSABLE"],
    ["an empty kid", { ...rsa.jwk, kid: "" }, "JWKS_KEY_ID_MISSING"],
  ])("refuses %s", (_, jwk, code) => {
    expect(codeOf(() => toPublishedJwk(jwk))).toBe(code);
  });
});

describe("toPublishedKeySet", () => {
  const kids = (keys: PublicJwk[]): string[] => toPublishedKeySet({ keys }).keys.map((key) => key.kid);

  test("publishes a key once, also when a copy has an empty kid or none", () => {
    const { kid: _, ...unnamed } = rsa.jwk;
    expect(kids([rsa.jwk, { ...rsa.jwk, kid: "" }, unnamed as PublicJwk, ec.jwk, rsa.jwk])).toEqual(["rsa-1", "ec-1"]);
  });

  test("refuses two keys under one kid", () => {
    expect(codeOf(() => kids([rsa.jwk, { ...other.jwk, kid: "rsa-1" }]))).toBe("JWKS_KEY_ID_DUPLICATE");
  });

  test("refuses a key that no copy names", () => {
    const { kid: _, ...unnamed } = other.jwk;
    expect(codeOf(() => kids([rsa.jwk, unnamed as PublicJwk]))).toBe("JWKS_KEY_ID_MISSING");
  });
});
