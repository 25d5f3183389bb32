import type { OptionDefinition } from "../../federation/clouds/options.ts";

/** Flags that every command has (contract, "Everywhere"). */
export const commonOptions: readonly OptionDefinition[] = [
  { name: "config", value: "FILE", description: "config file", defaultText: "./kubeassume.yaml when there is one" },
  { name: "output", short: "o", value: "FORMAT", description: "what stdout carries", choices: ["text", "json"], defaultText: "text" },
  { name: "dry-run", description: "show the plan, send no write" },
  { name: "yes", short: "y", description: "do not ask" },
  { name: "quiet", description: "nothing on stderr but errors" },
  { name: "verbose", description: "more on stderr: every request with its answer, and causes of errors" },
  { name: "no-color", description: "no colour (also NO_COLOR)" },
  { name: "timeout", value: "SECONDS", description: "bound of the whole command", defaultText: "300" },
  { name: "ca-file", value: "FILE", description: "extra trusted CA (PEM) for issuer and endpoints", defaultText: "$KUBEASSUME_CA_FILE" },
  { name: "kubeconfig", value: "FILE", description: "kubeconfig", defaultText: "$KUBECONFIG, ~/.kube/config" },
  { name: "context", value: "NAME", description: "kubeconfig context", defaultText: "the current one" },
];

/** Commands that write nothing refuse --dry-run instead of accepting and ignoring it. */
export const DRY_RUN_COMMANDS: ReadonlySet<string> = new Set(["setup", "grant", "publish", "teardown"]);
