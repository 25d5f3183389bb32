import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyPlan } from "../../../../../src/federation/apply/apply.ts";
import { NONE_BLOCKED } from "../../../../../src/federation/clouds/aws/sandbox/state.ts";
import { newBucket } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import { publicStatement } from "../../../../../src/federation/clouds/aws/s3/policy.ts";
import type { S3Spec } from "../../../../../src/federation/clouds/aws/s3/spec.ts";
import { s3Store } from "../../../../../src/federation/clouds/aws/s3/store.ts";
import { type PublishedJwk, toPublishedJwk } from "../../../../../src/federation/oidc/publish.ts";
import { applyPublish } from "../../../../../src/federation/publish/publish.ts";
import { countSequential } from "../../../../../src/federation/sandbox/traffic.ts";
import { ecKey, rsaKey } from "../../../oidc/keys.ts";
import { type S3Scene, startS3 } from "./start.ts";

const [one, two] = ["one", "two"].map((kid) => toPublishedJwk(rsaKey(kid).jwk)) as [PublishedJwk, PublishedJwk];
const ec = toPublishedJwk(ecKey("ec").jwk);
const CREATE = { bucket: "oidc", createBucket: true };

let scene: S3Scene;
/** Who must own the bucket, by every call to it but the one that makes it. */
let owners: (string | undefined)[] = [];
beforeAll(async () => {
  scene = await startS3({
    observe: (service, request) => {
      const made = request.method === "PUT" && /^\/oidc\/?(\?x-id=CreateBucket)?$/.test(request.target);
      if (service === "aws.s3" && !made) owners.push(request.headers["x-amz-expected-bucket-owner"]);
    },
  });
});
afterAll(() => scene.close());
beforeEach(() => {
  const { state } = scene.aws;
  state.buckets.clear();
  state.denyActions.clear();
  state.accountPublicAccessBlock = NONE_BLOCKED;
  owners = [];
  scene.asked();
});

const bucketOf = (name = "oidc") => scene.aws.state.buckets.get(name) ?? expect.fail(`no bucket ${name}`);
const policyOf = (name?: string) => JSON.parse(bucketOf(name).policy ?? "null") as { Statement: { Sid: string }[] };
const makeBucket = (name = "oidc", owner = scene.aws.state.account, region = "eu-west-1") => {
  const bucket = newBucket(name, region, owner, new Date());
  scene.aws.state.buckets.set(name, bucket);
  return bucket;
};

describe("publish s3", () => {
  it("makes a bucket that shows exactly the two documents to everybody, and reads them back", async () => {
    const { data, error, warnings } = await scene.publish(scene.spec(CREATE), [one]);
    expect([error, warnings.map(({ code }) => code)]).toEqual([null, ["ISSUER_PORT"]]);
    expect(data.steps.map(({ id, action, status }) => `${id} ${action} ${status}`)).toEqual([
      "s3.bucket/oidc create done",
      "s3.ownership/oidc create done",
      "s3.public-access-block/oidc create done",
      "s3.policy/oidc create done",
      "s3.tags/oidc create done",
      "s3.jwks/oidc create done",
      "s3.discovery/oidc create done",
    ]);
    const { region, ownership, publicAccessBlock, tags, objects } = bucketOf();
    expect({ region, ownership, publicAccessBlock }).toEqual({
      region: "eu-west-1",
      ownership: "BucketOwnerEnforced",
      publicAccessBlock: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false },
    });
    expect(tags).toEqual([{ key: "kubeassume.dev/managed-by", value: "kubeassume" }, { key: "kubeassume.dev/issuer", value: scene.sandbox.issuerUrl }]);
    expect([...objects.keys()].sort()).toEqual([".well-known/openid-configuration", "openid/v1/jwks"]);
    for (const object of objects.values()) expect(object.headers).toMatchObject({ "content-type": "application/json", "cache-control": "public, max-age=60" });
    const anonymous = async (name: string) => (await scene.aws.readPublished("oidc", name))?.status;
    expect(await Promise.all(["openid/v1/jwks", ".well-known/openid-configuration", "openid/v1/other"].map(anonymous))).toEqual([200, 200, 403]);
  });

  it("changes nothing the second time, and sends no write", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    scene.asked();
    const { data } = await scene.publish(scene.spec(CREATE), [one]);
    expect(new Set(data.steps.map((step) => step.action))).toEqual(new Set(["none"]));
    expect(scene.asked().filter((request) => !/^(GET|HEAD) /.test(request))).toEqual(["POST /"]);
  });

  it("sends no write for a plan", async () => {
    const prepared = await scene.prepare(scene.spec(CREATE), [one]);
    expect(prepared.planned.plan.steps).toHaveLength(7);
    expect(scene.asked().filter((request) => !/^(GET|HEAD) |^POST \/$/.test(request))).toEqual([]);
    expect(scene.aws.state.buckets.size).toBe(0);
  });

  it("names the account in every call to the bucket but the one that makes it", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    expect(new Set(owners)).toEqual(new Set([scene.aws.state.account]));
  });

  it("makes the bucket in any region", async () => {
    for (const region of ["us-east-1", "eu-central-1"]) {
      await scene.publish(scene.spec({ ...CREATE, region }), [one]);
      expect(bucketOf().region).toBe(region);
      scene.aws.state.buckets.clear();
    }
  });

  it("waits for three round trips when nothing changes, and for eight when everything is new", { retry: 2 }, async () => {
    // A busy machine delays what could run together: long round trips, and another try.
    const slow = await startS3({}, { latencyMs: 100 });
    try {
      const count = async () => {
        const before = slow.sandbox.requests.length;
        await slow.publish(slow.spec(CREATE), [one]);
        return countSequential(slow.sandbox.requests.slice(before));
      };
      // Account; bucket; made; unblocked; policy read, written, read again; read back. Beside them the documents.
      expect(await count()).toBe(8);
      // Account; bucket and documents; read back.
      expect(await count()).toBe(3);
    } finally {
      await slow.close();
    }
  });

  it("publishes several clusters into one bucket, each with its own statement", async () => {
    const front = scene.sandbox.issuerUrl;
    await scene.publish(scene.spec({ ...CREATE, prefix: "prod" }, `${front}/prod`), [one]);
    const { data, error } = await scene.publish(scene.spec({ ...CREATE, prefix: "dev" }, `${front}/dev`), [two]);
    expect(error).toBeNull();
    expect(data.steps.filter((step) => step.action === "none").map((step) => step.id)).toEqual(["s3.bucket/oidc", "s3.ownership/oidc", "s3.public-access-block/oidc"]);
    expect(policyOf().Statement).toHaveLength(2);
    expect((await scene.publish(scene.spec({ bucket: "oidc", prefix: "prod" }, `${front}/prod`), [one])).data.steps.every((step) => step.action === "none")).toBe(true);
  });

  it("loses no statement when two clusters publish into one bucket at the same time", async () => {
    const front = scene.sandbox.issuerUrl;
    makeBucket();
    const names = ["a", "b", "c"];
    const outcomes = await Promise.all(names.map((prefix) => scene.publish(scene.spec({ bucket: "oidc", prefix }, `${front}/${prefix}`), [one])));
    expect(outcomes.map(({ error }) => error)).toEqual([null, null, null]);
    expect(policyOf().Statement).toHaveLength(3);
  });

  it("merges with a writer that is faster, through S3's own conditions", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    const [slow, fast] = await Promise.all([scene.prepare(scene.spec(CREATE), [two]), scene.prepare(scene.spec(CREATE), [ec])]);
    for (const prepared of [fast, slow]) {
      expect((await applyPublish(prepared, { http: scene.world.http, wait: async () => undefined, resume: "" })).error).toBeNull();
    }
    const published = JSON.parse(bucketOf().objects.get("openid/v1/jwks")?.body.toString() ?? "") as { keys: { kid: string }[] };
    expect(published.keys.map(({ kid }) => kid)).toEqual(["ec", "one", "two"]);
  });

  it("tries again after S3 reports two writers at once (409)", async () => {
    makeBucket();
    scene.aws.state.writeConflicts.add("oidc/openid/v1/jwks");
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
  });

  it("repairs what somebody changed at the bucket", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    const bucket = bucketOf();
    bucket.ownership = "ObjectWriter";
    bucket.publicAccessBlock = null;
    bucket.policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...publicStatement(scene.spec(CREATE)), Resource: "arn:aws:s3:::oidc/*" }] });
    const { data, error } = await scene.publish(scene.spec(CREATE), [one]);
    expect(error).toBeNull();
    expect(data.steps.filter((step) => step.action !== "none").map(({ id, action }) => `${id} ${action}`)).toEqual(["s3.ownership/oidc update", "s3.public-access-block/oidc create", "s3.policy/oidc update"]);
    expect(policyOf().Statement).toEqual([publicStatement(scene.spec(CREATE))]);
  });

  it("keeps foreign statements to the byte", async () => {
    const foreign = '{ "Sid":"Ci",  "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/ci"}, "Action":["s3:GetObject"],"Resource":"arn:aws:s3:::oidc/\\u0062uild/*" }';
    makeBucket().policy = `{\n "Version": "2012-10-17",\n "Statement": [${foreign}]\n}`;
    expect((await scene.publish(scene.spec({ bucket: "oidc" }), [one])).error).toBeNull();
    expect(bucketOf().policy).toContain(foreign);
    expect(bucketOf().tags).toEqual([]);
  });

  it("finishes a creation that was killed before its tags, beside tags that somebody's automation set", async () => {
    makeBucket().tags = [{ key: "team", value: "platform" }];
    await scene.publish(scene.spec(CREATE), [one]);
    expect(bucketOf().tags.map(({ key }) => key).sort()).toEqual(["kubeassume.dev/issuer", "kubeassume.dev/managed-by", "team"]);
  });

  it("marks no bucket in which something else is", async () => {
    const bucket = makeBucket();
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    const object = bucket.objects.get("openid/v1/jwks");
    if (object !== undefined) bucket.objects.set("build.tar", { ...object, key: "build.tar" });
    await scene.publish(scene.spec(CREATE), [one]);
    expect(bucket.tags).toEqual([]);
  });
});

describe("refusals of publish s3", () => {
  const refused = async (spec: S3Spec) => {
    const error = await scene.prepare(spec, [one]).then(() => expect.fail("was not refused"), (cause: unknown) => cause);
    expect(scene.asked().filter((request) => /^(PUT|DELETE) /.test(request))).toEqual([]);
    return error as { code: string; message: string; details: Record<string, unknown> };
  };

  it("does not make a bucket unasked", async () => {
    expect((await refused(scene.spec({ bucket: "oidc" }))).code).toBe("BUCKET_MISSING");
  });

  it("says which region the bucket is in", async () => {
    makeBucket("oidc", scene.aws.state.account, "ap-southeast-2");
    const error = await refused(scene.spec({ bucket: "oidc" }));
    expect([error.code, error.message]).toEqual(["BUCKET_REGION", expect.stringContaining("ap-southeast-2")]);
  });

  it("never writes into a bucket of another account", async () => {
    makeBucket("oidc", "999999999999");
    expect((await refused(scene.spec(CREATE))).code).toBe("BUCKET_FOREIGN_OWNER");
  });

  it("names the permission that is missing, and does not take it for a foreign bucket", async () => {
    scene.aws.state.denyActions.add("s3:ListBucket");
    makeBucket();
    const error = await refused(scene.spec({ bucket: "oidc" }));
    expect([error.code, error.details["action"]]).toEqual(["AWS_ACCESS_DENIED", "s3:ListBucket"]);
  });

  it("does not let a statement of somebody else become public", async () => {
    makeBucket().policy = JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::oidc/*" }] });
    expect((await refused(scene.spec({ bucket: "oidc" }))).code).toBe("BUCKET_WOULD_BECOME_PUBLIC");
  });

  it("counts the bytes of the policy before S3 does", async () => {
    makeBucket().policy = JSON.stringify({ Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: `arn:aws:s3:::oidc/${"x".repeat(20_300)}` }] });
    expect((await refused(scene.spec({ bucket: "oidc" }))).code).toBe("POLICY_TOO_LARGE");
  });

  it("explains a block of the whole account, with what is done and what is not", async () => {
    scene.aws.state.accountPublicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
    makeBucket().publicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
    const { error, data } = await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    expect(error?.code).toBe("PARTLY_APPLIED");
    expect(error?.details["problems"]).toMatchObject([{ code: "PUBLIC_ACCESS_BLOCKED" }]);
    expect(data.steps.find((step) => step.status === "failed")?.id).toBe("s3.policy/oidc");
  });

  it("says that the name of a bucket is taken", async () => {
    const prepared = await scene.prepare(scene.spec(CREATE), [one]);
    makeBucket("oidc", "999999999999");
    await expect(prepared.connection.perform(prepared.planned.plan.steps[0] ?? expect.fail("no step"))).rejects.toMatchObject({ code: "BUCKET_FOREIGN_OWNER" });
  });
});

it("takes a document that does not match its checksum for an answer that cannot be used, not for a defect", async () => {
  await scene.publish(scene.spec(CREATE), [one]);
  const jwks = bucketOf().objects.get("openid/v1/jwks") ?? expect.fail("no key set");
  bucketOf().objects.set(jwks.key, { ...jwks, body: Buffer.from("{}") });
  await expect(scene.prepare(scene.spec(CREATE), [one])).rejects.toMatchObject({ code: "AWS_UNREACHABLE", exit: 4 });
});

describe("teardown of a bucket", () => {
  const find = (issuer = scene.sandbox.issuerUrl, flags = {}) => s3Store.findPlace(scene.world, { flags, entry: {}, config: null, cwd: "/", env: {} }, issuer);
  const remove = async (spec: S3Spec, deletePlace: boolean) => {
    const connection = await s3Store.connect(scene.world, spec);
    const { steps, leftBehind } = await connection.planRemoval({ deletePlace });
    const outcome = await applyPlan({ steps }, { perform: (step) => connection.perform(step), resume: "" });
    return { ids: steps.map((step) => step.id), leftBehind: leftBehind.map(({ code }) => code), error: outcome.error };
  };

  it("finds the place by our statement, without any flag, and removes all of it in the safe order", async () => {
    makeBucket("other");
    await scene.publish(scene.spec(CREATE), [one]);
    const spec = (await find()) ?? expect.fail("nothing found");
    expect(spec).toMatchObject({ bucket: "oidc", region: "eu-west-1", prefix: "" });
    expect(await remove(spec, true)).toEqual({ ids: ["s3.discovery/oidc", "s3.jwks/oidc", "s3.policy/oidc", "s3.bucket/oidc"], leftBehind: [], error: null });
    expect([...scene.aws.state.buckets.keys()]).toEqual(["other"]);
    expect(await find()).toBeNull();
  });

  it("believes the config's entry about the bucket's region, whatever --region says of the cloud", async () => {
    const input = { flags: { region: "us-east-1" }, entry: { bucket: "oidc", region: "eu-west-1" }, config: null, cwd: "/", env: {} };
    expect(await s3Store.findPlace(scene.world, input, scene.sandbox.issuerUrl)).toMatchObject({ bucket: "oidc", region: "eu-west-1" });
  });

  it("keeps the bucket unless asked, and its other statements", async () => {
    const front = scene.sandbox.issuerUrl;
    await scene.publish(scene.spec({ ...CREATE, prefix: "prod" }, `${front}/prod`), [one]);
    await scene.publish(scene.spec({ bucket: "oidc", prefix: "dev" }, `${front}/dev`), [two]);
    const removed = await remove((await find(`${front}/dev`)) ?? expect.fail("nothing found"), true);
    expect([removed.ids, removed.leftBehind]).toEqual([["s3.discovery/oidc", "s3.jwks/oidc", "s3.policy/oidc"], ["BUCKET_NOT_EMPTY"]]);
    expect(policyOf().Statement).toHaveLength(1);
    expect([...bucketOf().objects.keys()].sort()).toEqual(["prod/.well-known/openid-configuration", "prod/openid/v1/jwks"]);
  });

  it("finishes a teardown that was cut short, finding the bucket by its tags", async () => {
    await scene.publish(scene.spec(CREATE), [one]);
    bucketOf().objects.clear();
    bucketOf().policy = null;
    expect((await remove((await find()) ?? expect.fail("nothing found"), true)).ids).toEqual(["s3.bucket/oidc"]);
  });

  it("finishes one that was cut short in somebody else's bucket, finding our statement when it is all that is left", async () => {
    makeBucket();
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    bucketOf().objects.clear();
    expect((await remove((await find()) ?? expect.fail("nothing found"), false)).ids).toEqual(["s3.policy/oidc"]);
    expect(await find()).toBeNull();
  });

  it("deletes neither an unmarked bucket nor an unmarked document, and says so", async () => {
    const bucket = makeBucket();
    await scene.publish(scene.spec({ bucket: "oidc" }), [one]);
    const jwks = bucket.objects.get("openid/v1/jwks") ?? expect.fail("no key set");
    const { "x-amz-meta-kubeassume-managed-by": _mark, ...headers } = jwks.headers;
    bucket.objects.set(jwks.key, { ...jwks, headers });
    const removed = await remove(scene.spec({ bucket: "oidc" }), true);
    expect([removed.ids, removed.leftBehind]).toEqual([["s3.discovery/oidc"], ["BUCKET_NOT_OURS", "BUCKET_NOT_OURS"]]);
    expect([...bucket.objects.keys()]).toEqual(["openid/v1/jwks"]);
  });

  it("finds nothing where nothing is", async () => {
    makeBucket();
    expect(await find()).toBeNull();
    expect(await remove(scene.spec({ bucket: "gone" }), true)).toEqual({ ids: [], leftBehind: [], error: null });
  });
});
