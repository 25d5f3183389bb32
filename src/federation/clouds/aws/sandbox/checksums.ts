import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The checksums that S3 takes in `x-amz-checksum-NAME`, as base64 of big-endian bytes. */
const CHECKSUMS: Readonly<Record<string, (data: Uint8Array) => Buffer>> = {
  crc32: (data) => bigEndian(crc32(data)),
  crc32c: (data) => bigEndian(crc32c(data)),
  crc64nvme,
  sha1: (data) => createHash("sha1").update(data).digest(),
  sha256: (data) => createHash("sha256").update(data).digest(),
  sha512: (data) => createHash("sha512").update(data).digest(),
  md5: (data) => createHash("md5").update(data).digest(),
};

/** The checksum that S3 computes for an object that came without one. */
export const DEFAULT_CHECKSUM = "crc64nvme";

/** Base64 of the named checksum; null for a name that is not one. */
export function checksumOf(name: string, data: Uint8Array): string | null {
  const compute = Object.hasOwn(CHECKSUMS, name) ? CHECKSUMS[name] : undefined;
  return compute === undefined ? null : compute(data).toString("base64");
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Castagnoli, reflected (RFC 3720, appendix B.4). */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

const ALL_64 = 0xffff_ffff_ffff_ffffn;

/** The polynomial of the NVM Express specification (command set 5.2.1.3.4), reflected. */
const CRC64_TABLE = BigUint64Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ 0x9a6c_9329_ac4b_c9b5n : value >> 1n;
  return value;
});

function crc64nvme(data: Uint8Array): Buffer {
  let crc = ALL_64;
  for (const byte of data) crc = (crc >> 8n) ^ (CRC64_TABLE[Number(crc & 0xffn) ^ byte] ?? 0n);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(crc ^ ALL_64);
  return bytes;
}
