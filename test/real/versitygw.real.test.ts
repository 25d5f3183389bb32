import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { refusalOf, toAwsClients } from "./support/aws-clients.ts";
import { cannotRun } from "./support/cache.ts";
import { call } from "./support/http.ts";
import { startIssuer } from "./support/issuer.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { startVersityGw } from "./support/versitygw.ts";
import type { VersityGw } from "./support/versitygw.ts";

const PUBLISHED = ["prod/.well-known/openid-configuration", "prod/openid/v1/jwks"];
const BUCKET = "acme-oidc";

describe.skipIf(await cannotRun("versitygw"))("a real S3 server", () => {
  const running = stoppedAfterAll();
  let gateway: VersityGw;
  let s3: S3Client;

  const put = async (Key: string, Body: string, condition: { IfMatch?: string; IfNoneMatch?: string } = {}): Promise<string> => {
    const object = { Bucket: BUCKET, Key, Body, ContentType: "application/json", CacheControl: "max-age=60" };
    return (await s3.send(new PutObjectCommand({ ...object, ...condition }))).ETag ?? "";
  };
  const putPolicy = (statement: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", ...statement }] });
    return s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
  };
  const stranger = async (method: string, path: string): Promise<number> =>
    (await call(`${gateway.url}/${BUCKET}/${path}`, { method })).status;

  beforeAll(async () => {
    gateway = await running(startVersityGw());
    s3 = toAwsClients({ endpoint: gateway.url, region: gateway.region, credentials: gateway.credentials }).s3;
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    for (const key of [...PUBLISHED, "prod/private.json", "prod/openid/v1/jwks.bak"]) await put(key, `{"key":"${key}"}`);
  });

  it("lets no stranger read anything without a policy", async () => {
    for (const key of PUBLISHED) expect(await stranger("GET", key)).toBe(403);
  });

  it("lets strangers read exactly the two objects that the policy names", async () => {
    await putPolicy({ Sid: "Published", Action: "s3:GetObject", Resource: PUBLISHED.map((key) => `arn:aws:s3:::${BUCKET}/${key}`) });

    for (const key of PUBLISHED) {
      const answer = await call(`${gateway.url}/${BUCKET}/${key}`);
      expect(answer).toMatchObject({ status: 200, text: `{"key":"${key}"}` });
      expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "max-age=60" });
    }
    expect(await stranger("GET", "prod/private.json")).toBe(403);
    expect(await stranger("GET", "prod/openid/v1/jwks.bak")).toBe(403);
    expect(await stranger("GET", "")).toBe(403);
    for (const method of ["PUT", "DELETE"]) expect(await stranger(method, PUBLISHED[0] ?? "")).toBe(403);
  });

  it("is an issuer behind a TLS gateway, with the headers of the store and without what is not published", async () => {
    const issuer = await running(startIssuer({ upstream: `${gateway.url}/${BUCKET}`, path: "/prod" }));
    const answer = await call(`${issuer.url}/openid/v1/jwks`, { caPem: issuer.caPem });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "max-age=60" });
    expect((await call(`${issuer.url}/private.json`, { caPem: issuer.caPem })).status).toBe(403);
  });

  it("refuses a policy that names another bucket's objects", async () => {
    const sending = putPolicy({ Action: "s3:GetObject", Resource: "arn:aws:s3:::other/x" });
    expect(await refusalOf(sending)).toEqual({ code: "MalformedPolicy", status: 400 });
  });

  it("writes only when the object is what the writer read", async () => {
    const first = await put("race", "1", { IfNoneMatch: "*" });
    expect(await refusalOf(put("race", "2", { IfNoneMatch: "*" }))).toEqual({ code: "PreconditionFailed", status: 412 });
    await put("race", "2", { IfMatch: first });
    expect(await refusalOf(put("race", "3", { IfMatch: first }))).toEqual({ code: "PreconditionFailed", status: 412 });
  });
});
