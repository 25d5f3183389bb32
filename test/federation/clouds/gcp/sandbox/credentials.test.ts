import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, TestClock, TestGcp } from "./support/start.ts";
import { bind, exchangeForm, MEMBER, POOLS, SCOPE, startIssuer, trust } from "./support/workload.ts";

const EMAIL = "demo-app@kubeassume-sandbox.iam.gserviceaccount.com";
const clock: TestClock = { now: new Date(Math.floor(Date.now() / 1000) * 1000) };
const SETS = MEMBER.replace("principal:", "principalSet:").replace(/subject\/.*/, "");
let gcp: TestGcp;
let workload: string;

beforeAll(async () => {
  gcp = await startTestGcp({ clock });
  const issuer = await startIssuer(gcp);
  await trust(gcp, issuer);
  workload = String((await gcp.post("/v1/token", exchangeForm(issuer.mint(clock.now)))).json["access_token"]);
});
afterAll(() => gcp.stop());
beforeEach(async () => {
  gcp.state.serviceAccounts.clear();
  gcp.state.policies.clear();
  gcp.state.longLived.clear();
  await gcp.call("iam", "POST", "/v1/projects/kubeassume-sandbox/serviceAccounts", { accountId: "demo-app" });
});

const generate = (body: unknown = { scope: [SCOPE] }, token = workload, name = `projects/-/serviceAccounts/${EMAIL}`): Promise<Answer> =>
  gcp.call("iamcredentials", "POST", `/v1/${name}:generateAccessToken`, body, token);

describe("generateAccessToken", () => {
  it("makes a workload a service account when the account's policy lets it", async () => {
    expect(refusalIn(await generate())).toMatchObject({ code: 403, message: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)." });
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL);
    const { json } = await generate();
    expect(json).toEqual({ accessToken: expect.stringMatching(/^ya29\.c\./) as string, expireTime: new Date(clock.now.getTime() + 3_600_000).toISOString().replace(".000Z", "Z") });
    expect((await gcp.post("/v1/introspect", { token: String(json["accessToken"]) })).json).toMatchObject({ username: EMAIL });
  });

  it.each([
    ["the project's policy", "project", [MEMBER]],
    ["a set by attribute", EMAIL, [`${SETS}attribute.namespace/payments`]],
    ["the whole pool", EMAIL, [`${SETS}*`]],
  ])("is opened by %s too", async (_, on, members) => {
    await bind(gcp, "roles/iam.serviceAccountTokenCreator", on, members);
    expect((await generate()).status).toBe(200);
  });

  it.each([
    ["another subject", "roles/iam.workloadIdentityUser", [`${MEMBER}-2`]],
    ["another namespace's set", "roles/iam.workloadIdentityUser", [`${SETS}attribute.namespace/other`]],
    ["a role that does not serve", "roles/iam.serviceAccountUser", [MEMBER]],
    ["everybody with a Google account", "roles/iam.workloadIdentityUser", ["allAuthenticatedUsers"]],
  ])("stays closed for %s", async (_, role, members) => {
    await bind(gcp, role, EMAIL, members);
    expect(refusalIn(await generate()).status).toBe("PERMISSION_DENIED");
  });

  it("heeds conditions on the time", async () => {
    const until = (year: number): unknown => ({ title: "until", expression: `request.time < timestamp('${year}-01-01T00:00:00Z')` });
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL, [MEMBER], until(2020));
    expect(refusalIn(await generate()).status).toBe("PERMISSION_DENIED");
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL, [MEMBER], until(2100));
    expect((await generate()).status).toBe(200);
  });

  it.each([
    ["no scope", { lifetime: "3600s" }],
    ["an empty scope", { scope: [] }],
    ["a lifetime of more than an hour", { scope: [SCOPE], lifetime: "3601s" }],
    ["no lifetime at all", { scope: [SCOPE], lifetime: "0s" }],
    ["a lifetime without a unit", { scope: [SCOPE], lifetime: "3600" }],
    ["a member that it does not have", { scope: [SCOPE], seconds: 1 }],
    ["a chain of delegation", { scope: [SCOPE], delegates: [`projects/-/serviceAccounts/${EMAIL}`] }],
  ])("is refused with %s", async (_, body) => {
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL);
    expect(refusalIn(await generate(body)).status).toBe("INVALID_ARGUMENT");
  });

  it("gives twelve hours where the organization allows it, and no more", async () => {
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL);
    gcp.state.longLived.add(EMAIL);
    expect((await generate({ scope: [SCOPE], lifetime: "43200s" })).json["expireTime"]).toBe(new Date(clock.now.getTime() + 43_200_000).toISOString().replace(".000Z", "Z"));
    expect(refusalIn(await generate({ scope: [SCOPE], lifetime: "43201s" })).status).toBe("INVALID_ARGUMENT");
  });

  it("wants the wildcard where the project would be", async () => {
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL);
    expect(refusalIn(await generate({ scope: [SCOPE] }, workload, `projects/kubeassume-sandbox/serviceAccounts/${EMAIL}`)).status).toBe("INVALID_ARGUMENT");
  });

  it("does not tell a workload whether an account exists, and tells the operator", async () => {
    const nobody = "projects/-/serviceAccounts/nobody@kubeassume-sandbox.iam.gserviceaccount.com";
    expect(refusalIn(await generate({ scope: [SCOPE] }, workload, nobody)).status).toBe("PERMISSION_DENIED");
    expect(refusalIn(await generate({ scope: [SCOPE] }, gcp.operator, nobody)).status).toBe("NOT_FOUND");
  });

  it("gives nothing for a disabled account, and what it gave before stops", async () => {
    await bind(gcp, "roles/iam.workloadIdentityUser", EMAIL);
    await bind(gcp, "roles/iam.workloadIdentityPoolViewer", "project", [`serviceAccount:${EMAIL}`]);
    const token = String((await generate()).json["accessToken"]);
    const list = (): Promise<Answer> => gcp.call("iam", "GET", POOLS, undefined, token);
    expect((await list()).status).toBe(200);
    await gcp.call("iam", "POST", `/v1/projects/kubeassume-sandbox/serviceAccounts/${EMAIL}:disable`, {});
    expect((await generate()).status).toBe(400);
    expect(refusalIn(await list()).status).toBe("UNAUTHENTICATED");
  });
});

itConforms(() => gcp);
