import type { Cloud } from "../../federation/clouds/cloud.ts";
import type { CommandDefinition } from "../command.ts";

/** `setup CLOUD` for every cloud. */
export function setupCommand(cloud: Cloud): CommandDefinition {
  return {
    path: ["setup", cloud.name],
    kind: "SetupResult",
    summary: `create or repair the trust of ${cloud.title} in the issuer`,
    options: [
      ...cloud.options.setup,
      { name: "boilerplate-configmap", value: "NS/NAME", description: "also keep the trust-policy boilerplate in the cluster" },
    ],
    examples: cloud.examples.setup,
    run: async (context) => (await import("./run-setup.ts")).runSetup(cloud, context),
  };
}
