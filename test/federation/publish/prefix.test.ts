import { describe, expect, it } from "vitest";
import { isPlainPrefix, prefixOf } from "../../../src/federation/publish/prefix.ts";

describe("prefixes", () => {
  it.each(["", "prod", "clusters/prod", "a.b_c-d"])("accepts %j", (prefix) => expect(isPlainPrefix(prefix)).toBe(true));
  it.each(["/prod", "prod/", "a//b", "..", "a/../b", "a b", "ä", "a?b", "%41"])("refuses %j", (prefix) => expect(isPlainPrefix(prefix)).toBe(false));
});

describe("the prefix of an issuer", () => {
  it.each([
    ["https://oidc.example.com/prod", "acme", "prod"],
    ["https://oidc.example.com", "acme", ""],
    ["https://store.example.com/acme/prod", "acme", "prod"],
    ["https://store.example.com/acme", "acme", ""],
    ["https://store.example.com/acme/prod", null, "acme/prod"],
  ])("of %s in bucket %s is %j", (issuer, bucket, prefix) => expect(prefixOf(issuer, bucket)).toBe(prefix));
});
