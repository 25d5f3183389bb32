import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "vitest";

const FOLDER = resolve(import.meta.dirname, "../../schema/output");
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const compiled = new Map<string, ValidateFunction>();

/** The document that every command prints with `-o json`. */
export interface OutputEnvelope<D> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly ok: boolean;
  readonly data: D;
  readonly warnings: readonly OutputProblem[];
  readonly error: OutputProblem | null;
}

export interface OutputProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Asserts that `document` (stdout as text, or parsed) is one JSON document of this kind, by the schema that ships in
 * the package, and that `ok` says the same as `error`. Answers the document.
 */
export function expectEnvelope<D = Record<string, unknown>>(kind: string, document: unknown): OutputEnvelope<D> {
  const value: unknown = typeof document === "string" ? JSON.parse(document) : document;
  const validate = validatorOf(kind);
  expect(validate(value) ? [] : validate.errors?.map(({ instancePath, message }) => `${instancePath || "/"} ${message ?? ""}`), `${kind} by its schema`).toEqual([]);
  const envelope = value as OutputEnvelope<D>;
  expect(envelope.ok, "ok says the same as error").toBe(envelope.error === null);
  return envelope;
}

function validatorOf(kind: string): ValidateFunction {
  const known = compiled.get(kind);
  if (known !== undefined) return known;
  const made = ajv.compile(JSON.parse(readFileSync(resolve(FOLDER, `${kind}.schema.json`), "utf8")) as object);
  compiled.set(kind, made);
  return made;
}
