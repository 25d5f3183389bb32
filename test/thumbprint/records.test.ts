import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRecordReader } from "../../src/thumbprint/records.ts";
import type { Sighting } from "../../src/thumbprint/records.ts";

const uint24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
const message = (type: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([type]), uint24(body.length), body]);
const record = (type: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([type, 3, 3, body.length >> 8, body.length & 0xff]), body]);

function certificateMessage(certificates: readonly Uint8Array[]): Buffer {
  const list = Buffer.concat(certificates.flatMap((each) => [uint24(each.length), each]));
  return message(11, Buffer.concat([uint24(list.length), list]));
}

/** Cuts bytes into pieces whose lengths follow the given numbers, over and over. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let offset = 0, index = 0; offset < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? 1;
    pieces.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return pieces;
}

function readAll(pieces: readonly Buffer[]): Sighting {
  const read = createRecordReader();
  for (const piece of pieces) {
    const sighting = read(piece);
    if (sighting.state !== "more") return sighting;
  }
  return { state: "more" };
}

const certificates = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 });
const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

describe("the reader of a server's handshake", () => {
  it("finds the certificates in their order, however records and packets cut them", () => {
    fc.assert(
      fc.property(certificates, lengths, lengths, fc.uint8Array({ maxLength: 100 }), (chain, recordLengths, packetLengths, hello) => {
        const handshake = Buffer.concat([message(2, Buffer.from(hello)), certificateMessage(chain), message(14, Buffer.alloc(0))]);
        const stream = Buffer.concat(cut(handshake, recordLengths).map((piece) => record(22, piece)));
        expect(readAll(cut(stream, packetLengths))).toEqual({ state: "certificates", certificates: chain.map((each) => Buffer.from(each)) });
      }),
    );
  });

  it("never throws, whatever the server sends", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), lengths, (noise, packetLengths) => {
        readAll(cut(Buffer.from(noise), packetLengths));
        readAll(cut(record(22, Buffer.concat([Buffer.from([11]), noise])), packetLengths));
      }),
    );
  });

  it.each([
    ["another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n")],
    ["an empty record", Buffer.from([22, 3, 3, 0, 0])],
    ["a record that is too long", Buffer.from([22, 3, 3, 0xff, 0xff])],
    ["a list that is longer than its message", record(22, message(11, Buffer.from([0, 0, 9, 0, 0, 1, 1])))],
    ["a certificate that is longer than the list", record(22, message(11, Buffer.from([0, 0, 4, 0, 0, 9, 1])))],
    ["an empty certificate", record(22, message(11, Buffer.from([0, 0, 3, 0, 0, 0])))],
    ["no certificate at all", record(22, message(11, Buffer.from([0, 0, 0])))],
    ["a message of sixteen megabytes", record(22, Buffer.from([11, 0xff, 0xff, 0xff]))],
  ])("refuses %s", (_words, bytes) => {
    expect(readAll([bytes])).toEqual({ state: "malformed" });
  });

  it("stops after 256 KiB of other messages", () => {
    const filler = record(22, message(99, Buffer.alloc(16_000)));
    expect(readAll(Array.from({ length: 20 }, () => filler))).toEqual({ state: "malformed" });
  });

  it("tells a fatal alert, and overlooks a warning", () => {
    expect(readAll([record(21, Buffer.from([2, 70]))])).toEqual({ state: "alert", description: 70 });
    expect(readAll([record(21, Buffer.from([1, 112]))])).toEqual({ state: "more" });
  });
});
