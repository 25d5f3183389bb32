import type { CloudWorld } from "../../../../../src/federation/clouds/cloud.ts";
import { createHttp } from "../../../../../src/federation/http/create-http.ts";

/** The world of a command whose environment is exactly `env`. */
export function worldWith(env: Readonly<Record<string, string | undefined>>, timeoutMs = 5000): CloudWorld {
  return {
    env,
    http: createHttp({ caPem: [], env: {}, timeoutMs }),
    caPem: [],
    now: () => new Date(),
    signal: new AbortController().signal,
    timeoutMs,
    notify: () => undefined,
  };
}
