import { defineCodes, EXIT } from "../errors/error.ts";

export const codes = defineCodes({
  SANDBOX_CLOUD_UNKNOWN: {
    exit: EXIT.input,
    summary: "the sandbox has no stand-ins for a cloud of that name",
    why: "The words before -- name clouds; a command and its arguments come after it.",
    fix: "name a cloud that kubeassume knows, or put -- before the command",
  },
  SANDBOX_COMMAND_NOT_FOUND: {
    exit: EXIT.input,
    summary: "the command that was to run in the sandbox cannot be started",
    why: "It is not in PATH, is not executable, or is a shell's own word, which only a shell knows.",
    fix: "check the name, or run it through a shell: kubeassume sandbox -- sh -c '...'",
  },
  SANDBOX_FOLDER_UNUSABLE: {
    exit: EXIT.input,
    summary: "the folder for the sandbox cannot be made or written",
    why: "The sandbox keeps its CA, kubeconfig and vendors' configuration in a folder that only its owner may read.",
    fix: "give --dir a folder that you may write, or leave it out for a temporary one",
  },
});
