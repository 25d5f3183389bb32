/** One flag, as data: commander, help, completion and the documentation are all made from it. */
export interface OptionDefinition {
  /** Without dashes, in kebab-case: `issuer-url`. The value is found under its camelCase name. */
  readonly name: string;
  readonly short?: string;
  /** The placeholder of the value, in upper case; absent for a switch. */
  readonly value?: string;
  readonly description: string;
  /** May be given several times; the value is then always an array. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
  /** Shown in help only: code applies its own default, so that "not given" stays visible to it. */
  readonly defaultText?: string;
  /** The title of the only clouds that have it, where a command serves all: help then names it in a line of theirs. */
  readonly onlyOf?: string;
}

/** Values of flags by camelCase name: a string, an array when repeatable, true for a switch; absent when not given. */
export type FlagValues = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/** `issuer-url` -> `issuerUrl`. */
export function keyOf(option: OptionDefinition): string {
  return option.name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
