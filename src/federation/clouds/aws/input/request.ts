import type { FlagValues } from "../../options.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { textOf } from "../../input.ts";

/**
 * `--duration-seconds` as a number; null when it is not given. Which durations are possible is for the judge and for
 * STS itself to say. Throws FLAG_INVALID for what is no number of seconds.
 */
export function readSessionSeconds(flags: FlagValues): number | null {
  const given = textOf(flags["durationSeconds"]);
  if (given === null) return null;
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `--duration-seconds is ${JSON.stringify(given.slice(0, 60))}`, hint: "give seconds, from 900 to the role's maximum" });
}
