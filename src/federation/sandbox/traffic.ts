/** What goes wrong with one request on purpose. */
export type Fault =
  | { readonly kind: "reset"; readonly when: FaultTime }
  /** No byte is answered, and the connection stays open until one side closes it. */
  | { readonly kind: "stall"; readonly when: FaultTime }
  | { readonly kind: "status"; readonly when: FaultTime; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  /** Half of the answer, then the connection closes. */
  | { readonly kind: "truncate"; readonly when: FaultTime };

/** `before`: the request has no effect. `after`: it is performed and its answer is lost. */
export type FaultTime = "before" | "after";

/** A request as the log and the fault hook see it. */
export interface SeenRequest {
  /** Which stand-in was asked, such as `cluster`, `issuer` or `aws.iam`. */
  readonly service: string;
  readonly method: string;
  /** The absolute URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface LoggedRequest {
  readonly service: string;
  readonly method: string;
  readonly url: string;
  /** Milliseconds on the process's own steady clock, injected latency included. */
  readonly startedAt: number;
  /** Null while it is unanswered. */
  readonly endedAt: number | null;
  /** What was answered; 0 when nothing was, null while it is unanswered. */
  readonly status: number | null;
  /** No stand-in knows such a request. */
  readonly unmatched: boolean;
  /** The stand-in itself threw this: a defect of the sandbox. */
  readonly defect: unknown;
}

export interface TrafficOptions {
  /** Added to each request before it is looked at, in milliseconds; default 0. */
  readonly latencyMs?: number | undefined;
  /** Asked once for each request, in the order of arrival. */
  readonly faults?: ((request: SeenRequest) => Fault | null) | undefined;
}

/** What all servers of one sandbox share. */
export interface Traffic extends TrafficOptions {
  /** In the order of arrival. */
  readonly requests: LoggedRequest[];
}

/** What the sandbox's servers share: a log of requests, latency and faults. */
export function createTraffic(options: TrafficOptions = {}): Traffic {
  return { ...options, requests: [] };
}

/**
 * The longest chain of requests in which each started after the one before had ended: what a client waits for, in
 * round trips. Requests that overlap count once; unanswered ones do not count.
 */
export function countSequential(requests: readonly LoggedRequest[]): number {
  // The classic of interval scheduling: taking the earliest end first gives the longest chain.
  const ended = requests.filter((request) => request.endedAt !== null).sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  let count = 0;
  let free = Number.NEGATIVE_INFINITY;
  for (const request of ended) {
    if (request.startedAt < free) continue;
    count += 1;
    free = request.endedAt ?? free;
  }
  return count;
}
