import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import { type Http, type HttpAnswer, HttpFailure, type HttpFailureReason, type HttpRequest } from "./http.ts";
import { withinTime } from "./within-time.ts";

export interface HttpOptions {
  /** Extra CA certificates (PEM) beside the public ones. There is no way to turn verification off. */
  readonly caPem: readonly string[];
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default bound of one request in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Another way to connect than straight or through the proxies of `env`; it verifies TLS by its own CA. */
  readonly dispatcher?: () => Dispatcher;
}

const MAX_BYTES = 1024 * 1024;

/** A client that verifies TLS, honours the proxy variables, and bounds every answer in time and size. */
export function createHttp(options: HttpOptions): Http {
  let dispatcher: Dispatcher | undefined;
  return async (request) => {
    const through = (dispatcher ??= options.dispatcher?.() ?? createDispatcher(options));
    try {
      return await withinTime(request.timeoutMs ?? options.timeoutMs, options.signal, (signal) => exchange(through, request, options, signal));
    } catch (cause) {
      throw toFailure(cause, request, options);
    }
  };
}

async function exchange(dispatcher: Dispatcher, request: HttpRequest, options: HttpOptions, signal: AbortSignal): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(request.url);
  const answer = await dispatcher.request({
    origin,
    path: pathname + search,
    method: (request.method ?? "GET") as Dispatcher.HttpMethod,
    headers: { "user-agent": "kubeassume", ...request.headers },
    body: request.body ?? null,
    signal,
  });
  return { status: answer.statusCode, headers: flatten(answer.headers), body: await readBody(answer.body, request, options) };
}

function createDispatcher(options: HttpOptions): Dispatcher {
  const secureContext = trustedWith(options.caPem);
  const proxies = {
    httpProxy: options.env["HTTP_PROXY"] ?? options.env["http_proxy"] ?? "",
    httpsProxy: options.env["HTTPS_PROXY"] ?? options.env["https_proxy"] ?? "",
    noProxy: options.env["NO_PROXY"] ?? options.env["no_proxy"] ?? "",
  };
  return new EnvHttpProxyAgent({ ...proxies, connect: { secureContext }, requestTls: { secureContext }, proxyTls: { secureContext }, keepAliveTimeout: 1000, pipelining: 1 });
}

/** By the extra CAs; a process has one or two sets of them. */
const trusted = new Map<string, SecureContext>();

/** One for all connections of all clients with the same CAs: reading the public roots takes some 20 ms each time. */
function trustedWith(caPem: readonly string[]): SecureContext {
  const key = caPem.join("\n");
  const known = trusted.get(key);
  if (known !== undefined) return known;
  const context = createSecureContext({ ca: [...rootCertificates, ...caPem] });
  trusted.set(key, context);
  return context;
}

async function readBody(body: Dispatcher.ResponseData["body"], request: HttpRequest, options: HttpOptions): Promise<string> {
  try {
    return await readBounded(body, request);
  } catch (cause) {
    const failure = toFailure(cause, request, options);
    // The answer had begun: whatever closed the connection, part of it is missing.
    throw failure.reason === "reset" ? describe("truncated", failure.systemCode, request, cause) : failure;
  }
}

async function readBounded(body: Dispatcher.ResponseData["body"], request: HttpRequest): Promise<string> {
  const limit = request.maxBytes ?? MAX_BYTES;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > limit) {
      body.destroy();
      throw new HttpFailure("too-large", "", `${new URL(request.url).host}: the answer is larger than ${limit} bytes`, undefined);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): HttpAnswer["headers"] {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(", ") : (value ?? "")]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function toFailure(cause: unknown, request: HttpRequest, options: HttpOptions): HttpFailure {
  if (cause instanceof HttpFailure) return cause;
  const code = systemCodeOf(cause);
  const reason = options.signal?.aborted === true ? "aborted" : reasonOf(code, cause);
  return describe(reason, code, request, cause);
}

/** Only the host goes into the words: a path or a query may hold what is nobody's business. */
function describe(reason: HttpFailureReason, code: string, request: HttpRequest, cause: unknown): HttpFailure {
  return new HttpFailure(reason, code, `${new URL(request.url).host}: ${wordsFor(reason, code)}`, cause);
}

function systemCodeOf(cause: unknown): string {
  for (let error = cause, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth += 1) {
    const code = (error as NodeJS.ErrnoException).code;
    if (typeof code === "string") return code;
    if (error instanceof AggregateError && error.errors.length > 0) return systemCodeOf(error.errors[0]);
  }
  return "";
}

const REASONS: Readonly<Record<string, HttpFailureReason>> = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  ETIMEDOUT: "timeout",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "truncated",
  HPE_INVALID_EOF_STATE: "truncated",
  // With a signal of ours the reason of that signal is thrown instead: this one is a tunnel that was not opened.
  UND_ERR_ABORTED: "proxy",
  UND_ERR_PRX_TLS: "proxy",
};

function reasonOf(code: string, cause: unknown): HttpFailureReason {
  const known = REASONS[code];
  if (known !== undefined) return known;
  if (cause instanceof Error && (cause.name === "TimeoutError" || cause.name === "AbortError")) return "timeout";
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|ERR_OSSL|HOSTNAME_MISMATCH)/.test(code)) return "tls";
  return cause instanceof Error && cause.name === "HTTPParserError" ? "not-http" : "other";
}

function wordsFor(reason: HttpFailureReason, code: string): string {
  const words: Readonly<Record<HttpFailureReason, string>> = {
    dns: "the name does not resolve",
    refused: "the connection is refused",
    reset: "the connection was closed before the answer was complete",
    timeout: "no complete answer in time",
    tls: "TLS does not verify",
    truncated: "the answer is cut off",
    "not-http": "the answer is not HTTP",
    "too-large": "the answer is too large",
    proxy: "the proxy refuses to connect",
    aborted: "interrupted",
    other: "the request failed",
  };
  return code === "" ? words[reason] : `${words[reason]} (${code})`;
}
