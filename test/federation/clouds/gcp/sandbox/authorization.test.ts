import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gcpFault } from "../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import type { GcpService } from "../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import { itConforms, refusalIn, startTestGcp } from "./support/start.ts";
import type { Answer, Json, TestGcp } from "./support/start.ts";
import { bind, exchangeForm, MEMBER, POOLS, startIssuer, trust } from "./support/workload.ts";

const PROJECT = "/v3/projects/kubeassume-sandbox";
const SERVICES = ["iam", "cloudresourcemanager", "iamcredentials"] as const;
const READS: Readonly<Record<(typeof SERVICES)[number], readonly [string, string, unknown]>> = {
  iam: ["GET", POOLS, undefined],
  cloudresourcemanager: ["GET", PROJECT, undefined],
  iamcredentials: ["POST", "/v1/projects/-/serviceAccounts/nobody@kubeassume-sandbox.iam.gserviceaccount.com:generateAccessToken", { scope: ["x"] }],
};

let gcp: TestGcp;
beforeAll(async () => {
  gcp = await startTestGcp();
});
afterAll(() => gcp.stop());

const details = ({ json }: Answer): readonly Json[] => ((json["error"] as Json)["details"] ?? []) as readonly Json[];

describe("every call", () => {
  it.each(SERVICES)("to %s needs a token that was handed out", async (service) => {
    const [method, path, body] = READS[service];
    for (const token of [null, "ya29.invented", "", `${gcp.operator}x`]) {
      const answer = await gcp.call(service, method, path, body, token);
      expect(refusalIn(answer), String(token)).toMatchObject({ code: 401, status: "UNAUTHENTICATED" });
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
  });

  it.each([...SERVICES, "sts"] as const)("to %s needs the API to be enabled", async (service) => {
    const host = `${service}.googleapis.com`;
    gcp.state.disabledApis.add(host);
    const [method, path, body] = service === "sts" ? (["POST", "/v1/token", {}] as const) : READS[service];
    const answer = await gcp.call(service, method, path, body);
    gcp.state.disabledApis.delete(host);
    expect(refusalIn(answer)).toMatchObject({ code: 403, status: "PERMISSION_DENIED" });
    expect(details(answer)[0]).toMatchObject({ reason: "SERVICE_DISABLED", domain: "googleapis.com", metadata: { service: host, consumer: "projects/123456789012" } });
  });

  it("needs a permission, which the operator may lack", async () => {
    gcp.state.denyPermissions.add("iam.workloadIdentityPools.create");
    const answer = await gcp.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, {});
    gcp.state.denyPermissions.clear();
    expect(refusalIn(answer)).toMatchObject({ code: 403, status: "PERMISSION_DENIED" });
    expect(details(answer)[0]).toMatchObject({ reason: "IAM_PERMISSION_DENIED", metadata: { permission: "iam.workloadIdentityPools.create" } });
    expect((await gcp.call("iam", "GET", POOLS)).status).toBe(200);
  });

  it("to another project is refused as if there were none", async () => {
    for (const project of ["other-project", "210987654321", "NOT_A_PROJECT"]) {
      expect(refusalIn(await gcp.call("cloudresourcemanager", "GET", `/v3/projects/${project}`)).code, project).toBe(403);
      expect(refusalIn(await gcp.call("iam", "GET", `/v1/projects/${project}/locations/global/workloadIdentityPools`)).code, project).toBe(403);
    }
  });

  it("that Google does not have is no call of the stand-in either", async () => {
    for (const [service, method, path] of [["iam", "GET", "/v1/projects"], ["iam", "PUT", `${POOLS}/prod`], ["iam", "GET", `${POOLS}?fields=workloadIdentityPools`], ["sts", "GET", "/v1/token"]] as const) {
      expect((await gcp.call(service, method, path)).status, path).toBeGreaterThanOrEqual(400);
    }
    expect(gcp.exchanges.filter(({ request }) => request.path === "/v1/projects")).toEqual([]);
  });

  it("that is no JSON object is refused", async () => {
    for (const body of ["text", [], 1]) expect(refusalIn(await gcp.call("iam", "POST", `${POOLS}?workloadIdentityPoolId=prod`, body)).status).toBe("INVALID_ARGUMENT");
  });
});

describe("a project", () => {
  it("is answered by its ID and its number, with both", async () => {
    for (const name of ["kubeassume-sandbox", "123456789012"]) {
      expect((await gcp.call("cloudresourcemanager", "GET", `/v3/projects/${name}`)).json).toMatchObject({ name: "projects/123456789012", projectId: "kubeassume-sandbox", state: "ACTIVE" });
    }
    expect((await gcp.call("cloudresourcemanager", "GET", "/v1/projects/kubeassume-sandbox")).json).toMatchObject({ projectNumber: "123456789012", lifecycleState: "ACTIVE" });
  });

  it("tells which permissions somebody has", async () => {
    gcp.state.denyPermissions.add("resourcemanager.projects.setIamPolicy");
    const { json } = await gcp.call("cloudresourcemanager", "POST", `${PROJECT}:testIamPermissions`, { permissions: ["resourcemanager.projects.get", "resourcemanager.projects.setIamPolicy"] });
    gcp.state.denyPermissions.clear();
    expect(json).toEqual({ permissions: ["resourcemanager.projects.get"] });
  });
});

describe("an operator with few permissions", () => {
  it("has those and no others", async () => {
    const few = await startTestGcp({ allowPermissions: ["iam.workloadIdentityPools.list"] });
    expect((await few.call("iam", "GET", POOLS)).status).toBe(200);
    expect(refusalIn(await few.call("cloudresourcemanager", "GET", PROJECT)).code).toBe(403);
    await few.stop();
  });
});

describe("a workload", () => {
  let token: string;
  beforeAll(async () => {
    const issuer = await startIssuer(gcp);
    await trust(gcp, issuer);
    token = String((await gcp.post("/v1/token", exchangeForm(issuer.mint(new Date())))).json["access_token"]);
  });
  const list = (): Promise<Answer> => gcp.call("iam", "GET", POOLS, undefined, token);

  it("may do what a binding gives it, and nothing else", async () => {
    expect(refusalIn(await list()).code).toBe(403);
    await bind(gcp, "roles/iam.workloadIdentityPoolViewer", "project");
    expect((await list()).status).toBe(200);
    expect(refusalIn(await gcp.call("iam", "DELETE", `${POOLS}/prod`, undefined, token)).code).toBe(403);
    expect(refusalIn(await gcp.call("cloudresourcemanager", "POST", `${PROJECT}:getIamPolicy`, {}, token)).code).toBe(403);
  });

  it("has no use of a binding whose condition does not hold, or asks for more than the time", async () => {
    for (const [expression, code] of [["request.time < timestamp('2020-01-01T00:00:00Z')", 403], ["resource.name == 'x'", 403], ["request.time < timestamp('2100-01-01T00:00:00Z')", 200]] as const) {
      await bind(gcp, "roles/iam.workloadIdentityPoolViewer", "project", [MEMBER], { title: "c", expression });
      expect((await list()).status, expression).toBe(code);
    }
  });

  it("reads objects where a role on the project lets it", async () => {
    const form = await gcp.call("storage", "POST", "/storage/v1/b?project=kubeassume-sandbox", { name: "acme-data", iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } });
    expect(form.status).toBe(200);
    const read = (): Promise<Answer> => gcp.call("storage", "GET", "/storage/v1/b/acme-data/o", undefined, token);
    expect((await read()).status).toBe(403);
    await bind(gcp, "roles/storage.objectViewer", "project");
    expect((await read()).status).toBe(200);
    const stranger = await gcp.call("storage", "GET", "/storage/v1/b/acme-data/o", undefined, "ya29.invented");
    expect(stranger).toMatchObject({ status: 401, json: { error: { errors: [{ reason: "authError" }] } } });
    gcp.state.disabledApis.add("storage.googleapis.com");
    expect(refusalIn(await read()).message).toContain("Cloud Storage");
    gcp.state.disabledApis.clear();
  });
});

describe("faults", () => {
  it.each([
    ["gcp.iam", "throttling", 429, "RESOURCE_EXHAUSTED"],
    ["gcp.cloudresourcemanager", "unavailable", 503, "UNAVAILABLE"],
    ["gcp.iamcredentials", "internal", 500, "INTERNAL"],
  ] as const)("of %s are Google's own", (service: GcpService, kind, status, name) => {
    const fault = gcpFault(service, kind);
    expect(fault).toMatchObject({ kind: "status", when: "before", status });
    expect(JSON.parse(fault.kind === "status" ? fault.body : "")).toMatchObject({ error: { code: status, status: name } });
  });

  it("of the token service and the store have their own shapes", () => {
    const bodyOf = (service: GcpService): unknown => {
      const fault = gcpFault(service, "throttling", "after");
      return fault.kind === "status" ? (JSON.parse(fault.body) as unknown) : null;
    };
    expect(bodyOf("gcp.sts")).toMatchObject({ error: "quota_exceeded" });
    expect(bodyOf("gcp.storage")).toMatchObject({ error: { code: 429, errors: [{ reason: "rateLimitExceeded" }] } });
  });
});

itConforms(() => gcp);
