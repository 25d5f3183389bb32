import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gcpProvider } from "../../../../../src/federation/clouds/gcp/provider.ts";
import { gcpFault } from "../../../../../src/federation/clouds/gcp/sandbox/faults.ts";
import { startTestGcp, type TestGcp } from "../sandbox/support/start.ts";
import { startIssuer, type TestIssuer } from "../sandbox/support/workload.ts";
import { API, EMAIL, expectConformance, type Journey, NUMBER, PLACE, POOL, PROJECT, PROVIDER, startJourney } from "./journey.ts";
import { failureOf, worldWith } from "./scripted-google.ts";

let gcp: TestGcp;
let issuer: TestIssuer;
let journey: Journey;
let place: Readonly<Record<string, string>>;
let failing = false;

beforeAll(async () => {
  gcp = await startTestGcp({ faults: ({ service }) => (failing && service === "gcp.sts" ? gcpFault("gcp.sts", "unavailable") : null) });
  issuer = await startIssuer(gcp);
  place = { ...PLACE, issuerUrl: issuer.url };
  journey = await startJourney(gcp, place);
  await journey.setup();
  await journey.grant({ serviceAccount: "payments/api", role: ["roles/storage.objectViewer"] });
  await journey.grant({ serviceAccount: "payments/worker", impersonate: EMAIL, createServiceAccount: true });
});

afterAll(async () => {
  expectConformance(gcp);
  await gcp.stop();
});

async function readTrust(flags: Readonly<Record<string, string>>, of = journey) {
  return of.connection.readTrust({ flags, config: null }, issuer.url, await of.connection.identify());
}

describe("the records for verify gcp", () => {
  it("are pool, provider and the project's policy, as Google has them", async () => {
    const trust = await readTrust(place);
    expect(trust).toMatchObject({ pool: { name: POOL }, provider: { name: PROVIDER, oidc: { issuerUri: issuer.url } }, projectPolicy: { bindings: expect.arrayContaining([{ role: "roles/storage.objectViewer", members: [API] }]) as unknown } });
    expect(gcpProvider.parseTrustFile(JSON.stringify(trust))).toMatchObject({ serviceAccount: null });
  });

  it("are judged as Google judges", async () => {
    const trust = await readTrust(place);
    const verdict = gcpProvider.judge({ token: issuer.mint(new Date()), discovery: undefined, jwks: issuer.jwks, trust, flags: {}, at: new Date() });
    expect(verdict).toMatchObject({ accepted: true, session: { principal: API } });
  });

  it("have the policy of the service account that is impersonated", async () => {
    await expect(readTrust({ ...place, impersonate: EMAIL })).resolves.toMatchObject({ serviceAccount: EMAIL, serviceAccountPolicy: { bindings: [{ role: "roles/iam.workloadIdentityUser" }] } });
    await expect(readTrust({ ...place, impersonate: `nobody@${PROJECT}.iam.gserviceaccount.com` })).resolves.toMatchObject({ serviceAccountPolicy: null });
  });

  it("take account and place from the config's grant", async () => {
    const config = { file: "kubeassume.yaml", publish: [], clouds: {}, grants: [{ serviceAccount: "payments/worker", gcp: { impersonate: EMAIL } }] };
    const trust = await journey.connection.readTrust({ flags: { ...place, serviceAccount: "payments/worker" }, config }, issuer.url, await journey.connection.identify());
    expect(trust).toMatchObject({ serviceAccount: EMAIL });
  });

  it("are null where nothing is", async () => {
    await expect(readTrust({ ...place, poolId: "nowhere" })).resolves.toMatchObject({ pool: null, provider: null });
  });

  it("are found by the issuer when no pool is named", async () => {
    await expect(readTrust({ project: PROJECT })).resolves.toMatchObject({ pool: { name: POOL }, provider: { name: PROVIDER } });
  });

  it("need no look-up of the project where its number is given", async () => {
    const flags = { projectNumber: NUMBER, poolId: "prod" };
    const before = gcp.exchanges.length;
    await expect(readTrust(flags, await startJourney(gcp, flags))).resolves.toMatchObject({ provider: { name: PROVIDER } });
    expect(gcp.exchanges.slice(before).filter(({ request }) => request.method === "GET" && request.path.startsWith("/v3/"))).toEqual([]);
  });

  it.each([
    [{ on: "disk:x" }, "GCP_TARGET_INVALID"],
    [{ impersonate: "ann@example.com" }, "GCP_SERVICE_ACCOUNT_INVALID"],
    [{ impersonate: EMAIL, on: "project" }, "FLAGS_CONFLICT"],
  ])("are refused for %j", async (flags, code) => {
    expect((await failureOf(readTrust({ ...place, ...flags }))).code).toBe(code);
  });
});

describe("the exchange", () => {
  const exchange = (token: string, flags: Readonly<Record<string, string>> = place, principal?: string) => journey.connection.exchange(token, { flags, config: null }, principal);

  it("becomes the subject of the pool, and hands out no credential", async () => {
    const token = issuer.mint(new Date());
    const answer = await exchange(token);
    expect(answer).toEqual({ accepted: true, code: null, cloudMessage: null, principal: API });
    await expect(exchange(token, place, API)).resolves.toMatchObject({ accepted: true, principal: API });
  });

  it("becomes the service account that may be impersonated", async () => {
    const token = issuer.mint(new Date(), { sub: "system:serviceaccount:payments:worker" });
    await expect(exchange(token, { ...place, impersonate: EMAIL })).resolves.toMatchObject({ accepted: true, principal: `serviceAccount:${EMAIL}` });
    await expect(exchange(token, place, `serviceAccount:${EMAIL}`)).resolves.toMatchObject({ accepted: true, principal: `serviceAccount:${EMAIL}` });
  });

  it("answers in Google's words when the bearer may not impersonate", async () => {
    const answer = await exchange(issuer.mint(new Date()), place, `serviceAccount:${EMAIL}`);
    expect(answer).toMatchObject({ accepted: false, code: "PERMISSION_DENIED", principal: null });
    expect(answer.cloudMessage).toContain("iam.serviceAccounts.getAccessToken");
  });

  it("answers in Google's words when the token is refused", async () => {
    const answer = await exchange(issuer.mint(new Date(), { aud: ["somebody-else"] }));
    expect(answer).toMatchObject({ accepted: false, code: "invalid_grant", principal: null });
    await expect(exchange("not-a-token")).resolves.toMatchObject({ accepted: false });
    await expect(exchange(issuer.mint(new Date()), { ...place, poolId: "nowhere" })).resolves.toMatchObject({ accepted: false, code: "invalid_target" });
  });

  it("needs no credentials where the project's number is known", async () => {
    const { GOOGLE_APPLICATION_CREDENTIALS: _1, CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: _2, CLOUDSDK_CONFIG: _3, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: _4, ...env } = gcp.env;
    const anonymous = await gcpProvider.connect(worldWith({ ...env, NO_GCE_CHECK: "1" }), { flags: {}, config: null });
    await expect(anonymous.exchange(issuer.mint(new Date()), { flags: { projectNumber: NUMBER, poolId: "prod" }, config: null })).resolves.toMatchObject({ accepted: true });
  });

  it("fails, rather than answers, when something else than Google refuses", async () => {
    const http = async () => ({ status: 403, headers: { "content-type": "text/html" }, body: "<html>blocked</html>" });
    const blocked = await gcpProvider.connect(worldWith({ ...gcp.env, NO_GCE_CHECK: "1" }, { http }), { flags: {}, config: null });
    expect((await failureOf(blocked.exchange("a.b.c", { flags: { ...place, projectNumber: NUMBER }, config: null }))).code).toBe("GCP_ACCESS_DENIED");
  });

  it("fails, rather than answers, when the token service does", async () => {
    failing = true;
    const failure = await failureOf(exchange(issuer.mint(new Date()), place, API)).finally(() => (failing = false));
    expect(failure.code).toBe("GCP_UNAVAILABLE");
  });
});
