import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { differenceOf } from "../../../src/federation/oidc/difference.ts";
import { parseDiscovery, renderDiscovery } from "../../../src/federation/oidc/discovery.ts";
import { codeOf, refusalOf } from "./expect-code.ts";

const issuer = "https://oidc.example.com/prod";
const discovery = { issuer, jwksUri: `${issuer}/openid/v1/jwks`, algorithms: ["RS256"] };
const document = JSON.parse(renderDiscovery(discovery)) as Record<string, unknown>;

describe("parseDiscovery", () => {
  test("reads what renderDiscovery writes, as text and as a value", () => {
    expect(parseDiscovery(renderDiscovery(discovery), issuer)).toEqual(discovery);
    expect(parseDiscovery(document, issuer)).toEqual(discovery);
  });

  test("refuses a document that names another issuer, shows both and marks the difference", () => {
    const error = refusalOf(() => parseDiscovery({ ...document, issuer: `${issuer}/` }, issuer));
    expect(error.code).toBe("ISSUER_MISMATCH");
    expect(error.details).toEqual({ expected: issuer, got: `${issuer}/`, position: issuer.length });
    expect(error.message).toContain(`first difference at character ${issuer.length + 1}: "/" instead of the end`);
  });

  test.each(["issuer", "jwks_uri", "response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"])(
    "refuses a document without %s",
    (name) => {
      const { [name]: _, ...rest } = document;
      const error = refusalOf(() => parseDiscovery(rest, issuer));
      expect(error.code).toBe("DISCOVERY_INCOMPLETE");
      expect(error.message).toContain(`has no ${name}`);
    },
  );

  test.each([
    { jwks_uri: "http://oidc.example.com/jwks" },
    { jwks_uri: "/openid/v1/jwks" },
    { response_types_supported: [] },
    { subject_types_supported: "public" },
    { id_token_signing_alg_values_supported: [1] },
    { issuer: 1 },
  ])("refuses a document with %j", (members) => {
    expect(codeOf(() => parseDiscovery({ ...document, ...members }, issuer))).toBe("DISCOVERY_INCOMPLETE");
  });

  test("says all that is missing at once", () => {
    expect(refusalOf(() => parseDiscovery({}, issuer)).details["problems"]).toHaveLength(5);
  });

  test.each(["", "<!doctype html>", "{", "[]", "null"])("refuses %j as malformed", (text) => {
    expect(codeOf(() => parseDiscovery(text, issuer))).toBe("DISCOVERY_MALFORMED");
  });

  test("refuses a document of more than 64 KiB", () => {
    expect(codeOf(() => parseDiscovery(" ".repeat(70_000), issuer))).toBe("DISCOVERY_TOO_LARGE");
  });

  test("throws nothing but its own errors on arbitrary values", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string(), fc.json()), (value) => {
        expect(refusalOf(() => parseDiscovery(value, issuer))).toBeInstanceOf(KubeassumeError);
      }),
    );
  });
});

test("renderDiscovery sorts the algorithms and names each once", () => {
  const text = renderDiscovery({ ...discovery, algorithms: ["RS256", "ES256", "RS256"] });
  expect(JSON.parse(text)).toMatchObject({ id_token_signing_alg_values_supported: ["ES256", "RS256"] });
  expect(text.endsWith("}\n")).toBe(true);
});

describe("differenceOf", () => {
  test.each([
    ["abc", "abd", 2, 'first difference at character 3: "d" instead of "c"'],
    ["abc", "ab", 2, 'first difference at character 3: the end instead of "c"'],
    ["", "x", 0, 'first difference at character 1: "x" instead of the end'],
  ])("%j and %j part after %i characters", (wanted, got, position, words) => {
    expect(differenceOf(wanted, got)).toEqual({ wanted, got, position, words });
  });

  test("is null exactly for equal strings", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => (differenceOf(a, b) === null) === (a === b)));
  });
});
