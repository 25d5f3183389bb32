/** A check of `status` or a rule of `verify`, with a stable id that `kubeassume explain ID` documents. */
export interface CheckDefinition {
  readonly id: string;
  readonly summary: string;
  readonly why: string;
  readonly fix: string;
}

export type CheckStatus = "pass" | "warn" | "fail" | "skip";

/** One answered check, as in `StatusReport.data.checks` and `VerifyReport.data.checks`. */
export interface Check {
  readonly id: string;
  /** The cloud's name, or null for a check of the issuer or the cluster. */
  readonly cloud: string | null;
  readonly status: CheckStatus;
  readonly message: string;
  /** What to do; empty when there is nothing to do. */
  readonly hint: string;
  readonly durationMs: number;
}

export type CheckTable<K extends string = string> = { readonly [P in K]: CheckDefinition & { readonly id: P } };

/** Gives each row its key as `id`. Ids are kebab-case and start with the cloud's name where they belong to one. */
export function defineChecks<K extends string>(rows: Record<K, Omit<CheckDefinition, "id">>): CheckTable<K> {
  const entries = Object.entries<Omit<CheckDefinition, "id">>(rows).map(([id, row]) => [id, { id, ...row }]);
  return Object.fromEntries(entries) as CheckTable<K>;
}
