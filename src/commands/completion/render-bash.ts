import { candidatesAt, type Place, valuesAt } from "./places.ts";

/** The script for bash; words of files are left to bash itself. */
export function renderBash(places: readonly Place[]): string {
  const values = places.flatMap(valuesAt);
  const chosen = values.filter(({ choices }) => choices.length > 0).map(({ key, choices }) => `    "${key}") words="${choices.join(" ")}" ;;`);
  const free = values.filter(({ choices }) => choices.length === 0).map(({ key }) => `"${key}"`);
  return `# bash completion for kubeassume
_kubeassume() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${known(places)}) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path $previous" in
${chosen.join("\n")}
    ${free.join("|")}) ;;
    *) case "$path" in
${places.map((place) => `      "${place.path}") words="${candidatesAt(place).join(" ")}" ;;`).join("\n")}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _kubeassume kubeassume
`;
}

/** A shell pattern of all command paths. */
export function known(places: readonly Place[]): string {
  return places.filter((place) => place.path !== "").map((place) => `"${place.path}"`).join("|");
}
