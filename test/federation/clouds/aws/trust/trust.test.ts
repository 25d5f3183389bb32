import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countOthers, findStatement, mergeStatement, removeStatement, subjectsOf } from "../../../../../src/federation/clouds/aws/trust/merge.ts";
import { countCharacters, trustPolicySize } from "../../../../../src/federation/clouds/aws/trust/size.ts";
import { statementId, toStatement, toTrustPolicy, type TrustStatement } from "../../../../../src/federation/clouds/aws/trust/statement.ts";
import type { Json } from "../../../../../src/federation/plan/step.ts";

const TRUST: TrustStatement = {
  issuer: "https://oidc.example.com/prod",
  providerArn: "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod",
  audiences: ["sts.amazonaws.com"],
  subjects: ["system:serviceaccount:payments:api"],
  patterns: false,
};

describe("our statement", () => {
  it("asks for sub and aud exactly, and carries the Sid of its issuer", () => {
    expect(toTrustPolicy(TRUST)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: statementId(TRUST.issuer),
          Effect: "Allow",
          Principal: { Federated: TRUST.providerArn },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: { StringEquals: { "oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:payments:api" } },
        },
      ],
    });
  });

  it("has a Sid that IAM takes and that differs for each issuer", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (left, right) => /^[A-Za-z0-9]{1,64}$/.test(statementId(left)) && (left === right) === (statementId(left) === statementId(right))));
  });

  it("is the same text for the same subjects in any order, each once", () => {
    const subjects = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 });
    fc.assert(
      fc.property(subjects, (list) => {
        const text = (order: readonly string[]) => JSON.stringify(toStatement({ ...TRUST, subjects: order }));
        expect(text([...list, ...list].reverse())).toBe(text(list));
      }),
    );
  });

  it("uses StringLike for patterns in sub alone, never for aud", () => {
    expect(toStatement({ ...TRUST, subjects: ["system:serviceaccount:payments:*"], patterns: true })["Condition"]).toEqual({
      StringEquals: { "oidc.example.com/prod:aud": "sts.amazonaws.com" },
      StringLike: { "oidc.example.com/prod:sub": "system:serviceaccount:payments:*" },
    });
  });

  it("shows its subjects again", () => {
    const subjects = ["system:serviceaccount:a:b", "system:serviceaccount:c:d"];
    expect(subjectsOf(toStatement({ ...TRUST, subjects }), "oidc.example.com/prod")).toEqual(subjects);
  });
});

const foreign = fc.record({ Sid: fc.stringMatching(/^Other[a-z0-9]{1,8}$/), Effect: fc.constantFrom("Allow", "Deny"), Action: fc.constant("sts:AssumeRole"), Condition: fc.jsonValue() }) as fc.Arbitrary<{ readonly [member: string]: Json }>;
const documents = fc.record({ Version: fc.constantFrom("2012-10-17", "2008-10-17"), Id: fc.string(), Statement: fc.array(foreign, { minLength: 1, maxLength: 5 }) });

describe("merging into a trust policy", () => {
  it("leaves every foreign statement as it is and where it is, and is idempotent", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const once = mergeStatement(document, toStatement(TRUST)) as { readonly Statement: readonly Json[] };
        expect(once).toEqual({ ...document, Statement: [...document.Statement, toStatement(TRUST)] });
        expect(mergeStatement(once as Json, toStatement(TRUST))).toEqual(once);
      }),
    );
  });

  it("puts a changed statement of ours in the place of the old one", () => {
    const [first, last] = [{ Sid: "First" }, { Sid: "Last" }];
    const old = toStatement({ ...TRUST, subjects: ["old"] });
    expect(mergeStatement({ Statement: [first, old, last] }, toStatement(TRUST))).toEqual({ Statement: [first, toStatement(TRUST), last] });
  });

  it("keeps the statement of another issuer: a role can serve several clusters", () => {
    const other = toStatement({ ...TRUST, issuer: "https://oidc.example.com/test" });
    expect(mergeStatement({ Statement: [other] }, toStatement(TRUST))).toEqual({ Statement: [other, toStatement(TRUST)] });
  });

  it("takes a single statement that is no list", () => {
    expect(mergeStatement({ Statement: { Sid: "Only" } }, toStatement(TRUST))).toEqual({ Statement: [{ Sid: "Only" }, toStatement(TRUST)] });
  });

  it.each([["text"], [null], [{}], [[]], [{ Statement: "x" }], [{ Statement: 7 }]])("does not write over what it does not understand: %j", (document) => {
    expect(mergeStatement(document as Json, toStatement(TRUST))).toBeNull();
    expect(removeStatement(document as Json, statementId(TRUST.issuer))).toBeNull();
  });

  it("is undone by removing, to the byte", () => {
    fc.assert(
      fc.property(documents, (document) => {
        const merged = mergeStatement(document, toStatement(TRUST)) as Json;
        expect(JSON.stringify(removeStatement(merged, statementId(TRUST.issuer)))).toBe(JSON.stringify(document));
        expect(countOthers(merged, statementId(TRUST.issuer))).toBe(document.Statement.length);
        expect(findStatement(merged, statementId(TRUST.issuer))).toEqual(toStatement(TRUST));
      }),
    );
  });

  it("leaves no empty trust policy behind: IAM takes none", () => {
    expect(removeStatement(toTrustPolicy(TRUST), statementId(TRUST.issuer))).toBeNull();
  });
});

describe("the size of a policy", () => {
  it("counts characters without white space", () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z{}:",]*$/), fc.constantFrom(" ", "\n", "\t", "\r\n"), (text, space) => countCharacters([...text].join(space)) === text.length));
    expect(countCharacters("é €")).toBe(2);
  });

  it("of one service account stays far below the quota of 2,048", () => {
    expect(trustPolicySize(toTrustPolicy(TRUST))).toBe(JSON.stringify(toTrustPolicy(TRUST)).length);
    expect(trustPolicySize(toTrustPolicy(TRUST))).toBeLessThan(500);
  });
});
