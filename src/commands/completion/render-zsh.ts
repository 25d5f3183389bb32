import { candidatesAt, type Place, valuesAt } from "./places.ts";
import { known } from "./render-bash.ts";

/** The script for zsh, to be sourced or put into a folder of $fpath as _kubeassume. */
export function renderZsh(places: readonly Place[]): string {
  const values = places.flatMap(valuesAt);
  const chosen = values.filter(({ choices }) => choices.length > 0).map(({ key, choices }) => `    "${key}") candidates=(${choices.join(" ")}) ;;`);
  const free = values.filter(({ choices }) => choices.length === 0).map(({ key }) => `"${key}"`);
  return `#compdef kubeassume
_kubeassume() {
  local at="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      ${known(places)}) at="\${at:+$at }$word" ;;
      *) break ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${chosen.join("\n")}
    ${free.join("|")}) ;;
    *) case "$at" in
${places.map((place) => `      "${place.path}") candidates=(${candidatesAt(place).join(" ")}) ;;`).join("\n")}
    esac ;;
  esac
  if (( \${#candidates} )); then compadd -- "\${candidates[@]}"; else _files; fi
}
if [ "\${funcstack[1]}" = "_kubeassume" ]; then _kubeassume "$@"; else compdef _kubeassume kubeassume; fi
`;
}
