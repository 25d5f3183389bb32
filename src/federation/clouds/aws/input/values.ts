import type { CloudInput } from "../../cloud.ts";
import { codes, combineProblems } from "../../../errors/codes.ts";
import { type CodeDefinition, KubeassumeError } from "../../../errors/error.ts";
import { issuerCodes } from "../../../oidc/codes.ts";
import { checkIssuerUrl } from "../../../oidc/issuer.ts";

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

/** The members of `clouds.aws` in the config; empty without one. */
export function cloudConfigOf(input: CloudInput): Readonly<Record<string, unknown>> {
  return input.config?.clouds["aws"] ?? {};
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
