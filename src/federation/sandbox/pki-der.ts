/** The few DER encoders that an X.509 certificate needs (ITU-T X.690, section 10). Pure: values in, bytes out. */

function encode(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), encodeLength(body.length), body]);
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => encode(0x30, ...items);
/** A set of one element, so the sorting rule of DER never applies. */
export const setOfOne = (item: Uint8Array): Buffer => encode(0x31, item);
export const octetString = (bytes: Uint8Array): Buffer => encode(0x04, bytes);
export const utf8String = (text: string): Buffer => encode(0x0c, Buffer.from(text, "utf8"));
export const nullValue = (): Buffer => encode(0x05);
export const trueValue = (): Buffer => encode(0x01, Buffer.from([0xff]));
/** `[n] EXPLICIT`: the tag wraps a complete value. */
export const explicit = (n: number, value: Uint8Array): Buffer => encode(0xa0 | n, value);
/** `[n] IMPLICIT` of a primitive type: the tag takes the place of the value's own. */
export const implicit = (n: number, contents: Uint8Array): Buffer => encode(0x80 | n, contents);

/** A positive integer as big-endian bytes, of which the first bit is clear and the first byte is not zero. */
export const integer = (bytes: Uint8Array): Buffer => encode(0x02, bytes);

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return encode(0x03, Buffer.from([unusedBits]), bytes);
}

/** An object identifier in dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) septets.unshift(0x80 | (left & 0x7f));
    return septets;
  });
  return encode(0x06, Buffer.from(bytes));
}

/** UTCTime until 2049 and GeneralizedTime from 2050, as RFC 5280, section 4.1.2.5, demands. Fractions of a second are dropped. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/\.\d+Z$/, "").replace(/[-:T]/g, "");
  const utc = at.getUTCFullYear() >= 1950 && at.getUTCFullYear() < 2050;
  return utc ? encode(0x17, Buffer.from(`${digits.slice(2)}Z`)) : encode(0x18, Buffer.from(`${digits}Z`));
}
