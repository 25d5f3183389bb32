import type { JsonRecord } from "./resources.ts";
import { badRequest } from "./status.ts";

/**
 * Reads the few messages that kubectl sends in Kubernetes' protobuf encoding instead of JSON (`create token`,
 * `create serviceaccount` and the like). Field numbers: generated.proto in k8s.io/api and k8s.io/apimachinery.
 */

type FieldKind = "string" | "strings" | "int" | "bool" | "string-map" | "bytes-map" | Message | { readonly repeated: Message };
interface Message {
  readonly [number: number]: readonly [name: string, kind: FieldKind];
}

const REFERENCE: Message = { 1: ["kind", "string"], 2: ["apiVersion", "string"], 3: ["name", "string"], 4: ["uid", "string"] };
const METADATA: Message = {
  1: ["name", "string"],
  3: ["namespace", "string"],
  5: ["uid", "string"],
  11: ["labels", "string-map"],
  12: ["annotations", "string-map"],
};
const MESSAGES: Readonly<Record<string, Message>> = {
  TokenRequest: { 1: ["metadata", METADATA], 2: ["spec", { 1: ["audiences", "strings"], 3: ["boundObjectRef", REFERENCE], 4: ["expirationSeconds", "int"] }] },
  ServiceAccount: {
    1: ["metadata", METADATA],
    2: ["secrets", { repeated: { 3: ["name", "string"] } }],
    3: ["imagePullSecrets", { repeated: { 1: ["name", "string"] } }],
    4: ["automountServiceAccountToken", "bool"],
  },
  Namespace: { 1: ["metadata", METADATA] },
  ConfigMap: { 1: ["metadata", METADATA], 2: ["data", "string-map"], 3: ["binaryData", "bytes-map"], 4: ["immutable", "bool"] },
};

/** The bytes before every message: `k8s` and a zero (apimachinery, runtime/serializer/protobuf). */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/**
 * The object in the shape that JSON would have.
 *
 * @throws ClusterRefusal when it is cut off, or of a kind that the sandbox does not know
 */
export function decodeProtobuf(body: Uint8Array): JsonRecord {
  const bytes = Buffer.from(body);
  if (!bytes.subarray(0, 4).equals(MAGIC)) throw badRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  try {
    const envelope = decodeMessage(bytes.subarray(4), { 1: ["type", { 1: ["apiVersion", "string"], 2: ["kind", "string"] }], 2: ["raw", "string"] }, "latin1");
    const type = (envelope["type"] ?? {}) as { apiVersion?: string; kind?: string };
    const message = Object.hasOwn(MESSAGES, type.kind ?? "") ? MESSAGES[type.kind ?? ""] : undefined;
    if (message === undefined) throw badRequest(`no kind "${type.kind ?? ""}" is registered for version "${type.apiVersion ?? ""}" in the sandbox`);
    return { ...type, ...decodeMessage(Buffer.from(String(envelope["raw"] ?? ""), "latin1"), message, "utf8") };
  } catch (error) {
    if (error instanceof RangeError) throw badRequest("the protobuf message is cut off");
    throw error;
  }
}

function decodeMessage(bytes: Buffer, message: Message, encoding: BufferEncoding): JsonRecord {
  const result: JsonRecord = {};
  for (const { number, value } of readFields(bytes)) {
    const field = message[number];
    if (field !== undefined) addField(result, field[0], field[1], value, encoding);
  }
  return result;
}

function addField(result: JsonRecord, name: string, kind: FieldKind, value: Buffer | bigint, encoding: BufferEncoding): void {
  if (typeof value === "bigint") {
    result[name] = kind === "bool" ? value !== 0n : Number(BigInt.asIntN(64, value));
  } else if (kind === "string") result[name] = value.toString(encoding);
  else if (kind === "strings") result[name] = [...((result[name] as string[] | undefined) ?? []), value.toString("utf8")];
  else if (kind === "string-map" || kind === "bytes-map") {
    const entry = decodeMessage(value, { 1: ["key", "string"], 2: ["value", "string"] }, "latin1") as { key?: string; value?: string };
    const text = Buffer.from(entry.value ?? "", "latin1").toString(kind === "bytes-map" ? "base64" : "utf8");
    result[name] = { ...(result[name] as JsonRecord | undefined), [Buffer.from(entry.key ?? "", "latin1").toString("utf8")]: text };
  } else if (typeof kind === "object" && "repeated" in kind) {
    result[name] = [...((result[name] as JsonRecord[] | undefined) ?? []), decodeMessage(value, kind.repeated, "utf8")];
  } else if (typeof kind === "object") result[name] = decodeMessage(value, kind, "utf8");
}

/** The fields of a message in wire order (protobuf.dev, Encoding): varints as numbers, everything else as bytes. */
function* readFields(bytes: Buffer): Generator<{ number: number; value: Buffer | bigint }> {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError("cut off");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const takeVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = take(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      if (shift > 63n) throw new RangeError("a number of more than ten bytes");
    }
  };
  while (at < bytes.length) {
    const tag = Number(takeVarint());
    const wire = tag & 7;
    const number = Math.floor(tag / 8);
    if (wire === 0) yield { number, value: takeVarint() };
    else if (wire === 2) yield { number, value: take(Number(takeVarint())) };
    else if (wire === 1) yield { number, value: take(8) };
    else if (wire === 5) yield { number, value: take(4) };
    else throw new RangeError(`wire type ${wire}`);
  }
}
