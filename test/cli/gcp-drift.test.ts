import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Pool, Provider } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import { type Bench, changed, codesOf, edit, found, pool, POOL, provider, PROVIDER, type Sent, startGcpBench, type StatusData } from "../support/gcp-bench.ts";

const MARK = "kubeassume.dev/managed-by=kubeassume";
const CONDITION = "attribute.namespace == 'demo'";
const OTHER_ISSUER = "https://oidc.example.com/other";

let bench: Bench;
let setup: readonly string[];
let restore: () => void;

beforeAll(async () => {
  bench = await startGcpBench();
  setup = ["setup", "gcp", ...bench.place, "--pool-name", "Production", "--audience", "vault", "--attribute-condition", CONDITION];
  await bench.succeed(setup);
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

const editPool = (change: Partial<Pool>): Pool => edit(bench.state.pools, POOL, change);
const editProvider = (change: Partial<Provider>): Provider => edit(bench.state.providers, PROVIDER, change);
/** Adds another provider to the pool, as it would be after somebody made it. */
function addProvider(id: string, change: Partial<Provider>): void {
  bench.state.providers.set(`${POOL}/providers/${id}`, { ...provider(bench.state), name: `${POOL}/providers/${id}`, description: "", ...change });
}

const verbOf = ({ method, path, query }: Sent): string => `${method} ${path.replace(/^.*workloadIdentityPools/, "")}${query["updateMask"] === undefined ? "" : ` ${maskOf(query["updateMask"]).join(",")}`}`;
/** Google takes both spellings. */
const maskOf = (mask: string): readonly string[] => mask.split(",").map((path) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())).sort();

describe("drift of the provider is named field by field and repaired with exactly that mask", () => {
  const cases: readonly (readonly [string, () => Partial<Provider>, string, readonly string[]])[] = [
    ["the issuer", () => ({ oidc: { ...provider(bench.state).oidc, issuerUri: `${bench.scene.issuer}/` } }), "issuerUri", ["oidc.issuerUri"]],
    ["an audience too many", () => ({ oidc: { ...provider(bench.state).oidc, allowedAudiences: ["vault", "other"] } }), "allowedAudiences", ["oidc.allowedAudiences"]],
    ["no audience", () => ({ oidc: { ...provider(bench.state).oidc, allowedAudiences: [] } }), "allowedAudiences", ["oidc.allowedAudiences"]],
    ["the subject mapping", () => ({ attributeMapping: { ...provider(bench.state).attributeMapping, "google.subject": "assertion.sub + 'x'" } }), "attributeMapping", ["attributeMapping"]],
    ["an attribute that is gone", () => ({ attributeMapping: { "google.subject": "assertion.sub" } }), "attributeMapping", ["attributeMapping"]],
    ["the condition", () => ({ attributeCondition: "true" }), "attributeCondition", ["attributeCondition"]],
    ["no condition", () => ({ attributeCondition: "" }), "attributeCondition", ["attributeCondition"]],
    ["several at once", () => ({ attributeCondition: "", attributeMapping: { "google.subject": "assertion.sub" }, oidc: { ...provider(bench.state).oidc, allowedAudiences: [] } }), "allowedAudiences, attributeMapping, attributeCondition", ["attributeCondition", "attributeMapping", "oidc.allowedAudiences"]],
  ];

  it.each(cases)("%s", async (_name, change, fields, mask) => {
    const before = editProvider({ displayName: "set by a person" });
    editProvider(change());
    const steps = changed(await bench.succeed(setup));
    expect(steps.map(({ id, action, reason }) => [id, action, reason])).toEqual([["gcp.provider", "update", `differs in ${fields}`]]);
    expect(bench.sent().map(verbOf)).toEqual([`PATCH /prod/providers/kubernetes ${mask.join(",")}`]);
    expect(provider(bench.state)).toEqual(before);
    bench.forget();
    expect(changed(await bench.succeed(setup))).toEqual([]);
    expect(bench.sent()).toEqual([]);
  });

  it("and what others mapped beside it stays", async () => {
    const { attributeMapping } = provider(bench.state);
    const theirs = { "attribute.team": "assertion['team']", "google.groups": "assertion.groups" };
    editProvider({ attributeMapping: { ...theirs, "google.subject": "assertion.sub" } });
    expect(changed(await bench.succeed(setup))).toHaveLength(1);
    expect(provider(bench.state).attributeMapping).toEqual({ ...attributeMapping, ...theirs });
  });

  it("and a condition that nobody named is left alone", async () => {
    editProvider({ attributeCondition: "assertion.sub != 'x'" });
    const without = setup.filter((_word, index) => index < setup.indexOf("--attribute-condition"));
    expect(changed(await bench.succeed(without))).toEqual([]);
    expect(changed(await bench.succeed([...without, "--attribute-condition", ""])).map(({ reason }) => reason)).toEqual(["differs in attributeCondition"]);
    expect(provider(bench.state).attributeCondition).toBe("");
  });
});

describe("drift of the pool", () => {
  it("of its name is repaired with exactly that mask", async () => {
    const before = pool(bench.state);
    editPool({ displayName: "Somebody's" });
    expect(changed(await bench.succeed(setup)).map(({ id, reason }) => [id, reason])).toEqual([["gcp.pool", "differs in displayName"]]);
    expect(bench.sent().map(verbOf)).toEqual(["PATCH /prod displayName"]);
    expect(pool(bench.state)).toEqual(before);
  });

  it("of a name that nobody gave is left alone", async () => {
    editPool({ displayName: "Somebody's" });
    expect(changed(await bench.succeed(setup.filter((word) => word !== "--pool-name" && word !== "Production")))).toEqual([]);
  });
});

describe("what was deleted within 30 days", () => {
  const until = new Date(Date.now() + 86_400_000);

  it.each([
    ["the pool", true, false, ["POST /prod:undelete"]],
    ["the provider", false, true, ["POST /prod/providers/kubernetes:undelete"]],
    ["both", true, true, ["POST /prod:undelete", "POST /prod/providers/kubernetes:undelete"]],
  ] as const)("%s comes back", async (_name, poolToo, providerToo, writes) => {
    if (poolToo) editPool({ state: "DELETED", expireTime: until });
    if (providerToo) editProvider({ state: "DELETED", expireTime: until });
    const steps = changed(await bench.succeed(setup));
    expect(steps.map(({ reason }) => reason)).toEqual(writes.map(() => "differs in state"));
    expect(bench.sent().map(verbOf)).toEqual(writes);
    expect([pool(bench.state).state, provider(bench.state).state, pool(bench.state).expireTime]).toEqual(["ACTIVE", "ACTIVE", null]);
  });

  it("is repaired too, after it is back", async () => {
    editPool({ state: "DELETED", expireTime: until, displayName: "old" });
    editProvider({ state: "DELETED", expireTime: until, attributeCondition: "" });
    await bench.succeed(setup);
    expect(bench.sent().map(verbOf)).toEqual(["POST /prod:undelete", "PATCH /prod displayName", "POST /prod/providers/kubernetes:undelete", "PATCH /prod/providers/kubernetes attributeCondition"]);
    expect([pool(bench.state).displayName, provider(bench.state).attributeCondition]).toEqual(["Production", CONDITION]);
    bench.forget();
    expect(changed(await bench.succeed(setup))).toEqual([]);
  });

  it("and carries no mark is refused like anything else of somebody", async () => {
    editPool({ state: "DELETED", expireTime: until, description: "theirs" });
    const { error } = await bench.fail(2, setup);
    expect([error.code, bench.sent()]).toEqual(["NOT_OURS", []]);
  });

  it("is said by status", async () => {
    editPool({ state: "DELETED", expireTime: until });
    const { data } = await bench.fail<StatusData>(3, ["status", "gcp", ...bench.place, "--audience", "vault"]);
    const check = data.checks.find(({ id }) => id === "gcp-pool");
    expect(check).toMatchObject({ status: "fail", message: expect.stringContaining(`is deleted, and will be purged at ${until.toISOString()}`) as string, hint: expect.stringContaining("kubeassume setup gcp") as string });
  });
});

describe("what setup cannot or must not change is refused, named, and nothing is written", () => {
  const cases: readonly (readonly [string, number, string, () => void, RegExp, RegExp])[] = [
    ["a disabled pool", 4, "GCP_POOL_DISABLED", () => editPool({ disabled: true }), new RegExp(`${POOL} is disabled`), /gcloud iam workload-identity-pools update \S*prod --no-disabled/],
    ["a disabled provider", 4, "GCP_PROVIDER_DISABLED", () => editProvider({ disabled: true }), /kubernetes is disabled/, /gcloud iam workload-identity-pools providers update-oidc \S*kubernetes --no-disabled/],
    ["a pool of another mode", 2, "GCP_POOL_MODE", () => editPool({ mode: "TRUST_DOMAIN" }), /mode TRUST_DOMAIN/, /--pool-id/],
    ["a provider that kubeassume made for another issuer", 2, "GCP_PROVIDER_OTHER_ISSUER", () => editProvider({ description: `${MARK} kubeassume.dev/issuer=${OTHER_ISSUER}`, oidc: { ...provider(bench.state).oidc, issuerUri: OTHER_ISSUER } }), /made by kubeassume for https:\/\/oidc\.example\.com\/other/, /--provider-id/],
    ["a provider of somebody else for another issuer", 2, "GCP_PROVIDER_OTHER_ISSUER", () => editProvider({ description: "theirs", oidc: { ...provider(bench.state).oidc, issuerUri: OTHER_ISSUER } }), /is for issuer https:\/\/oidc\.example\.com\/other/, /--provider-id/],
    ["a provider of another kind", 2, "GCP_PROVIDER_OTHER_KIND", () => editProvider({ oidc: { issuerUri: "", allowedAudiences: [], jwksJson: "" } }), /not an OIDC provider/, /--provider-id/],
    ["a pool where another cluster has the same subjects", 2, "GCP_POOL_SHARED", () => addProvider("other", { oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } }), /providers\/other for https:\/\/oidc\.example\.com\/other/, /--subject-prefix/],
    ["the same, while the other provider is disabled", 2, "GCP_POOL_SHARED", () => addProvider("other", { disabled: true, oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } }), /providers\/other/, /--pool-id/],
    ["a pool and a provider without a mark", 2, "NOT_OURS", () => void [editPool({ description: "" }), editProvider({ description: "team payments" })], /does not carry kubeassume's mark/, /--adopt/],
  ];

  it.each(cases)("%s", async (_name, exit, code, change, says, hint) => {
    change();
    const document = await bench.fail(exit, setup);
    const [problem = document.error] = (document.error.details["problems"] as readonly (typeof document.error)[] | undefined) ?? [];
    expect([...new Set(codesOf(document))]).toEqual([code]);
    expect(problem.message).toMatch(says);
    expect(problem.hint).toMatch(hint);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("all of it at once", async () => {
    editPool({ disabled: true, mode: "TRUST_DOMAIN" });
    editProvider({ disabled: true });
    addProvider("other", { oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } });
    expect([...codesOf(await bench.fail(2, setup))].sort()).toEqual(["GCP_POOL_DISABLED", "GCP_POOL_MODE", "GCP_POOL_SHARED", "GCP_PROVIDER_DISABLED"]);
  });

  it("not a deleted provider of the pool, which produces nothing", async () => {
    addProvider("other", { state: "DELETED", expireTime: new Date(Date.now() + 86_400_000), oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } });
    expect(changed(await bench.succeed(setup))).toEqual([]);
  });

  it("with a warning where nobody can tell whether the subjects are the same", async () => {
    addProvider("other", { attributeMapping: { "google.subject": "assertion.email" }, oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } });
    const { warnings } = await bench.succeed(setup);
    expect(warnings.map(({ code, message }) => [code, message.includes("providers/other")])).toEqual([["GCP_POOL_SUBJECTS_UNCLEAR", true]]);
  });
});

describe("two clusters in one pool, told apart by --subject-prefix", () => {
  const second = (): readonly string[] => [...setup.slice(0, setup.indexOf("--pool-name")), "--provider-id", "second", "--subject-prefix", "second:"];

  it("are accepted, and each leaves the other's alone", async () => {
    const first = `${POOL}/providers/first`;
    bench.state.providers.set(first, { ...provider(bench.state), name: first, description: `${MARK} kubeassume.dev/issuer=${OTHER_ISSUER}`, oidc: { ...provider(bench.state).oidc, issuerUri: OTHER_ISSUER } });
    bench.state.providers.delete(PROVIDER);
    const before = found(bench.state.providers, first);
    const { data } = await bench.succeed(second());
    expect(data.steps.map(({ id, action }) => [id, action])).toEqual([["gcp.pool", "none"], ["gcp.provider", "create"]]);
    expect(provider(bench.state, `${POOL}/providers/second`).attributeMapping["google.subject"]).toBe("'second:' + assertion.sub");
    expect(provider(bench.state, first)).toEqual(before);
    expect(changed(await bench.succeed(second()))).toEqual([]);
  });

  it("are refused when the prefix is the same", async () => {
    addProvider("first", { attributeMapping: { "google.subject": '"second:" + assertion["sub"]' }, oidc: { issuerUri: OTHER_ISSUER, allowedAudiences: [], jwksJson: "" } });
    bench.state.providers.delete(PROVIDER);
    const { error } = await bench.fail(2, second());
    expect(error).toMatchObject({ code: "GCP_POOL_SHARED", message: expect.stringContaining('prefix \\"second:\\"'.replaceAll("\\", "")) as string });
    expect(bench.scene.writes()).toEqual([]);
  });
});

describe("setups at the same moment", () => {
  it("all succeed, and make one pool and one provider", async () => {
    bench.state.pools.clear();
    bench.state.providers.clear();
    const runs = await Promise.all([1, 2, 3].map(() => bench.run(setup)));
    expect(runs.map(({ exit }) => exit), runs.map(({ stderr }) => stderr).join("\n")).toEqual([0, 0, 0]);
    expect([[...bench.state.pools.keys()], [...bench.state.providers.keys()]]).toEqual([[POOL], [PROVIDER]]);
    expect(changed(await bench.succeed(setup))).toEqual([]);
  });
});

describe("what carries no mark", () => {
  const theirs = "by the platform team";

  it("is taken over with --adopt, keeps its own words, and is ours from then on", async () => {
    editPool({ description: theirs });
    editProvider({ description: theirs, attributeCondition: "" });
    const steps = changed(await bench.succeed([...setup, "--adopt"]));
    expect(steps.map(({ id, action }) => [id, action])).toEqual([["gcp.pool", "adopt"], ["gcp.provider", "adopt"]]);
    expect(bench.sent().map(verbOf)).toEqual(["PATCH /prod description", "PATCH /prod/providers/kubernetes attributeCondition,description"]);
    const marked = `${theirs} ${MARK} kubeassume.dev/issuer=${bench.scene.issuer}`;
    expect([pool(bench.state).description, provider(bench.state).description]).toEqual([marked, marked]);
    expect(changed(await bench.succeed(setup))).toEqual([]);
  });

  it("has no room for the mark: refused", async () => {
    editPool({ description: "x".repeat(250) });
    const { error } = await bench.fail(2, [...setup, "--adopt"]);
    expect(error).toMatchObject({ code: "GCP_DESCRIPTION_TOO_LONG", message: expect.stringContaining("250 bytes") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("does not lose an audience by being taken over", async () => {
    editProvider({ description: theirs, oidc: { ...provider(bench.state).oidc, allowedAudiences: ["vault", "theirs"] } });
    const { error } = await bench.fail(2, [...setup, "--adopt"]);
    expect(error).toMatchObject({ code: "GCP_ADOPTION_REMOVES_AUDIENCES", message: expect.stringContaining("theirs") as string, hint: expect.stringContaining("--audience theirs") as string });
    expect(bench.scene.writes()).toEqual([]);
    expect(changed(await bench.succeed([...setup, "--adopt", "--audience", "theirs"]))).toHaveLength(1);
  });

  it("does not change whose its tokens are by being taken over", async () => {
    editProvider({ description: theirs, attributeMapping: { "google.subject": "'prod:' + assertion.sub" } });
    const { error } = await bench.fail(2, [...setup, "--adopt"]);
    expect(error).toMatchObject({ code: "GCP_ADOPTION_CHANGES_SUBJECTS", hint: expect.stringContaining("--subject-prefix prod:") as string });
    expect(bench.scene.writes()).toEqual([]);
  });
});
