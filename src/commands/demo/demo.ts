import { clouds } from "../../federation/clouds/registry.ts";
import type { CommandDefinition } from "../command.ts";

export const demoCommand: CommandDefinition = {
  path: ["demo"],
  kind: "DemoReport",
  summary: "the whole journey on embedded stand-ins: no account, no cluster, no network",
  arguments: [{ syntax: "[cloud]", description: "the cloud to show (default: all)", choices: [...clouds.map((cloud) => cloud.name), "all"] }],
  options: [],
  examples: clouds.map((cloud) => `kubeassume demo ${cloud.name}`),
  run: async (context) => (await import("./run-demo.ts")).runDemo(context),
};
