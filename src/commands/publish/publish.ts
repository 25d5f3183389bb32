import type { StoreDefinition } from "../../federation/publish/store.ts";
import type { CommandDefinition } from "../command.ts";

/** `publish STORE` for every store. */
export function publishCommand(definition: StoreDefinition): CommandDefinition {
  return {
    path: ["publish", definition.name],
    kind: "PublishResult",
    summary: `write discovery document and keys to ${article(definition.title)}, and read them back as a stranger`,
    options: definition.options,
    examples: definition.examples,
    run: async (context) => (await import("./run-publish.ts")).runPublish(definition, context),
  };
}

function article(title: string): string {
  return /^[a-z]/.test(title) ? `a ${title}` : title;
}
