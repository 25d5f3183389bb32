import type { OptionDefinition } from "../../federation/clouds/options.ts";

/** The end of every help text: command lines that work when pasted. */
export function examplesText(examples: readonly string[]): string {
  return examples.length === 0 ? "" : `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`;
}

const WIDTH = 80;

/** The flags that only some clouds have, by name: the cloud's own commands explain them. */
export function foldedText(options: readonly OptionDefinition[]): string {
  const titles = [...new Set(options.flatMap((option) => option.onlyOf ?? []))];
  return titles.map((title) => `\nOf ${title} (as of setup and grant):\n${wrap(options.filter((option) => option.onlyOf === title).map(toWords))}\n`).join("");
}

function toWords({ name, value }: OptionDefinition): string {
  return `--${name}${value === undefined ? "" : ` <${value}>`}`;
}

function wrap(words: readonly string[]): string {
  const lines = words.reduce<string[]>((all, word) => {
    const last = all.at(-1);
    if (last === undefined || last.length + word.length + 2 > WIDTH) return [...all, `  ${word}`];
    return [...all.slice(0, -1), `${last}, ${word}`];
  }, []);
  return lines.join("\n");
}
