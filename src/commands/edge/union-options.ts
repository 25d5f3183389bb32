import type { OptionDefinition } from "../../federation/clouds/options.ts";

/** The flags of several clouds for a command that serves all of them; the same name is the same flag. */
export function unionOf(lists: readonly (readonly OptionDefinition[])[]): readonly OptionDefinition[] {
  return [...new Map(lists.flat().map((option) => [option.name, option])).values()];
}
