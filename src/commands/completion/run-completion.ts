import { commandDefinitions } from "../commands.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { renderBash } from "./render-bash.ts";
import { renderFish } from "./render-fish.ts";
import { renderZsh } from "./render-zsh.ts";
import { toPlaces } from "./places.ts";

/** A static script made from the same table as the help; it starts no process while completing. */
export async function runCompletion(context: CommandContext): Promise<CommandResult> {
  const [shell] = context.arguments;
  const places = toPlaces(commandDefinitions());
  const text = shell === "fish" ? renderFish(places) : shell === "zsh" ? renderZsh(places) : renderBash(places);
  return { data: { shell, script: text }, warnings: [], text };
}
