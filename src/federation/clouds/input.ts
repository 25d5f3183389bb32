import type { CloudInput, ServiceAccount } from "./cloud.ts";
import type { ConfigGrant } from "../config/loaded-config.ts";
import { codes, combineProblems } from "../errors/codes.ts";
import { type CodeDefinition, KubeassumeError } from "../errors/error.ts";
import { issuerCodes } from "../oidc/codes.ts";
import { checkIssuerUrl } from "../oidc/issuer.ts";

/** Collects the problems of an input, so that one run shows them all. */
export interface Problems {
  add(definition: CodeDefinition, message: string, hint?: string): void;
  /** Runs a parser; keeps what it throws. */
  try<T>(parse: () => T): T | undefined;
  include(problems: readonly KubeassumeError[]): void;
  /** Throws when there is any. */
  throwAll(): void;
}

/** An empty collection. */
export function createProblems(): Problems {
  const found: KubeassumeError[] = [];
  return {
    add: (definition, message, hint) => {
      found.push(new KubeassumeError(definition, { message, ...(hint === undefined ? {} : { hint }) }));
    },
    try: (parse) => {
      try {
        return parse();
      } catch (error) {
        if (!(error instanceof KubeassumeError)) throw error;
        found.push(error);
        return undefined;
      }
    },
    include: (problems) => {
      found.push(...problems);
    },
    throwAll: () => {
      if (found.length > 0) throw combineProblems(found);
    },
  };
}

/** The members of a cloud in the config (`clouds.NAME`); empty without one. */
export function cloudConfigOf(input: CloudInput, cloud: string): Readonly<Record<string, unknown>> {
  return input.config?.clouds[cloud] ?? {};
}

/** The grants of the config that say something about a cloud. */
export function configGrants(input: CloudInput, cloud: string): readonly ConfigGrant[] {
  return input.config?.grants.filter((grant) => grant[cloud] !== undefined && grant[cloud] !== null) ?? [];
}

/** What a grant of the config says about a cloud. */
export function membersOf(grant: ConfigGrant, cloud: string): Readonly<Record<string, unknown>> {
  return grant[cloud] as Readonly<Record<string, unknown>>;
}

/** Each account once, in the order of their first mention. */
export function uniqueAccounts(accounts: readonly ServiceAccount[]): readonly ServiceAccount[] {
  return [...new Map(accounts.map((account) => [`${account.namespace}/${account.name}`, account])).values()];
}

/** A text that says something; null for anything else. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** A list however it was written; null when it was not given, so that an empty one stays visible. */
export function listOf(value: unknown): readonly string[] | null {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : null;
}

/** The issuer from flag or config, judged by the rules that every cloud has. An empty text when there is a problem. */
export function readIssuerUrl(input: CloudInput, problems: Problems): string {
  const issuer = textOf(input.flags["issuerUrl"]) ?? textOf(input.config?.issuer);
  if (issuer === null) {
    problems.add(codes.FLAG_MISSING, "no issuer is given", "give --issuer-url URL, or write issuer into kubeassume.yaml");
    return "";
  }
  for (const problem of checkIssuerUrl(issuer).problems) {
    const definition = issuerCodes[problem.code as keyof typeof issuerCodes];
    problems.add(definition, problem.message, problem.hint);
  }
  return issuer;
}
