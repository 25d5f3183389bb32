import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { judgeIssuer } from "../../../../../src/federation/clouds/gcp/desired/judge-issuer.ts";
import { codesOf, facts, ISSUER, rsaKey, setup } from "../scene.ts";

const P256 = { ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }), kid: "ec" };
const P384 = { ...generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" }), kid: "ec384" };

function judge(parts: Parameters<typeof facts>[0], flags = {}) {
  const { problems, warnings } = judgeIssuer(facts(parts), setup(flags));
  return [codesOf(problems), codesOf(warnings)];
}

describe("an issuer as Google would take it", () => {
  it.each([[{ keys: [rsaKey("one")] }], [{ keys: [P256] }]])("is fine with %#", (jwks) => {
    expect(judge({ jwks })).toEqual([[], []]);
  });

  it.each([
    ["another issuer in the document", { discovery: { ...(facts().discovery as object), issuer: `${ISSUER}/` } }, ["ISSUER_MISMATCH"], []],
    ["a document without jwks_uri", { discovery: { issuer: ISSUER } }, ["DISCOVERY_INCOMPLETE"], []],
    ["no document", { discovery: null }, ["DISCOVERY_MALFORMED"], []],
    ["algorithms that Google does not take", { discovery: { ...(facts().discovery as object), id_token_signing_alg_values_supported: ["ES384"] } }, [], ["GCP_ALGORITHMS_UNSUPPORTED"]],
    ["no key", { jwks: { keys: [] } }, ["JWKS_EMPTY"], []],
    ["a private key", { jwks: { keys: [{ ...rsaKey("one"), d: "AQAB" }] } }, ["JWKS_PRIVATE_KEY"], []],
    ["only a P-384 key", { jwks: { keys: [P384] } }, ["GCP_NO_USABLE_KEY"], ["GCP_KEY_UNUSABLE"]],
    ["a P-384 key beside a good one", { jwks: { keys: [P384, rsaKey("one")] } }, [], ["GCP_KEY_UNUSABLE"]],
    ["a key without kid", { jwks: { keys: [{ ...rsaKey("one"), kid: undefined }] } }, ["GCP_NO_USABLE_KEY"], ["GCP_KEY_UNUSABLE"]],
    ["a key for encryption", { jwks: { keys: [{ ...rsaKey("one"), use: "enc" }, rsaKey("two")] } }, [], ["GCP_KEY_UNUSABLE"]],
  ])("is judged with %s", (_, parts, problems, warnings) => {
    expect(judge(parts)).toEqual([problems, warnings]);
  });

  it("is not asked for anything but keys when these are uploaded", () => {
    expect(judge({ discovery: null, jwksUri: null }, { keys: "upload" })).toEqual([[], []]);
    expect(judge({ discovery: null, jwksUri: null, jwks: { keys: [P384] } }, { keys: "upload" })).toEqual([["GCP_NO_USABLE_KEY"], ["GCP_KEY_UNUSABLE"]]);
  });
});
