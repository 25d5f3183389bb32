import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyPlan } from "../../../../../src/federation/apply/apply.ts";
import { issuerLabel } from "../../../../../src/federation/clouds/gcp/gcs/marks.ts";
import type { GcsSpec } from "../../../../../src/federation/clouds/gcp/gcs/spec.ts";
import { gcsStore } from "../../../../../src/federation/clouds/gcp/gcs/store.ts";
import type { Binding, Bucket, StoredObject } from "../../../../../src/federation/clouds/gcp/sandbox/storage/state.ts";
import { readPublished } from "../../../../../src/federation/clouds/gcp/sandbox/storage/service.ts";
import { type PublishedJwk, toPublishedJwk } from "../../../../../src/federation/oidc/publish.ts";
import { applyPublish } from "../../../../../src/federation/publish/publish.ts";
import { countSequential } from "../../../../../src/federation/sandbox/traffic.ts";
import { ecKey, rsaKey } from "../../../oidc/keys.ts";
import { itConforms, PROJECT } from "../sandbox/storage/start.ts";
import { type GcsScene, startGcs } from "./start.ts";

const [one, two] = ["one", "two"].map((kid) => toPublishedJwk(rsaKey(kid).jwk)) as [PublishedJwk, PublishedJwk];
const ec = toPublishedJwk(ecKey("ec").jwk);
const CREATE = { bucket: "oidc", createBucket: true };
const READERS = { role: "roles/storage.legacyObjectReader", members: ["allUsers"] };
const DOCUMENTS = [".well-known/openid-configuration", "openid/v1/jwks"];

let scene: GcsScene;
beforeAll(async () => {
  scene = await startGcs();
});
afterAll(() => scene.close());
beforeEach(() => {
  const { state, denied } = scene.storage;
  state.buckets.clear();
  Object.assign(state, { publicAccessPrevented: false, preventionLingers: 0 });
  denied.clear();
  scene.asked();
});

const bucketOf = (name = "oidc") => scene.storage.state.buckets.get(name) ?? expect.fail(`no bucket ${name}`);
const makeBucket = (more: Parameters<GcsScene["storage"]["seed"]>[0] | object = {}) => scene.storage.seed({ name: "oidc", uniform: true, ...more });
const bind = (bucket: Bucket, ...bindings: readonly Binding[]) => {
  bucket.policy = { version: bindings.some(({ condition }) => condition !== undefined) ? 3 : bucket.policy.version, bindings: [...bucket.policy.bindings, ...bindings] };
};
const put = (bucket: Bucket, name: string, metadata: Readonly<Record<string, string>> = {}) => {
  const object: StoredObject = { name, body: Buffer.from("{}"), generation: "7", metageneration: 1, timeCreated: new Date(), updated: new Date(), contentType: "application/json", cacheControl: undefined, contentEncoding: undefined, contentDisposition: undefined, contentLanguage: undefined, metadata };
  bucket.objects.set(name, object);
};
const readers = (bucket = bucketOf()) => bucket.policy.bindings.filter(({ role, condition }) => role === READERS.role && condition === undefined).flatMap(({ members }) => members);
const writes = () => scene.asked().filter((line) => !line.startsWith("GET "));
const changes = (data: { readonly steps: readonly { readonly id: string; readonly action: string }[] }) => data.steps.filter(({ action }) => action !== "none").map(({ id, action }) => `${id} ${action}`);
const anonymous = async (name: string, bucket = "oidc") => readPublished(bucket, name, scene.storage.world)?.status;

describe("publish gcs", () => {
  it("makes a bucket that everybody can read and nobody can list, and reads the documents back", async () => {
    const { data, error, warnings } = await scene.publish(scene.spec({ ...CREATE, location: "europe-west1" }), [one]);
    expect([error, warnings.map(({ code }) => code)]).toEqual([null, ["ISSUER_PORT"]]);
    expect(data.steps.map(({ id, action, status }) => `${id} ${action} ${status}`)).toEqual([
      "gcs.bucket/oidc create done",
      "gcs.policy/oidc create done",
      "gcs.jwks/oidc create done",
      "gcs.discovery/oidc create done",
    ]);
    const { location, uniform, publicAccessPrevention, labels, objects } = bucketOf();
    expect({ location, uniform, publicAccessPrevention }).toEqual({ location: "EUROPE-WEST1", uniform: true, publicAccessPrevention: "inherited" });
    expect(labels).toEqual({ "kubeassume-managed-by": "kubeassume", "kubeassume-issuer": issuerLabel(scene.sandbox.issuerUrl) });
    expect([...objects.keys()].sort()).toEqual(DOCUMENTS);
    const metadata = { "kubeassume-managed-by": "kubeassume", "kubeassume-issuer": scene.sandbox.issuerUrl };
    for (const object of objects.values()) expect(object).toMatchObject({ contentType: "application/json", cacheControl: "public, max-age=60", metadata });
    expect(await Promise.all([...DOCUMENTS, "openid/v1/other"].map((name) => anonymous(name)))).toEqual([200, 200, 403]);
  });

  it("changes nothing the second time, and sends no write", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    scene.asked();
    const { data } = await scene.publish(scene.spec(CREATE), [one]);
    expect([changes(data), writes()]).toEqual([[], []]);
  });

  it("sends no write for a plan", async () => {
    const prepared = await scene.prepare(scene.spec(CREATE), [one]);
    expect(prepared.planned.plan.steps).toHaveLength(4);
    expect(writes()).toEqual([]);
  });

  it("waits for two round trips when nothing changes, and for five when everything is new", { retry: 2 }, async () => {
    // A busy machine delays what could run together: long round trips, and another try.
    const slow = await startGcs({ latencyMs: 100 });
    try {
      const count = async () => {
        const before = slow.sandbox.requests.length;
        await slow.publish(slow.spec(CREATE), [one]);
        return countSequential(slow.sandbox.requests.slice(before));
      };
      // Read; made; policy read, written (beside them the documents); read back.
      expect(await count()).toBe(5);
      // Read; read back.
      expect(await count()).toBe(2);
    } finally {
      await slow.close();
    }
  });

  it("uses an operator's bucket as it is, and labels it when its readers are kubeassume's doing", async () => {
    makeBucket({ uniform: false, publicAccessPrevention: "enforced", location: "EU", labels: { team: "a" } });
    const { data, error, warnings } = await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    expect([error, warnings.map(({ code }) => code)]).toEqual([null, ["ISSUER_PORT", "GCS_ACLS_USED"]]);
    expect(changes(data).slice(0, 4)).toEqual(["gcs.uniform-access/oidc update", "gcs.public-access/oidc update", "gcs.labels/oidc create", "gcs.policy/oidc update"]);
    expect(bucketOf()).toMatchObject({ uniform: true, publicAccessPrevention: "inherited", labels: { team: "a", "kubeassume-readers": issuerLabel(scene.sandbox.issuerUrl) } });
    expect(changes((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).data)).toEqual([]);
  });

  it("puts no label on a bucket that somebody else made public", async () => {
    bind(makeBucket(), READERS);
    const { data } = await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    expect(changes(data)).toEqual(["gcs.jwks/oidc create", "gcs.discovery/oidc create"]);
    expect(bucketOf().labels).toEqual({});
  });

  it("keeps foreign bindings and conditions as they are, and adds the readers without a condition", async () => {
    const conditional = { role: READERS.role, members: ["user:a@example.com"], condition: { title: "until", expression: "request.time < timestamp('2027-01-01T00:00:00Z')" } };
    const foreign = { role: "roles/storage.objectViewer", members: ["group:ci@example.com"] };
    bind(makeBucket(), conditional, foreign);
    const before = bucketOf().policy.bindings;
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
    const after = bucketOf().policy;
    expect(after.version).toBe(3);
    expect(after.bindings.filter((binding) => !binding.members.includes("allUsers"))).toEqual(before.filter(({ role, condition }) => role !== READERS.role || condition !== undefined));
    expect(readers()).toEqual([`projectViewer:${PROJECT}`, "allUsers"]);
  });

  it("reads the policy again when somebody else was faster, and loses neither change", async () => {
    const foreign = { role: "roles/storage.objectViewer", members: ["group:late@example.com"] };
    makeBucket();
    scene.before(/^PUT .*\/iam/, () => {
      bind(bucketOf(), foreign);
      bucketOf().metageneration += 1;
    });
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
    expect(bucketOf().policy.bindings).toContainEqual(foreign);
    expect(readers()).toContain("allUsers");
  });

  it("waits until a prevention that it has lifted has ended", { timeout: 10_000 }, async () => {
    makeBucket({ publicAccessPrevention: "enforced" });
    scene.storage.state.preventionLingers = 1;
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
    expect(readers()).toContain("allUsers");
  });

  it("publishes several clusters into one bucket", async () => {
    const front = scene.sandbox.issuerUrl;
    await scene.publish(scene.spec({ ...CREATE, prefix: "prod" }, `${front}/prod`), [one]);
    const { data, error } = await scene.publish(scene.spec({ bucket: "oidc", prefix: "dev" }, `${front}/dev`), [two]);
    expect([error, changes(data)]).toEqual([null, ["gcs.jwks/oidc create", "gcs.discovery/oidc create"]]);
    expect(changes((await scene.publish(scene.spec({ bucket: "oidc", prefix: "prod" }, `${front}/prod`), [one])).data)).toEqual([]);
  });

  it("opens an operator's bucket for several clusters at the same time", async () => {
    const front = scene.sandbox.issuerUrl;
    makeBucket();
    const outcomes = await Promise.all(["a", "b", "c"].map((prefix) => scene.publish(scene.spec({ bucket: "oidc", prefix }, `${front}/${prefix}`), [one])));
    expect(outcomes.map(({ error }) => error)).toEqual([null, null, null]);
    expect(readers()).toEqual([`projectViewer:${PROJECT}`, "allUsers"]);
    for (const prefix of ["a", "b", "c"]) expect(changes((await scene.publish(scene.spec({ bucket: "oidc", prefix }, `${front}/${prefix}`), [one])).data)).toEqual([]);
  });

  it("merges with a writer that is faster, through generations", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    const [slow, fast] = await Promise.all([scene.prepare(scene.spec(CREATE), [two]), scene.prepare(scene.spec(CREATE), [ec])]);
    for (const prepared of [fast, slow]) {
      expect((await applyPublish(prepared, { http: scene.world.http, wait: async () => undefined, resume: "" })).error).toBeNull();
    }
    const published = JSON.parse(bucketOf().objects.get("openid/v1/jwks")?.body.toString() ?? "") as { keys: { kid: string }[] };
    expect(published.keys.map(({ kid }) => kid)).toEqual(["ec", "one", "two"]);
  });

  it("merges with a writer that made the first document", async () => {
    makeBucket();
    const [slow, fast] = await Promise.all([scene.prepare(scene.spec(CREATE), [two]), scene.prepare(scene.spec(CREATE), [one])]);
    for (const prepared of [fast, slow]) {
      expect((await applyPublish(prepared, { http: scene.world.http, wait: async () => undefined, resume: "" })).error).toBeNull();
    }
    expect(bucketOf().objects.get("openid/v1/jwks")?.body.toString()).toMatch(/"one"[^]*"two"/);
  });

  it("takes over a document of this issuer that was put there by hand", async () => {
    put(makeBucket(), "openid/v1/jwks");
    bucketOf().objects.set("openid/v1/jwks", { ...(bucketOf().objects.get("openid/v1/jwks") ?? expect.fail("no key set")), body: Buffer.from('{"keys":[]}') });
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
  });

  it("loses no key when sixteen writers begin at the same moment", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    const keys = Array.from({ length: 16 }, (_, index) => toPublishedJwk(ecKey(`w${index}`).jwk));
    const publish = async (key: PublishedJwk): Promise<void> => {
      const { error } = await scene.publish(scene.spec(CREATE), [key]);
      if (error === null) return;
      // Nobody waits here, so some lose each of their tries: they are told to run the same command again.
      expect(error.cause ?? error).toMatchObject({ message: expect.stringContaining("was changed by somebody else") });
      await publish(key);
    };
    await Promise.all(keys.map(publish));
    const published = JSON.parse(bucketOf().objects.get("openid/v1/jwks")?.body.toString() ?? "") as { keys: { kid: string }[] };
    expect(published.keys.map(({ kid }) => kid)).toEqual(["one", ...keys.map(({ kid }) => kid)].sort());
  });

  it("never takes content and generation of two different versions for one document", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    const connection = await gcsStore.connect(scene.world, scene.spec(CREATE));
    const jwks = () => bucketOf().objects.get("openid/v1/jwks") ?? expect.fail("no key set");
    const bump = (text: string) => () => void bucketOf().objects.set(jwks().name, { ...jwks(), body: Buffer.from(text), generation: String(BigInt(jwks().generation) + 1n) });
    scene.before(/alt=media/, () => {
      bump("two")();
      scene.before(/alt=media&generation=/, bump("three"));
    });
    const stored = await connection.readDocument("openid/v1/jwks");
    expect([stored?.body, stored?.version]).toEqual(["three", jwks().generation]);
  });

  it("repairs what somebody changed at the bucket", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    const bucket = bucketOf();
    Object.assign(bucket, { uniform: false, publicAccessPrevention: "enforced", policy: { version: 1, bindings: [] } });
    const { data, error, warnings } = await scene.publish(scene.spec(CREATE), [one]);
    expect([error, changes(data)]).toEqual([null, ["gcs.uniform-access/oidc update", "gcs.public-access/oidc update", "gcs.policy/oidc update"]]);
    expect(warnings.map(({ code }) => code)).toEqual(["ISSUER_PORT"]);
    expect(bucket).toMatchObject({ uniform: true, publicAccessPrevention: "inherited", policy: { bindings: [READERS] } });
  });

  it("says that everybody can list the bucket, and leaves that role alone", async () => {
    const listing = { role: "roles/storage.objectViewer", members: ["allUsers"] };
    bind(makeBucket(), listing);
    // What everybody reads already does not become public.
    put(bucketOf(), "build.tar");
    const { error, warnings } = await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    expect([error, warnings.map(({ code }) => code)]).toEqual([null, ["ISSUER_PORT", "GCS_BUCKET_LISTABLE"]]);
    expect(bucketOf().policy.bindings).toContainEqual(listing);
  });
});

describe("refusals of publish gcs", () => {
  const refused = async (spec: GcsSpec) => {
    const error = await scene.prepare(spec, [one]).then(() => expect.fail("was not refused"), (cause: unknown) => cause);
    expect(writes()).toEqual([]);
    return error as { code: string; message: string; details: Record<string, unknown> };
  };

  it("does not make a bucket unasked", async () => {
    expect((await refused(scene.spec({ bucket: "oidc" }))).code).toBe("GCS_BUCKET_MISSING");
  });

  it("says where the bucket is when another location was given", async () => {
    makeBucket({ location: "EU" });
    const error = await refused(scene.spec({ bucket: "oidc", location: "us-east1" }));
    expect([error.code, error.message]).toEqual(["GCS_BUCKET_LOCATION", "bucket oidc is in EU, not in US-EAST1"]);
    expect((await scene.prepare(scene.spec({ bucket: "oidc", location: "eu" }), [one])).planned.warnings).toHaveLength(1);
  });

  it("never writes into a bucket of another project, readable or not", async () => {
    const bucket = makeBucket({ projectNumber: "999" });
    makeBucket({ name: "oidc-2" });
    expect((await refused(scene.spec(CREATE))).code).toBe("GCS_BUCKET_FOREIGN");
    bind(bucket, { role: "roles/storage.admin", members: ["user:operator@example.com"] });
    expect((await refused(scene.spec(CREATE))).code).toBe("GCS_BUCKET_FOREIGN");
  });

  it.each(["storage.buckets.get", "storage.buckets.list", "storage.buckets.getIamPolicy", "storage.objects.get"])("names the permission %s when it is missing", async (permission) => {
    scene.storage.denied.add(permission);
    makeBucket();
    const error = await refused(scene.spec({ bucket: "oidc" }));
    expect([error.code, error.details["action"]]).toEqual(["GCP_ACCESS_DENIED", permission]);
  });

  it("does not let everybody read what somebody else keeps in the bucket", async () => {
    const bucket = makeBucket();
    put(bucket, "prod/.well-known/openid-configuration", { "kubeassume-managed-by": "kubeassume", "kubeassume-issuer": "https://prod" });
    put(bucket, "build.tar");
    const error = await refused(scene.spec({ bucket: "oidc" }));
    expect([error.code, error.details["objects"]]).toEqual(["GCS_WOULD_BECOME_PUBLIC", ["build.tar"]]);
    // What everybody reads already does not become public.
    bind(bucket, READERS);
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
  });

  it("does not give effect again to readers of a bucket that was closed since, and filled", async () => {
    const bucket = makeBucket({ publicAccessPrevention: "enforced" });
    bind(bucket, READERS);
    put(bucket, "build.tar");
    expect((await refused(scene.spec({ bucket: "oidc" }))).code).toBe("GCS_WOULD_BECOME_PUBLIC");
  });

  it("does not take a failure of Google's for a bucket of another project", async () => {
    const failing = await startGcs({ faults: ({ method, url }) => (method === "GET" && url.endsWith("/b/oidc") ? { kind: "status", when: "before", status: 400, body: "{}" } : null) });
    try {
      await expect(failing.prepare(failing.spec(CREATE), [one])).rejects.toMatchObject({ code: "GCP_REFUSED" });
    } finally {
      await failing.close();
    }
  });

  it("looks at every page of a bucket before it opens it", async () => {
    const bucket = makeBucket();
    for (let index = 0; index < 1001; index += 1) put(bucket, `a/${String(index).padStart(4, "0")}`, { "kubeassume-managed-by": "kubeassume" });
    put(bucket, "z");
    expect((await refused(scene.spec({ bucket: "oidc" }))).details["objects"]).toEqual(["z"]);
  });

  it("does not give effect to a public role of somebody else", async () => {
    bind(makeBucket({ publicAccessPrevention: "enforced" }), { role: "roles/storage.objectAdmin", members: ["allAuthenticatedUsers"] });
    const error = await refused(scene.spec({ bucket: "oidc" }));
    expect([error.code, error.details["roles"]]).toEqual(["GCS_WOULD_BECOME_PUBLIC", ["roles/storage.objectAdmin"]]);
  });

  it("explains the organization's public access prevention, and does not take it for a lost race", async () => {
    scene.storage.state.publicAccessPrevented = true;
    const { error, data } = await scene.publish(scene.spec(CREATE), [one]);
    expect(error?.code).toBe("PARTLY_APPLIED");
    expect(error?.details["problems"]).toMatchObject([{ code: "GCS_PUBLIC_ACCESS_PREVENTED", message: expect.stringContaining("public access prevention is enforced") }]);
    expect(data.steps.find((step) => step.status === "failed")?.id).toBe("gcs.policy/oidc");
    expect(scene.asked().filter((line) => line.startsWith("PUT "))).toHaveLength(1);
  });

  it("says that the name of a bucket is taken", async () => {
    const prepared = await scene.prepare(scene.spec(CREATE), [one]);
    makeBucket({ projectNumber: "999" });
    await expect(prepared.connection.perform(prepared.planned.plan.steps[0] ?? expect.fail("no step"))).rejects.toMatchObject({ code: "GCS_BUCKET_FOREIGN" });
  });

  it("takes a bucket that it made itself, when the answer was lost, for made", async () => {
    const prepared = await scene.prepare(scene.spec(CREATE), [one]);
    const [step = expect.fail("no step")] = prepared.planned.plan.steps;
    await prepared.connection.perform(step);
    await expect(prepared.connection.perform(step)).resolves.toBeUndefined();
  });

  it("reads no document that is larger than any key set", async () => {
    put(makeBucket(), "openid/v1/jwks");
    const jwks = bucketOf().objects.get("openid/v1/jwks") ?? expect.fail("no key set");
    bucketOf().objects.set(jwks.name, { ...jwks, body: Buffer.alloc(1_048_577, " ") });
    expect((await refused(scene.spec({ bucket: "oidc" }))).code).toBe("PUBLISHED_DOCUMENT_FOREIGN");
  });
});

describe("teardown of a bucket of Cloud Storage", () => {
  const input = (flags: object = {}) => ({ flags: { project: PROJECT, ...flags }, entry: {}, config: null, cwd: "/", env: {} });
  const find = (issuer = scene.sandbox.issuerUrl, flags = {}) => gcsStore.findPlace(scene.world, input(flags), issuer);
  const remove = async (spec: GcsSpec | null, deletePlace: boolean) => {
    const connection = await gcsStore.connect(scene.world, spec ?? expect.fail("nothing found"));
    const { steps, leftBehind } = await connection.planRemoval({ deletePlace });
    const outcome = await applyPlan({ steps }, { perform: (step) => connection.perform(step), resume: "" });
    return { ids: steps.map((step) => step.id), leftBehind: leftBehind.map(({ code }) => code), error: outcome.error };
  };

  it("finds the place without any flag but the project, and removes all of it in the safe order", async () => {
    makeBucket({ name: "other" });
    await scene.publish(scene.spec(CREATE), [one]);
    const spec = (await find()) ?? expect.fail("nothing found");
    expect(spec).toMatchObject({ bucket: "oidc", prefix: "", project: PROJECT });
    expect(await remove(spec, true)).toEqual({ ids: ["gcs.discovery/oidc", "gcs.jwks/oidc", "gcs.policy/oidc", "gcs.bucket/oidc"], leftBehind: [], error: null });
    expect([...scene.storage.state.buckets.keys()]).toEqual(["other"]);
    expect(await find()).toBeNull();
  });

  it("finds documents in a bucket without labels, under a prefix that the issuer does not say", async () => {
    bind(makeBucket({ name: "shared" }), READERS);
    await scene.publish(scene.spec({ bucket: "shared", prefix: "clusters/prod" }), [one]);
    expect(await find()).toMatchObject({ bucket: "shared", prefix: "clusters/prod" });
  });

  it("needs a project to search in", async () => {
    await expect(gcsStore.findPlace(scene.world, { ...input(), flags: {} }, "https://oidc.example.com")).rejects.toMatchObject({ code: "FLAG_MISSING" });
  });

  it("takes the bucket from an issuer that Cloud Storage serves, and asks nothing", async () => {
    expect(await find("https://storage.googleapis.com/acme/prod")).toMatchObject({ bucket: "acme", prefix: "prod" });
    expect(scene.asked()).toEqual([]);
  });

  it("leaves other clusters their documents and their readers", async () => {
    const front = scene.sandbox.issuerUrl;
    await scene.publish(scene.spec({ ...CREATE, prefix: "prod" }, `${front}/prod`), [one]);
    await scene.publish(scene.spec({ bucket: "oidc", prefix: "dev" }, `${front}/dev`), [two]);
    expect(await find(`${front}/prod`)).toMatchObject({ prefix: "prod" });
    const removed = await remove(await find(`${front}/dev`), true);
    expect([removed.ids, removed.leftBehind]).toEqual([["gcs.discovery/oidc", "gcs.jwks/oidc"], ["GCS_BUCKET_NOT_EMPTY"]]);
    expect([...bucketOf().objects.keys()].sort()).toEqual(["prod/.well-known/openid-configuration", "prod/openid/v1/jwks"]);
    expect(readers()).toContain("allUsers");
  });

  it("takes its readers and its label out of an operator's bucket, and nothing else", async () => {
    const foreign = { role: "roles/storage.objectViewer", members: ["group:ci@example.com"] };
    bind(makeBucket({ labels: { team: "a" } }), foreign);
    const before = bucketOf().policy.bindings;
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    expect(await remove(await find(), false)).toEqual({ ids: ["gcs.discovery/oidc", "gcs.jwks/oidc", "gcs.policy/oidc", "gcs.labels/oidc"], leftBehind: [], error: null });
    expect(bucketOf().policy.bindings).toEqual(before);
    expect(bucketOf().labels).toEqual({ team: "a" });
  });

  it("leaves readers that somebody else let in", async () => {
    bind(makeBucket(), READERS);
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    expect((await remove(await find(), false)).ids).toEqual(["gcs.discovery/oidc", "gcs.jwks/oidc"]);
    expect(readers()).toContain("allUsers");
  });

  it("finishes a teardown that was cut short, finding the bucket by its labels", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    bucketOf().objects.clear();
    expect((await remove(await find(), true)).ids).toEqual(["gcs.policy/oidc", "gcs.bucket/oidc"]);
    makeBucket();
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    bucketOf().objects.clear();
    expect((await remove(await find(), false)).ids).toEqual(["gcs.policy/oidc", "gcs.labels/oidc"]);
    expect(await find()).toBeNull();
  });

  it("reads the policy again when somebody else was faster", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    scene.before(/^PUT .*\/iam/, () => (bucketOf().metageneration += 1));
    expect((await remove(await find(), false)).error).toBeNull();
    expect(readers()).not.toContain("allUsers");
  });

  it("deletes neither an unmarked bucket nor an unmarked document, and says so", async () => {
    makeBucket();
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    put(bucketOf(), "openid/v1/jwks");
    const removed = await remove(scene.spec({ bucket: "oidc" }), true);
    expect([removed.ids, removed.leftBehind]).toEqual([["gcs.discovery/oidc"], ["GCS_NOT_OURS", "GCS_NOT_OURS"]]);
    expect([...bucketOf().objects.keys()]).toEqual(["openid/v1/jwks"]);
  });

  it("keeps a bucket with objects or roles of others, and says why", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    bind(bucketOf(), { role: "roles/storage.objectViewer", members: ["group:ci@example.com"] });
    expect((await remove(scene.spec({ bucket: "oidc" }), true)).leftBehind).toEqual(["GCS_BUCKET_NOT_EMPTY"]);
    put(bucketOf(), "build.tar");
    expect((await remove(scene.spec({ bucket: "oidc" }), true)).leftBehind).toEqual(["GCS_BUCKET_NOT_EMPTY"]);
    expect([...bucketOf().objects.keys()]).toEqual(["build.tar"]);
  });

  it("finds nothing where nothing is", async () => {
    makeBucket();
    expect(await find()).toBeNull();
    expect(await remove(scene.spec({ bucket: "gone" }), true)).toEqual({ ids: [], leftBehind: [], error: null });
  });
});

itConforms(() => [scene.storage]);
