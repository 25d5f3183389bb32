import type { CommandDefinition } from "../command.ts";

export const thumbprintCommand: CommandDefinition = {
  path: ["thumbprint"],
  kind: "Thumbprint",
  summary: "show the served TLS chain and its thumbprint, and whether AWS would use it",
  arguments: [{ syntax: "<url>", description: "an issuer, or any https URL" }],
  options: [{ name: "jwks", description: "insist on following discovery to the host of the JWKS (the default where the URL is an issuer)" }],
  examples: ["kubeassume thumbprint https://oidc.example.com/prod"],
  run: async (context) => (await import("./run-thumbprint.ts")).runThumbprint(context),
};
