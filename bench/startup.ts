import { resolve } from "node:path";
import { mediansOf } from "./measure.ts";
import { against, measured, type Row } from "./row.ts";

/** How long commands that touch nothing take, against a node that does nothing. */
export async function benchStartup(): Promise<readonly Row[]> {
  const command = resolve("dist/kubeassume.js");
  // Node reads this file at its start, which has nothing to do with kubeassume.
  const { NODE_EXTRA_CA_CERTS: _unused, NODE_OPTIONS: _none, ...env } = process.env;
  const node = (...args: readonly string[]) => ({ program: process.execPath, args, env });
  const policy = ["trust-policy", "aws", "--issuer-url", "https://oidc.example.com/prod", "--account-id", "123456789012", "--service-account", "payments/api"];
  const gcpPolicy = ["trust-policy", "gcp", "--issuer-url", "https://oidc.example.com/prod", "--project-number", "123456789012", "--pool-id", "prod", "--service-account", "payments/api", "--role", "roles/viewer"];
  const commands = { nothing: node("-e", "0"), help: node(command, "--help"), policy: node(command, ...policy), gcpPolicy: node(command, ...gcpPolicy), explain: node(command, "explain") };
  const medians = await mediansOf(commands, 20);
  const reference = { name: "`node -e 0`", value: medians.nothing };
  return [
    measured("`node -e 0`", medians.nothing, "ms"),
    against("`kubeassume --help`", medians.help, "ms", reference, 1.6),
    against("`kubeassume trust-policy aws`", medians.policy, "ms", reference, 2),
    against("`kubeassume trust-policy gcp`", medians.gcpPolicy, "ms", reference),
    against("`kubeassume explain`", medians.explain, "ms", reference),
  ];
}
