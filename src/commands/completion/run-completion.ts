import { commandDefinitions } from "../commands.ts";
import type { CommandContext, CommandDefinition, CommandResult } from "../command.ts";
import { optionsOf } from "../edge/program.ts";

/** One word list: what may follow a prefix of command words. */
interface Candidates {
  readonly prefix: string;
  readonly words: readonly string[];
}

/** A static script made from the same table as the help; it starts no process while completing. */
export async function runCompletion(context: CommandContext): Promise<CommandResult> {
  const [shell] = context.arguments;
  const table = toTable(commandDefinitions());
  const text = shell === "fish" ? renderFish(table) : shell === "zsh" ? renderZsh(table) : renderBash(table);
  return { data: { shell, script: text }, warnings: [], text };
}

function toTable(definitions: readonly CommandDefinition[]): readonly Candidates[] {
  const table = new Map<string, Set<string>>();
  const add = (prefix: readonly string[], words: readonly string[]) => {
    const key = prefix.join(" ");
    table.set(key, new Set([...(table.get(key) ?? []), ...words]));
  };
  for (const definition of definitions) {
    definition.path.forEach((word, index) => add(definition.path.slice(0, index), [word]));
    const options = optionsOf(definition).flatMap((option) => (option.short === undefined ? [`--${option.name}`] : [`--${option.name}`, `-${option.short}`]));
    const choices = (definition.arguments ?? []).flatMap((argument) => argument.choices ?? []);
    add(definition.path, [...choices, ...options, "--help"]);
    for (const choice of choices) add([...definition.path, choice], options);
  }
  return [...table].map(([prefix, words]) => ({ prefix, words: [...words] }));
}

/** The words before the cursor that are no flags, as far as the table knows them. */
const BASH_HEAD = `_kubeassume() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    path="\${path:+$path }$word"
  done
  local words=""
  case "$path" in
`;

function renderBash(table: readonly Candidates[]): string {
  const cases = table.map(({ prefix, words }) => `    "${prefix}") words="${words.join(" ")}" ;;`);
  return `${BASH_HEAD}${cases.join("\n")}\n  esac\n  COMPREPLY=($(compgen -W "$words" -- "$current"))\n}\ncomplete -o default -F _kubeassume kubeassume\n`;
}

function renderZsh(table: readonly Candidates[]): string {
  const cases = table.map(({ prefix, words }) => `    "${prefix}") candidates=(${words.join(" ")}) ;;`);
  return `#compdef kubeassume
_kubeassume() {
  local path_words="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] && break
    path_words="\${path_words:+$path_words }$word"
  done
  case "$path_words" in
${cases.join("\n")}
  esac
  if (( \${#candidates} )); then compadd -- "\${candidates[@]}"; else _files; fi
}
if [ "\${funcstack[1]}" = "_kubeassume" ]; then _kubeassume "$@"; else compdef _kubeassume kubeassume; fi
`;
}

function renderFish(table: readonly Candidates[]): string {
  const lines = table.map(({ prefix, words }) => `complete -c kubeassume -n '__kubeassume_at "${prefix}"' -a '${words.join(" ")}'`);
  return `function __kubeassume_at
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    set -a path $word
  end
  test "$path" = "$argv[1]"
end
${lines.join("\n")}
`;
}
