import { setTimeout as sleep } from "node:timers/promises";
import { type HttpAnswer, HttpFailure, type HttpFailureReason } from "./http.ts";

/** How often and how long something is tried. */
export interface Attempts {
  /** Milliseconds for all attempts together, waiting included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether sending it twice is harmless; otherwise only what was surely not carried out is repeated. */
  readonly repeatable: boolean;
}

const MAX_ATTEMPTS = 3;
const FIRST_DELAY_MS = 300;
/** Longer waits are for people to decide on. */
const MAX_DELAY_MS = 10_000;
const REPEATABLE_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const BEFORE_SENDING: ReadonlySet<HttpFailureReason> = new Set(["dns", "refused"]);
/** A time-out is not repeated: the bound is the bound. */
const REPEATABLE_FAILURE: ReadonlySet<HttpFailureReason> = new Set(["dns", "refused", "reset", "truncated"]);

/**
 * Up to 3 attempts for answers 429, 500, 502, 503, 504 and for connections that fail, with growing pauses (300 ms,
 * then twice as long, a little chance in them) or as long as Retry-After says. What may not be sent twice is repeated
 * only after a 429 and when nothing was sent. Gives the last answer; throws the last HttpFailure.
 */
export async function withAttempts(attempts: Attempts, send: (timeoutMs: number) => Promise<HttpAnswer>): Promise<HttpAnswer> {
  const end = performance.now() + attempts.timeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await settle(() => send(Math.max(1, end - performance.now())));
    const pause = attempt < MAX_ATTEMPTS && !attempts.signal.aborted && mayRepeat(outcome, attempts.repeatable) ? pauseAfter(outcome, attempt) : null;
    if (pause === null || performance.now() + pause >= end) {
      if (outcome instanceof HttpFailure) throw outcome;
      return outcome;
    }
    await pauseFor(pause, attempts.signal);
  }
}

/** Waits; throws HttpFailure `aborted` when interrupted meanwhile. */
export async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((cause: unknown) => {
    throw new HttpFailure("aborted", "", "interrupted", cause);
  });
}

async function settle(send: () => Promise<HttpAnswer>): Promise<HttpAnswer | HttpFailure> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof HttpFailure) return error;
    throw error;
  }
}

function mayRepeat(outcome: HttpAnswer | HttpFailure, repeatable: boolean): boolean {
  if (outcome instanceof HttpFailure) return (repeatable ? REPEATABLE_FAILURE : BEFORE_SENDING).has(outcome.reason);
  return outcome.status === 429 || (repeatable && REPEATABLE_STATUS.has(outcome.status));
}

/** Null when the server asks for more patience than a command has. */
function pauseAfter(outcome: HttpAnswer | HttpFailure, attempt: number): number | null {
  const backoff = FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
  if (outcome instanceof HttpFailure) return backoff;
  const asked = outcome.headers["retry-after"] ?? "";
  if (!/^\d{1,6}$/.test(asked)) return backoff;
  const milliseconds = Number(asked) * 1000;
  return milliseconds > MAX_DELAY_MS ? null : Math.max(milliseconds, backoff);
}
