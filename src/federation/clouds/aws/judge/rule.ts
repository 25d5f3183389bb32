import type { CheckStatus } from "../../../errors/checks.ts";
import type { JudgeCheckId } from "./checks.ts";
import type { Facts } from "./facts.ts";
import type { Refusal } from "./refusals.ts";

/** What a rule says of a token. */
export interface Answer {
  readonly status: CheckStatus;
  readonly message: string;
  /** Empty for the default of the check's definition. */
  readonly hint: string;
  /** How STS would answer; null unless the rule refuses. */
  readonly refusal: Refusal | null;
}

export interface Rule {
  readonly id: JudgeCheckId;
  readonly judge: (facts: Facts) => Answer;
}

/** Added to statements about AWS that no primary source and no recording confirms. */
export const UNCONFIRMED = "(unconfirmed)";

export const pass = (message: string): Answer => ({ status: "pass", message, hint: "", refusal: null });
export const skip = (message: string): Answer => ({ status: "skip", message, hint: "", refusal: null });
export const warn = (message: string, hint = ""): Answer => ({ status: "warn", message, hint, refusal: null });
export const fail = (refusal: Refusal, message: string, hint = ""): Answer => ({ status: "fail", message, hint, refusal });

/** A value of the token or the request for messages: quoted and cut at 300 characters. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}...` : value);
}

/** A value of the token as an argument in a command to copy; the placeholder when a shell would read more into it. */
export function argument(value: string | null, placeholder: string): string {
  return value !== null && /^[\w@%+=:,./-]{1,300}$/.test(value) ? value : placeholder;
}

/** A value of the token within AWS's own words: as it is, with control characters escaped. */
export function printable(value: string): string {
  return quote(value).slice(1, -1);
}
