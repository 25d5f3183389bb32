import { describe, expect, test } from "vitest";
import { parseServiceAccountName, parseSubject, subjectOf } from "../../../src/federation/oidc/subject.ts";
import { codeOf, refusalOf } from "./expect-code.ts";

describe("parseServiceAccountName", () => {
  test.each([
    ["payments/api", "payments", "api"],
    ["a/b", "a", "b"],
    ["0/9", "0", "9"],
    ["kube-system/my.service.account", "kube-system", "my.service.account"],
    [`${"n".repeat(63)}/${"a".repeat(253)}`, "n".repeat(63), "a".repeat(253)],
  ])("reads %s", (text, namespace, name) => {
    expect(parseServiceAccountName(text)).toEqual({ namespace, name });
  });

  test.each([
    "",
    "api",
    "/api",
    "payments/",
    "a/b/c",
    "Payments/api",
    "payments/Api",
    "pay.ments/api",
    "-a/b",
    "a-/b",
    "a/-b",
    "a/b-",
    "a/.b",
    "a/b..c",
    "a/b_c",
    "a/b*",
    " a/b",
    "a/b\n",
    "ä/b",
    `${"n".repeat(64)}/a`,
    `a/${"n".repeat(254)}`,
  ])("refuses %j as Kubernetes does", (text) => {
    expect(codeOf(() => parseServiceAccountName(text))).toBe("SERVICE_ACCOUNT_INVALID");
  });

  test("names the form to write when given a subject", () => {
    expect(refusalOf(() => parseServiceAccountName("system:serviceaccount:payments:api")).hint).toBe("write it as payments/api");
  });
});

test("subject and name are each other's inverse", () => {
  const account = { namespace: "payments", name: "api.v2" };
  expect(subjectOf(account)).toBe("system:serviceaccount:payments:api.v2");
  expect(parseSubject(subjectOf(account))).toEqual(account);
});

test.each(["payments/api", "system:serviceaccount:payments", "system:serviceaccount:a:b:c", "system:node:x", "system:serviceaccount:A:b"])(
  "%s is no service account's subject",
  (subject) => {
    expect(parseSubject(subject)).toBeNull();
  },
);
