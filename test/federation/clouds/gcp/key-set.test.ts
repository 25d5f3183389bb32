import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintOf, renderJwksJson, toStoredKeys } from "../../../../src/federation/clouds/gcp/key-set.ts";
import { rsaKey } from "./scene.ts";

const member = fc.constantFrom("kty", "alg", "use", "kid", "n", "e", "crv", "x", "y", "x5c", "key_ops", "d");
const key = fc.dictionary(member, fc.oneof(fc.string(), fc.integer()), { noNullPrototype: true });

describe("uploaded keys", () => {
  it("are the same whatever order, space and foreign members Google gives them back with", () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { selector: ({ kid }) => kid, maxLength: 5 }), (keys) => {
        const stored = toStoredKeys({ keys });
        const shuffled = keys.toReversed().map((one) => Object.fromEntries([...Object.entries(one).reverse(), ["x5t", "z"]]));
        expect(toStoredKeys(JSON.stringify({ keys: shuffled }, null, 3))).toEqual(stored);
        expect(toStoredKeys(renderJwksJson(stored))).toEqual(stored);
      }),
    );
  });

  it("have no other member than Google takes, and no private one", () => {
    const [stored] = toStoredKeys({ keys: [{ ...rsaKey("one"), x5c: ["c"], x5t: "t", key_ops: ["verify"], d: "secret" }] });
    expect(Object.keys(stored ?? {})).toEqual(["kty", "alg", "use", "kid", "n", "e"]);
  });

  it("are no text at all when there are none: the provider then returns to discovery", () => {
    expect(renderJwksJson([])).toBe("");
    for (const nothing of ["", "{", "[]", null, undefined, { keys: "x" }]) expect(toStoredKeys(nothing)).toEqual([]);
  });

  it.each([
    [{}, null],
    [{ alg: undefined, use: undefined }, null],
    [{ alg: "RS512" }, "RS512"],
    [{ alg: "PS256" }, "PS256"],
    [{ use: "enc" }, "enc"],
    [{ kid: "" }, "no kid"],
    [{ kty: "OKP" }, "OKP"],
    [{ kty: "EC", alg: undefined, crv: "P-384" }, "ES384"],
    [{ n: "!" }, "cannot be read"],
  ])("with %j: what Google complains of is %j", (change, words) => {
    const complaint = complaintOf({ ...rsaKey("one"), kty: "RSA", ...change } as Parameters<typeof complaintOf>[0]);
    if (words === null) expect(complaint).toBeNull();
    else expect(complaint).toContain(words);
  });
});
