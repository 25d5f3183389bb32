import * as s3 from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBucket } from "../../../../../src/federation/clouds/aws/sandbox/index.ts";
import { itConforms, refusalOf, REGION, startTestAws } from "./support/start.ts";
import type { TestAws } from "./support/start.ts";

const OWNER = "123456789012";

let aws: TestAws;
let count = 0;

beforeAll(async () => {
  aws = await startTestAws();
});

afterAll(() => aws.stop());

function inRegion(region: string): s3.S3Client {
  return aws.clients(aws.credentials, region).s3;
}

async function createNew(): Promise<string> {
  count += 1;
  const Bucket = `bucket-${count}`;
  await aws.s3.send(new s3.CreateBucketCommand({ Bucket }));
  return Bucket;
}

/** At the endpoint of us-east-1. */
function createIn(Bucket: string, LocationConstraint: string): Promise<unknown> {
  const CreateBucketConfiguration = { LocationConstraint: LocationConstraint as s3.BucketLocationConstraint };
  return inRegion("us-east-1").send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
}

/** The SDK fills in its own region when no constraint is given, so this removes it again. */
function withoutConstraint(region: string, Bucket: string): Promise<unknown> {
  const client = inRegion(region);
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.input, { CreateBucketConfiguration: undefined });
      return next(args);
    },
    { step: "initialize", priority: "low" },
  );
  return client.send(new s3.CreateBucketCommand({ Bucket }));
}

describe("a bucket's region", () => {
  it("is us-east-1 without a constraint at that endpoint, and is answered as none", async () => {
    const client = inRegion("us-east-1");
    expect(await client.send(new s3.CreateBucketCommand({ Bucket: "home" }))).toMatchObject({ Location: "/home" });
    expect((await client.send(new s3.GetBucketLocationCommand({ Bucket: "home" }))).LocationConstraint).toBeUndefined();
  });

  it("is the endpoint's own elsewhere", async () => {
    const Bucket = await createNew();
    expect((await aws.s3.send(new s3.GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe(REGION);
    expect((await aws.s3.send(new s3.HeadBucketCommand({ Bucket }))).BucketRegion).toBe(REGION);
  });

  it("may be any at the endpoint of us-east-1, but not that one by name", async () => {
    await createIn("far-away", "ap-southeast-2");
    expect(aws.state.buckets.get("far-away")?.region).toBe("ap-southeast-2");
    expect(await refusalOf(createIn("nowhere", "us-east-1"))).toMatchObject({ code: "InvalidLocationConstraint", status: 400 });
  });

  it("cannot be another at a regional endpoint, nor be left out", async () => {
    const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" as const };
    expect(await refusalOf(aws.s3.send(new s3.CreateBucketCommand({ Bucket: "elsewhere", CreateBucketConfiguration })))).toEqual({
      code: "IllegalLocationConstraintException",
      status: 400,
      message: "The eu-central-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
    });
    expect((await refusalOf(withoutConstraint(REGION, "unsaid"))).message).toContain("The unspecified location constraint is incompatible");
  });

  it("is where requests must go: another endpoint redirects and names it", async () => {
    const Bucket = await createNew();
    const client = inRegion("eu-central-1");
    expect(await refusalOf(client.send(new s3.GetBucketPolicyCommand({ Bucket })))).toMatchObject({ code: "PermanentRedirect", status: 301 });
    expect((await refusalOf(client.send(new s3.HeadBucketCommand({ Bucket })))).status).toBe(301);
    expect(aws.exchanges.at(-1)?.answer.headers["x-amz-bucket-region"]).toBe(REGION);
  });
});

describe("a bucket's name", () => {
  it("that is one's own is refused again, except in us-east-1", async () => {
    const Bucket = await createNew();
    expect(await refusalOf(aws.s3.send(new s3.CreateBucketCommand({ Bucket })))).toMatchObject({ code: "BucketAlreadyOwnedByYou", status: 409 });
    const client = inRegion("us-east-1");
    await client.send(new s3.CreateBucketCommand({ Bucket: "again" }));
    await client.send(new s3.CreateBucketCommand({ Bucket: "again" }));
  });

  it("that is somebody else's is taken", async () => {
    aws.state.buckets.set("taken", newBucket("taken", REGION, "210987654321", new Date()));
    expect(await refusalOf(aws.s3.send(new s3.CreateBucketCommand({ Bucket: "taken" })))).toMatchObject({ code: "BucketAlreadyExists", status: 409 });
  });

  it.each(["UPPER", "ab", "two..dots", "192.168.0.1", "-dash", "xn--x"])("%s is refused", async (Bucket) => {
    expect((await refusalOf(aws.s3.send(new s3.CreateBucketCommand({ Bucket })))).code).toBe("InvalidBucketName");
  });

  it("that nobody has is not found", async () => {
    const refusal = await refusalOf(aws.s3.send(new s3.ListObjectsV2Command({ Bucket: "nobodys" })));
    expect(refusal).toEqual({ code: "NoSuchBucket", status: 404, message: "The specified bucket does not exist" });
    expect((await refusalOf(aws.s3.send(new s3.HeadBucketCommand({ Bucket: "nobodys" })))).status).toBe(404);
  });

  it("may stand before the host name", async () => {
    const Bucket = await createNew();
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      request(`${aws.urls.s3}/key`, { headers: { host: `${Bucket}.s3.${REGION}.amazonaws.com` } }, (answer) => resolve(answer.resume().statusCode)).end();
    });
    expect(status).toBe(403);
    expect(aws.exchanges.at(-1)?.answer.body.toString()).toContain("AccessDenied");
  });
});

describe("a new bucket", () => {
  // Since April 2023 (S3 User Guide).
  it("has ACLs off and everything public blocked", async () => {
    const Bucket = await createNew();
    const { OwnershipControls } = await aws.s3.send(new s3.GetBucketOwnershipControlsCommand({ Bucket }));
    expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
    const { PublicAccessBlockConfiguration } = await aws.s3.send(new s3.GetPublicAccessBlockCommand({ Bucket }));
    expect(PublicAccessBlockConfiguration).toEqual({ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true });
  });

  it("has no policy and no tags", async () => {
    const Bucket = await createNew();
    expect(await refusalOf(aws.s3.send(new s3.GetBucketPolicyCommand({ Bucket })))).toMatchObject({ code: "NoSuchBucketPolicy", status: 404 });
    expect(await refusalOf(aws.s3.send(new s3.GetBucketTaggingCommand({ Bucket })))).toMatchObject({ code: "NoSuchTagSet", status: 404 });
  });

  it("is listed with its region, and for its owner only", async () => {
    const Bucket = await createNew();
    aws.state.buckets.set("not-mine", newBucket("not-mine", REGION, "210987654321", new Date()));
    const { Buckets } = await aws.s3.send(new s3.ListBucketsCommand({}));
    expect(Buckets?.find(({ Name }) => Name === Bucket)).toMatchObject({ BucketRegion: REGION });
    expect(Buckets?.map(({ Name }) => Name)).not.toContain("not-mine");
  });

  it("cannot be made with a public ACL", async () => {
    const create = new s3.CreateBucketCommand({ Bucket: "public-acl", ACL: "public-read" });
    expect((await refusalOf(aws.s3.send(create))).code).toBe("InvalidBucketAclWithObjectOwnership");
  });
});

describe("settings", () => {
  it("are kept and read back", async () => {
    const Bucket = await createNew();
    const PublicAccessBlockConfiguration = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
    await aws.s3.send(new s3.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    await aws.s3.send(new s3.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] } }));
    await aws.s3.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }] } }));
    expect((await aws.s3.send(new s3.GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration).toEqual(PublicAccessBlockConfiguration);
    expect((await aws.s3.send(new s3.GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "ObjectWriter" }]);
    expect((await aws.s3.send(new s3.GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: "kubeassume.dev/managed-by", Value: "kubeassume" }]);
    await aws.s3.send(new s3.DeletePublicAccessBlockCommand({ Bucket }));
    expect((await refusalOf(aws.s3.send(new s3.GetPublicAccessBlockCommand({ Bucket })))).code).toBe("NoSuchPublicAccessBlockConfiguration");
  });

  it("refuse tags with a key twice or reserved", async () => {
    const Bucket = await createNew();
    const put = (TagSet: s3.Tag[]): Promise<unknown> => aws.s3.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    expect((await refusalOf(put([{ Key: "a", Value: "1" }, { Key: "a", Value: "2" }]))).code).toBe("InvalidTag");
    expect((await refusalOf(put([{ Key: "aws:a", Value: "1" }]))).code).toBe("InvalidTag");
  });

  it("must come with a checksum", async () => {
    const Bucket = await createNew();
    const client = aws.clients(aws.credentials).s3;
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string> };
        request.headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !/^(x-amz-checksum-|content-md5)/i.test(name)));
        return next(args);
      },
      { step: "build", priority: "low" },
    );
    const put = new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [] } });
    expect(await refusalOf(client.send(put))).toMatchObject({ code: "InvalidRequest", status: 400 });
  });
});

describe("the owner that a caller expects", () => {
  it("must be the bucket's", async () => {
    const Bucket = await createNew();
    await aws.s3.send(new s3.HeadBucketCommand({ Bucket, ExpectedBucketOwner: OWNER }));
    const other = { Bucket, ExpectedBucketOwner: "210987654321" };
    expect(await refusalOf(aws.s3.send(new s3.GetBucketPolicyCommand(other)))).toEqual({ code: "AccessDenied", status: 403, message: "Access Denied" });
    expect(await refusalOf(aws.s3.send(new s3.PutObjectCommand({ ...other, Key: "k", Body: "x" })))).toMatchObject({ code: "AccessDenied" });
    expect((await refusalOf(aws.s3.send(new s3.HeadBucketCommand(other)))).status).toBe(403);
  });
});

describe("deleting a bucket", () => {
  it("needs it to be empty", async () => {
    const Bucket = await createNew();
    await aws.s3.send(new s3.PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    expect(await refusalOf(aws.s3.send(new s3.DeleteBucketCommand({ Bucket })))).toMatchObject({ code: "BucketNotEmpty", status: 409 });
    await aws.s3.send(new s3.DeleteObjectCommand({ Bucket, Key: "k" }));
    await aws.s3.send(new s3.DeleteBucketCommand({ Bucket }));
    expect((await refusalOf(aws.s3.send(new s3.HeadBucketCommand({ Bucket })))).status).toBe(404);
  });
});

it("refuses what it leaves out of S3 instead of ignoring it", async () => {
  const Bucket = await createNew();
  const put = new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  expect(await refusalOf(aws.s3.send(put))).toMatchObject({ code: "NotImplemented", status: 501 });
  const tagged = new s3.PutObjectCommand({ Bucket, Key: "k", Body: "x", Tagging: "a=b" });
  expect((await refusalOf(aws.s3.send(tagged))).code).toBe("NotImplemented");
});

itConforms(() => aws);
