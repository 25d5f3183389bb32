import { clouds } from "../../federation/clouds/registry.ts";
import type { CommandDefinition } from "../command.ts";

export const sandboxCommand: CommandDefinition = {
  path: ["sandbox"],
  kind: "SandboxInfo",
  summary: "serve stand-ins for cluster, issuer and clouds on loopback, for a command or until interrupted",
  arguments: [
    {
      syntax: "[cloud...]",
      description: `which clouds (default: all): ${clouds.map((cloud) => cloud.name).join(", ")}; after --, a command to run inside`,
      choices: clouds.map((cloud) => cloud.name),
    },
  ],
  options: [{ name: "dir", value: "DIR", description: "keep CA, kubeconfig and vendors' configuration in this folder", defaultText: "a temporary one, removed at the end" }],
  examples: [
    "kubeassume sandbox -- kubectl create token default --audience sts.amazonaws.com",
    `kubeassume sandbox ${clouds[0]?.name ?? ""} -- sh -c 'kubeassume thumbprint "$KUBEASSUME_ISSUER_URL"'`,
    "kubeassume sandbox --dir ./sandbox",
  ],
  passThrough: true,
  unbounded: true,
  run: async (context) => (await import("./run-sandbox.ts")).runSandbox(context),
};
