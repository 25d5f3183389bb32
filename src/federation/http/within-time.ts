/**
 * Runs `work` with a signal that aborts after `milliseconds` (reason: a TimeoutError) or when `outer` does (reason:
 * outer's). Not `AbortSignal.any` of `AbortSignal.timeout`: on Node 20 the garbage collector takes the timeout away,
 * as nothing else refers to it, and then it never fires (github.com/nodejs/node/issues/54614).
 */
export async function withinTime<T>(milliseconds: number, outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const bound = new AbortController();
  const timer = setTimeout(() => bound.abort(new DOMException("not finished in time", "TimeoutError")), milliseconds);
  const stop = (): void => bound.abort(outer?.reason);
  outer?.addEventListener("abort", stop, { once: true });
  if (outer?.aborted === true) stop();
  try {
    return await work(bound.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", stop);
  }
}
