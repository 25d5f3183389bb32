import { createServer } from "node:https";
import type { ServerOptions } from "node:https";
import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { connect, createServer as createPlainServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createPrivateKey, signCertificate } from "../../src/federation/sandbox/pki-certificate.ts";
import { createAuthority, validityOf } from "../../src/federation/sandbox/pki.ts";
import type { Authority, ServerCertificate, Validity } from "../../src/federation/sandbox/pki.ts";

export interface TlsServer {
  readonly port: number;
  /** `https://localhost:PORT` */
  readonly url: string;
  /** `localhost:PORT` as an address. */
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

/** Certificates for every TLS case: a root, two intermediates under each other, and what is made of them. */
export interface TestPki {
  readonly root: Authority;
  readonly upper: Authority;
  readonly lower: Authority;
}

export async function createTestPki(now: Date, algorithm: "ecdsa" | "rsa" = "ecdsa"): Promise<TestPki> {
  const root = await createAuthority({ name: "test root", now, algorithm });
  const upper = await root.issueIntermediate({ name: "upper intermediate", now, algorithm });
  return { root, upper, lower: await upper.issueIntermediate({ name: "lower intermediate", now, algorithm }) };
}

/** A server certificate that signed itself and is no authority. */
export async function createSelfSigned(names: readonly string[], validity: Validity): Promise<ServerCertificate> {
  const key = await createPrivateKey("ecdsa");
  const name = names[0] ?? "localhost";
  const certificatePem = signCertificate({ subject: name, issuer: name, ...validityOf(validity, 90), key, issuerKey: key, authority: false, names });
  return { certificatePem, chainPem: certificatePem, keyPem: key.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** Serves `chainPem` exactly as given (Node sends it in that order), on 127.0.0.1 and a free port. */
export async function startTlsServer(
  certificate: { readonly chainPem: string; readonly keyPem: string },
  options: ServerOptions = {},
  respond: RequestListener = (_request, response) => void response.writeHead(404).end(),
): Promise<TlsServer> {
  const server = createServer({ cert: certificate.chainPem, key: certificate.keyPem, ...options }, respond);
  return listen(server, () => server.closeAllConnections());
}

/** A server that speaks no TLS: what `onConnection` does is all that clients see. */
export async function startRawServer(onConnection: (socket: Socket) => void): Promise<TlsServer> {
  const server = createPlainServer(onConnection);
  return listen(server, () => undefined);
}

export interface Proxy extends TlsServer {
  /** `http://127.0.0.1:PORT` or `https://...` */
  readonly proxyUrl: string;
  /** Each CONNECT as `host:port` with its Proxy-Authorization. */
  readonly tunnels: { readonly target: string; readonly authorization: string | undefined }[];
}

/** An HTTP proxy that tunnels to this machine whatever the name, or answers with `status`; itself behind TLS when given a certificate. */
export async function startProxy(status = 200, certificate?: ServerCertificate): Promise<Proxy> {
  const tunnels: Proxy["tunnels"] = [];
  const server = certificate === undefined ? createHttpServer() : createServer({ cert: certificate.chainPem, key: certificate.keyPem });
  server.on("connect", (request, client: Socket, head: Buffer) => {
    const target = request.url ?? "";
    tunnels.push({ target, authorization: request.headers["proxy-authorization"] });
    client.on("error", () => undefined);
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(Number(target.split(":").at(-1)), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
  });
  const listening = await listen(server, () => server.closeAllConnections());
  return { ...listening, proxyUrl: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${listening.port}`, tunnels };
}

async function listen(server: Server, closeConnections: () => void): Promise<TlsServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // Clients that only look at the certificates leave in the middle of the handshake.
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      closeConnections();
      for (const socket of sockets) socket.destroy();
    });
  return { port, url: `https://localhost:${port}`, address: { host: "localhost", port }, close };
}
