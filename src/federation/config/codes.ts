import { defineCodes, EXIT } from "../errors/error.ts";

/** Codes of `kubeassume.yaml`. Every message starts with FILE:LINE:COLUMN. */
export const codes = defineCodes({
  CONFIG_MALFORMED: {
    exit: EXIT.input,
    summary: "the config file is not YAML, or not one YAML mapping",
    why: "A tab, a wrong indentation, a key written twice, several documents in one file, a tag or an alias that YAML 1.2 does not resolve.",
    fix: "mend the line that the message names; an editor with the JSON Schema of the package shows it while you type",
  },
  CONFIG_UNKNOWN_KEY: {
    exit: EXIT.input,
    summary: "the config file has a key that kubeassume does not know",
    why: "A key that is misspelt would else be ignored without a word, and the default would act in its place.",
    fix: "correct or remove the key; schema/kubeassume.schema.json lists all of them",
  },
  CONFIG_INVALID: {
    exit: EXIT.input,
    summary: "a value of the config file is missing, of the wrong type, or cannot be right",
    why: "The config is checked as a whole before anything is read or written elsewhere. Environment variables are not expanded.",
    fix: "correct the value that the message names",
  },
  CONFIG_UNSUPPORTED: {
    exit: EXIT.input,
    summary: "the config file names a cloud or a store that this version does not support",
    why: "Leaving it out silently would look as if it had been set up.",
    fix: "remove that member, or use a version of kubeassume that supports it",
  },
});
