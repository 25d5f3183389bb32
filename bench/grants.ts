import { type Scene, startScene } from "../test/support/scene.ts";
import { measured, type Row } from "./row.ts";

const GRANTS = 5000;

/** 5,000 grants of one config: planned when one of them has changed, and what that costs in requests. */
export async function benchGrants(): Promise<readonly Row[]> {
  const scene = await startScene();
  try {
    scene.aws.state.quotas.rolesPerAccount = GRANTS;
    const args = ["grant", "aws", "--quiet", "--timeout", "3600"];
    await run(scene, ["publish", "s3", "--issuer-url", scene.issuer, "--bucket", "oidc", "--create-bucket"]);
    await run(scene, ["setup", "aws", "--issuer-url", scene.issuer]);
    await scene.file("kubeassume.yaml", configOf(scene.issuer, 3600));
    const created = await timeOf(() => run(scene, args));
    scene.forget();
    await scene.file("kubeassume.yaml", configOf(scene.issuer, 7200));
    const changed = await timeOf(() => run(scene, args));
    const writes = scene.writes().length;
    const reads = scene.calls().filter((call) => !call.writes).length;
    return [
      measured(`${GRANTS} grants, all new`, created / 1000, "s"),
      measured(`${GRANTS} grants, one changed`, changed / 1000, "s"),
      measured(`${GRANTS} grants, one changed: reads`, reads, "requests", 20),
      measured(`${GRANTS} grants, one changed: writes`, writes, "requests", 1),
    ];
  } finally {
    await scene.close();
  }
}

/** The first grant alone has that session duration. */
function configOf(issuer: string, seconds: number): string {
  const grants = Array.from({ length: GRANTS }, (_, index) => `  - serviceAccount: team-${index % 50}/app-${index}\n    aws: { roleName: app-${index}, maxSessionDuration: ${index === 0 ? seconds : 3600} }`);
  return `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${issuer}\nclouds:\n  aws: { region: eu-west-1 }\ngrants:\n${grants.join("\n")}\n`;
}

async function run(scene: Scene, args: readonly string[]): Promise<void> {
  const { exit, stderr } = await scene.run(args);
  if (exit !== 0) throw new Error(`${args.join(" ")} ended with ${exit}: ${stderr.slice(0, 2000)}`);
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
