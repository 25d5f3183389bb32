import type { Check, CheckStatus, CheckTable } from "../../errors/checks.ts";

/** An answer of a token service that hands nothing out: its own code, words and HTTP status. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly httpStatus: number;
}

/** What a rule says of a token. */
export interface Answer {
  readonly status: CheckStatus;
  readonly message: string;
  /** Empty for the default of the check's definition. */
  readonly hint: string;
  /** How the cloud would answer; null unless the rule refuses. */
  readonly refusal: Refusal | null;
}

/** One rule of a token service, under the id of the check that documents it. */
export interface Rule<Id extends string, Facts> {
  readonly id: Id;
  readonly judge: (facts: Facts) => Answer;
}

/** What all rules say together. */
export interface Ruling<Id extends string> {
  readonly checks: readonly Check[];
  /** The first rule that refuses; null when none does. */
  readonly refused: { readonly by: Id; readonly refusal: Refusal; readonly fix: string } | null;
}

/** Added to statements about a cloud that no primary source and no recording confirms. */
export const UNCONFIRMED = "(unconfirmed)";

export const pass = (message: string): Answer => ({ status: "pass", message, hint: "", refusal: null });
export const skip = (message: string): Answer => ({ status: "skip", message, hint: "", refusal: null });
export const warn = (message: string, hint = ""): Answer => ({ status: "warn", message, hint, refusal: null });
export const fail = (refusal: Refusal, message: string, hint = ""): Answer => ({ status: "fail", message, hint, refusal });

/** Answers every rule, those after the first refusal too, in the order in which the cloud is taken to refuse. */
export function runRules<Id extends string, Facts>(cloud: string, rules: readonly Rule<Id, Facts>[], definitions: CheckTable<Id>, facts: Facts): Ruling<Id> {
  const answers = rules.map((rule) => ({ id: rule.id, answer: rule.judge(facts) }));
  const checks = answers.map(({ id, answer }): Check => {
    const needsHint = answer.status === "fail" || answer.status === "warn";
    return { id, cloud, status: answer.status, message: answer.message, hint: needsHint ? answer.hint || definitions[id].fix : "", durationMs: 0 };
  });
  for (const { id, answer } of answers) {
    if (answer.refusal !== null) return { checks, refused: { by: id, refusal: answer.refusal, fix: answer.hint || definitions[id].fix } };
  }
  return { checks, refused: null };
}

/** A value of the token or the request for messages: quoted and cut at 300 characters. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}...` : value);
}

/** A value of the token as an argument in a command to copy; the placeholder when a shell would read more into it. */
export function argument(value: string | null, placeholder: string): string {
  return value !== null && /^[\w@%+=:,./-]{1,300}$/.test(value) ? value : placeholder;
}

/** A value of the token within the cloud's own words: as it is, with control characters escaped. */
export function printable(value: string): string {
  return quote(value).slice(1, -1);
}
