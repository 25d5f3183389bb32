import { describe, expect, test } from "vitest";
import type { AwsJudgeInput } from "../../../../../src/federation/clouds/aws/judge/facts.ts";
import { certificateOf, ecKey, rsaKey } from "../../../oidc/keys.ts";
import { checkOf, claims, discovery, ec256, ec384, expectRefusal, issuer, judge, otherRsa, rsa, token, words } from "./scenario.ts";

describe("the issuer", () => {
  test.each([
    ["unreachable", "InvalidIdentityToken", words.noKey],
    ["thumbprint", "InvalidIdentityToken", "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"],
    ["transient", "IDPCommunicationError", /./],
  ] as const)("that is %s is refused as AWS does", (reason, code, words) => {
    const verdict = judge({ issuerFailure: { reason, message: "connection refused" } });
    expectRefusal(verdict, "aws-issuer-reachable", code, words);
    expect(checkOf(verdict, "aws-issuer-reachable").message).toBe("connection refused");
  });

  test("whose key set was not read is refused", () => {
    expectRefusal(judge({ jwks: null }), "aws-issuer-reachable", "InvalidIdentityToken", words.noKey);
    expectRefusal(judge({ jwks: undefined, discovery: undefined }), "aws-issuer-reachable", "InvalidIdentityToken", words.noKey);
  });

  test("whose discovery document could not be read is refused, whatever keys are known", () => {
    expectRefusal(judge({ discovery: null }), "aws-issuer-reachable", "InvalidIdentityToken", words.noKey);
  });

  test.each(["issuer", "jwks_uri", "response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"])(
    "needs %s in its discovery document",
    (name) => {
      const document = Object.fromEntries(Object.entries(discovery).filter(([key]) => key !== name));
      expectRefusal(judge({ discovery: document }), "aws-discovery", "InvalidIdentityToken", words.noKey);
    },
  );

  test("must be named by its own discovery document", () => {
    const verdict = judge({ discovery: { ...discovery, issuer: `${issuer}/` } });
    expectRefusal(verdict, "aws-discovery", "InvalidIdentityToken", words.noKey);
    expect(checkOf(verdict, "aws-discovery").message).toContain("first difference at character 30");
  });

  test("is warned of when it does not list the token's algorithm", () => {
    const verdict = judge({ discovery: { ...discovery, id_token_signing_alg_values_supported: ["ES256"] } });
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "aws-discovery")).toMatchObject({ status: "warn" });
  });
});

describe("the key set", () => {
  const withKeys = (...keys: unknown[]): Partial<AwsJudgeInput> => ({ jwks: { keys } });
  const noKid = (key: object): object => Object.fromEntries(Object.entries(key).filter(([name]) => name !== "kid"));
  const x5c = (key: typeof rsa): string[] => [certificateOf(key).replace(/-----[^-]+-----|\n/g, "")];
  const many = (key: typeof rsa, count: number): unknown[] => Array.from({ length: count }, (_, index) => ({ ...key.jwk, kid: `extra-${index}` }));

  test.each<[string, unknown]>([
    ["an empty set", { keys: [] }],
    ["a list", []],
    ["text", "keys"],
    ["no keys member", {}],
  ])("is refused as %s", (_, jwks) => {
    expectRefusal(judge({ jwks }), "aws-keys", "InvalidIdentityToken", words.noKey);
  });

  test("may have 100 keys of a kind and not 101, which leaves the other kind usable", () => {
    expect(judge(withKeys(rsa.jwk, ...many(otherRsa, 99), ec256.jwk)).accepted).toBe(true);
    const set = withKeys(rsa.jwk, ...many(otherRsa, 100), ec256.jwk);
    expectRefusal(judge(set), "aws-keys", "InvalidIdentityToken", words.noKey);
    expect(judge({ ...set, token: token({ key: ec256 }) }).accepted).toBe(true);
  });

  test("is warned of when it holds a private or symmetric key", () => {
    for (const extra of [otherRsa.privateKey.export({ format: "jwk" }), { kty: "oct", k: "AAAA" }]) {
      const verdict = judge(withKeys(rsa.jwk, extra));
      expect(verdict.accepted).toBe(true);
      expect(checkOf(verdict, "aws-keys-public").status).toBe("warn");
    }
  });

  test("must have the token's kid", () => {
    const verdict = judge(withKeys({ ...rsa.jwk, kid: "rotated" }));
    expectRefusal(verdict, "aws-key-found", "InvalidIdentityToken", words.noKey);
    expect(checkOf(verdict, "aws-key-found").message).toBe('the token\'s kid is "rsa-1" and the key set has "rotated"');
  });

  test.each([{ alg: "RS256" }, { alg: "RS256", kid: "" }])("serves a token with header %j only when it has one key", (header) => {
    expect(judge({ ...withKeys(rsa.jwk), token: token({ header }) }).accepted).toBe(true);
    expect(judge({ ...withKeys(rsa.jwk, rsa.jwk), token: token({ header }) }).accepted).toBe(true);
    expectRefusal(judge({ ...withKeys(rsa.jwk, otherRsa.jwk), token: token({ header }) }), "aws-key-found", "InvalidIdentityToken", words.noKey);
  });

  test("needs a kid on its keys even for a token without one", () => {
    const verdict = judge({ ...withKeys(noKid(rsa.jwk)), token: token({ header: { alg: "RS256" } }) });
    expectRefusal(verdict, "aws-key-found", "InvalidIdentityToken", words.noKey);
  });

  test("uses the last of two keys with one kid", () => {
    const wrong = { ...otherRsa.jwk, kid: "rsa-1" };
    expect(judge(withKeys(wrong, rsa.jwk)).accepted).toBe(true);
    expectRefusal(judge(withKeys(rsa.jwk, wrong)), "aws-token-signature", "InvalidIdentityToken", words.generic);
  });

  test.each<[string, Record<string, unknown>]>([
    ["use enc", { use: "enc" }],
    ["a certificate of another key", { x5c: x5c(otherRsa) }],
    ["a certificate that cannot be read", { x5c: ["AAAA"] }],
    ["parameters that cannot be read", { n: "!" }],
  ])("loses a key with %s", (_, members) => {
    expectRefusal(judge(withKeys({ ...rsa.jwk, ...members })), "aws-key-found", "InvalidIdentityToken", words.noKey);
  });

  test("loses a key that has a certificate and no parameters", () => {
    expectRefusal(judge(withKeys({ kty: "RSA", kid: "rsa-1", x5c: x5c(rsa) })), "aws-key-found", "InvalidIdentityToken", words.noKey);
  });

  test("keeps a key with its own certificate, without use, or with another alg", () => {
    for (const members of [{ x5c: x5c(rsa) }, { use: undefined }, { alg: "RS512" }, { alg: undefined }]) {
      expect(judge(withKeys({ ...rsa.jwk, ...members })).accepted).toBe(true);
    }
  });

  test.each([[["sign"]], [["verify"]], [[]]])("has no usable key with key_ops %j", (ops) => {
    expectRefusal(judge(withKeys({ ...rsa.jwk, key_ops: ops })), "aws-key-usable", "InvalidIdentityToken", words.generic);
  });

  test("has no usable key of another kind or on another curve", () => {
    const rsaNamedEc = judge({ ...withKeys({ ...ec256.jwk, kid: "rsa-1" }) });
    expectRefusal(rsaNamedEc, "aws-key-usable", "InvalidIdentityToken", words.generic);
    const wrongCurve = judge({ ...withKeys({ ...ec384.jwk, kid: "ec-256" }), token: token({ key: ec256 }) });
    expectRefusal(wrongCurve, "aws-key-usable", "InvalidIdentityToken", words.generic);
  });

  test("ignores keys on curves that AWS does not know", () => {
    const odd = ecKey("rsa-1", "secp256k1");
    expect(judge(withKeys(odd.jwk, ec256.jwk)).refusedBy).toBe("aws-key-found");
  });
});

describe("the signature", () => {
  test("must be by the key that the token names", () => {
    const impostor = { ...rsaKey("rsa-1") };
    expectRefusal(judge({ token: token({ key: impostor }) }), "aws-token-signature", "InvalidIdentityToken", words.generic);
  });

  test("covers the claims", () => {
    const [header, , signature] = token().split(".");
    const changed = Buffer.from(JSON.stringify({ ...claims, admin: true })).toString("base64url");
    expect(judge({ token: `${header}.${changed}.${signature}` }).refusedBy).toBe("aws-token-signature");
  });

  test("of another hash than the header names is refused", () => {
    const [, payload, signature] = token({ algorithm: "RS384" }).split(".");
    const header = Buffer.from('{"alg":"RS256","kid":"rsa-1"}').toString("base64url");
    expect(judge({ token: `${header}.${payload}.${signature}` }).refusedBy).toBe("aws-token-signature");
  });

  test("of ECDSA in DER form is refused", () => {
    const [header, payload] = token({ key: ec256 }).split(".");
    const der = Buffer.from("3006020101020101", "hex").toString("base64url");
    expect(judge({ token: `${header}.${payload}.${der}` }).refusedBy).toBe("aws-token-signature");
  });
});
