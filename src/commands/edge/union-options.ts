import type { Cloud } from "../../federation/clouds/cloud.ts";
import type { OptionDefinition } from "../../federation/clouds/options.ts";

/**
 * The flags of all clouds for a command that serves all of them; the same name is the same flag. Those that not every
 * cloud has say whose they are.
 */
export function unionOf(clouds: readonly Cloud[], command: "status" | "teardown"): readonly OptionDefinition[] {
  const owners = new Map<string, string[]>();
  for (const { title, options } of clouds) for (const { name } of options[command]) owners.set(name, [...(owners.get(name) ?? []), title]);
  const all = clouds.flatMap((cloud) => cloud.options[command]);
  const mark = (option: OptionDefinition): OptionDefinition => {
    const titles = owners.get(option.name) ?? [];
    if (titles.length < clouds.length) return { ...option, onlyOf: titles.join(" and ") };
    const { defaultText, ...rest } = option;
    const isShared = all.every((other) => other.name !== option.name || other.defaultText === defaultText);
    if (isShared) return option;
    return { ...rest, defaultText: "that of each cloud" };
  };
  return [...new Map(all.map((option) => [option.name, mark(option)])).values()];
}
