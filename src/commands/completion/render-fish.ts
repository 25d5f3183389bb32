import type { OptionDefinition } from "../../federation/clouds/options.ts";
import type { Place } from "./places.ts";

/** The script for fish, which knows flags, their values and their descriptions by itself. */
export function renderFish(places: readonly Place[]): string {
  const known = places.filter((place) => place.path !== "").map((place) => quote(place.path));
  return `# fish completion for kubeassume
function __kubeassume_at
  set -l path
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    contains -- "$next" ${known.join(" ")}; or break
    set path $next
  end
  test "$path" = "$argv[1]"
end
${places.flatMap(renderPlace).join("\n")}
`;
}

function renderPlace(place: Place): readonly string[] {
  const at = `complete -c kubeassume -n ${quote(`__kubeassume_at "${place.path}"`)}`;
  const words = place.words.length === 0 ? [] : [`${at} -f -a ${quote(place.words.join(" "))}`];
  return [...words, ...place.options.map((option) => `${at} ${renderOption(option)}`)];
}

function renderOption({ name, short, value, choices, description }: OptionDefinition): string {
  const flag = short === undefined ? `-l ${name}` : `-l ${name} -s ${short}`;
  const takes = value === undefined ? "" : choices === undefined ? " -r" : ` -x -a ${quote(choices.join(" "))}`;
  return `${flag}${takes} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
