import { connect as connectPlain, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

export interface Address {
  /** A DNS name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Why no byte of the server can be had; `systemCode` is Node's own code, `PROXY` for an answer of the proxy. */
export class ConnectFailure extends Error {
  readonly systemCode: string;

  constructor(systemCode: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ConnectFailure";
    this.systemCode = systemCode;
  }
}

const MAX_PROXY_ANSWER = 16 * 1024;

/** A connection to the address, directly or through an HTTP proxy's CONNECT (RFC 9110, 9.3.6). Destroyed when the signal aborts. */
export async function openConnection(address: Address, proxy: string | undefined, ca: readonly string[], signal: AbortSignal): Promise<Duplex> {
  signal.throwIfAborted();
  if (proxy === undefined) return open(connectPlain({ host: address.host, port: address.port }), "connect", signal);
  const url = URL.canParse(proxy) ? new URL(proxy) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new ConnectFailure("PROXY", "the proxy is not given as an http or https URL");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = secure
    ? await open(connectTls({ host, port, ca: [...ca], ...servername }), "secureConnect", signal)
    : await open(connectPlain({ host, port }), "connect", signal);
  await requestTunnel(socket, address, url, signal);
  return socket;
}

function open<T extends Duplex>(socket: T, ready: string, signal: AbortSignal): Promise<T> {
  const abort = (): void => void socket.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener("abort", abort, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", abort));
  return new Promise((resolve, reject) => {
    socket.once(ready, () => resolve(socket));
    // Later errors belong to whoever uses the socket; without a listener they would end the process.
    socket.on("error", (cause: NodeJS.ErrnoException) => reject(new ConnectFailure(codeOf(cause), "no connection", cause)));
  });
}

/** The system's code of an error; of several attempts (IPv4 and IPv6) that of the first. */
export function codeOf(cause: unknown): string {
  if (cause instanceof ConnectFailure) return cause.systemCode;
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0]);
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : "";
}

function requestTunnel(socket: Duplex, address: Address, proxy: URL, signal: AbortSignal): Promise<void> {
  const target = `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`];
  if (proxy.username !== "") {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    lines.push(`Proxy-Authorization: Basic ${Buffer.from(credentials).toString("base64")}`);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const stop = (failure: ConnectFailure | null, rest?: Buffer): void => {
      socket.off("data", onData);
      socket.off("close", onClose);
      socket.pause();
      if (failure === null) {
        if (rest !== undefined && rest.length > 0) socket.unshift(rest);
        resolve();
      } else {
        socket.destroy();
        reject(failure);
      }
    };
    const onClose = (): void => stop(new ConnectFailure(signal.aborted ? "" : "PROXY", "the proxy closed the connection", signal.reason));
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf("\r\n\r\n");
      if (end < 0 && seen.length <= MAX_PROXY_ANSWER) return;
      const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(seen.subarray(0, 64).toString("latin1"))?.[1];
      if (end >= 0 && status?.startsWith("2") === true) stop(null, seen.subarray(end + 4));
      else stop(new ConnectFailure("PROXY", status === undefined ? "the proxy does not answer in HTTP" : `the proxy answers ${status}`));
    };
    socket.on("data", onData);
    socket.once("close", onClose);
  });
}
