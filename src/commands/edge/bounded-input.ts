import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import type { World } from "../world.ts";

/** Standard input whose reads end with INTERRUPTED when the signal does: a question must not outlive Ctrl-C or --timeout. */
export function boundInput(stdin: World["stdin"], signal: AbortSignal): World["stdin"] {
  return {
    get isTTY() {
      return stdin.isTTY;
    },
    readAll: () => unlessAborted(stdin.readAll(), signal),
    readLine: () => unlessAborted(stdin.readLine(), signal),
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new KubeassumeError(codes.INTERRUPTED, { message: "interrupted while waiting for input", hint: "nothing was written; run it again" }));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}
