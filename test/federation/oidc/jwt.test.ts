import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { member } from "../../../src/federation/oidc/json.ts";
import type { JsonObject } from "../../../src/federation/oidc/json.ts";
import { parseJwt } from "../../../src/federation/oidc/jwt.ts";
import { codeOf, refusalOf } from "./expect-code.ts";

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");
const header = encode('{"alg":"RS256","kid":"k"}');
const payload = encode('{"iss":"https://h.example","sub":"s"}');

test("a member is the object's own, never its prototype's", () => {
  expect(member({}, "constructor")).toBeUndefined();
  expect(member(JSON.parse('{"__proto__":1}') as JsonObject, "__proto__")).toBe(1);
});

describe("parseJwt", () => {
  test("takes a token apart without verifying it", () => {
    expect(parseJwt(`${header}.${payload}.AAEC`)).toEqual({
      header: { alg: "RS256", kid: "k" },
      claims: { iss: "https://h.example", sub: "s" },
      signature: Buffer.from([0, 1, 2]),
      signingInput: `${header}.${payload}`,
    });
  });

  test("takes the last of duplicate members, as AWS does", () => {
    expect(parseJwt(`${header}.${encode('{"aud":"a","aud":"b"}')}.AA`).claims).toEqual({ aud: "b" });
  });

  test("is not harmed by members named like prototypes", () => {
    const { claims } = parseJwt(`${header}.${encode('{"__proto__":{"iss":"x"},"constructor":1}')}.AA`);
    expect(claims["iss"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["iss"]).toBeUndefined();
  });

  test.each([
    ["nothing", ""],
    ["white space", "  \n"],
    ["one part", header],
    ["two parts", `${header}.${payload}`],
    ["four parts", `${header}.${payload}.AA.AA`],
    ["an empty header", `.${payload}.AA`],
    ["an empty payload", `${header}..AA`],
    ["an empty signature", `${header}.${payload}.`],
    ["padding", `${header}=.${payload}.AA`],
    ["base64 instead of base64url", `${header}.${payload}.a+/b`],
    ["non-canonical base64url", `${header}.${payload}.AB`],
    ["a line break at the end", `${header}.${payload}.AA\n`],
    ["a quoted token", `"${header}.${payload}.AA"`],
    ["an array header", `${encode("[]")}.${payload}.AA`],
    ["a null payload", `${header}.${encode("null")}.AA`],
    ["a payload that is no JSON", `${header}.${encode("{")}.AA`],
    ["a payload that is no UTF-8", `${header}.${encode(Buffer.from('{"a":"\xff"}', "latin1"))}.AA`],
    ["endless nesting", `${header}.${encode(`{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`)}.AA`],
    ["a JSON document", '{"kind":"TokenRequest"}'],
  ])("refuses %s", (_, text) => {
    expect(codeOf(() => parseJwt(text))).toBe("TOKEN_MALFORMED");
  });

  test("refuses a token of more than 64 KiB unread", () => {
    expect(codeOf(() => parseJwt("a".repeat(65_537)))).toBe("TOKEN_TOO_LARGE");
  });

  test("never repeats the token in its error", () => {
    const error = refusalOf(() => parseJwt(`${header}.${payload}.c2VjcmV0LXNpZ25hdHVyZQ==`));
    expect(JSON.stringify(error.toProblem())).not.toContain("c2VjcmV0");
  });

  test("throws nothing but its own errors on arbitrary text", () => {
    const part = fc.oneof(fc.string(), fc.json().map(encode), fc.constant(header));
    const texts = fc.oneof(fc.string(), fc.tuple(part, part, part).map((parts) => parts.join(".")));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const { signingInput } = parseJwt(text);
          expect(text.startsWith(`${signingInput}.`)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(KubeassumeError);
        }
      }),
    );
  });
});
