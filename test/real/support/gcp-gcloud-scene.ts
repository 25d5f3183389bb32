import { expect } from "vitest";
import type { CommandResult } from "./command.ts";
import { runDone } from "./front-door.ts";
import type { StepsData } from "./front-door.ts";
import { PROJECT, toGcpOperator } from "./gcp-project.ts";
import type { GcpOperator } from "./gcp-project.ts";
import type { GrantData } from "./gcp-workload.ts";
import { startSandboxCommand } from "./sandbox.ts";
import type { SandboxCommand } from "./sandbox.ts";

export interface SetupData extends StepsData {
  readonly audiences: readonly [string];
}

/** A sandbox whose issuer is published, with gcloud and kubeassume in its environment. */
export interface GcloudScene {
  readonly sandbox: SandboxCommand;
  readonly operator: GcpOperator;
  run(...args: readonly string[]): Promise<CommandResult>;
  /** What gcloud prints as JSON; fails with its own words. */
  ask(...args: readonly string[]): Promise<unknown>;
  /** The flags that name issuer, project and pool. */
  place(pool: string): readonly string[];
  setup(pool: string, ...flags: readonly string[]): Promise<SetupData>;
  grant(pool: string, ...flags: readonly string[]): Promise<GrantData>;
  stop(): Promise<void>;
}

export async function startGcloudScene(): Promise<GcloudScene> {
  const sandbox = await startSandboxCommand("gcp");
  const { env, issuer } = sandbox;
  const run: GcloudScene["run"] = (...args) => sandbox.run("gcloud", args);
  const place: GcloudScene["place"] = (pool) => ["--issuer-url", issuer, "--project", PROJECT, "--pool-id", pool];
  await runDone("PublishResult", ["publish", "gcs", "--bucket", "oidc", "--create-bucket", "--project", PROJECT, "--issuer-url", issuer], { env });
  return {
    sandbox,
    operator: await toGcpOperator(env),
    run,
    ask: async (...args) => {
      const { code, stdout, stderr } = await run(...args, "--format=json");
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout) as unknown;
    },
    place,
    setup: (pool, ...flags) => runDone("SetupResult", ["setup", "gcp", ...place(pool), ...flags], { env }),
    grant: (pool, ...flags) => runDone("GrantResult", ["grant", "gcp", ...place(pool), ...flags], { env }),
    stop: () => sandbox.stop(),
  };
}
