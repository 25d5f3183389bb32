import type { Cloud } from "../../federation/clouds/cloud.ts";
import type { CommandDefinition } from "../command.ts";

/** `permissions CLOUD`: the least that whoever runs a command must be allowed. */
export function permissionsCommand(cloud: Cloud): CommandDefinition {
  return {
    path: ["permissions", cloud.name],
    kind: "Permissions",
    summary: `print the least that an operator must be allowed at ${cloud.title}`,
    options: [...cloud.options.permissions, { name: "for", value: "COMMAND", description: "only for this command", choices: cloud.permissionCommands, defaultText: "all commands" }],
    examples: [`kubeassume permissions ${cloud.name} --for setup`],
    run: async (context) => {
      const provider = await cloud.load();
      const command = context.flags["for"];
      const permissions = provider.permissions(typeof command === "string" ? command : undefined, { flags: context.flags, config: await context.config() });
      return { data: { cloud: cloud.name, for: command ?? null, permissions }, warnings: [], text: `${JSON.stringify(permissions, null, 2)}\n` };
    },
  };
}
