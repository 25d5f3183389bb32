import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

const TIMEOUT_MS = 15_000;

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as plain text. */
  readonly text?: string;
  /** The only authority that is trusted; without it, Node's own. */
  readonly caPem?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json<T = unknown>(): T;
}

/** One request on a connection of its own, without redirects or retries, ended after 15 seconds. */
export function call(url: string, options: CallOptions = {}): Promise<Answer> {
  const body = options.json === undefined ? options.text : JSON.stringify(options.json);
  const type = options.json === undefined ? "text/plain" : "application/json";
  const settings = {
    method: options.method ?? "GET",
    agent: false as const,
    timeout: TIMEOUT_MS,
    headers: {
      ...(body === undefined ? {} : { "content-type": type, "content-length": String(Buffer.byteLength(body)) }),
      ...options.headers,
    },
    ...(options.caPem === undefined ? {} : { ca: options.caPem }),
  };
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    const request = send(url, settings, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) });
      });
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url} within ${TIMEOUT_MS} ms`)));
    request.on("error", reject);
    request.end(body);
  });
}
