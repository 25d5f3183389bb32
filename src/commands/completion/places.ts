import type { OptionDefinition } from "../../federation/clouds/options.ts";
import type { CommandDefinition } from "../command.ts";
import { commonOptions } from "../edge/common-options.ts";
import { optionsOf } from "../edge/program.ts";

/** A place in a command line: behind these command words, these words and flags may follow. */
export interface Place {
  /** `setup aws`; empty behind the program's own name. */
  readonly path: string;
  readonly words: readonly string[];
  readonly options: readonly OptionDefinition[];
}

const HELP: readonly OptionDefinition[] = [
  { name: "help", short: "h", description: "print this help" },
  { name: "version", short: "V", description: "print the version" },
];

/** Every place that the commands know, the program itself first. */
export function toPlaces(definitions: readonly CommandDefinition[]): readonly Place[] {
  const places = new Map<string, { words: Set<string>; options: readonly OptionDefinition[] }>();
  const at = (words: readonly string[]) => {
    const path = words.join(" ");
    const place = places.get(path) ?? { words: new Set<string>(), options: [...commonOptions, ...HELP] };
    places.set(path, place);
    return place;
  };
  for (const definition of definitions) {
    for (const [index, word] of definition.path.entries()) at(definition.path.slice(0, index)).words.add(word);
    const place = at(definition.path);
    for (const choice of (definition.arguments ?? []).flatMap((argument) => argument.choices ?? [])) place.words.add(choice);
    place.options = [...optionsOf(definition), ...HELP];
  }
  return [...places].map(([path, { words, options }]) => ({ path, words: [...words], options }));
}

/** `--output`, `-o`. */
export function flagsOf(option: OptionDefinition): readonly string[] {
  return option.short === undefined ? [`--${option.name}`] : [`--${option.name}`, `-${option.short}`];
}

/** What may stand at each place: words and flags. */
export function candidatesAt(place: Place): readonly string[] {
  return [...place.words, ...place.options.flatMap(flagsOf)];
}

/** Flags with a value, as `PATH FLAG`, with what the value may be; empty where it may be anything. */
export function valuesAt(place: Place): readonly { readonly key: string; readonly choices: readonly string[] }[] {
  const valued = place.options.filter((option) => option.value !== undefined);
  return valued.flatMap((option) => flagsOf(option).map((flag) => ({ key: `${place.path} ${flag}`, choices: option.choices ?? [] })));
}
