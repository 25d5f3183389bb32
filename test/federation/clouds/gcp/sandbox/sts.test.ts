import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, TestClock, TestGcp } from "./support/start.ts";
import { AUDIENCE, bind, exchangeForm, MEMBER, POOLS, PROVIDER, SCOPE, startIssuer, trust } from "./support/workload.ts";
import type { TestIssuer } from "./support/workload.ts";

const START = new Date("2026-11-24T00:00:00.000Z");
const clock: TestClock = { now: START };
let gcp: TestGcp;
let issuer: TestIssuer;

beforeAll(async () => {
  clock.now = new Date(Math.floor(Date.now() / 1000) * 1000);
  gcp = await startTestGcp({ clock });
  issuer = await startIssuer(gcp);
});
afterAll(() => gcp.stop());
beforeEach(() => {
  for (const things of [gcp.state.pools, gcp.state.providers, gcp.state.serviceAccounts]) things.clear();
  Object.assign(issuer.documents, { discovery: 200, jwks: 200, reads: 0 });
});

const exchange = (token: string, more?: Readonly<Record<string, string>>): Promise<Answer> => gcp.post("/v1/token", exchangeForm(token, more));
const errorOf = async (answer: Promise<Answer>): Promise<unknown> => {
  const { status, json } = await answer;
  return { status, code: json["error"], words: json["error_description"] };
};

describe("the token exchange", () => {
  it("hands out a token that lives no longer than the one it was given for", async () => {
    await trust(gcp, issuer);
    const { status, json } = await exchange(issuer.mint(clock.now));
    expect(status).toBe(200);
    expect(json).toEqual({ access_token: expect.stringMatching(/^ya29\./) as string, issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer", expires_in: 600 });
    expect(gcp.state.tokens.get(String(json["access_token"]))?.principal).toMatchObject({ kind: "federated", name: MEMBER });
  });

  it("takes JSON in the API's own names too, and both spellings of the provider as audience", async () => {
    await trust(gcp, issuer);
    const form = exchangeForm(issuer.mint(clock.now, { aud: AUDIENCE.replace("https:", "") }));
    const json = Object.fromEntries(Object.entries(form).map(([name, value]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]));
    expect((await gcp.call("sts", "POST", "/v1/token", json, null)).status).toBe(200);
    expect(await errorOf(gcp.call("sts", "POST", "/v1/token", { ...json, subject: "x" }, null))).toMatchObject({ status: 400, code: "invalid_request" });
  });

  it("reads the issuer only when all else is right", async () => {
    await trust(gcp, issuer);
    expect(await errorOf(exchange(issuer.mint(clock.now, { iss: "https://other.example" })))).toMatchObject({ status: 400, code: "invalid_grant" });
    expect(issuer.documents.reads).toBe(0);
    await exchange(issuer.mint(clock.now));
    expect(issuer.documents.reads).toBe(2);
  });

  it("reads nobody when the keys are uploaded", async () => {
    await trust(gcp, issuer, {}, { issuerUri: "https://private.example", jwksJson: JSON.stringify(issuer.jwks) });
    expect((await exchange(issuer.mint(clock.now, { iss: "https://private.example" }))).status).toBe(200);
    expect(issuer.documents.reads).toBe(0);
  });

  it.each([
    ["an issuer that does not answer", { discovery: 503 }],
    ["a key set that is not there", { jwks: 404 }],
  ])("is refused with %s", async (_, documents) => {
    await trust(gcp, issuer);
    Object.assign(issuer.documents, documents);
    expect(await errorOf(exchange(issuer.mint(clock.now)))).toEqual({ status: 400, code: "invalid_grant", words: "Error connecting to the given credential's issuer." });
  });

  it.each([
    ["another audience", { aud: ["vault"] }, "invalid_grant"],
    ["a token that has expired", { exp: -600, iat: -1200, nbf: -1200 }, "invalid_grant"],
    ["a namespace that the condition leaves out", { "kubernetes.io": { namespace: "other" } }, "unauthorized_client"],
    ["a subject of 128 bytes", { sub: "x".repeat(128) }, "invalid_request"],
  ])("is refused for %s", async (_, claims, code) => {
    await trust(gcp, issuer, { attributeCondition: "attribute.namespace == 'payments'" });
    const seconds = Math.floor(clock.now.getTime() / 1000);
    const absolute = Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, typeof value === "number" ? seconds + value : value]));
    expect(await errorOf(exchange(issuer.mint(clock.now, absolute)))).toMatchObject({ status: 400, code });
    expect((await exchange(issuer.mint(clock.now))).status).toBe(200);
  });

  it.each([
    ["the project's ID where the number belongs", { audience: `//iam.googleapis.com/${PROVIDER.replace("123456789012", "kubeassume-sandbox")}` }, "invalid_request"],
    ["the audience of the token", { audience: AUDIENCE }, "invalid_request"],
    ["no audience", { audience: "" }, "invalid_request"],
    ["another project's number", { audience: `//iam.googleapis.com/${PROVIDER.replace("123456789012", "210987654321")}` }, "invalid_target"],
    ["a provider that does not exist", { audience: `//iam.googleapis.com/${PROVIDER}-2` }, "invalid_target"],
    ["another grant", { grant_type: "client_credentials" }, "invalid_request"],
    ["another kind of token", { subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }, "invalid_request"],
    ["another kind of answer", { requested_token_type: "urn:ietf:params:oauth:token-type:id_token" }, "invalid_request"],
    ["an access boundary", { options: JSON.stringify({ accessBoundary: {} }) }, "invalid_request"],
    ["no scope", { scope: " " }, "invalid_request"],
    ["no token", { subject_token: "" }, "invalid_request"],
  ])("is refused with %s", async (_, form, code) => {
    await trust(gcp, issuer);
    expect(await errorOf(exchange(issuer.mint(clock.now), form))).toMatchObject({ status: 400, code });
  });

  it.each([
    ["a deleted pool", "DELETE", `${POOLS}/prod`, undefined],
    ["a disabled pool", "PATCH", `${POOLS}/prod?updateMask=disabled`, { disabled: true }],
    ["a deleted provider", "DELETE", `${POOLS}/prod/providers/kubernetes`, undefined],
    ["a disabled provider", "PATCH", `${POOLS}/prod/providers/kubernetes?updateMask=disabled`, { disabled: true }],
  ])("is refused with %s", async (_, method, path, body) => {
    await trust(gcp, issuer);
    await gcp.call("iam", method, path, body);
    expect(await errorOf(exchange(issuer.mint(clock.now)))).toMatchObject({ status: 400, code: "invalid_target" });
  });
});

describe("tokens that were handed out", () => {
  const use = (token: unknown): Promise<Answer> => gcp.call("iam", "GET", POOLS, undefined, String(token));
  const start = async (): Promise<unknown> => {
    await trust(gcp, issuer);
    await bind(gcp, "roles/iam.workloadIdentityPoolViewer", "project");
    return (await exchange(issuer.mint(clock.now))).json["access_token"];
  };

  it("stop with their pool, not with their provider", async () => {
    const token = await start();
    expect((await use(token)).status).toBe(200);
    await gcp.call("iam", "DELETE", `${POOLS}/prod/providers/kubernetes`);
    expect((await use(token)).status).toBe(200);
    await gcp.call("iam", "PATCH", `${POOLS}/prod?updateMask=disabled`, { disabled: true });
    expect(refusalIn(await use(token)).status).toBe("UNAUTHENTICATED");
    await gcp.call("iam", "PATCH", `${POOLS}/prod?updateMask=disabled`, { disabled: false });
    expect((await use(token)).status).toBe(200);
  });

  it("expire", async () => {
    const token = await start();
    const before = clock.now;
    clock.now = new Date(before.getTime() + 600_000);
    expect(refusalIn(await use(token)).status).toBe("UNAUTHENTICATED");
    clock.now = before;
  });

  it("are told to gcloud by name, while they live", async () => {
    const token = String(await start());
    const { json } = await gcp.post("/v1/introspect", { token });
    expect(json).toMatchObject({ active: true, username: MEMBER, scope: SCOPE });
    expect((await gcp.post("/v1/introspect", { token: "ya29.nobody" })).json).toEqual({ active: false });
  });
});

describe("the operator's workforce pool", () => {
  const form = (token: string) => exchangeForm(token, { audience: "//iam.googleapis.com/locations/global/workforcePools/sandbox/providers/operator", subject_token_type: "urn:ietf:params:oauth:token-type:id_token" });

  it("takes the token of the sandbox's own file, and no other", async () => {
    expect((await gcp.post("/v1/token", form(`${gcp.state.operatorSecret}\n`))).json).toMatchObject({ expires_in: 3600 });
    for (const token of ["x", "x".repeat(gcp.state.operatorSecret.length), issuer.mint(clock.now)]) {
      expect((await gcp.post("/v1/token", form(token))).json, token).toMatchObject({ error: "invalid_grant" });
    }
  });
});

describe("propagation", () => {
  it("keeps new pools, providers and policies from those who judge by them", async () => {
    const time: TestClock = { now: clock.now };
    const slow = await startTestGcp({ clock: time, propagationMs: 60_000 });
    const own = await startIssuer(slow);
    const later = (seconds: number): void => void (time.now = new Date(clock.now.getTime() + seconds * 1000));
    await trust(slow, own);
    const ask = (): Promise<Answer> => slow.post("/v1/token", exchangeForm(own.mint(time.now)));
    expect((await ask()).json).toMatchObject({ error: "invalid_target" });
    later(59);
    expect((await ask()).json).toMatchObject({ error: "invalid_target" });
    later(60);
    const token = String((await ask()).json["access_token"]);
    const list = (): Promise<Answer> => slow.call("iam", "GET", POOLS, undefined, token);
    await bind(slow, "roles/iam.workloadIdentityPoolViewer", "project");
    expect(refusalIn(await list()).status).toBe("PERMISSION_DENIED");
    later(120);
    expect((await list()).status).toBe(200);
    await bind(slow, "roles/browser", "project");
    expect((await list()).status).toBe(200);
    later(180);
    expect(refusalIn(await list()).status).toBe("PERMISSION_DENIED");
    await slow.stop();
  });
});

itConforms(() => gcp);
