import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, TestGcp } from "./support/start.ts";

const POOLS = "/v1/projects/kubeassume-sandbox/locations/global/workloadIdentityPools";
const PROVIDERS = `${POOLS}/prod/providers`;
const NAME = "projects/123456789012/locations/global/workloadIdentityPools/prod/providers/kubernetes";
const RSA = { kty: "RSA", alg: "RS256", use: "sig", kid: "one", n: "sXch", e: "AQAB" };
const EC = { kty: "EC", alg: "ES256", use: "sig", kid: "two", crv: "P-256", x: "abc", y: "def" };
const PLAIN = { attributeMapping: { "google.subject": "assertion.sub" }, oidc: { issuerUri: "https://issuer.example/prod" } };

let gcp: TestGcp;

beforeAll(async () => {
  gcp = await startTestGcp();
});
afterAll(() => gcp.stop());
beforeEach(async () => {
  gcp.state.pools.clear();
  gcp.state.providers.clear();
  await gcp.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, {});
});

const create = (body: unknown, id = "kubernetes"): Promise<Answer> => gcp.call("iam", "POST", `${PROVIDERS}?workloadIdentityPoolProviderId=${id}`, body);
const get = (): Promise<Answer> => gcp.call("iam", "GET", `${PROVIDERS}/kubernetes`);
const patch = (mask: string, body: unknown): Promise<Answer> => gcp.call("iam", "PATCH", `${PROVIDERS}/kubernetes?updateMask=${mask}`, body);
const withOidc = (more: unknown): unknown => ({ ...PLAIN, oidc: { ...PLAIN.oidc, ...(more as object) } });
const withKeys = (keys: unknown): unknown => withOidc({ jwksJson: JSON.stringify({ keys }) });

describe("a provider", () => {
  it("is created as given, under the project's number, with its own kind of operation", async () => {
    const body = { ...PLAIN, displayName: "Kubernetes", description: "d", attributeCondition: "assertion.sub != ''", oidc: { ...PLAIN.oidc, allowedAudiences: ["a", "b"] } };
    const { json } = await create(body);
    expect(json["name"]).toMatch(new RegExp(`^${NAME}/operations/`));
    expect(json).toMatchObject({ done: true, response: { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolProvider", name: NAME } });
    expect((await get()).json).toEqual({ name: NAME, state: "ACTIVE", ...body });
    expect((await gcp.call("iam", "GET", `/v1/${String(json["name"])}`)).json).toEqual(json);
  });

  it.each([
    ["no mapping", { oidc: PLAIN.oidc }],
    ["no google.subject", { ...PLAIN, attributeMapping: { "attribute.x": "assertion.sub" } }],
    ["a key of another kind", { ...PLAIN, attributeMapping: { ...PLAIN.attributeMapping, "custom.x": "assertion.sub" } }],
    ["an attribute in capitals", { ...PLAIN, attributeMapping: { ...PLAIN.attributeMapping, "attribute.NS": "assertion.sub" } }],
    ["a key of 101 characters", { ...PLAIN, attributeMapping: { ...PLAIN.attributeMapping, [`attribute.${"x".repeat(91)}`]: "assertion.sub" } }],
    ["51 attributes", { ...PLAIN, attributeMapping: { ...PLAIN.attributeMapping, ...Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`attribute.a${index}`, "assertion.sub"])) } }],
    ["an expression of 2,049 characters", { ...PLAIN, attributeMapping: { "google.subject": `assertion.sub + '${"x".repeat(2033)}'` } }],
    ["an empty expression", { ...PLAIN, attributeMapping: { "google.subject": "" } }],
    ["an expression that is no CEL", { ...PLAIN, attributeMapping: { "google.subject": "assertion.sub +" } }],
    ["a mapping from what does not exist", { ...PLAIN, attributeMapping: { "google.subject": "token.sub" } }],
    ["a condition that is no CEL", { ...PLAIN, attributeCondition: "assertion.sub ==" }],
    ["a condition of 4,097 characters", { ...PLAIN, attributeCondition: `assertion.sub == '${"x".repeat(4078)}'` }],
    ["no issuer", { ...PLAIN, oidc: {} }],
    ["an issuer over http", withOidc({ issuerUri: "http://issuer.example" })],
    ["an issuer with a query", withOidc({ issuerUri: "https://issuer.example/?a=b" })],
    ["eleven audiences", withOidc({ allowedAudiences: Array.from({ length: 11 }, (_, index) => `a${index}`) })],
    ["an audience of 257 characters", withOidc({ allowedAudiences: ["x".repeat(257)] })],
    ["an empty audience", withOidc({ allowedAudiences: [""] })],
    ["a display name of 33 characters", { ...PLAIN, displayName: "x".repeat(33) }],
    ["an AWS provider", { ...PLAIN, aws: { accountId: "123456789012" } }],
  ])("is refused with %s", async (_, body) => {
    expect(refusalIn(await create(body)).status).toBe("INVALID_ARGUMENT");
    expect(gcp.state.providers.size).toBe(0);
  });

  it("takes bounds exactly", async () => {
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`attribute.a${index}`, "assertion.sub"]));
    const audiences = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(256));
    expect((await create({ ...PLAIN, attributeMapping: { ...PLAIN.attributeMapping, ...attributes }, oidc: { ...PLAIN.oidc, allowedAudiences: audiences } })).status).toBe(200);
  });

  it("says where a condition does not compile", async () => {
    expect(refusalIn(await create({ ...PLAIN, attributeCondition: "assertion.sub == 'x'\n&& ]" })).message).toContain("<input>:2:");
  });

  it("needs an active pool", async () => {
    expect(refusalIn(await gcp.call("iam", "POST", `${POOLS}/nowhere/providers?workloadIdentityPoolProviderId=kubernetes`, PLAIN)).status).toBe("NOT_FOUND");
    await gcp.call("iam", "DELETE", `${POOLS}/prod`);
    expect(refusalIn(await create(PLAIN)).status).toBe("FAILED_PRECONDITION");
  });

  it("exists once, also while it is deleted, and comes back with everything", async () => {
    await create({ ...PLAIN, description: "kept" });
    expect(refusalIn(await create(PLAIN)).status).toBe("ALREADY_EXISTS");
    await gcp.call("iam", "DELETE", `${PROVIDERS}/kubernetes`);
    expect(refusalIn(await create(PLAIN)).status).toBe("ALREADY_EXISTS");
    expect((await get()).json).toMatchObject({ state: "DELETED" });
    expect((await gcp.call("iam", "GET", PROVIDERS)).json).toEqual({});
    expect((await gcp.call("iam", "GET", `${PROVIDERS}?showDeleted=true`)).json).toMatchObject({ workloadIdentityPoolProviders: [{ state: "DELETED" }] });
    await gcp.call("iam", "POST", `${PROVIDERS}/kubernetes:undelete`, {});
    expect((await get()).json).toEqual({ name: NAME, state: "ACTIVE", description: "kept", ...PLAIN });
  });

  it("is changed in exactly the fields of the mask, members of oidc one by one", async () => {
    await create({ ...PLAIN, description: "old", oidc: { ...PLAIN.oidc, allowedAudiences: ["a"] } });
    await patch("oidc.allowed_audiences,attributeCondition", { description: "not named", attributeCondition: "true", oidc: { allowedAudiences: ["b"], issuerUri: "https://not.named" } });
    expect((await get()).json).toMatchObject({ description: "old", attributeCondition: "true", oidc: { issuerUri: PLAIN.oidc.issuerUri, allowedAudiences: ["b"] } });
    await patch("oidc", { oidc: { issuerUri: "https://other.example" } });
    expect((await get()).json["oidc"]).toEqual({ issuerUri: "https://other.example" });
  });

  it("keeps what it must have, whatever the mask", async () => {
    await create(PLAIN);
    expect(refusalIn(await patch("attributeMapping", {})).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await patch("oidc.issuerUri", {})).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await patch("oidc.issuer", { oidc: { issuerUri: "https://x.example" } })).status).toBe("INVALID_ARGUMENT");
    expect(refusalIn(await patch("state", {})).status).toBe("INVALID_ARGUMENT");
    expect((await get()).json).toEqual({ name: NAME, state: "ACTIVE", ...PLAIN });
  });
});

describe("uploaded keys", () => {
  it("are answered formatted anew, with the same content", async () => {
    const text = `{"keys":[${JSON.stringify(RSA)},${JSON.stringify(EC)}]}`;
    await create(withOidc({ jwksJson: text }));
    const { jwksJson } = (await get()).json["oidc"] as { readonly jwksJson: string };
    expect(jwksJson).not.toBe(text);
    expect(JSON.parse(jwksJson)).toEqual({ keys: [RSA, EC] });
  });

  it("are replaced as a whole, and taken away by an empty text", async () => {
    await create(withKeys([RSA]));
    await patch("oidc.jwks_json", { oidc: { jwksJson: JSON.stringify({ keys: [EC] }) } });
    expect(JSON.parse(((await get()).json["oidc"] as { readonly jwksJson: string }).jwksJson)).toEqual({ keys: [EC] });
    await patch("oidc.jwksJson", { oidc: {} });
    expect((await get()).json["oidc"]).toEqual(PLAIN.oidc);
  });

  it.each([
    ["no JSON", withOidc({ jwksJson: "keys" })],
    ["no key set", withOidc({ jwksJson: JSON.stringify(RSA) })],
    ["a certificate in a key", withKeys([{ ...RSA, x5c: ["MII"] }])],
    ["a certificate's thumbprint in a key", withKeys([{ ...RSA, x5t: "abc" }])],
    ["key_ops", withKeys([{ ...RSA, key_ops: ["verify"] }])],
    ["another kind of key", withKeys([{ kty: "OKP", crv: "Ed25519", x: "abc", kid: "three" }])],
    ["a symmetric key", withKeys([{ kty: "oct", k: "c2VjcmV0", kid: "four" }])],
    ["half a key", withKeys([{ kty: "RSA", kid: "one", n: "sXch" }])],
    ["a member of another type", withKeys([{ ...RSA, use: ["sig"] }])],
    ["a member beside the keys", withOidc({ jwksJson: JSON.stringify({ keys: [RSA], issuer: "x" }) })],
  ])("are refused as %s", async (_, body) => {
    expect(refusalIn(await create(body))).toMatchObject({ status: "INVALID_ARGUMENT", message: expect.stringContaining("not in a valid json format") as string });
  });

  it("may have the members that are documented, and none besides", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 8 }), async (name) => {
        gcp.state.providers.clear();
        const known = ["kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"].includes(name);
        expect((await create(withKeys([{ [name]: "x", ...RSA }]))).status, name).toBe(known ? 200 : 400);
      }),
      { numRuns: 40 },
    );
  });
});

itConforms(() => gcp);
