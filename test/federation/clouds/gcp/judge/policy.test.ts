import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allowsImpersonation, judgeMember, membersOf, parsePolicy } from "../../../../../src/federation/clouds/gcp/judge/policy.ts";
import type { PolicyAnswer, Principal } from "../../../../../src/federation/clouds/gcp/judge/policy.ts";
import { at, checkOf, email, expectRefusal, impersonation, judge, judgeProvider, mapping, member, memberSet, poolName, projectPolicy, serviceAccountPolicy, subject, words } from "./scenario.ts";

const role = "roles/storage.objectViewer";
const userRole = "roles/iam.workloadIdentityUser";
const principal: Principal = { pool: poolName, subject, attributes: { "google.subject": subject, "attribute.namespace": "payments" }, groups: ["admins"] };
const bind = (...members: string[]) => ({ bindings: [{ role, members }] });

function answer(policy: unknown, wanted = role): PolicyAnswer {
  const parsed = parsePolicy(policy);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return judgeMember(parsed.bindings, principal, (one) => (one === wanted ? "yes" : "no"), at);
}

describe("a policy", () => {
  test.each([member, `${memberSet}/attribute.namespace/payments`, `${memberSet}/group/admins`, `${memberSet}/*`, "allUsers"])("grants by the member %s", (name) => {
    expect(membersOf(principal)).toContain(name);
    expect(answer(bind("user:somebody@example.com", name))).toEqual({ decision: "granted", message: `binding 1 (${role}) has the member ${JSON.stringify(name)}` });
  });

  test.each([
    ["another subject", member.replace(":api", ":web"), "first difference at character"],
    ["the subject as a set", member.replace("principal:", "principalSet:"), "no binding has"],
    ["another pool", member.replace("/prod/", "/dev/"), "first difference at character"],
    ["the project's ID", member.replace("123456789012", "acme-prod"), "names the project by its ID where the number belongs"],
    ["another attribute", `${memberSet}/attribute.namespace/other`, "no binding has"],
    ["an attribute that is not mapped", `${memberSet}/attribute.pod/payments`, "no binding has"],
    ["everybody with a Google account", "allAuthenticatedUsers", "leaves identities of workload identity pools out"],
    ["a deleted member", `deleted:${member}`, "no binding has"],
    ["a member in other case", member.toUpperCase(), "no binding has"],
    ["a service account", `serviceAccount:${email}`, "no binding has"],
  ])("does not grant by %s", (_, name, why) => {
    const got = answer(bind(name));
    expect(got.decision).toBe("denied");
    expect(got.message).toContain(why);
  });

  test("grants the role that is asked for, in any of several bindings", () => {
    const two = { bindings: [{ role: "roles/viewer", members: [member] }, { role, members: ["user:x@example.com"] }, { role, members: [member] }] };
    expect(answer(two)).toMatchObject({ decision: "granted", message: expect.stringContaining("binding 3") });
    expect(answer(two, "roles/editor").message).toContain("the role is not one that serves");
    expect(answer({ bindings: [] }).message).toBe("no binding has a role that serves");
  });

  describe("with a condition", () => {
    const conditional = (expression: string) => ({ version: 3, bindings: [{ role, members: [member], condition: { title: "t", expression } }] });

    test.each<[string, PolicyAnswer["decision"]]>([
      ["request.time < timestamp('2026-11-23T12:00:01Z')", "granted"],
      ["request.time < timestamp('2026-11-23T12:00:00Z')", "denied"],
      ["request.time.getHours('Europe/Berlin') == 13", "granted"],
      ["request.time.getDayOfWeek() == 1 && request.time.getFullYear() == 2026", "granted"],
      ["request.time > timestamp('2027-01-01T00:00:00Z') && resource.name.startsWith('x')", "denied"],
      ["resource.name.startsWith('projects/_/buckets/x')", "unconfirmed"],
      ["resource.type == 'storage.googleapis.com/Object' || request.time > timestamp('2020-01-01T00:00:00Z')", "granted"],
      ["resource.matchTag('1/env', 'prod')", "unconfirmed"],
      ["'x' in request.auth.access_levels", "unconfirmed"],
      ["not cel (", "unconfirmed"],
      ["'text'", "unconfirmed"],
    ])("%s is %s", (expression, decision) => {
      const got = answer(conditional(expression));
      expect(got.decision).toBe(decision);
      if (decision === "unconfirmed") expect(got.message).toContain("(unconfirmed)");
    });

    test("of one binding does not matter when another grants", () => {
      const policy = conditional("false");
      policy.bindings.push({ role, members: [member] } as never);
      expect(answer(policy).decision).toBe("granted");
    });

    test("that was not read is unconfirmed", () => {
      const hidden = { version: 1, bindings: [{ role: `${role}_withcond_2b17cc25d2cd9e2c54d8`, members: [member] }] };
      expect(answer(hidden)).toMatchObject({ decision: "unconfirmed", message: expect.stringContaining("version 3") });
    });
  });

  test.each<[string, unknown, string]>([
    ["text", "x", "the policy is not an object"],
    ["bindings that are no list", { bindings: {} }, "bindings is not a list"],
    ["version 2", { version: 2 }, "version is"],
    ["a binding that is text", { bindings: ["x"] }, "bindings[0] is not an object"],
    ["no role", { bindings: [{ members: [] }] }, "bindings[0].role is not a string"],
    ["one member as text", { bindings: [{ role, members: member }] }, "bindings[0].members is not a list of strings"],
    ["a condition as text", { version: 3, bindings: [{ role, members: [], condition: "true" }] }, "bindings[0].condition is not an object"],
    ["a condition without expression", { version: 3, bindings: [{ role, members: [], condition: {} }] }, "bindings[0].condition.expression is not a string"],
    ["a condition in version 1", { version: 1, bindings: [{ role, members: [], condition: { expression: "true" } }] }, "not of version 3"],
  ])("is malformed with %s", (_, policy, problem) => {
    expect(parsePolicy(policy)).toEqual({ problem: expect.stringContaining(problem) });
    const verdict = judge({ projectPolicy: policy });
    expectRefusal(verdict, "gcp-policy-form", "INVALID_ARGUMENT", "Request contains an invalid argument.");
  });

  test("without bindings is an empty one, and arbitrary ones never throw", () => {
    expect(parsePolicy({ etag: "ACAB" })).toEqual({ bindings: [] });
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(["problem", "bindings"]).toContain(Object.keys(parsePolicy(value))[0]);
    }));
  });
});

describe("direct access", () => {
  test("needs any role, or each of those that are asked for", () => {
    expect(judge({ roles: [role] }).accepted).toBe(true);
    expect(judge({ roles: [] }).accepted).toBe(true);
    const verdict = judge({ roles: [role, "roles/pubsub.publisher"] });
    expectRefusal(verdict, "gcp-direct-access", "PERMISSION_DENIED", "The caller does not have permission", 403);
    expect(verdict.fix).toBe("grant it: kubeassume grant gcp --service-account payments/api --role roles/pubsub.publisher");
  });

  test("by an attribute that the provider maps", () => {
    const policy = bind(`${memberSet}/attribute.namespace/payments`);
    expect(judge({ projectPolicy: policy }).accepted).toBe(true);
    const { "attribute.namespace": _, ...without } = mapping;
    expect(judgeProvider({ attributeMapping: without }, {}, { projectPolicy: policy }).refusedBy).toBe("gcp-direct-access");
  });

  test("that depends on what is not known here is accepted with a warning", () => {
    const condition = { title: "objects", expression: "resource.name != ''" };
    const verdict = judge({ projectPolicy: { version: 3, bindings: [{ role, members: [member], condition }] } });
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "gcp-direct-access").status).toBe("warn");
  });

  test("is not judged without a policy", () => {
    expect(checkOf(judge({ projectPolicy: null }), "gcp-direct-access").status).toBe("skip");
  });
});

describe("impersonation", () => {
  const withRole = (name: string) => judge({ ...impersonation, projectPolicy: undefined, serviceAccountPolicy: { bindings: [{ role: name, members: [member] }] } });

  test.each([userRole, "roles/iam.serviceAccountTokenCreator"])("is allowed by %s", (name) => {
    expect(withRole(name).session?.principal).toBe(email);
    expect(allowsImpersonation(name)).toBe("yes");
  });

  test.each(["roles/owner", "roles/editor", "roles/viewer", "roles/iam.serviceAccountUser", "roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountOpenIdTokenCreator"])("is not allowed by %s", (name) => {
    expectRefusal(withRole(name), "gcp-impersonation", "PERMISSION_DENIED", words.impersonation, 403);
  });

  test.each(["projects/acme-prod/roles/impersonator", "organizations/1/roles/x", "roles/cloudbuild.serviceAgent"])("by %s is unconfirmed", (name) => {
    const verdict = withRole(name);
    expect(verdict.accepted).toBe(true);
    expect(checkOf(verdict, "gcp-impersonation")).toMatchObject({ status: "warn", message: expect.stringContaining("(unconfirmed)") });
  });

  test("may come from the project's policy, which holds for its accounts", () => {
    const project = { bindings: [{ role: userRole, members: [member] }] };
    expect(judge({ serviceAccount: email, serviceAccountPolicy: {}, projectPolicy: project }).accepted).toBe(true);
    expect(judge({ serviceAccount: email, projectPolicy: project }).accepted).toBe(true);
    expect(judge({ serviceAccount: email, projectPolicy }).refusedBy).toBe("gcp-impersonation");
  });

  test("of an account that does not exist, or whose policy has no such member, is refused with how to mend it", () => {
    const missing = judge({ ...impersonation, serviceAccountPolicy: null });
    expectRefusal(missing, "gcp-impersonation", "PERMISSION_DENIED", words.impersonation, 403);
    expect(missing.fix).toContain(`--service-account payments/api --impersonate ${email} --create-service-account`);
    const empty = judge({ ...impersonation, serviceAccountPolicy: { bindings: [] } });
    expect(empty.fix).toBe(`grant it: kubeassume grant gcp --service-account payments/api --impersonate ${email}`);
  });

  test("leaves the direct roles alone", () => {
    expect(checkOf(judge({ ...impersonation, roles: ["roles/x"] }), "gcp-direct-access").status).toBe("skip");
    expect(judge({ serviceAccount: "", projectPolicy }).session?.principal).toBe(member);
    expect(serviceAccountPolicy.bindings).toHaveLength(1);
  });
});
