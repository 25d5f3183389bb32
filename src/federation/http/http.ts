/** A request whose answer is small: documents and API calls, never downloads. */
export interface HttpRequest {
  readonly url: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds from the start until the last byte. Default: what the client was made with. */
  readonly timeoutMs?: number;
  /** The answer's size limit. Default 1 MiB. */
  readonly maxBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Why no usable answer came, for callers that word it for their own subject. */
export type HttpFailureReason = "dns" | "refused" | "reset" | "timeout" | "tls" | "truncated" | "not-http" | "too-large" | "proxy" | "aborted" | "other";

/** Not a KubeassumeError: every caller turns it into one, with the code and the words of what it was reading. */
export class HttpFailure extends Error {
  readonly reason: HttpFailureReason;
  /** The system's or TLS library's own code, such as ECONNRESET or CERT_HAS_EXPIRED; empty when there is none. */
  readonly systemCode: string;

  constructor(reason: HttpFailureReason, systemCode: string, message: string, cause: unknown) {
    super(message, { cause });
    this.name = "HttpFailure";
    this.reason = reason;
    this.systemCode = systemCode;
  }
}

/** Sends one request. Follows no redirect. Throws HttpFailure; any status is an answer. */
export type Http = (request: HttpRequest) => Promise<HttpAnswer>;
