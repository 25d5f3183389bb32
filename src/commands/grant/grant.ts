import type { Cloud } from "../../federation/clouds/cloud.ts";
import type { CommandDefinition } from "../command.ts";

/** `grant CLOUD` for every cloud. */
export function grantCommand(cloud: Cloud): CommandDefinition {
  return {
    path: ["grant", cloud.name],
    kind: "GrantResult",
    summary: `let service accounts act as an identity of ${cloud.title}`,
    options: [...cloud.options.grant, { name: "apply-manifests", description: "also apply the ServiceAccounts to the cluster" }],
    examples: cloud.examples.grant,
    run: async (context) => (await import("./run-grant.ts")).runGrant(cloud, context),
  };
}
