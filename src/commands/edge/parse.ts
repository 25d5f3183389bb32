import { type Command, CommanderError } from "commander";
import type { FlagValues } from "../../federation/clouds/options.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import type { CommandDefinition } from "../command.ts";
import { canDryRun, createProgram } from "./program.ts";

/** What the arguments ask for: a command, or a text such as --help that answers by itself. */
export type Parsed =
  | { readonly what: "command"; readonly definition: CommandDefinition; readonly flags: FlagValues; readonly arguments: readonly string[] }
  | { readonly what: "text"; readonly text: string; readonly exit: 0 | 2 };

/**
 * Turns arguments into a command and its flags. Without a command the answer is the help, with exit code 2.
 * Throws USAGE, with the nearest known word for a typo.
 */
export async function parseArguments(argv: readonly string[], definitions: readonly CommandDefinition[], version: string): Promise<Parsed> {
  const texts: string[] = [];
  let parsed: Parsed | undefined;
  const root = createProgram(definitions, {
    version,
    print: (text) => void texts.push(text),
    onCommand: (definition, command) => {
      const words = command.processedArgs.flat().filter((value): value is string => typeof value === "string");
      parsed = { what: "command", definition, flags: flagsOf(command), arguments: words };
    },
  });
  try {
    await root.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const { code, exitCode } = error;
    if (exitCode !== 0 && code !== "commander.help") throw toUsage(error, argv, definitions);
    return { what: "text", text: texts.join(""), exit: exitCode === 0 ? 0 : 2 };
  }
  if (parsed?.what === "command" && parsed.flags["dryRun"] === true && !canDryRun(parsed.definition)) {
    throw new KubeassumeError(codes.USAGE, { message: `--dry-run has no meaning for ${parsed.definition.path.join(" ")}`, hint: "it changes nothing in any cloud: leave --dry-run out" });
  }
  return parsed ?? { what: "text", text: texts.join(""), exit: 2 };
}

/** Flags before the command's name count too; those behind it win. */
function flagsOf(command: Command): FlagValues {
  const chain: Command[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) chain.unshift(one);
  const given = chain.flatMap((one) => Object.entries(one.opts<Record<string, string | string[] | boolean>>()).filter(([name]) => one.getOptionValueSource(name) !== "default"));
  return Object.fromEntries(given);
}

function toUsage(error: CommanderError, argv: readonly string[], definitions: readonly CommandDefinition[]): KubeassumeError {
  const [what = "", suggestion = ""] = error.message.replace(/^error: /, "").split("\n");
  const message = what.replace(/\.$/, "").replace(/\. ([AE])/, (_, letter: string) => `; ${letter.toLowerCase()}`);
  const nearest = /^\(Did you mean (.+)\?\)$/.exec(suggestion)?.[1];
  const help = `see ${["kubeassume", ...pathIn(argv, definitions)].join(" ")} --help`;
  if (nearest === undefined) return new KubeassumeError(codes.USAGE, { message, hint: help });
  return new KubeassumeError(codes.USAGE, { message, hint: `did you mean ${nearest}? ${help}`, details: { nearest } });
}

/** The command or the group that was meant, as far as its words are known. */
function pathIn(argv: readonly string[], definitions: readonly CommandDefinition[]): readonly string[] {
  const words = argv.filter((word) => !word.startsWith("-"));
  const starts = (path: readonly string[]) => path.every((word, index) => words[index] === word);
  const paths = definitions.map((definition) => definition.path);
  return paths.find(starts) ?? paths.map((path) => path.slice(0, 1)).find(starts) ?? [];
}
