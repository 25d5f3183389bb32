/** How the process ends; the table in the README is generated from the codes that use them. */
export const EXIT = {
  done: 0,
  defect: 1,
  input: 2,
  checkFailed: 3,
  refused: 4,
  partly: 5,
  declined: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One row of a table of codes: everything that `kubeassume explain CODE` says. */
export interface CodeDefinition {
  readonly code: string;
  readonly exit: ExitCode;
  /** One line: what the code means. */
  readonly summary: string;
  /** Why it happens, in the words of somebody who has seen it happen. */
  readonly why: string;
  /** What to do next; the default hint of every error with this code. */
  readonly fix: string;
}

export type CodeTable<K extends string = string> = { readonly [P in K]: CodeDefinition & { readonly code: P } };

/** Gives each row of a table of codes its own key as `code`, so that a code is written once. */
export function defineCodes<K extends string>(rows: Record<K, Omit<CodeDefinition, "code">>): CodeTable<K> {
  const entries = Object.entries<Omit<CodeDefinition, "code">>(rows).map(([code, row]) => [code, { code, ...row }]);
  return Object.fromEntries(entries) as CodeTable<K>;
}

/** The members that `error` and every entry of `warnings` have in JSON output. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ErrorOptions {
  /** Lower case, no full stop, with the wrong value in it. */
  readonly message: string;
  /** What to do next; by default the `fix` of the code. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Only for errors that stand for several others; by default the exit code of the definition. */
  readonly exit?: ExitCode;
}

/**
 * The only error that kubeassume throws on purpose. Tell cases apart by `code`, never by text.
 * `details` must be JSON and free of tokens, keys and secrets: it is printed as it is.
 */
export class KubeassumeError extends Error implements Problem {
  readonly code: string;
  readonly exit: ExitCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(definition: CodeDefinition, options: ErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "KubeassumeError";
    this.code = definition.code;
    this.exit = options.exit ?? definition.exit;
    this.hint = options.hint ?? definition.fix;
    this.details = options.details ?? {};
  }

  toProblem(): Problem {
    return { code: this.code, message: this.message, hint: this.hint, details: this.details };
  }
}

/** A warning has a code of the same tables and the same members as an error, but stops nothing. */
export function warning(definition: CodeDefinition, options: Omit<ErrorOptions, "cause" | "exit">): Problem {
  return {
    code: definition.code,
    message: options.message,
    hint: options.hint ?? definition.fix,
    details: options.details ?? {},
  };
}
