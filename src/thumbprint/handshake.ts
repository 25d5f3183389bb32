import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { ConnectionOptions, DetailedPeerCertificate, TLSSocket } from "node:tls";
import { createRecordReader } from "./records.ts";
import type { Sighting } from "./records.ts";
import type { Address } from "./tunnel.ts";
import { codeOf } from "./tunnel.ts";

/** A handshake that did not succeed; `systemCode` is the TLS library's code, or names the alert. */
export class HandshakeFailure extends Error {
  readonly systemCode: string;

  constructor(systemCode: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "HandshakeFailure";
    this.systemCode = systemCode;
  }
}

/** What a finished handshake says about trust. */
export interface Verification {
  readonly trusted: boolean;
  /** Node's code, such as CERT_HAS_EXPIRED; null when trusted. */
  readonly reason: string | null;
  readonly protocol: string;
}

/**
 * The certificates as they are on the wire, in the order in which the server sends them. A TLS 1.2 handshake is begun
 * and left as soon as they have been seen: TLS libraries sort them and add roots of their own, so they are of no use here.
 */
export function readCertificates(socket: Duplex, servername: string | undefined, signal: AbortSignal): Promise<readonly X509Certificate[]> {
  return new Promise((resolve, reject) => {
    const read = createRecordReader();
    const tap = tapOf(socket, (chunk) => {
      const failure = settle(read(chunk), resolve);
      if (failure === "more") return;
      if (failure !== null) reject(failure);
      socket.destroy();
    });
    const options: ConnectionOptions = { socket: tap, minVersion: "TLSv1.2", maxVersion: "TLSv1.2", rejectUnauthorized: false };
    const tls = connect(servername === undefined ? options : { ...options, servername });
    tls.on("error", (cause) => reject(new HandshakeFailure(codeOf(cause), "the TLS 1.2 handshake failed", cause)));
    tls.once("close", () => reject(closed(signal)));
    tap.on("error", (cause) => reject(new HandshakeFailure(codeOf(cause), "the connection broke", cause)));
  });
}

function settle(sighting: Sighting, resolve: (certificates: readonly X509Certificate[]) => void): HandshakeFailure | "more" | null {
  if (sighting.state === "more") return "more";
  if (sighting.state === "alert") return new HandshakeFailure(`ALERT_${sighting.description}`, `the server answers with TLS alert ${sighting.description}`);
  if (sighting.state === "malformed") return new HandshakeFailure("NOT_TLS", "the server does not answer in TLS 1.2");
  try {
    resolve(sighting.certificates.map((der) => new X509Certificate(der)));
    return null;
  } catch (cause) {
    return new HandshakeFailure("MALFORMED_CERTIFICATE", "the server sends a certificate that cannot be read", cause);
  }
}

/** A stream between TLS and the socket that shows each chunk of the server's bytes before TLS gets it. */
function tapOf(socket: Duplex, onBytes: (chunk: Buffer) => void): Duplex {
  const tap = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    onBytes(chunk);
    if (!tap.push(chunk)) socket.pause();
  });
  socket.once("end", () => tap.push(null));
  socket.once("close", () => tap.destroy());
  socket.on("error", (cause) => tap.destroy(cause));
  return tap;
}

/** A whole handshake that verifies chain and name against exactly the given roots, and tells the outcome instead of failing. */
export async function verifyHandshake(socket: Duplex, address: Address, ca: readonly string[], signal: AbortSignal): Promise<Verification> {
  const tls = await shakeHands(socket, address, ca, signal);
  const reason = tls.authorized ? null : String(tls.authorizationError);
  const protocol = tls.getProtocol() ?? "";
  tls.destroy();
  return { trusted: reason === null, reason, protocol };
}

/**
 * The certificates of a server that hides them (TLS 1.3). OpenSSL sorts them into a path and drops what does not belong,
 * so neither their order nor strays can be seen; the empty store keeps it from adding roots.
 */
export async function readSortedCertificates(socket: Duplex, address: Address, signal: AbortSignal): Promise<readonly X509Certificate[]> {
  const tls = await shakeHands(socket, address, [], signal);
  const certificates: X509Certificate[] = [];
  const seen = new Set<string>();
  let next: DetailedPeerCertificate | undefined = tls.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    certificates.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  tls.destroy();
  return certificates;
}

function shakeHands(socket: Duplex, address: Address, ca: readonly string[], signal: AbortSignal): Promise<TLSSocket> {
  const options: ConnectionOptions = { socket, host: address.host, ca: [...ca], rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const tls = connect(isIP(address.host) === 0 ? { ...options, servername: address.host } : options);
    tls.once("secureConnect", () => resolve(tls));
    tls.on("error", (cause) => reject(new HandshakeFailure(codeOf(cause), "the TLS handshake failed", cause)));
    tls.once("close", () => reject(closed(signal)));
  });
}

function closed(signal: AbortSignal): Error {
  return signal.aborted && signal.reason instanceof Error ? signal.reason : new HandshakeFailure("ECONNRESET", "the server closed the connection during the handshake");
}
