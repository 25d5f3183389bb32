import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { KubeassumeError } from "../federation/errors/error.ts";
import { codes } from "./codes.ts";
import { HandshakeFailure, readCertificates, readSortedCertificates, verifyHandshake } from "./handshake.ts";
import type { Verification } from "./handshake.ts";
import { codeOf, ConnectFailure, openConnection } from "./tunnel.ts";
import type { Address } from "./tunnel.ts";

export interface ChainOptions {
  /** Extra CA certificates (PEM) that the chain may lead to, beside the public roots. Default none. */
  readonly caPem?: readonly string[] | undefined;
  /** Milliseconds for everything together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** An `http://` or `https://` proxy to tunnel through; by default a direct connection. See `proxyFor`. */
  readonly proxy?: string | undefined;
}

/** A server's chain as it is on the wire, and what verifying it gave. */
export interface ServedChain extends Address {
  /** The name that was sent as SNI; null for an IP address, for which there is none. */
  readonly servername: string | null;
  /** In the order in which the server sends them; nothing is added from a local store. Never empty. */
  readonly certificates: readonly X509Certificate[];
  /** False for a server without TLS 1.2, whose certificates could only be read sorted. */
  readonly orderObserved: boolean;
  /** Against the public roots that Node brings (Mozilla's), name included. */
  readonly publicRoots: Verification;
  /** Against the extra CA certificates alone, name included; null when none were given. */
  readonly extraRoots: Verification | null;
  /** How the server treats a client that sends no SNI; null for an IP address, for which SNI is never sent. */
  readonly withoutSni: "same" | "different" | "refused" | null;
  readonly throughProxy: boolean;
}

/**
 * Reads the chain that a TLS server sends, with several handshakes side by side: one that sees the certificates on
 * the wire, one verified against the public roots, one against the extra CA, and one without SNI.
 * SNI is sent for DNS names and never for IP addresses (RFC 6066, section 3).
 *
 * @throws KubeassumeError TLS_UNREACHABLE, TLS_TIMEOUT, TLS_HANDSHAKE_FAILED; whatever `signal` was aborted with
 */
export async function readServedChain(address: Address, options: ChainOptions): Promise<ServedChain> {
  const bound = AbortSignal.timeout(options.timeoutMs);
  const done = new AbortController();
  const signals = [bound, done.signal, ...(options.signal === undefined ? [] : [options.signal])];
  try {
    return await readBounded(address, options, AbortSignal.any(signals));
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw toError(cause, address, options, bound.aborted);
  } finally {
    // One handshake may fail while another still waits: nothing stays open behind the answer.
    done.abort();
  }
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly cause: unknown };

async function readBounded(address: Address, options: ChainOptions, signal: AbortSignal): Promise<ServedChain> {
  const extraCa = options.caPem ?? [];
  const servername = isIP(address.host) === 0 ? address.host : undefined;
  const open = () => openConnection(address, options.proxy, [...rootCertificates, ...extraCa], signal);
  const verify = async (ca: readonly string[]) => verifyHandshake(await open(), address, ca, signal);
  const read = async (name: string | undefined) => readCertificates(await open(), name, signal);
  const [seen, publicRoots, extraRoots, unnamed] = await Promise.all([
    outcomeOf(read(servername)),
    verify(rootCertificates),
    extraCa.length === 0 ? null : verify(extraCa),
    servername === undefined ? null : outcomeOf(read(undefined)),
  ]);
  if (!seen.ok && !(seen.cause instanceof HandshakeFailure && publicRoots.protocol === "TLSv1.3")) throw seen.cause;
  const certificates = seen.ok ? seen.value : await readSortedCertificates(await open(), address, signal);
  return {
    host: address.host,
    port: address.port,
    servername: servername ?? null,
    certificates,
    orderObserved: seen.ok,
    publicRoots,
    extraRoots,
    // Without TLS 1.2 both readings fail, which says nothing about SNI.
    withoutSni: unnamed === null || !seen.ok ? null : compare(certificates, unnamed),
    throughProxy: options.proxy !== undefined,
  };
}

function outcomeOf<T>(promise: Promise<T>): Promise<Outcome<T>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (cause: unknown) => ({ ok: false, cause }),
  );
}

function compare(named: readonly X509Certificate[], unnamed: Outcome<readonly X509Certificate[]>): "same" | "different" | "refused" {
  if (!unnamed.ok) return "refused";
  const prints = (chain: readonly X509Certificate[]): string => chain.map((certificate) => certificate.fingerprint256).join(" ");
  return prints(named) === prints(unnamed.value) ? "same" : "different";
}

function toError(cause: unknown, address: Address, options: ChainOptions, late: boolean): unknown {
  const where = `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
  const code = codeOf(cause) || (cause instanceof HandshakeFailure ? cause.systemCode : "");
  const details = { host: address.host, port: address.port, systemCode: code };
  const shown = code === "" || code === "PROXY" ? "" : ` (${code})`;
  if (late) {
    return new KubeassumeError(codes.TLS_TIMEOUT, { message: `${where} did not finish a TLS handshake in ${options.timeoutMs / 1000} seconds`, details });
  }
  if (cause instanceof HandshakeFailure) {
    return new KubeassumeError(codes.TLS_HANDSHAKE_FAILED, { message: `${where}: ${cause.message}${shown}`, details, cause });
  }
  if (!(cause instanceof ConnectFailure)) return cause;
  const via = options.proxy === undefined ? "" : " through the proxy";
  return new KubeassumeError(codes.TLS_UNREACHABLE, { message: `${where} cannot be reached${via}: ${cause.message}${shown}`, details, cause });
}
