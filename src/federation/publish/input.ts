import { type FlagValues, keyOf, type OptionDefinition } from "../clouds/options.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import { codes } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import { issuerCodes } from "../oidc/codes.ts";
import { checkIssuerUrl } from "../oidc/issuer.ts";
import type { StoreDefinition, StoreInput } from "./store.ts";

/** The flags of every store. */
export const issuerOption: OptionDefinition = {
  name: "issuer-url",
  value: "URL",
  description: "the issuer, exactly as tokens name it",
};

export const keyOptions: readonly OptionDefinition[] = [
  { name: "jwks-file", value: "FILE", description: "publish the keys of this JWKS", defaultText: "the cluster's keys" },
  { name: "public-key-file", value: "FILE", description: "publish this public key (PEM, RSA or EC)", repeatable: true },
  { name: "prune-keys", description: "remove published keys that sign no more; each is named in the plan" },
];

/** A flag's or a config member's text; null when it is not given or empty. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** The texts of a list; empty when it is not given. */
export function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** A value of the store: the flag, or else the config's entry. */
export function givenText(input: StoreInput, key: string): string | null {
  return textOf(input.flags[key]) ?? textOf(input.entry[key]);
}

/** The issuer that was given: the flag, the entry, or the config's own; null when none of them says one. */
export function givenIssuer(input: StoreInput): string | null {
  return givenText(input, "issuerUrl") ?? input.config?.issuer ?? null;
}

/** What is wrong with an issuer, as errors. */
export function issuerProblems(issuer: string): readonly KubeassumeError[] {
  return checkIssuerUrl(issuer).problems.map(({ code, message, hint, details }) => {
    const definition = issuerCodes[code as keyof typeof issuerCodes];
    return new KubeassumeError(definition, { message, hint, details });
  });
}

/** FLAG_MISSING that names the flag and the member of the config. */
export function missing(flag: string, member: string): KubeassumeError {
  return new KubeassumeError(codes.FLAG_MISSING, {
    message: `--${flag} is needed`,
    hint: `give --${flag}, or ${member} in kubeassume.yaml`,
    details: { flag },
  });
}

/**
 * The entry of `publish` in the config that the command is about: the one of this store, or among several the one that
 * agrees with the flags. Empty without a config, or when none agrees.
 *
 * @throws KubeassumeError FLAGS_CONFLICT when several agree
 */
export function chooseEntry(
  store: Pick<StoreDefinition, "name" | "options">,
  flags: FlagValues,
  config: LoadedConfig | null,
): Readonly<Record<string, unknown>> {
  const entries = (config?.publish ?? []).flatMap((entry) => (entry[store.name] === undefined ? [] : [entry[store.name] ?? {}]));
  if (entries.length <= 1) return entries[0] ?? {};
  const keys = store.options.map(keyOf);
  const agreeing = entries.filter((entry) => keys.every((key) => flags[key] === undefined || entry[key] === undefined || flags[key] === entry[key]));
  if (agreeing.length <= 1) return agreeing[0] ?? {};
  throw new KubeassumeError(codes.FLAGS_CONFLICT, {
    message: `${config?.file ?? "the config"} has ${entries.length} entries for ${store.name}, and the flags do not say which one`,
    hint: "name one by its flags, such as --bucket or --path",
  });
}
