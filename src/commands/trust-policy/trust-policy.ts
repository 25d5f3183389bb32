import type { Cloud } from "../../federation/clouds/cloud.ts";
import type { CommandDefinition } from "../command.ts";

/** `trust-policy CLOUD`: pure text, offline. */
export function trustPolicyCommand(cloud: Cloud): CommandDefinition {
  return {
    path: ["trust-policy", cloud.name],
    kind: "TrustPolicy",
    summary: `print the trust policy of ${cloud.title} and the manifests, offline`,
    options: cloud.options.trustPolicy,
    examples: cloud.examples.trustPolicy,
    run: async (context) => {
      const provider = await cloud.load();
      const { trustPolicy, manifests, env, commands, warnings } = provider.trustPolicy({ flags: context.flags, config: await context.config() });
      const { renderManifests } = await import("../../federation/report/render-manifests.ts");
      const typed = commands.length === 0 ? "" : `# the same by hand\n${commands.map((command) => `# ${command.replaceAll("\n", "\n# ")}\n`).join("")}`;
      const text = [`${JSON.stringify(trustPolicy, null, 2)}\n`, renderManifests(manifests), typed].filter((part) => part !== "");
      // JSON is YAML: the whole is one stream that both yq and kubectl's eye can take apart.
      return { data: { cloud: cloud.name, trustPolicy, manifests, env, commands }, warnings, text: text.join("---\n") };
    },
  };
}
