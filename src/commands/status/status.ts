import { clouds } from "../../federation/clouds/registry.ts";
import type { CommandDefinition } from "../command.ts";
import { unionOf } from "../edge/union-options.ts";

export const statusCommand: CommandDefinition = {
  path: ["status"],
  kind: "StatusReport",
  summary: "check everything end to end; reads only",
  arguments: [{ syntax: "[cloud]", description: "only this cloud", choices: clouds.map((cloud) => cloud.name) }],
  options: [
    ...unionOf(clouds, "status"),
    { name: "strict", description: "a warning fails too" },
    { name: "mint", description: "mint a token of each service account and judge it" },
    { name: "exchange", description: "like --mint, and also ask the real token service" },
  ],
  examples: ["kubeassume status", "kubeassume status aws --issuer-url https://oidc.example.com/prod --service-account payments/api"],
  run: async (context) => (await import("./run-status.ts")).runStatus(context),
};
