import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Fault, LoggedRequest, SeenRequest, Traffic } from "./traffic.ts";

/** A request whose body has been read. */
export interface StandInRequest extends SeenRequest {
  readonly body: Buffer;
  /** Path and query as they came, still encoded: signatures cover these bytes. */
  readonly target: string;
  /** The path as it came, percent escapes included, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Answers one request; null when it knows no such request. */
export type Handler = (request: StandInRequest) => StandInAnswer | null | Promise<StandInAnswer | null>;

export interface ServeOptions {
  /** Names the server in the request log. */
  readonly service: string;
  readonly handler: Handler;
  readonly traffic: Traffic;
  /** Plain HTTP when absent. */
  readonly tls?: { readonly chainPem: string; readonly keyPem: string } | undefined;
  /** Larger request bodies are answered with 413; default 16 MiB. */
  readonly maxBodyBytes?: number | undefined;
}

export interface RunningServer {
  /** `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Ends every connection, busy ones too. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Starts a server on 127.0.0.1 and a free port. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const scheme = options.tls === undefined ? "http" : "https";
  const listener: RequestListener = (request, response) => void converse(options, `${scheme}://127.0.0.1`, request, response);
  const server = options.tls === undefined ? createServer(listener) : createTlsServer({ cert: options.tls.chainPem, key: options.tls.keyPem }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${scheme}://127.0.0.1:${port}`, port, close: closerOf(server) };
}

function closerOf(server: Server): () => Promise<void> {
  // Before TLS is agreed, a connection is unknown to closeAllConnections.
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
}

/** One request from its first byte to the last of its answer. */
async function converse(options: ServeOptions, base: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  // A client that goes away is no event of its own here: the answer is then written to nobody.
  incoming.on("error", () => undefined);
  response.on("error", () => undefined);
  const entry = logEntry(options, base, incoming);
  const { traffic } = options;
  traffic.requests.push(entry);
  const end = (status: number): void => {
    entry.status = status;
    entry.endedAt = performance.now();
  };
  response.once("close", () => {
    if (entry.endedAt === null) end(0);
  });
  const body = await readBody(incoming, options.maxBodyBytes ?? MAX_BODY_BYTES);
  if (incoming.destroyed && !incoming.complete && body !== null) return;
  await pause(traffic.latencyMs ?? 0);
  const request = toRequest(entry, incoming, body ?? Buffer.alloc(0));
  const fault = traffic.faults?.(request) ?? null;
  const spoiltEarly = fault !== null && fault.when === "before";
  const answer = spoiltEarly ? EMPTY : body === null ? TOO_LARGE : await answerOf(options, request, entry);
  send(incoming, response, answer, fault, end);
}

type OpenEntry = { -readonly [K in keyof LoggedRequest]: LoggedRequest[K] };

const EMPTY: StandInAnswer = { status: 200, headers: { "content-type": "application/json" }, body: "{}\n" };
const TOO_LARGE: StandInAnswer = { status: 413, headers: { connection: "close" }, body: "the request body is too large\n" };

function logEntry(options: ServeOptions, base: string, incoming: IncomingMessage): OpenEntry {
  const host = incoming.headers.host ?? base.slice(base.indexOf("//") + 2);
  const url = `${base.slice(0, base.indexOf("//"))}//${host}${incoming.url ?? "/"}`;
  const shared = { endedAt: null, status: null, unmatched: false, defect: null };
  return { service: options.service, method: incoming.method ?? "GET", url, startedAt: performance.now(), ...shared };
}

/** Null when it is larger than the limit. What follows is drained, so that the client gets to read the answer. */
async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming) {
      size += (chunk as Buffer).length;
      if (size <= limit) chunks.push(chunk as Buffer);
      else if (size > 4 * limit) break;
    }
  } catch {
    // The client went away in the middle of its request.
  }
  return size > limit ? null : Buffer.concat(chunks);
}

function pause(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

function toRequest(entry: OpenEntry, incoming: IncomingMessage, body: Buffer): StandInRequest {
  const target = incoming.url ?? "/";
  const at = target.indexOf("?");
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]);
  return {
    service: entry.service,
    method: entry.method,
    url: entry.url,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
    target,
    path: at === -1 ? target : target.slice(0, at),
    query: new URLSearchParams(at === -1 ? "" : target.slice(at + 1)),
  };
}

async function answerOf(options: ServeOptions, request: StandInRequest, entry: OpenEntry): Promise<StandInAnswer> {
  try {
    const answer = await options.handler(request);
    if (answer !== null) return answer;
    entry.unmatched = true;
    return plain(404, `the sandbox's ${request.service} does not know ${request.method} ${request.path}`);
  } catch (error) {
    entry.defect = error;
    return plain(500, `the sandbox's ${request.service} failed at ${request.method} ${request.path}: ${String(error)}`);
  }
}

function plain(status: number, text: string): StandInAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: `${text}\n` };
}

function send(incoming: IncomingMessage, response: ServerResponse, answer: StandInAnswer, fault: Fault | null, end: (status: number) => void): void {
  if (fault?.kind === "stall") return;
  if (fault?.kind === "reset") {
    end(0);
    // A TLS socket has no reset of its own; ending it in the middle of an exchange is the same to the client.
    const { socket } = incoming;
    if ("encrypted" in socket) socket.destroy();
    else socket.resetAndDestroy();
    return;
  }
  const shown = fault?.kind === "status" ? fault : answer;
  const body = Buffer.from(shown.body ?? "");
  const headers = { ...shown.headers, ...(mayHaveBody(shown.status) ? { "content-length": headLength(incoming, shown, body) } : {}) };
  response.writeHead(shown.status, headers);
  end(shown.status);
  if (fault?.kind === "truncate") {
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => incoming.socket.destroy());
    return;
  }
  response.end(incoming.method === "HEAD" ? undefined : body);
}

function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** An answer to HEAD names the length that GET would have, which only the handler knows when it left the body out. */
function headLength(incoming: IncomingMessage, answer: StandInAnswer, body: Buffer): string {
  const own = answer.headers?.["content-length"];
  return incoming.method === "HEAD" && own !== undefined ? own : String(body.length);
}
