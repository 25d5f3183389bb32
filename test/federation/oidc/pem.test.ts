import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { jwkFromPem, keyIdOf } from "../../../src/federation/oidc/pem.ts";
import { codeOf, refusalOf } from "./expect-code.ts";
import { certificateOf, ecKey, rsaKey } from "./keys.ts";

const rsa = rsaKey("ignored");
const ec = ecKey("ignored", "P-384");
const spki = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
const pkcs1 = rsa.publicKey.export({ type: "pkcs1", format: "pem" }).toString();
const ecPem = ec.publicKey.export({ type: "spki", format: "pem" }).toString();

test("the key id is what Kubernetes computes: SHA-256 of the DER public key, base64url without padding", () => {
  const der = rsa.publicKey.export({ type: "spki", format: "der" });
  const expected = createHash("sha256").update(der).digest("base64").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  expect(keyIdOf(rsa.publicKey)).toBe(expected);
});

test("the key id of a known key does not change", () => {
  const [jwk] = jwkFromPem(
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n",
  );
  expect(jwk).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", use: "sig", x: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY" });
  const der = Buffer.from("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==", "base64");
  expect(jwk?.kid).toBe(createHash("sha256").update(der).digest("base64url"));
});

describe("jwkFromPem", () => {
  test("reads SPKI and PKCS#1 to the same key", () => {
    const expected = [{ ...rsa.jwk, kid: keyIdOf(rsa.publicKey) }];
    expect(jwkFromPem(spki)).toEqual(expected);
    expect(jwkFromPem(pkcs1)).toEqual(expected);
  });

  test("reads a certificate", () => {
    expect(jwkFromPem(certificateOf(rsa))).toEqual(jwkFromPem(spki));
  });

  test("reads several blocks of one file in order, with text around them", () => {
    const keys = jwkFromPem(`# old\n${spki}\nsubject=x\r\n${ecPem.replaceAll("\n", "\r\n")}`);
    expect(keys.map((key) => [key.kty, key.alg, key.kid])).toEqual([
      ["RSA", "RS256", keyIdOf(rsa.publicKey)],
      ["EC", "ES384", keyIdOf(ec.publicKey)],
    ]);
  });

  test.each([
    ["PRIVATE KEY", rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
    ["RSA PRIVATE KEY", rsa.privateKey.export({ type: "pkcs1", format: "pem" }).toString()],
    ["EC PRIVATE KEY", ec.privateKey.export({ type: "sec1", format: "pem" }).toString()],
    ["ENCRYPTED PRIVATE KEY", rsa.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString()],
  ])("refuses a %s by name, also after a public key and when cut off", (label, pem) => {
    for (const text of [pem, spki + pem, pem.slice(0, 120)]) {
      const error = refusalOf(() => jwkFromPem(text));
      expect(error.code).toBe("KEY_FILE_PRIVATE");
      expect(error.message).toContain(label);
      expect(JSON.stringify(error.toProblem())).not.toContain(pem.split("\n")[1]);
    }
  });

  test.each([
    ["nothing", ""],
    ["JSON", "{}"],
    ["a cut block", spki.slice(0, 100)],
    ["rubbish inside", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"],
    ["a signing request", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"],
    ["an Ed25519 key", generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString()],
    ["another curve", ecKey("k", "secp256k1").publicKey.export({ type: "spki", format: "pem" }).toString()],
  ])("refuses %s", (_, text) => {
    expect(codeOf(() => jwkFromPem(text))).toBe("KEY_FILE_UNREADABLE");
  });
});
