import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type GcpConnection } from "../../../../../src/federation/clouds/gcp/connection/connect.ts";
import { changePolicy, countPrincipals, type Members, presentMembers } from "../../../../../src/federation/clouds/gcp/connection/policy-document.ts";
import { KIND, policyId } from "../../../../../src/federation/clouds/gcp/ids.ts";
import type { Fields, Step } from "../../../../../src/federation/plan/step.ts";
import { API, EMAIL, PROJECT } from "./journey.ts";
import { failureOf, refusal, type Said, type ScriptedGoogle, startScriptedGoogle, worldWith } from "./scripted-google.ts";

const CONDITION = { title: "until", expression: "true" };

const role = fc.constantFrom("roles/a", "roles/b", "roles/c");
const members = fc.uniqueArray(fc.constantFrom("user:1", "user:2", "user:3", "user:4", "user:5"), { minLength: 1 });
const binding = fc.record({ role, members, condition: fc.option(fc.constant(CONDITION), { nil: undefined }), extra: fc.option(fc.constant("kept"), { nil: undefined }) });
const policy = fc.record({ etag: fc.constant("ACAB"), version: fc.constantFrom(1, 3), auditConfigs: fc.constant([{ service: "x" }]), bindings: fc.array(binding, { maxLength: 6 }) }).map((one) => JSON.parse(JSON.stringify(one)) as Record<string, unknown>);
const change = fc.uniqueArray(fc.tuple(role, members), { selector: ([name]) => name, maxLength: 3 }).map((entries): Members => new Map(entries));
const NONE: Members = new Map();

type Binding = { role: string; members: string[]; condition?: object };
const bindingsOf = (one: Record<string, unknown> | object) => ("bindings" in one ? one.bindings : []) as Binding[];

describe("a policy that is changed", () => {
  it("has the wanted members without a condition, and adding them again changes nothing", () => {
    fc.assert(
      fc.property(policy, change, (before, add) => {
        const after = changePolicy(before, add, NONE) ?? before;
        expect(presentMembers(after, add)).toEqual(new Map([...add].filter(([, list]) => list.length > 0)));
        expect(changePolicy(after, add, NONE)).toBeNull();
      }),
    );
  });

  it("keeps everything that was there, in its order, when members are added", () => {
    fc.assert(
      fc.property(policy, change, (before, add) => {
        const after = changePolicy(before, add, NONE) ?? before;
        bindingsOf(before).forEach((one, index) => {
          const same = bindingsOf(after)[index];
          expect({ ...same, members: same?.members.slice(0, one.members.length) }).toEqual(one);
        });
        expect({ ...after, bindings: [], version: 0 }).toEqual({ ...before, bindings: [], version: 0 });
      }),
    );
  });

  it("leaves conditional bindings alone, to the byte, whatever is added or removed", () => {
    fc.assert(
      fc.property(policy, change, change, (before, add, remove) => {
        const conditional = (one: object) => JSON.stringify(bindingsOf(one).filter((two) => two.condition !== undefined));
        expect(conditional(changePolicy(before, add, remove) ?? before)).toBe(conditional(before));
      }),
    );
  });

  it("loses exactly the members that are removed, and no binding is left empty", () => {
    fc.assert(
      fc.property(policy, change, (before, remove) => {
        const after = changePolicy(before, NONE, remove) ?? before;
        const expected = bindingsOf(before)
          .map((one) => (one.condition === undefined ? { ...one, members: one.members.filter((two) => !(remove.get(one.role) ?? []).includes(two)) } : one))
          .filter((one) => one.members.length > 0);
        expect(bindingsOf(after)).toEqual(expected);
      }),
    );
  });

  it("has version 3 as soon as there is a condition", () => {
    const add = new Map([["roles/a", ["user:1"]]]);
    expect(changePolicy({ etag: "x" }, add, NONE)?.["version"]).toBe(1);
    expect(changePolicy({ etag: "x", version: 1, bindings: [{ role: "roles/b", members: ["user:2"], condition: CONDITION }] }, add, NONE)?.["version"]).toBe(3);
  });

  it("names each principal as often as it occurs", () => {
    expect(countPrincipals({ bindings: [{ role: "roles/a", members: ["user:1", "user:2"] }, { role: "roles/b", members: ["user:1"] }] })).toBe(3);
    expect(countPrincipals({ etag: "ACAB" })).toBe(0);
  });
});

describe("writing a policy", () => {
  let google: ScriptedGoogle;
  let folder: string;
  let connection: GcpConnection;

  beforeAll(async () => {
    google = await startScriptedGoogle();
    folder = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
    await writeFile(join(folder, "token"), "token");
  });

  afterAll(async () => {
    await google.stop();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    google.forget();
    connection = await connect(worldWith({ ...google.env, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(folder, "token") }), { flags: {}, config: null });
  });

  afterEach(() => {
    expect(google.problems).toEqual([]);
  });

  function step(target: string, after: Fields, action: Step["action"] = "update"): Step {
    return { id: policyId(target), kind: KIND.policy, cloud: "gcp", action, target, reason: "", before: null, after, needs: [] };
  }

  const viewer = step(`projects/${PROJECT}`, { "roles/viewer": [API], "roles/nothing": [API] });
  const empty: Said = { json: { etag: "ACAB" } };

  it("names the role that does not exist", async () => {
    google.answer(({ path }) => (path.endsWith(":getIamPolicy") ? empty : path.endsWith(":setIamPolicy") ? refusal(400, "INVALID_ARGUMENT", "Role is not supported for this resource.") : path.endsWith("/roles/nothing") ? refusal(404, "NOT_FOUND") : { json: { name: "roles/viewer" } }));
    const failure = await failureOf(connection.perform(viewer));
    expect(failure).toMatchObject({ code: "GCP_ROLE_MISSING", exit: 2, details: { role: "roles/nothing" } });
    expect(failure.message).toContain("roles/nothing");
  });

  it("keeps Google's words where all roles exist, or the caller may not know", async () => {
    for (const said of [{ json: {} }, refusal(403, "PERMISSION_DENIED")]) {
      google.answer(({ path }) => (path.endsWith(":getIamPolicy") ? empty : path.endsWith(":setIamPolicy") ? refusal(400, "INVALID_ARGUMENT", "words of Google") : said));
      const failure = await failureOf(connection.perform(viewer));
      expect(failure.code).toBe("GCP_REFUSED");
      expect(failure.message).toContain("words of Google");
    }
  });

  it("never happens on top of an answer that is no policy: everybody's access would be gone", async () => {
    google.answer(() => ({ json: {} }));
    expect((await failureOf(connection.perform(viewer))).code).toBe("GCP_UNREACHABLE");
    expect(google.lines().filter((line) => line.includes("setIamPolicy"))).toEqual([]);
  });

  it("sends back what it read, with the etag", async () => {
    const before = { version: 3, etag: "BwWWja0YfJA=", auditConfigs: [{ service: "allServices" }], bindings: [{ role: "roles/owner", members: ["user:zoe@example.com"], condition: CONDITION }] };
    google.answer(({ path }) => ({ json: path.endsWith(":getIamPolicy") ? before : { etag: "next" } }));
    await connection.perform(step(`projects/${PROJECT}`, { "roles/viewer": [API] }));
    expect(google.arrived.at(-1)?.body).toEqual({ policy: { ...before, bindings: [...before.bindings, { role: "roles/viewer", members: [API] }] } });
    expect(google.arrived[0]?.body).toEqual({ options: { requestedPolicyVersion: 3 } });
  });

  it("of a bucket that lost a race (412) reads again", async () => {
    let races = 2;
    const lost: Said = { status: 412, json: { error: { code: 412, message: "x", errors: [{ reason: "conditionNotMet" }] } } };
    google.answer(({ method }) => (method === "GET" ? { json: { kind: "storage#policy", etag: "CAE=" } } : races-- > 0 ? lost : { json: { etag: "CAI=" } }));
    await connection.perform(step("buckets/acme", { "roles/storage.objectViewer": [API] }));
    expect(google.lines().map((line) => line.split("?")[0])).toEqual(["GET", "PUT", "GET", "PUT", "GET", "PUT"].map((method) => `${method} /storage/v1/b/acme/iam`));
  });

  it("waits for a service account that was made a moment ago, and for no other", async () => {
    const account = step(`serviceAccounts/${EMAIL}`, { "roles/iam.workloadIdentityUser": [API] });
    google.answer(() => refusal(404, "NOT_FOUND"));
    expect((await failureOf(connection.perform(account))).code).toBe("GCP_NOT_FOUND");
    expect(google.arrived).toHaveLength(1);
    google.forget();
    let early = 2;
    google.answer(({ path }) => (path.endsWith("/serviceAccounts") ? { json: { email: EMAIL } } : early-- > 0 ? refusal(404, "NOT_FOUND") : empty));
    await connection.perform({ ...account, id: "gcp.service-account", kind: KIND.serviceAccount, action: "create", target: EMAIL, after: { displayName: "payments", description: "" } });
    await connection.perform(account);
    expect(google.lines().filter((line) => line.includes(":setIamPolicy"))).toHaveLength(1);
  });

  it("that Google forbids by an organization policy says which", async () => {
    const detail = { "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations: [{ type: "constraints/iam.allowedPolicyMemberDomains", subject: "x" }] };
    google.answer(({ path }) => (path.endsWith(":getIamPolicy") ? empty : refusal(400, "FAILED_PRECONDITION", "x", [detail])));
    expect(await failureOf(connection.perform(viewer))).toMatchObject({ code: "GCP_ORG_POLICY", details: { constraint: "constraints/iam.allowedPolicyMemberDomains" } });
  });
});
