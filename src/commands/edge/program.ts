import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { keyOf, type OptionDefinition } from "../../federation/clouds/options.ts";
import type { CommandDefinition } from "../command.ts";
import { commonOptions, DRY_RUN_COMMANDS } from "./common-options.ts";
import { examplesText, foldedText } from "./help.ts";

const SUMMARY = "Secretless cloud access for the pods of any Kubernetes cluster";
const ROOT_EXAMPLES = ["kubeassume demo aws", "kubeassume setup aws --issuer-url https://oidc.example.com/prod --dry-run", "kubeassume explain ISSUER_UNREACHABLE"];

const GROUPS: Readonly<Record<string, string>> = {
  setup: "create or repair a cloud's trust in the issuer",
  grant: "let service accounts act as a cloud identity",
  "trust-policy": "print the trust policy and manifests, offline",
  publish: "write discovery document and JWKS where clouds can read them",
  verify: "judge a token as a cloud would",
  permissions: "print the least that an operator must be allowed",
};

export interface ProgramOptions {
  readonly version: string;
  /** Told everything that the program prints by itself: help, version. */
  readonly print: (text: string) => void;
  /** Told the command that was asked for; `command` knows its flags and words. */
  readonly onCommand: (definition: CommandDefinition, command: Command) => void;
}

/** All commands as one commander program. It prints and exits nowhere: it throws CommanderError. */
export function createProgram(definitions: readonly CommandDefinition[], options: ProgramOptions): Command {
  const shared = shareOptions(options);
  const root = configure(new Command("kubeassume"), shared, true).description(SUMMARY);
  root.addHelpText("after", examplesText(ROOT_EXAMPLES));
  for (const definition of definitions) {
    const parent = definition.path.slice(0, -1).reduce((above, word) => findGroup(above, word, definitions, shared), root);
    addCommand(parent, definition, shared);
  }
  return root;
}

function findGroup(parent: Command, word: string, definitions: readonly CommandDefinition[], options: Shared): Command {
  const existing = parent.commands.find((command) => command.name() === word);
  if (existing !== undefined) return existing;
  const examples = definitions.filter((definition) => definition.path[0] === word).flatMap((definition) => definition.examples.slice(0, 2));
  const group = configure(parent.command(word), options, DRY_RUN_COMMANDS.has(word)).description(GROUPS[word] ?? "");
  return group.addHelpText("after", examplesText(examples));
}

/** Groups take the common flags too, so that they may stand anywhere: `kubeassume -o json setup aws`. */
function configure(command: Command, { version, print, common }: Shared, dryRun: boolean): Command {
  command
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .configureOutput({ writeOut: print, writeErr: print })
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false);
  for (const option of dryRun ? common.withDryRun : common.withoutDryRun) command.addOption(option);
  return command;
}

/** What all commands of one program share. Options have no state of their own, and making them is most of a start's work. */
interface Shared extends ProgramOptions {
  readonly common: { readonly withDryRun: readonly Option[]; readonly withoutDryRun: readonly Option[] };
}

function shareOptions(options: ProgramOptions): Shared {
  const withDryRun = commonOptions.map((option) => toOption(option).helpGroup("Common options:"));
  // Still understood, so that it is refused in words.
  const withoutDryRun = withDryRun.map((option, index) => (option.name() === "dry-run" ? toOption(commonOptions[index] as OptionDefinition).hideHelp() : option));
  return { ...options, common: { withDryRun, withoutDryRun } };
}

function addCommand(parent: Command, definition: CommandDefinition, options: Shared): void {
  const command = parent.command(definition.path.at(-1) ?? "").description(definition.summary);
  for (const option of definition.options) command.addOption(toOption(option).hideHelp(option.onlyOf !== undefined));
  configure(command, options, canDryRun(definition));
  for (const { syntax, description, choices } of definition.arguments ?? []) {
    const argument = new Argument(syntax, description);
    command.addArgument(choices === undefined || definition.passThrough === true ? argument : argument.choices([...choices]));
  }
  command.addHelpText("after", foldedText(definition.options) + examplesText(definition.examples));
  command.action(() => options.onCommand(definition, command));
}

/** All flags that a command's help and its completion show: its own, then the common ones. */
export function optionsOf(definition: CommandDefinition): readonly OptionDefinition[] {
  return [...definition.options, ...commonOptions.filter((option) => option.name !== "dry-run" || canDryRun(definition))];
}

/** Whether a command writes, so that --dry-run means something. */
export function canDryRun(definition: CommandDefinition): boolean {
  return DRY_RUN_COMMANDS.has(definition.path[0] ?? "");
}

function toOption(definition: OptionDefinition): Option {
  const { name, short, value, description, defaultText, choices } = definition;
  const flags = `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` <${value}>`}`;
  const option = new Option(flags, defaultText === undefined ? description : `${description} (default: ${defaultText})`);
  if (keyOf(definition) !== option.attributeName() && name !== "no-color") throw new TypeError(`flag --${name} would be found under ${option.attributeName()}`);
  if (choices !== undefined) option.choices([...choices]);
  if (definition.repeatable === true) {
    option.argParser((one: string, previous: readonly string[] | undefined) => {
      if (choices?.includes(one) === false) throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
      return [...(previous ?? []), one];
    });
  }
  return option;
}
