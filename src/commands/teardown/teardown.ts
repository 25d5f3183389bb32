import { clouds } from "../../federation/clouds/registry.ts";
import type { CommandDefinition } from "../command.ts";
import { unionOf } from "../edge/union-options.ts";

export const teardownCommand: CommandDefinition = {
  path: ["teardown"],
  kind: "TeardownResult",
  summary: "remove what kubeassume made for an issuer, in the safe order, and nothing else",
  arguments: [{ syntax: "[cloud]", description: "only this cloud", choices: clouds.map((cloud) => cloud.name) }],
  options: [
    ...unionOf(clouds, "teardown"),
    { name: "grants-only", description: "leave the trust and the documents" },
    { name: "keep-documents", description: "leave the published documents" },
    { name: "delete-bucket", description: "also delete the bucket, when nothing foreign is in it" },
  ],
  examples: ["kubeassume teardown --dry-run", "kubeassume teardown aws --issuer-url https://oidc.example.com/prod --yes"],
  run: async (context) => (await import("./run-teardown.ts")).runTeardown(context),
};
