import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Ends the sentence "gave up waiting for". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/** Asks again and again until the answer is true, and throws when the time is up. An error of the question is final. */
export async function waitUntil(isDone: () => Promise<boolean>, options: WaitOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await isDone())) {
    if (Date.now() >= deadline) throw new Error(`gave up waiting for ${options.what} after ${options.timeoutMs} ms`);
    await delay(options.intervalMs ?? 50);
  }
}
