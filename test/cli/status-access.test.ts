import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Scene, startScene } from "../support/scene.ts";

let scene: Scene;
const target = (): readonly string[] => ["--issuer-url", scene.issuer];
const grant = (): readonly string[] => [...target(), "--service-account", "demo/app", "--role-name", "app"];

beforeAll(async () => {
  scene = await startScene();
  for (const args of [["publish", "s3", ...target(), "--bucket", "oidc", "--create-bucket"], ["setup", "aws", ...target()], ["grant", "aws", ...grant(), "--apply-manifests"]]) {
    const { exit, stderr } = await scene.run(args);
    expect(exit, stderr).toBe(0);
  }
});
afterAll(() => scene.close());

async function statusOf(id: string, args: readonly string[]): Promise<{ readonly exit: number | null; readonly check: { readonly status: string; readonly message: string; readonly hint: string } | undefined }> {
  const { ran, document } = await scene.runJson(["status", "aws", ...args]);
  const { checks } = document.data as unknown as { checks: readonly { id: string; status: string; message: string; hint: string }[] };
  return { exit: ran.exit, check: checks.find((check) => check.id === id) };
}

describe("status", () => {
  it("says as whom it reads the cloud", async () => {
    expect(await statusOf("aws-access", grant())).toMatchObject({ exit: 0, check: { status: "pass", message: expect.stringMatching(/^reading as arn:aws:iam::/) as string } });
  });

  it("fails, and still answers every other check, when the cloud lets it read nothing", async () => {
    scene.breakWith((_, call) => (call.service === "aws.sts" && call.action === "GetCallerIdentity" ? { kind: "status", when: "before", status: 403, body: denied("ExpiredToken", "The security token included in the request is expired") } : null));
    const { exit, check } = await statusOf("aws-access", grant());
    expect(exit).toBe(3);
    expect(check).toMatchObject({ status: "fail", hint: expect.stringMatching(/\S/) as string });
    expect((await statusOf("issuer-reachable", grant())).check?.status).toBe("pass");
    scene.breakWith(null);
  });

  it("asks the real token service on request, and says who the session is", async () => {
    expect(await statusOf("aws-exchange", [...grant(), "--mint", "--exchange"])).toMatchObject({ exit: 0, check: { status: "pass", message: expect.stringContaining("demo/app became arn:aws:sts::") as string } });
  });

  it("fails with the service's own code and words when it refuses", async () => {
    scene.breakWith((_, call) => (call.action === "AssumeRoleWithWebIdentity" ? { kind: "status", when: "before", status: 403, body: denied("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity") } : null));
    const { exit, check } = await statusOf("aws-exchange", [...grant(), "--mint", "--exchange"]);
    expect(exit).toBe(3);
    expect(check).toMatchObject({ status: "fail", message: "demo/app is refused: AccessDenied Not authorized to perform sts:AssumeRoleWithWebIdentity", hint: expect.stringContaining("kubeassume verify aws") as string });
    scene.breakWith(null);
  });
});

function denied(code: string, message: string): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
}
