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
  const medians = await mediansOf({ nothing: node("-e", "0"), help: node(command, "--help"), policy: node(command, ...policy), explain: node(command, "explain") }, 20);
  const reference = { name: "`node -e 0`", value: medians.nothing };
  return [
    measured("`node -e 0`", medians.nothing, "ms"),
    against("`kubeassume --help`", medians.help, "ms", reference, 1.6),
    against("`kubeassume trust-policy aws`", medians.policy, "ms", reference, 2),
    against("`kubeassume explain`", medians.explain, "ms", reference),
  ];
}
