import { createHash, createPublicKey } from "node:crypto";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { JSONWebKeySet } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSandbox } from "../support.ts";
import type { Answer, TestSandbox } from "../support.ts";

const ACCOUNT = { namespace: "payments", name: "api" };
const PATH = "/api/v1/namespaces/payments/serviceaccounts/api/token";
const NOW = new Date("2026-11-23T10:20:30.900Z");
const SECONDS = Math.floor(NOW.getTime() / 1000);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let sandbox: TestSandbox;

beforeAll(async () => {
  // The certificates must be good for the real time: only tokens are of another one.
  let started = false;
  sandbox = await openSandbox({ now: () => (started ? NOW : new Date()) });
  sandbox.cluster.addServiceAccount(ACCOUNT);
  started = true;
});

afterAll(() => sandbox.end());

function requestToken(spec: unknown = {}, path = PATH): Promise<Answer> {
  return sandbox.call("POST", path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
}

function tokenOf(answer: Answer): string {
  return (answer.json as { status: { token: string } }).status.token;
}

async function readKeys(): Promise<JSONWebKeySet> {
  return (await sandbox.call("GET", "/openid/v1/jwks")).json as JSONWebKeySet;
}

describe("a token", () => {
  it("has the claims of Kubernetes, and verifies with the published keys", async () => {
    const answer = await requestToken({ audiences: ["sts.amazonaws.com"], expirationSeconds: 900 });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ kind: "TokenRequest", spec: { audiences: ["sts.amazonaws.com"], expirationSeconds: 900, boundObjectRef: null }, status: { expirationTimestamp: "2026-11-23T10:35:30Z" } });
    const { payload } = await jwtVerify(tokenOf(answer), createLocalJWKSet(await readKeys()), { issuer: sandbox.issuerUrl, audience: "sts.amazonaws.com", currentDate: NOW });
    expect(payload).toEqual({
      aud: ["sts.amazonaws.com"],
      exp: SECONDS + 900,
      iat: SECONDS,
      iss: sandbox.issuerUrl,
      jti: expect.stringMatching(UUID) as string,
      "kubernetes.io": { namespace: "payments", serviceaccount: { name: "api", uid: expect.stringMatching(UUID) as string } },
      nbf: SECONDS,
      sub: "system:serviceaccount:payments:api",
    });
    expect(Object.keys(payload)).toEqual(Object.keys(payload).toSorted());
  });

  it("names the uid that the account has", async () => {
    const account = sandbox.cluster.find("serviceaccounts", "payments", "api");
    expect(decodeJwt(tokenOf(await requestToken()))["kubernetes.io"]).toMatchObject({ serviceaccount: { uid: account?.metadata.uid } });
  });

  it("is for the API itself, for an hour, when nothing else is asked", async () => {
    const { aud, exp } = decodeJwt(tokenOf(await requestToken()));
    expect({ aud, exp }).toEqual({ aud: [sandbox.issuerUrl], exp: SECONDS + 3600 });
  });

  it("carries the key id that Kubernetes computes: the hash of the public key", async () => {
    const { keys } = await readKeys();
    const [jwk] = keys;
    const spki = createPublicKey({ key: jwk as never, format: "jwk" }).export({ type: "spki", format: "der" });
    const header = decodeProtectedHeader(tokenOf(await requestToken()));
    expect(header).toEqual({ alg: "RS256", kid: createHash("sha256").update(spki).digest("base64url") });
  });

  it("takes several audiences", async () => {
    expect(decodeJwt(tokenOf(await requestToken({ audiences: ["a", "b"] }))).aud).toEqual(["a", "b"]);
  });
});

describe("a token request is refused as Kubernetes refuses it", () => {
  const status = (code: number, reason: string, message: string | RegExp): object => ({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: typeof message === "string" ? message : (expect.stringMatching(message) as string) });
  const invalid = (field: string, words: string): string => `TokenRequest.authentication.k8s.io "" is invalid: ${field}: ${words}`;

  it.each([
    [599, "Invalid value: 599: may not specify a duration less than 10 minutes"],
    [0, "Invalid value: 0: may not specify a duration less than 10 minutes"],
    [2 ** 32 + 1, "Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds"],
  ])("for %d seconds", async (expirationSeconds, words) => {
    const answer = await requestToken({ expirationSeconds });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      ...status(422, "Invalid", invalid("spec.expirationSeconds", words)),
      details: { group: "authentication.k8s.io", kind: "TokenRequest", causes: [{ reason: "FieldValueInvalid", field: "spec.expirationSeconds", message: words }] },
    });
  });

  it.each([600, 2 ** 32])("but not for %d seconds", async (expirationSeconds) => {
    expect((await requestToken({ expirationSeconds })).status).toBe(201);
  });

  it("for an account that does not exist", async () => {
    const answer = await requestToken({}, PATH.replace("/api/token", "/none/token"));
    expect(answer.json).toMatchObject({ ...status(404, "NotFound", 'serviceaccounts "none" not found'), details: { name: "none", kind: "serviceaccounts" } });
  });

  it.each([
    [{ audiences: "a" }, /cannot unmarshal string into Go struct field TokenRequestSpec\.spec\.audiences of type \[\]string$/],
    [{ audiences: [1] }, /cannot unmarshal number 1 into Go struct field/],
    [{ expirationSeconds: "600" }, /cannot unmarshal string into Go struct field TokenRequestSpec\.spec\.expirationSeconds of type int64$/],
    [{ boundObjectRef: { kind: "Deployment", apiVersion: "apps/v1" } }, /^cannot bind token to object of type apps\/v1, Kind=Deployment$/],
  ])("with spec %j", async (spec, message) => {
    expect((await requestToken(spec)).json).toMatchObject(status(400, "BadRequest", message));
  });

  it("bound to a pod that does not exist", async () => {
    const answer = await requestToken({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } });
    expect(answer.json).toMatchObject(status(404, "NotFound", 'pods "p" not found'));
  });

  it("with another name, another uid, or a body that is no object", async () => {
    const post = async (body: unknown): Promise<unknown> => (await sandbox.call("POST", PATH, body)).json;
    expect(await post({ metadata: { name: "other" } })).toMatchObject(status(422, "Invalid", /must match the service account name if specified$/));
    expect(await post({ metadata: { uid: "1" } })).toMatchObject({ code: 409, reason: "Conflict" });
    expect(await post("{bad")).toMatchObject(status(400, "BadRequest", /^the object provided is unrecognized/));
    expect(await post({ apiVersion: "v1", kind: "Pod" })).toMatchObject({ code: 400 });
  });
});

describe("the signing keys", () => {
  it("rotate: a new key is served before it signs, and tokens of both verify", async () => {
    const own = await openSandbox();
    try {
      const { cluster } = own;
      const before = cluster.mintToken(ACCOUNT);
      const first = cluster.keys.signingKid;
      const second = await cluster.keys.add("ec");
      expect(decodeProtectedHeader(cluster.mintToken(ACCOUNT)).kid).toBe(first);
      cluster.keys.signWith(second);
      const after = cluster.mintToken(ACCOUNT, { audiences: ["x"] });
      expect(decodeProtectedHeader(after)).toEqual({ alg: "ES256", kid: second });
      const served = (await own.read("/oidc/openid/v1/jwks")).json as JSONWebKeySet;
      expect(served.keys.map((key) => key.kid)).toEqual([second, first]);
      await jwtVerify(before, createLocalJWKSet(served));
      await jwtVerify(after, createLocalJWKSet(served));
      const discovery = (await own.call("GET", "/.well-known/openid-configuration")).json;
      expect(discovery).toMatchObject({ issuer: own.issuerUrl, jwks_uri: `${cluster.url}/openid/v1/jwks`, id_token_signing_alg_values_supported: ["ES256", "RS256"] });
      cluster.keys.remove(first);
      await expect(jwtVerify(before, createLocalJWKSet((await own.read("/oidc/openid/v1/jwks")).json as JSONWebKeySet))).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
      expect(() => cluster.keys.remove(second)).toThrow(/signs and cannot be removed/);
    } finally {
      await own.end();
    }
  });

  it("never show a private member", async () => {
    expect(Object.keys((await readKeys()).keys[0] ?? {}).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
  });
});

it("mints tokens of the past and of another issuer for tests", () => {
  const token = sandbox.cluster.mintToken(ACCOUNT, { issuedAt: new Date(NOW.getTime() - 7_200_000), expirationSeconds: 3600 });
  expect(decodeJwt(token).exp).toBe(SECONDS - 3600);
  sandbox.cluster.setIssuer("https://other.example.test");
  expect(decodeJwt(sandbox.cluster.mintToken(ACCOUNT)).iss).toBe("https://other.example.test");
  sandbox.cluster.setIssuer(sandbox.issuerUrl);
});
