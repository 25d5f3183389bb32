import { Command, CommanderError, Option } from "commander";
import { type FlagValues, keyOf, type OptionDefinition } from "../../federation/clouds/options.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import type { CommandDefinition } from "../command.ts";
import { commonOptions, DRY_RUN_COMMANDS } from "./common-options.ts";
import { examplesText } from "./help.ts";

/** What the arguments ask for: a command, or a text such as --help that answers by itself. */
export type Parsed =
  | { readonly what: "command"; readonly definition: CommandDefinition; readonly flags: FlagValues; readonly arguments: readonly string[] }
  | { readonly what: "text"; readonly text: string; readonly exit: 0 | 2 };

const SUMMARY = "Secretless cloud access for the pods of any Kubernetes cluster";

/** Turns arguments into a command and its flags. Throws USAGE, with the nearest known word for a typo. */
export async function parseArguments(argv: readonly string[], definitions: readonly CommandDefinition[], version: string): Promise<Parsed> {
  let parsed: Parsed | undefined;
  const texts: string[] = [];
  const root = configure(new Command("kubeassume"), texts).description(SUMMARY).version(version, "-V, --version", "print the version");
  root.addHelpText("after", examplesText(["kubeassume demo aws", "kubeassume setup aws --issuer-url https://oidc.example.com/prod --dry-run"]));
  for (const definition of definitions) {
    const command = addCommand(root, definition, texts);
    command.action((...all: unknown[]) => {
      const positional = command.processedArgs.flat().filter((value): value is string => typeof value === "string");
      void all;
      parsed = { what: "command", definition, flags: command.opts<Record<string, string | string[] | boolean>>(), arguments: positional };
    });
  }
  try {
    if (argv.length === 0) return { what: "text", text: root.helpInformation(), exit: 2 };
    await root.parseAsync([...argv], { from: "user" });
  } catch (error) {
    return answerOrThrow(error, texts);
  }
  if (parsed === undefined) return { what: "text", text: texts.join(""), exit: 2 };
  return parsed;
}

function configure(command: Command, texts: string[]): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({ writeOut: (text) => texts.push(text), writeErr: (text) => texts.push(text) })
    .helpOption("-h, --help", "print this help");
}

function addCommand(root: Command, definition: CommandDefinition, texts: string[]): Command {
  let parent = root;
  for (const word of definition.path.slice(0, -1)) {
    const existing = parent.commands.find((command) => command.name() === word);
    parent = existing ?? configure(parent.command(word), texts).description(GROUPS[word] ?? "");
  }
  const command = configure(parent.command(definition.path.at(-1) ?? ""), texts).description(definition.summary);
  for (const argument of definition.arguments ?? []) command.argument(argument.syntax, argument.description);
  for (const option of optionsOf(definition)) command.addOption(toOption(option));
  command.addHelpText("after", examplesText(definition.examples));
  return command;
}

const GROUPS: Readonly<Record<string, string>> = {
  setup: "create or repair a cloud's trust in the issuer",
  grant: "let service accounts act as a cloud identity",
  "trust-policy": "print the trust policy and manifests, offline",
  publish: "write discovery document and JWKS where clouds can read them",
  verify: "judge a token as a cloud would",
  permissions: "print the least that an operator must be allowed",
};

/** All flags of a command: its own, then the common ones. */
export function optionsOf(definition: CommandDefinition): readonly OptionDefinition[] {
  const writes = DRY_RUN_COMMANDS.has(definition.path[0] ?? "");
  return [...definition.options, ...commonOptions.filter((option) => option.name !== "dry-run" || writes)];
}

function toOption(definition: OptionDefinition): Option {
  const flags = `${definition.short === undefined ? "" : `-${definition.short}, `}--${definition.name}${definition.value === undefined ? "" : ` <${definition.value}>`}`;
  const text = definition.defaultText === undefined ? definition.description : `${definition.description} (default: ${definition.defaultText})`;
  const option = new Option(flags, text);
  if (definition.choices !== undefined) option.choices([...definition.choices]);
  if (definition.repeatable === true) {
    const single = option.parseArg;
    option.argParser((value: string, previous: readonly string[] | undefined) => {
      if (single !== undefined) single(value, undefined as never);
      return [...(previous ?? []), value];
    });
  }
  if (keyOf(definition) !== option.attributeName() && definition.name !== "no-color") {
    throw new TypeError(`flag --${definition.name} would be found under ${option.attributeName()}`);
  }
  return option;
}

function answerOrThrow(error: unknown, texts: readonly string[]): Parsed {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return { what: "text", text: texts.join(""), exit: 0 };
  if (error.code === "commander.help") return { what: "text", text: texts.join(""), exit: 2 };
  const message = error.message.replace(/^error: /, "").replace(/\.?\n\(?/g, "; ").replace(/\)$/, "");
  throw new KubeassumeError(codes.USAGE, { message });
}
