import { clouds } from "../federation/clouds/registry.ts";
import { stores } from "../federation/publish/registry.ts";
import type { CommandDefinition } from "./command.ts";
import { completionCommand } from "./completion/completion.ts";
import { demoCommand } from "./demo/demo.ts";
import { explainCommand } from "./explain/explain.ts";
import { grantCommand } from "./grant/grant.ts";
import { permissionsCommand } from "./permissions/permissions.ts";
import { publishCommand } from "./publish/publish.ts";
import { sandboxCommand } from "./sandbox/sandbox.ts";
import { setupCommand } from "./setup/setup.ts";
import { statusCommand } from "./status/status.ts";
import { teardownCommand } from "./teardown/teardown.ts";
import { thumbprintCommand } from "./thumbprint/thumbprint.ts";
import { trustPolicyCommand } from "./trust-policy/trust-policy.ts";
import { verifyCommand } from "./verify/verify.ts";

/** Every command of this version, in the order of the help text. */
export function commandDefinitions(): readonly CommandDefinition[] {
  return [
    demoCommand,
    ...stores.map(publishCommand),
    ...clouds.map(setupCommand),
    ...clouds.map(grantCommand),
    ...clouds.map(trustPolicyCommand),
    ...clouds.map(verifyCommand),
    statusCommand,
    teardownCommand,
    thumbprintCommand,
    ...clouds.map(permissionsCommand),
    sandboxCommand,
    explainCommand,
    completionCommand,
  ];
}
