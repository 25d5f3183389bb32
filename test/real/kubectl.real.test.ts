import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { kubeassume } from "../support/kubeassume.ts";
import { cannotRun, obtainComponent } from "./support/cache.ts";
import type { CommandResult } from "./support/command.ts";
import { runDone } from "./support/front-door.ts";
import { startSandboxCommand } from "./support/sandbox.ts";
import type { SandboxCommand } from "./support/sandbox.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const ROLE_ANNOTATION = "eks.amazonaws.com/role-arn";

describe.skipIf(await cannotRun("kubectl"))("the real kubectl, in the sandbox that `kubeassume sandbox` describes", () => {
  const running = stoppedAfterAll();
  let command: string;
  let sandbox: SandboxCommand;

  const kubectl = (...args: readonly string[]): Promise<CommandResult> => sandbox.run(command, args);
  const apply = async (yaml: string, ...args: readonly string[]): Promise<CommandResult> => {
    const file = join(sandbox.directory, "applied.yaml");
    await writeFile(file, yaml);
    return kubectl("apply", "--server-side", "-f", file, ...args);
  };

  beforeAll(async () => {
    command = await obtainComponent("kubectl");
    sandbox = await running(startSandboxCommand());
    expect((await kubectl("create", "namespace", "payments")).stdout).toBe("namespace/payments created\n");
    expect((await kubectl("create", "serviceaccount", "api", "-n", "payments")).stdout).toBe("serviceaccount/api created\n");
  });

  it("lists service accounts, by name and as a table", async () => {
    expect((await kubectl("get", "sa", "-n", "payments", "-o", "name")).stdout).toBe("serviceaccount/api\nserviceaccount/default\n");
    expect((await kubectl("get", "sa", "-n", "payments")).stdout).toMatch(/^NAME +.*AGE\n/);
  });

  it("mints a token with `create token`", async () => {
    const { stdout, stderr, code } = await kubectl("create", "token", "api", "-n", "payments", "--audience", "sts.amazonaws.com", "--duration", "15m");
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    const { iss, aud, sub, iat = 0, exp } = decodeJwt(stdout.trim());
    expect({ iss, aud, sub, exp }).toEqual({ iss: sandbox.issuer, aud: ["sts.amazonaws.com"], sub: "system:serviceaccount:payments:api", exp: iat + 900 });
  });

  it("passes the API's refusals on", async () => {
    expect((await kubectl("create", "token", "none", "-n", "payments")).stderr).toContain('serviceaccounts "none" not found');
    expect((await kubectl("create", "token", "api", "-n", "payments", "--duration", "1m")).stderr).toContain("may not specify a duration less than 10 minutes");
  });

  it("applies what `grant aws` prints, and then agrees with `grant aws --apply-manifests`", async () => {
    const { env, issuer } = sandbox;
    await runDone("SetupResult", ["setup", "aws", "--issuer-url", issuer], { env });
    const grant = ["grant", "aws", "--issuer-url", issuer, "--service-account", "payments/api", "--role-name", "payments-api"];
    const printed = await kubeassume(grant, { env });
    expect(printed.exit).toBe(0);
    expect(await apply(printed.stdout)).toEqual({ code: 0, stdout: "serviceaccount/api serverside-applied\n", stderr: "" });
    const { principal } = await runDone<{ principal: string }>("GrantResult", [...grant, "--apply-manifests"], { env });
    const annotation = await kubectl("get", "sa", "api", "-n", "payments", "-o", `jsonpath={.metadata.annotations.${ROLE_ANNOTATION.replaceAll(".", "\\.")}}`);
    expect(annotation.stdout).toBe(principal);
  });

  it("is told whose field it would take when it applies another value", async () => {
    const other = `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: api\n  namespace: payments\n  annotations:\n    ${ROLE_ANNOTATION}: arn:aws:iam::123456789012:role/other\n`;
    const refused = await apply(other, "--field-manager", "somebody");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`conflict`);
    expect(refused.stderr).toContain(`"kubeassume"`);
    expect(refused.stderr).toContain(`.metadata.annotations.${ROLE_ANNOTATION}`);
  });

  it("writes its cache into the sandbox's folder and never into the home folder", async () => {
    await kubectl("get", "cm", "-A");
    expect(await readdir(sandbox.directory)).toContain("kubectl-cache");
    expect(await readdir(sandbox.directory)).not.toContain("home");
  });
});
