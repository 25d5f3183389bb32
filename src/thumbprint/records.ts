/** What the server's first bytes have shown so far. */
export type Sighting =
  | { readonly state: "more" }
  | { readonly state: "certificates"; readonly certificates: readonly Buffer[] }
  | { readonly state: "alert"; readonly description: number }
  | { readonly state: "malformed" };

const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
/** RFC 5246, 6.2: 2^14 bytes of plaintext. */
const MAX_RECORD = 16_384;
/** Real chains have a few kilobytes. */
const MAX_HANDSHAKE = 256 * 1024;
const CONTENT = { alert: 21, handshake: 22 } as const;
const CERTIFICATE_MESSAGE = 11;
const FATAL = 2;

/**
 * Reads the Certificate message out of a server's half of a TLS 1.2 handshake, where it is in the clear
 * (RFC 5246, 7.4.2). Feed it the bytes as they arrive, cut anywhere.
 */
export function createRecordReader(): (chunk: Uint8Array) => Sighting {
  let pending: Buffer = Buffer.alloc(0);
  let handshake: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= RECORD_HEADER) {
      const type = pending.readUInt8(0);
      const length = pending.readUInt16BE(3);
      if (pending.readUInt8(1) !== 3 || length === 0 || length > MAX_RECORD) return { state: "malformed" };
      if (pending.length < RECORD_HEADER + length) return { state: "more" };
      const fragment = pending.subarray(RECORD_HEADER, RECORD_HEADER + length);
      pending = pending.subarray(RECORD_HEADER + length);
      if (type === CONTENT.alert && fragment.length === 2 && fragment[0] === FATAL) return { state: "alert", description: fragment.readUInt8(1) };
      if (type !== CONTENT.handshake) continue;
      handshake = Buffer.concat([handshake, fragment]);
      if (handshake.length > MAX_HANDSHAKE) return { state: "malformed" };
      const found = findCertificateMessage(handshake);
      if (found !== null) return found;
    }
    return { state: "more" };
  };
}

function findCertificateMessage(handshake: Buffer): Sighting | null {
  let offset = 0;
  while (handshake.length >= offset + MESSAGE_HEADER) {
    const length = handshake.readUIntBE(offset + 1, 3);
    const end = offset + MESSAGE_HEADER + length;
    if (length > MAX_HANDSHAKE) return { state: "malformed" };
    if (handshake.length < end) return null;
    if (handshake[offset] === CERTIFICATE_MESSAGE) return parseCertificateMessage(handshake.subarray(offset + MESSAGE_HEADER, end));
    offset = end;
  }
  return null;
}

function parseCertificateMessage(message: Buffer): Sighting {
  if (message.length < 3 || message.readUIntBE(0, 3) !== message.length - 3) return { state: "malformed" };
  const certificates: Buffer[] = [];
  let offset = 3;
  while (offset < message.length) {
    if (message.length < offset + 3) return { state: "malformed" };
    const end = offset + 3 + message.readUIntBE(offset, 3);
    if (end > message.length || end === offset + 3) return { state: "malformed" };
    certificates.push(Buffer.from(message.subarray(offset + 3, end)));
    offset = end;
  }
  return certificates.length === 0 ? { state: "malformed" } : { state: "certificates", certificates };
}
