import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeProtobuf } from "../../../../src/federation/sandbox/cluster/protobuf.ts";
import { ClusterRefusal } from "../../../../src/federation/sandbox/cluster/status.ts";

/** The wire format, from protobuf.dev: what kubectl would write. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

const bytesField = (number: number, value: Buffer): Buffer => Buffer.concat([varint(BigInt(number * 8 + 2)), varint(BigInt(value.length)), value]);
const text = (number: number, value: string): Buffer => bytesField(number, Buffer.from(value));
const message = (number: number, ...fields: Buffer[]): Buffer => bytesField(number, Buffer.concat(fields));
const number = (field: number, value: bigint): Buffer => Buffer.concat([varint(BigInt(field * 8)), varint(value)]);
const envelope = (apiVersion: string, kind: string, ...fields: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("k8s\0"), message(1, text(1, apiVersion), text(2, kind)), message(2, ...fields), text(3, ""), text(4, "")]);

it("reads a token request with any audiences and lifetime", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.bigInt({ min: 0n, max: 2n ** 40n }), (audiences, seconds) => {
      const spec = message(2, ...audiences.map((audience) => text(1, audience)), number(4, seconds));
      const decoded = decodeProtobuf(envelope("authentication.k8s.io/v1", "TokenRequest", message(1, text(1, "")), spec));
      expect(decoded).toEqual({
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        metadata: { name: "" },
        spec: { ...(audiences.length === 0 ? {} : { audiences }), expirationSeconds: Number(seconds) },
      });
    }),
  );
});

it("reads labels, annotations, data, lists of objects and switches", () => {
  const entry = (key: string, value: string): Buffer[] => [text(1, key), text(2, value)];
  const metadata = message(1, text(1, "name"), text(3, "space"), message(11, ...entry("l", "ä")), message(12, ...entry("a", "1")), message(12, ...entry("b", "2")), number(7, 5n));
  const account = decodeProtobuf(envelope("v1", "ServiceAccount", metadata, message(2, text(3, "s1")), message(2, text(3, "s2")), number(4, 1n)));
  expect(account).toEqual({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "name", namespace: "space", labels: { l: "ä" }, annotations: { a: "1", b: "2" } },
    secrets: [{ name: "s1" }, { name: "s2" }],
    automountServiceAccountToken: true,
  });
  const map = decodeProtobuf(envelope("v1", "ConfigMap", message(2, ...entry("k", "v")), message(3, text(1, "b"), bytesField(2, Buffer.from([0xff, 0])))));
  expect(map).toMatchObject({ data: { k: "v" }, binaryData: { b: "/wA=" } });
});

it("refuses with 400 whatever is cut off, of another kind, or no such message, and never fails otherwise", () => {
  const whole = envelope("authentication.k8s.io/v1", "TokenRequest", message(2, text(1, "audience"), number(4, 600n)));
  expect(() => decodeProtobuf(Buffer.from("{}"))).toThrow(ClusterRefusal);
  expect(() => decodeProtobuf(envelope("v1", "Pod"))).toThrow(ClusterRefusal);
  // Between two fields a message may end; two empty fields of two bytes each close this one.
  const type = envelope("authentication.k8s.io/v1", "TokenRequest").length - 6;
  for (let length = 5; length < whole.length - 4; length += 1) {
    if (length !== type) expect(() => decodeProtobuf(whole.subarray(0, length))).toThrow(ClusterRefusal);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      try {
        decodeProtobuf(Buffer.concat([Buffer.from("k8s\0"), noise]));
      } catch (error) {
        expect(error).toBeInstanceOf(ClusterRefusal);
      }
    }),
  );
});
