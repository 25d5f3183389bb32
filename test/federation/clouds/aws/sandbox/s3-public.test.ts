import * as s3 from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itConforms, refusalOf, startTestAws } from "./support/start.ts";
import type { TestAws } from "./support/start.ts";

const KEY = "prod/.well-known/openid-configuration";

let aws: TestAws;
let count = 0;

beforeAll(async () => {
  aws = await startTestAws();
});

afterAll(() => aws.stop());

type Statement = Readonly<Record<string, unknown>>;

function policy(Bucket: string, statement: Statement = {}): string {
  const base = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/${KEY}` };
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ ...base, ...statement }] });
}

function putPolicy(Bucket: string, Policy: string): Promise<unknown> {
  return aws.s3.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
}

/** A bucket with two objects; with `open`, without the two flags that concern policies. */
async function createNew({ open = true } = {}): Promise<string> {
  count += 1;
  const Bucket = `public-${count}`;
  await aws.s3.send(new s3.CreateBucketCommand({ Bucket }));
  for (const Key of [KEY, "private"]) await aws.s3.send(new s3.PutObjectCommand({ Bucket, Key, Body: `{"is":"${Key}"}`, ContentType: "application/json" }));
  if (open) await block(Bucket, { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false });
  return Bucket;
}

function block(Bucket: string, PublicAccessBlockConfiguration: s3.PublicAccessBlockConfiguration): Promise<unknown> {
  return aws.s3.send(new s3.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
}

/** As a stranger reads it, directly and through the sandbox's TLS front. */
async function statuses(Bucket: string, key: string): Promise<readonly (number | undefined)[]> {
  const [direct, front] = await Promise.all([fetch(`${aws.urls.s3}/${Bucket}/${key}`), aws.readPublished(Bucket, key)]);
  return [direct.status, front?.status];
}

describe("Block Public Access", () => {
  it("refuses a public policy, in AWS's words", async () => {
    const Bucket = await createNew({ open: false });
    const message = `User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::${Bucket}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`;
    expect(await refusalOf(putPolicy(Bucket, policy(Bucket)))).toEqual({ code: "AccessDenied", status: 403, message });
  });

  it("lets a policy through that says who", async () => {
    const Bucket = await createNew({ open: false });
    await putPolicy(Bucket, policy(Bucket, { Principal: { AWS: "arn:aws:iam::210987654321:root" } }));
    await putPolicy(Bucket, policy(Bucket, { Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } } }));
    expect((await refusalOf(putPolicy(Bucket, policy(Bucket, { Condition: { StringLike: { "aws:SourceAccount": "12*" } } })))).code).toBe("AccessDenied");
    expect((await refusalOf(putPolicy(Bucket, policy(Bucket, { Condition: { Bool: { "aws:SecureTransport": "true" } } })))).code).toBe("AccessDenied");
  });

  it("takes strangers' access away again while RestrictPublicBuckets is on", async () => {
    const Bucket = await createNew();
    await putPolicy(Bucket, policy(Bucket));
    expect(await statuses(Bucket, KEY)).toEqual([200, 200]);
    await block(Bucket, { BlockPublicPolicy: false, RestrictPublicBuckets: true });
    expect(await statuses(Bucket, KEY)).toEqual([403, 403]);
  });

  it("of the account wins over the bucket's", async () => {
    const Bucket = await createNew();
    const before = aws.state.accountPublicAccessBlock;
    aws.state.accountPublicAccessBlock = { ...before, BlockPublicPolicy: true };
    const refusal = await refusalOf(putPolicy(Bucket, policy(Bucket)));
    aws.state.accountPublicAccessBlock = before;
    expect(refusal.code).toBe("AccessDenied");
  });
});

describe("a stranger", () => {
  it("reads exactly what the policy names", async () => {
    const Bucket = await createNew();
    expect(await statuses(Bucket, KEY)).toEqual([403, 403]);
    await putPolicy(Bucket, policy(Bucket));
    expect(await statuses(Bucket, KEY)).toEqual([200, 200]);
    expect(await statuses(Bucket, "private")).toEqual([403, 403]);
  });

  it("gets the object with its headers", async () => {
    const Bucket = await createNew();
    await putPolicy(Bucket, policy(Bucket));
    const answer = await aws.readPublished(Bucket, KEY);
    expect(Buffer.from(answer?.body ?? []).toString()).toBe(`{"is":"${KEY}"}`);
    expect(answer?.headers["content-type"]).toBe("application/json");
    const head = await fetch(`${aws.urls.s3}/${Bucket}/${KEY}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(answer?.body.length)]);
  });

  it("learns whether an object exists only when it may list the bucket", async () => {
    const Bucket = await createNew();
    const resource = `arn:aws:s3:::${Bucket}`;
    await putPolicy(Bucket, policy(Bucket, { Resource: `${resource}/*` }));
    expect(await statuses(Bucket, "absent")).toEqual([403, 403]);
    await putPolicy(Bucket, policy(Bucket, { Action: ["s3:GetObject", "s3:ListBucket"], Resource: [resource, `${resource}/*`] }));
    expect(await statuses(Bucket, "absent")).toEqual([404, 404]);
  });

  it("is refused by an explicit deny, and by a condition that does not hold", async () => {
    const Bucket = await createNew();
    const allow = JSON.parse(policy(Bucket)) as { Statement: Statement[] };
    const deny = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: `arn:aws:s3:::${Bucket}/*`, Condition: { Bool: { "aws:SecureTransport": "false" } } };
    await putPolicy(Bucket, JSON.stringify({ ...allow, Statement: [...allow.Statement, deny] }));
    // The stand-in itself speaks plain HTTP; the front has TLS.
    expect(await statuses(Bucket, KEY)).toEqual([403, 200]);
  });

  it("may never write", async () => {
    const Bucket = await createNew();
    await putPolicy(Bucket, policy(Bucket, { Resource: `arn:aws:s3:::${Bucket}/*` }));
    const answer = await fetch(`${aws.urls.s3}/${Bucket}/${KEY}`, { method: "PUT", body: "x" });
    expect(answer.status).toBe(403);
    expect((await fetch(`${aws.urls.s3}/${Bucket}`, { method: "DELETE" })).status).toBe(403);
  });

  it("reads an object with a public ACL where ACLs are on and not ignored", async () => {
    const Bucket = await createNew();
    await aws.s3.send(new s3.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] } }));
    const put = (): Promise<unknown> => aws.s3.send(new s3.PutObjectCommand({ Bucket, Key: "acl", Body: "x", ACL: "public-read" }));
    expect((await refusalOf(put())).code).toBe("AccessDenied");
    await aws.s3.send(new s3.DeletePublicAccessBlockCommand({ Bucket }));
    await put();
    expect(await statuses(Bucket, "acl")).toEqual([200, 200]);
  });

  it("finds no bucket that is not there", async () => {
    expect(await aws.readPublished("absent-bucket", KEY)).toBeNull();
    expect((await fetch(`${aws.urls.s3}/absent-bucket/${KEY}`)).status).toBe(404);
  });
});

describe("a bucket policy", () => {
  it("is read back byte by byte, and can be deleted", async () => {
    const Bucket = await createNew();
    const text = policy(Bucket).replaceAll(",", " ,\n");
    await putPolicy(Bucket, text);
    expect((await aws.s3.send(new s3.GetBucketPolicyCommand({ Bucket }))).Policy).toBe(text);
    expect((await aws.s3.send(new s3.GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus).toEqual({ IsPublic: true });
    await aws.s3.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
    expect(await statuses(Bucket, KEY)).toEqual([403, 403]);
  });

  it.each([
    ["no JSON", () => "nonsense", "Policies must be valid JSON and the first byte must be '{'"],
    ["no statement", () => '{"Version":"2012-10-17"}', "Missing required field Statement"],
    ["no principal", (name: string) => policy(name, { Principal: undefined }), "Missing required field Principal"],
    ["another bucket's resource", (name: string) => policy(name, { Resource: "arn:aws:s3:::other/*" }), "Policy has invalid resource"],
    ["another service's action", (name: string) => policy(name, { Action: "iam:GetRole" }), "Policy has invalid action"],
    ["a principal of no kind", (name: string) => policy(name, { Principal: { Somebody: "x" } }), "Invalid principal in policy"],
    ["an unknown operator", (name: string) => policy(name, { Condition: { StringSame: { "aws:x": "y" } } }), "Invalid Condition type : StringSame"],
  ])("with %s is refused", async (_name, text, message) => {
    const Bucket = await createNew();
    expect(await refusalOf(putPolicy(Bucket, text(Bucket)))).toEqual({ code: "MalformedPolicy", status: 400, message });
  });
});

itConforms(() => aws);
