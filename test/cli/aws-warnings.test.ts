import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type JsonDocument, type Scene, startScene } from "../support/scene.ts";

let scene: Scene;
const from = (): readonly string[] => ["--issuer-url", scene.issuer];
const codesOf = (document: JsonDocument): readonly string[] => document.warnings.map((warning) => warning.code);

/** Each test stands on those before it. */
beforeAll(async () => {
  scene = await startScene();
  const { exit, stderr } = await scene.run(["publish", "s3", ...from(), "--bucket", "oidc", "--create-bucket"]);
  expect(exit, stderr).toBe(0);
});
afterAll(() => scene.close());

describe("what is odd at AWS is said and stops nothing", () => {
  it("publishes to a store that does not know a setting", async () => {
    scene.breakWith((_, call) => (call.action.endsWith("?ownershipControls") ? { kind: "status", when: "before", status: 501, body: "<Error><Code>NotImplemented</Code><Message>x</Message></Error>" } : null));
    const { ran, document } = await scene.runJson(["publish", "s3", ...from(), "--bucket", "oidc"]);
    scene.breakWith(null);
    expect(ran.exit, ran.stderr).toBe(0);
    expect(document.warnings.find((warning) => warning.code === "BUCKET_SETTING_UNSUPPORTED")?.message).toContain("bucket oidc");
  });

  it("names the object ownership of a bucket that somebody else made with ACLs", async () => {
    const bucket = scene.aws.state.buckets.get("oidc");
    expect(bucket).toBeDefined();
    if (bucket === undefined) return;
    Object.assign(bucket, { ownership: "ObjectWriter", tags: [] });
    const { ran, document } = await scene.runJson(["publish", "s3", ...from(), "--bucket", "oidc"]);
    expect(ran.exit, ran.stderr).toBe(0);
    expect(codesOf(document)).toContain("BUCKET_ACLS_USED");
  });

  it("grants for an audience that the provider does not take, and says so", async () => {
    expect((await scene.run(["setup", "aws", ...from()])).exit).toBe(0);
    const { ran, document } = await scene.runJson(["grant", "aws", ...from(), "--service-account", "demo/app", "--role-name", "app", "--audience", "vault"]);
    expect(ran.exit, ran.stderr).toBe(0);
    expect(document.warnings.find((warning) => warning.code === "AWS_AUDIENCE_NOT_REGISTERED")?.message).toMatch(/does not accept vault$/);
  });
});

describe("a trust policy that cannot be read", () => {
  it("is refused before any write, and stays as it is", async () => {
    const role = [...scene.aws.state.roles.values()][0];
    if (role === undefined) throw new Error("there is no role");
    role.assumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: "none" });
    scene.forget();
    const { ran, document } = await scene.runJson(["grant", "aws", ...from(), "--service-account", "demo/app", "--role-name", "app"]);
    expect(ran.exit, ran.stderr).toBe(4);
    expect(document.error).toMatchObject({ code: "AWS_TRUST_POLICY_UNREADABLE", message: expect.stringContaining("role/kubeassume/app") as string });
    expect(scene.writes()).toEqual([]);
  });
});
