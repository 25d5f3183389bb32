import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasProgram } from "../../../support/programs.ts";
import { openSandbox } from "../support.ts";
import type { TestSandbox } from "../support.ts";

const kubectl = await hasProgram("kubectl", ["version", "--client"]);

let sandbox: TestSandbox;

function run(args: readonly string[], input = ""): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: join(sandbox.dir, "home"), ...sandbox.env };
    const child = execFile("kubectl", args, { env }, (error, stdout, stderr) => resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }));
    child.stdin?.end(input);
  });
}

const manifest = (role: string): string => `apiVersion: v1
kind: ServiceAccount
metadata:
  name: web
  namespace: shop
  annotations:
    eks.amazonaws.com/role-arn: ${role}
`;

// Reason to skip: there is no kubectl in PATH.
describe.skipIf(!kubectl)("the real kubectl", () => {
  beforeAll(async () => {
    sandbox = await openSandbox();
    sandbox.cluster.addServiceAccount({ namespace: "shop", name: "api" });
  });

  afterAll(() => sandbox.end());

  it("mints a token with `create token`", async () => {
    const { stdout, stderr, code } = await run(["create", "token", "api", "-n", "shop", "--audience", "sts.amazonaws.com", "--duration", "15m"]);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    const { aud, sub, iat = 0, exp } = decodeJwt(stdout.trim());
    expect({ aud, sub, exp }).toEqual({ aud: ["sts.amazonaws.com"], sub: "system:serviceaccount:shop:api", exp: iat + 900 });
  });

  it("passes the API's refusals on", async () => {
    expect((await run(["create", "token", "none", "-n", "shop"])).stderr).toContain('serviceaccounts "none" not found');
    expect((await run(["create", "token", "api", "-n", "shop", "--duration", "1m"])).stderr).toContain("may not specify a duration less than 10 minutes");
  });

  it("makes and lists namespaces and service accounts", async () => {
    expect((await run(["create", "namespace", "other"])).stdout).toBe("namespace/other created\n");
    expect((await run(["create", "serviceaccount", "job", "-n", "other"])).stdout).toBe("serviceaccount/job created\n");
    expect((await run(["get", "sa", "-n", "other", "-o", "name"])).stdout).toBe("serviceaccount/default\nserviceaccount/job\n");
    expect((await run(["get", "sa", "-n", "other"])).stdout).toMatch(/^NAME +.*AGE\n/);
  });

  it("applies server-side, and sees the conflict with another manager", async () => {
    const apply = (role: string, manager: string): ReturnType<typeof run> => run(["apply", "--server-side", "--field-manager", manager, "-f", "-"], manifest(role));
    expect(await apply("arn:1", "kubeassume")).toMatchObject({ code: 0, stdout: "serviceaccount/web serverside-applied\n" });
    const second = await apply("arn:2", "somebody");
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('conflict with "kubeassume": .metadata.annotations.eks.amazonaws.com/role-arn');
  });

  it("writes its cache into the sandbox's folder and never into the home folder", async () => {
    await run(["get", "cm", "-A"]);
    expect(await readdir(sandbox.dir)).not.toContain("home");
    expect(sandbox.requests.filter(({ defect }) => defect !== null)).toEqual([]);
  });
});
