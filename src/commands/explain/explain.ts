import type { CommandDefinition } from "../command.ts";

export const explainCommand: CommandDefinition = {
  path: ["explain"],
  kind: "Explanation",
  summary: "say what an error or check code means and what to do; alone, list them",
  arguments: [{ syntax: "[code]", description: "a code such as ISSUER_UNREACHABLE, or the id of a check" }],
  options: [],
  examples: ["kubeassume explain ISSUER_UNREACHABLE", "kubeassume explain"],
  run: async (context) => (await import("./run-explain.ts")).runExplain(context),
};
