import type { CommandDefinition } from "../command.ts";

export const completionCommand: CommandDefinition = {
  path: ["completion"],
  kind: "Completion",
  summary: "print a completion script for a shell",
  arguments: [{ syntax: "<shell>", description: "the shell", choices: ["bash", "zsh", "fish"] }],
  options: [],
  examples: ["source <(kubeassume completion bash)"],
  run: async (context) => (await import("./run-completion.ts")).runCompletion(context),
};
