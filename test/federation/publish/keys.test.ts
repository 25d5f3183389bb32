import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyChanges, type KeySource, mergeKeys, narrowKeys, parseKeySources, parsePublishedKeys, prunableKeys, renderKeySet, uniteKeys } from "../../../src/federation/publish/keys.ts";
import { type PublishedJwk, toPublishedJwk } from "../../../src/federation/oidc/publish.ts";
import { codeOf, refusalOf } from "../oidc/expect-code.ts";
import { ecKey, rsaKey } from "../oidc/keys.ts";

const rsa = rsaKey("rsa");
const pool: readonly PublishedJwk[] = [toPublishedJwk(rsa.jwk), ...["a", "b", "c", "d", "e"].map((kid) => toPublishedJwk(ecKey(kid).jwk))];
const stranger = toPublishedJwk({ ...ecKey("a").jwk });
const someKeys = fc.subarray([...pool]);
const none = new Set<string>();

const jwks = (name: string, ...keys: readonly unknown[]): KeySource => ({ name, format: "jwks", text: JSON.stringify({ keys }) });
const pem = (name: string, text: string): KeySource => ({ name, format: "pem", text });

describe("parseKeySources", () => {
  it("unites the sets of several API servers by kid", () => {
    const keys = parseKeySources([jwks("one", pool[0], pool[1]), jwks("two", pool[1], pool[2])]);
    expect(keys.map((key) => key.kid)).toEqual(["a", "b", "rsa"]);
  });

  it("copies the kid of a JWKS and computes that of a PEM file as Kubernetes does", () => {
    const keys = parseKeySources([pem("sa.pub", rsa.publicKey.export({ type: "spki", format: "pem" }) as string)]);
    expect(keys).toHaveLength(1);
    expect(keys[0]?.kid).toMatch(/^[\w-]{43}$/);
    expect(parseKeySources([jwks("set", rsa.jwk)])[0]?.kid).toBe("rsa");
  });

  it("keeps only the members that every relying party takes, EC coordinates included", () => {
    const [key] = parseKeySources([jwks("set", { ...ecKey("ec").jwk, key_ops: ["verify"], x5c: ["..."] })]);
    expect(Object.keys(key ?? {})).toEqual(["kty", "use", "alg", "kid", "crv", "x", "y"]);
  });

  it.each([
    ["no source", [], "KEYS_NONE"],
    ["an empty set", [jwks("set")], "JWKS_EMPTY"],
    ["a private key", [jwks("set", { ...rsa.jwk, d: "AQAB" })], "JWKS_PRIVATE_KEY"],
    ["a symmetric key", [jwks("set", { kty: "oct", k: "AQAB", kid: "x" })], "JWKS_SYMMETRIC_KEY"],
    ["an oversized set", [{ name: "set", format: "jwks", text: " ".repeat(600 * 1024) }], "JWKS_TOO_LARGE"],
    ["a web page", [{ name: "set", format: "jwks", text: "<html>" }], "JWKS_MALFORMED"],
    ["half a set", [{ name: "set", format: "jwks", text: '{"keys":[{"kty":"RSA"' }], "JWKS_MALFORMED"],
    ["a private PEM file", [pem("sa.key", rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string)], "KEY_FILE_PRIVATE"],
    ["a file that is not PEM", [pem("sa.pub", "hello")], "KEY_FILE_UNREADABLE"],
    ["an EdDSA key", [jwks("set", { kty: "OKP", crv: "Ed25519", x: "AQAB", kid: "x" })], "JWKS_KEY_UNUSABLE"],
    ["a key without a kid", [jwks("set", { ...rsa.jwk, kid: "" })], "JWKS_KEY_ID_MISSING"],
    ["two keys of one kid in two sets", [jwks("one", pool[1]), jwks("two", stranger)], "KEY_CONFLICT"],
  ] as const)("refuses %s", (_, sources, code) => {
    expect(codeOf(() => parseKeySources(sources))).toBe(code);
  });

  it("refuses all sources when one is bad, names it, and reports every bad one", () => {
    const error = refusalOf(() => parseKeySources([jwks("good", pool[0]), jwks("bad"), pem("worse", "hello")]));
    expect(error.code).toBe("SEVERAL_PROBLEMS");
    expect(error.message).toMatch(/bad: .*worse: /);
  });
});

describe("uniteKeys", () => {
  it("gives the same for every order of the sets", () => {
    fc.assert(
      fc.property(fc.array(someKeys, { maxLength: 5 }), (sets) => {
        expect(renderKeySet(uniteKeys([...sets].reverse()))).toBe(renderKeySet(uniteKeys(sets)));
      }),
    );
  });

  it("gives the same when copies of a key say more or less about it", () => {
    const { alg: _alg, ...bare } = pool[0] as PublishedJwk & { alg: string };
    expect(uniteKeys([[bare as PublishedJwk], [pool[0] as PublishedJwk]])).toEqual(uniteKeys([[pool[0] as PublishedJwk], [bare as PublishedJwk]]));
    expect(uniteKeys([[bare as PublishedJwk], [pool[0] as PublishedJwk]])[0]?.alg).toBe("RS256");
  });
});

describe("mergeKeys", () => {
  it("never drops a key that was published or signs, over any history, unless it is pruned", () => {
    fc.assert(
      fc.property(fc.array(someKeys.filter((keys) => keys.length > 0), { minLength: 1, maxLength: 8 }), (history) => {
        let published: readonly PublishedJwk[] = [];
        for (const signing of history) published = mergeKeys(published, signing, none);
        const ever = new Set(history.flat().map((key) => key.kid));
        expect(published.map((key) => key.kid)).toEqual([...ever].sort());
      }),
    );
  });

  it("changes nothing the second time, to the byte", () => {
    fc.assert(
      fc.property(someKeys, someKeys, (published, signing) => {
        const once = mergeKeys(published, signing, none);
        const stored = parsePublishedKeys(renderKeySet(once), "there");
        expect(renderKeySet(mergeKeys(stored, signing, none))).toBe(renderKeySet(once));
      }),
    );
  });

  it("prunes exactly what signs no more, and names it", () => {
    fc.assert(
      fc.property(someKeys, someKeys.filter((keys) => keys.length > 0), (published, signing) => {
        const removed = prunableKeys(published, signing);
        const left = mergeKeys(published, signing, removed).map((key) => key.kid);
        expect(left).toEqual(signing.map((key) => key.kid).sort());
        const named = keyChanges(published, signing, removed).filter((key) => key.status === "removed").map((key) => key.kid);
        expect(named).toEqual([...removed].sort());
        expect(named.every((kid) => published.some((key) => key.kid === kid) && !left.includes(kid))).toBe(true);
      }),
    );
  });

  it("refuses a signing key whose kid is published with another key", () => {
    expect(codeOf(() => mergeKeys([stranger], pool, none))).toBe("KEY_CONFLICT");
  });

  it("repairs the members of a published key that signs", () => {
    const wrong = { ...(pool[0] as PublishedJwk), alg: "RS512" } as PublishedJwk;
    expect(mergeKeys([wrong], [pool[0] as PublishedJwk], none)[0]?.alg).toBe("RS256");
  });

  it("refuses more keys of a kind than relying parties read, and counts each kind alone", () => {
    const many = (count: number, key: PublishedJwk) => Array.from({ length: count }, (_, index) => ({ ...key, kid: `k${index}-${key.kty}` }));
    const [oneRsa, oneEc] = [pool[0] as PublishedJwk, pool[1] as PublishedJwk];
    expect(mergeKeys(many(100, oneRsa), many(100, oneEc), none)).toHaveLength(200);
    expect(codeOf(() => mergeKeys(many(100, oneRsa), [oneRsa], none))).toBe("KEYS_TOO_MANY");
  });
});

describe("parsePublishedKeys", () => {
  it.each([["nothing", null], ["an empty object", ""], ["a set without keys", '{"keys":[]}']])("takes %s for a place without keys", (_, text) => {
    expect(parsePublishedKeys(text, "there")).toEqual([]);
  });

  it.each([
    ["a web page", "<html>"],
    ["a truncated set", '{"keys":[{"kty":"RSA","n":"'],
    ["a set with a private key", JSON.stringify({ keys: [{ ...rsa.jwk, d: "AQAB" }] })],
    ["another document", '{"issuer":"https://example.com"}'],
    ["a set with a key that kubeassume would not publish", JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", x: "AQAB", kid: "x" }] })],
  ])("refuses to go on from %s", (_, text) => {
    const error = refusalOf(() => parsePublishedKeys(text, "s3://bucket/jwks"));
    expect(error.code).toBe("PUBLISHED_DOCUMENT_FOREIGN");
    expect(error.message).toContain("s3://bucket/jwks");
  });
});

it("tells which signing keys only some clouds take", () => {
  expect(narrowKeys(pool).map((key) => key.kid)).toEqual(["a", "b", "c", "d", "e"]);
});
