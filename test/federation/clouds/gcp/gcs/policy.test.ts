import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { READER_ROLE, readPolicyFacts, withoutReaders, withReaders } from "../../../../../src/federation/clouds/gcp/gcs/policy.ts";

const role = fc.constantFrom(READER_ROLE, "roles/storage.objectViewer", "roles/storage.legacyBucketReader", "projects/p/roles/x");
const members = fc.uniqueArray(fc.constantFrom("allUsers", "allAuthenticatedUsers", "projectViewer:p", "user:a@example.com"), { minLength: 1 });
const condition = fc.option(fc.record({ title: fc.string(), expression: fc.string() }), { nil: undefined });
const binding = fc.record({ role, members, condition }).map(({ condition: found, ...rest }) => (found === undefined ? rest : { ...rest, condition: found }));
/** As Google answers: one binding for each role and condition, and members that we do not know. */
const policy = fc.record({ version: fc.constantFrom(1, 3), etag: fc.base64String(), bindings: fc.uniqueArray(binding, { selector: (one) => JSON.stringify([one.role, "condition" in one ? one.condition : null]) }), extra: fc.jsonValue() });
type Policy = ReturnType<typeof withReaders> & { readonly version: number; readonly bindings: readonly { readonly role: string; readonly members: readonly string[]; readonly condition?: unknown }[] };
const isReaders = (one: Policy["bindings"][number]) => one.role === READER_ROLE && one.condition === undefined;

describe("the policy of a bucket", () => {
  it("lets everybody read after that was asked, however it was before", () => {
    fc.assert(fc.property(policy, (before) => void expect(readPolicyFacts(withReaders(before)).readers).toEqual(["allUsers"])));
  });

  it("keeps etag, unknown members and each binding of others as they are", () => {
    fc.assert(
      fc.property(policy, fc.constantFrom(withReaders, withoutReaders), (before, change) => {
        const after = change(before) as Policy;
        const others = (one: Policy) => ({ ...one, version: 0, bindings: one.bindings.filter((entry) => !isReaders(entry)) });
        expect(others(after)).toEqual(others(before as Policy));
        const rest = (one: Policy) => one.bindings.filter(isReaders).flatMap((entry) => entry.members).filter((member) => member !== "allUsers");
        expect(rest(after)).toEqual(rest(before as Policy));
      }),
    );
  });

  it("is the same again when what was added is taken out", () => {
    fc.assert(fc.property(policy, (before) => void expect(withoutReaders(withReaders(before))["bindings"]).toEqual(withoutReaders(before)["bindings"])));
  });

  it("is written as version 3 when it has a condition, which a lower version would lose", () => {
    fc.assert(
      fc.property(policy, (before) => {
        const conditional = before.bindings.some((one) => "condition" in one);
        expect((withReaders(before) as Policy).version).toBe(conditional ? 3 : before.version);
      }),
    );
  });

  it("takes no conditional binding for readers of its own", () => {
    const bindings = [{ role: READER_ROLE, members: ["allUsers"], condition: { expression: "false" } }];
    expect(readPolicyFacts({ bindings })).toMatchObject({ readers: [], readable: false, publicRoles: [READER_ROLE], others: 1 });
  });

  it("is ordinary with the basic roles of the project and everybody's", () => {
    const basic = [
      { role: "roles/storage.legacyBucketOwner", members: ["projectEditor:p", "projectOwner:p"] },
      { role: READER_ROLE, members: ["projectViewer:p", "allUsers"] },
    ];
    expect(readPolicyFacts({ bindings: basic })).toEqual({ readers: ["allUsers"], readable: true, publicRoles: [], listingRoles: [], others: 0 });
    expect(readPolicyFacts({ bindings: [...basic, { role: "roles/storage.objectViewer", members: ["allUsers"] }] })).toMatchObject({ publicRoles: ["roles/storage.objectViewer"], listingRoles: ["roles/storage.objectViewer"], others: 1 });
  });

  it("is empty when it says nothing that can be understood", () => {
    for (const odd of [{}, { bindings: null }, { bindings: ["x", 1, { role: 1, members: "allUsers" }] }]) expect(readPolicyFacts(odd).readers).toEqual([]);
  });
});
