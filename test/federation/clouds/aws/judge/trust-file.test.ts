import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTrustFile, toTrustRecords } from "../../../../../src/federation/clouds/aws/judge/trust-file.ts";
import { KubeassumeError } from "../../../../../src/federation/errors/error.ts";
import { refusalOf } from "../../../oidc/expect-code.ts";
import { judge, policy, prefix, provider, role, roleArn } from "./scenario.ts";

const text = (value: unknown): string => JSON.stringify(value);

describe("parseTrustFile", () => {
  test("reads AWS's own records and ignores what the judge does not need", () => {
    const full = { provider: { ...provider, CreateDate: "2026-01-01", Tags: [] }, role: { ...role, RoleId: "AROA", Path: "/kubeassume/" }, note: 1 };
    expect(parseTrustFile(text(full))).toEqual({ provider, role });
  });

  test("reads the whole answer of GetRole", () => {
    expect(parseTrustFile(text({ provider, role: { Role: role } })).role).toEqual(role);
  });

  test("is what the judge takes", () => {
    expect(judge(parseTrustFile(text({ provider, role: { ...role, AssumeRolePolicyDocument: encodeURIComponent(text(policy)) } }))).accepted).toBe(true);
  });

  test("takes null for a record that does not exist", () => {
    expect(parseTrustFile(text({ provider: null, role: null }))).toEqual({ provider: null, role: null });
  });

  test("may lack a record when it comes from the cloud itself", () => {
    expect(toTrustRecords({})).toEqual({ provider: null, role: null });
    expect(toTrustRecords({ provider })).toEqual({ provider, role: null });
  });

  test.each<[string, string, string]>([
    ["nothing", "", "it is not JSON: it is empty"],
    ["HTML", "<html>", "it is not JSON: it looks like HTML"],
    ["a list", "[]", "it is not a JSON object"],
    ["no provider", text({ role }), 'it has no member "provider"'],
    ["no role", text({ provider }), 'it has no member "role"'],
    ["a provider that is an ARN", text({ provider: "arn", role }), "provider is not an object"],
    ["a provider without Url", text({ provider: {}, role }), "provider has no Url"],
    ["a Url that is a number", text({ provider: { Url: 1 }, role }), "provider has a member Url that is not a string"],
    ["client ids that are no list", text({ provider: { Url: prefix, ClientIDList: "x" }, role }), "ClientIDList that is not a list of strings"],
    ["a role without Arn", text({ provider, role: { AssumeRolePolicyDocument: {} } }), "role has no Arn"],
    ["a role without policy", text({ provider, role: { Arn: roleArn } }), "role has no AssumeRolePolicyDocument"],
    ["a duration that is text", text({ provider, role: { ...role, MaxSessionDuration: "3600" } }), "MaxSessionDuration that is not a number of seconds"],
  ])("refuses %s and says what is wrong", (_, file, words) => {
    const error = refusalOf(() => parseTrustFile(file));
    expect(error.code).toBe("TRUST_FILE_MALFORMED");
    expect(error.message).toContain(words);
    expect(error.exit).toBe(2);
  });

  test("throws nothing but its own errors on arbitrary text, and what it reads the judge can judge", () => {
    const record = fc.dictionary(fc.constantFrom("Url", "Arn", "ClientIDList", "AssumeRolePolicyDocument", "MaxSessionDuration"), fc.jsonValue());
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.record({ provider: record, role: record }).map(text)), (file) => {
        try {
          expect(judge(parseTrustFile(file)).accepted).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(KubeassumeError);
        }
      }),
    );
  });
});
