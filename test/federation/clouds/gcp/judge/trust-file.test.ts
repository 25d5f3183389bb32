import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTrustFile, toTrustRecords } from "../../../../../src/federation/clouds/gcp/judge/trust-file.ts";
import { KubeassumeError } from "../../../../../src/federation/errors/error.ts";
import { refusalOf } from "../../../oidc/expect-code.ts";
import { email, issuer, judge, pool, projectPolicy, provider, providerName, serviceAccountPolicy } from "./scenario.ts";

const text = (value: unknown): string => JSON.stringify(value);

describe("parseTrustFile", () => {
  test("reads Google's own records and ignores what the judge does not need", () => {
    const full = {
      pool: { ...pool, displayName: "prod", mode: "FEDERATION_ONLY" },
      provider: { ...provider, description: "x", disabled: false, oidc: { issuerUri: issuer, allowedAudiences: ["a"], jwksJson: "{}" } },
      serviceAccountPolicy,
      serviceAccount: email,
      note: 1,
    };
    expect(parseTrustFile(text(full))).toEqual({
      pool,
      provider: { ...provider, disabled: false, oidc: { issuerUri: issuer, allowedAudiences: ["a"], jwksJson: "{}" } },
      serviceAccountPolicy,
      serviceAccount: email,
    });
  });

  test("is what the judge takes, for both kinds of access", () => {
    expect(judge(parseTrustFile(text({ pool, provider, projectPolicy }))).accepted).toBe(true);
    const records = parseTrustFile(text({ pool, provider, serviceAccountPolicy, serviceAccount: email }));
    expect(judge({ projectPolicy: undefined, ...records }).session?.principal).toBe(email);
  });

  test("takes null for what does not exist", () => {
    const records = parseTrustFile(text({ pool: null, provider: null, projectPolicy: null }));
    expect(records).toEqual({ pool: null, provider: null, projectPolicy: null, serviceAccount: null });
    expect(toTrustRecords({})).toEqual({ pool: null, provider: null, serviceAccount: null });
  });

  test("knows a provider of another kind than OIDC", () => {
    expect(toTrustRecords({ provider: { name: providerName, aws: { accountId: "1" } } }).provider).toEqual({ name: providerName });
  });

  test.each<[string, string, string]>([
    ["nothing", "", "it is not JSON: it is empty"],
    ["HTML", "<html>", "it is not JSON: it looks like HTML"],
    ["a list", "[]", "it is not a JSON object"],
    ["no pool", text({ provider, projectPolicy }), 'it has no member "pool"'],
    ["no provider", text({ pool, projectPolicy }), 'it has no member "provider"'],
    ["no policy", text({ pool, provider }), 'neither "serviceAccountPolicy" nor "projectPolicy"'],
    ["a service account's policy without its e-mail", text({ pool, provider, serviceAccountPolicy }), 'no "serviceAccount"'],
    ["a pool that is a name", text({ pool: "x", provider, projectPolicy }), "pool is not an object"],
    ["a pool without name", text({ pool: {}, provider, projectPolicy }), "pool has no name"],
    ["a state that is a number", text({ pool: { ...pool, state: 1 }, provider, projectPolicy }), "pool has a member state that is not a string"],
    ["disabled as text", text({ pool: { ...pool, disabled: "no" }, provider, projectPolicy }), "disabled that is not true or false"],
    ["a provider that is a list", text({ pool, provider: [], projectPolicy }), "provider is not an object"],
    ["a mapping of numbers", text({ pool, provider: { ...provider, attributeMapping: { a: 1 } }, projectPolicy }), "attributeMapping that is not an object of strings"],
    ["a condition that is an object", text({ pool, provider: { ...provider, attributeCondition: {} }, projectPolicy }), "attributeCondition that is not a string"],
    ["oidc that is text", text({ pool, provider: { ...provider, oidc: "x" }, projectPolicy }), "provider.oidc is not an object"],
    ["oidc without issuer", text({ pool, provider: { ...provider, oidc: {} }, projectPolicy }), "provider.oidc has no issuerUri"],
    ["one audience as text", text({ pool, provider: { ...provider, oidc: { issuerUri: issuer, allowedAudiences: "a" } }, projectPolicy }), "allowedAudiences that is not a list of strings"],
    ["keys as an object", text({ pool, provider: { ...provider, oidc: { issuerUri: issuer, jwksJson: {} } }, projectPolicy }), "jwksJson that is not a string"],
    ["a service account that is an object", text({ pool, provider, projectPolicy, serviceAccount: {} }), "serviceAccount that is not a string"],
  ])("refuses %s and says what is wrong", (_, file, words) => {
    const error = refusalOf(() => parseTrustFile(file));
    expect(error.code).toBe("TRUST_FILE_MALFORMED");
    expect(error.message).toContain(words);
    expect(error.exit).toBe(2);
  });

  test("throws nothing but its own errors on arbitrary text, and what it reads the judge can judge", () => {
    const record = fc.dictionary(fc.constantFrom("name", "state", "disabled", "oidc", "attributeMapping", "attributeCondition"), fc.jsonValue());
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.record({ pool: record, provider: record, projectPolicy: fc.jsonValue() }).map(text)), (file) => {
        try {
          expect(judge(parseTrustFile(file)).accepted).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(KubeassumeError);
        }
      }),
    );
  });
});
